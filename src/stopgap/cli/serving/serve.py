"""`stopgap serve`: run the server until it is told to stop."""

import errno
import socket
from dataclasses import replace

import click

from stopgap import wiring
from stopgap.cli.serving.open_files import allow_open_files
from stopgap.cli.serving.supervising import supervise
from stopgap.errors import StartRefused
from stopgap.settings import Settings
from stopgap.storage.objects import DiskFull, ObjectsUnreachable

HERE = frozenset({"127.0.0.1", "::1", "0.0.0.0", "::"})  # noqa: S104  # compared, not bound
"""Addresses under which a browser on this machine finds the server as localhost."""

RENAMED = (
    "If that contract was renamed, the stand-in answers in the release's place: give it its old "
    "name again, or add and promote the model under the new one."
)


class PortTaken(StartRefused):
    """Another program, perhaps another Stopgap, listens on the port already."""

    def __init__(self, host: str, port: int) -> None:
        super().__init__(
            f"Port {port} on {host} is taken; stop what listens there, or choose another port "
            "with --port or PORT."
        )


class AddressUnusable(StartRefused):
    """The address to listen on is none of this machine's, or needs rights that are missing."""

    def __init__(self, host: str, port: int, reason: str) -> None:
        super().__init__(f"The server cannot listen on {host}, port {port}: {reason}.")


@click.command()
@click.option("--host", help="Address to listen on.  [default: 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port; 0: a free one.  [default: 5000]")
@click.option("--workers", type=click.IntRange(1, 64), help="Worker processes.  [default: 1]")
@click.option(
    "--contract",
    "contracts",
    multiple=True,
    metavar="MODULE:ATTRIBUTE",
    help="A contract to serve; may be repeated.  [default: MadCompany's]",
)
@click.option(
    "--stand-in",
    type=click.Choice(["random", "stable"]),
    help="How answers are drawn.  [default: random]",
)
def serve(**options: object) -> None:
    """Serve the contracts until Ctrl-C or SIGTERM.

    Every option is a setting too (STOPGAP_HOST, STOPGAP_PORT …); the option wins.

    \b
    Examples:
      stopgap serve
      stopgap serve --host 0.0.0.0 --port 8000
      stopgap serve --contract stopgap.contracts.madcompany:contract --contract delivery.py:contract
    """
    given = {name: value for name, value in options.items() if value not in (None, ())}
    settings = replace(wiring.settings_of_environment(), **given)  # type: ignore[arg-type]  # click checked them
    address, port = free_address(settings.host, settings.port)
    installation = wiring.prepare(settings)
    try:
        wiring.check_objects(installation)
    except (ObjectsUnreachable, DiskFull) as error:  # which predictions do without
        click.echo(f"{error.detail} The server starts nevertheless.", err=True)
    wiring.keep_routings(installation)
    for name, number in wiring.left_behind(installation).items():
        click.echo(f"{left_behind(name, number)} {RENAMED}", err=True)
    allow_open_files()
    click.echo(invitation(settings, port, demo=wiring.is_demo_open(installation)), err=True)
    supervise(installation, address, port)


def free_address(host: str, port: int) -> tuple[str, int]:
    """Resolve the address, and see that nobody listens there.

    The server itself would share the port with whoever does, without a word, so a plain socket
    asks first. Port 0 becomes a free port.

    Raises:
        PortTaken, AddressUnusable: the server cannot listen there.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return str(address[0]), int(probe.getsockname()[1])
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise PortTaken(host, port) from error
        raise AddressUnusable(host, port, error.strerror or str(error)) from error


def left_behind(name: str, number: int) -> str:
    """Tell of a live release that answers nobody here, as its contract is not served."""
    return f"Release {number} of {name} is live, and no contract called {name} is served here."


def invitation(settings: Settings, port: int, *, demo: bool) -> str:
    """Tell a person where to go, and how to sign in where the demo's account is open."""
    host = "localhost" if settings.host in HERE else settings.host
    if ":" in host:
        host = f"[{host}]"  # RFC 3986, section 3.2.2
    lines = [f"Stopgap serves {', '.join(settings.contracts)}", f"Open http://{host}:{port}/"]
    if demo:
        lines[1] += " and sign in as orhan with the password 12345"
    return "\n".join([*lines, "Ctrl-C stops it."])
