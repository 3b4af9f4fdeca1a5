"""Servers that tests start: on free ports, and never left behind."""

import socket
import subprocess
from collections.abc import Sequence
from typing import IO

RUN = """
ending=$1; shift
"$@" & server=$!
cat > /dev/null
kill -$ending $server
wait $server
"""
"""Runs the server until standard input ends: when the tests are over, and when they are killed."""


def leashed(
    command: Sequence[str], log: IO[bytes], *, ending: str = "KILL", user: str | None = None
) -> subprocess.Popen[bytes]:
    """Start a server that ends when its standard input does: closed by the test, or with it.

    Args:
        command: The server's program and its arguments.
        log: Where it writes.
        ending: The signal that ends it at once; nobody will ask for its data again.
        user: Who it runs as; None: the present user.
    """
    return subprocess.Popen(
        ["/bin/sh", "-c", RUN, "sh", ending, *command],
        stdin=subprocess.PIPE,
        stdout=log,
        stderr=log,
        start_new_session=True,  # Ctrl-C is for the tests; this one ends after them
        user=user,
    )


def free_ports(number: int) -> list[int]:
    """Find ports that nobody listens on, all at once: one that is free twice is one."""
    probes = [socket.socket() for _ in range(number)]
    for probe in probes:
        probe.bind(("127.0.0.1", 0))
    ports = [int(probe.getsockname()[1]) for probe in probes]
    for probe in probes:
        probe.close()
    return ports
