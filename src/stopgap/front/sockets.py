"""The sockets that the server has opened in this process, and keeps to itself."""

import ctypes
import fcntl
import socket
import struct
import sys
import termios
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

UNSENT_BYTES = 131_072
"""What the system takes of an answer before it can send it. Else it takes up to 4 MB at once for
each client that reads nothing (tcp(7), `tcp_wmem`): memory, and the time to write them."""

UNACKED = 24
"""Where `tcp_info` has it (Linux' tcp.h): of a listening socket, how many wait to be taken."""

SO_ATTACH_FILTER = 26
"""From Linux' asm-generic/socket.h; Python has no name for it."""

NO_SYN = (
    (0x30, 0, 0, 13),  # load the byte of the TCP header that holds the flags;
    (0x45, 0, 1, 0x02),  # where SYN is one of them,
    (0x06, 0, 0, 0),  # drop the packet,
    (0x06, 0, 0, 0xFFFF_FFFF),  # else take it
)
"""Classic BPF, as Linux' networking/filter.rst tells it: code, jump if true, if false, operand."""


def bound_unsent() -> bool:
    """Have the system take little ahead of what it sends; tell whether there is a server yet.

    The connections that the server will take have this from it.
    """
    found = False
    for each in _tcp_sockets():
        with suppress(OSError):  # the server has just closed it, or the system cannot do this
            found = found or _listens(each)
            each.setsockopt(socket.IPPROTO_TCP, socket.TCP_NOTSENT_LOWAT, UNSENT_BYTES)
    return found


def has_clients() -> bool:
    """Tell whether anybody is connected to this process."""
    listening: set[int] = set()
    connected: set[int] = set()
    for each in _tcp_sockets():
        with suppress(OSError):  # it is not connected, or the server has just closed it
            port = each.getsockname()[1]
            if _listens(each):
                listening.add(port)
            else:
                each.getpeername()
                connected.add(port)
    return not listening.isdisjoint(connected)


def has_unread() -> bool:
    """Tell whether anybody waits to be taken, or has sent what has not been read yet."""
    listening: set[int] = set()
    unread: set[int] = set()
    for each in _tcp_sockets():
        with suppress(OSError):  # the server has just closed it
            port = each.getsockname()[1]
            if not _listens(each):
                if _count_unread(each):
                    unread.add(port)
            elif _count_waiting(each):
                return True
            else:
                listening.add(port)
    return not listening.isdisjoint(unread)


def turn_deaf() -> None:
    """Take no new connections, but all that wait to be taken.

    When a listening socket is closed, the kernel resets every connection that waits there, though
    its client takes it for open, and has perhaps sent a request. So no more may begin to wait, some
    time before. Who tries gets no answer, and tries again after a second (RFC 6298): then another
    server answers, or the system says that there is none. Only Linux can do this.
    """
    if sys.platform != "linux":
        return
    program = b"".join(struct.pack("HBBI", *step) for step in NO_SYN)
    kept = ctypes.create_string_buffer(program, len(program))
    told = struct.pack("HP", len(NO_SYN), ctypes.addressof(kept))
    for each in _tcp_sockets():
        with suppress(OSError):  # a system that forbids it
            if _listens(each):
                each.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, told)


def _listens(each: socket.socket) -> bool:
    return bool(each.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _count_waiting(listener: socket.socket) -> int:
    if sys.platform != "linux":
        return 0  # nothing tells
    told = listener.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, UNACKED + 4)
    return int.from_bytes(told[UNACKED:], sys.byteorder)


def _count_unread(connected: socket.socket) -> int:
    """Count the bytes that have come and have not been read."""
    told = fcntl.ioctl(connected, termios.FIONREAD, bytes(4))
    return int.from_bytes(told, sys.byteorder)


def _tcp_sockets() -> Iterator[socket.socket]:
    """List them all; they may only be looked at while they are listed, as they are not ours.

    Each can be closed by the server's own threads at any moment, and then raises OSError.
    """
    try:
        descriptors = [*Path("/dev/fd").iterdir()]
    except OSError:  # there is no /proc
        return
    for descriptor in descriptors:
        with suppress(OSError):  # it is no socket, or has just been closed
            found = socket.socket(fileno=int(descriptor.name))
            try:
                if found.type == socket.SOCK_STREAM and found.family != socket.AF_UNIX:
                    yield found
            finally:
                found.detach()
