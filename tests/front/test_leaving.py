"""A worker's end, with a server that is slow to take its clients."""

import asyncio
import signal
import socket
from contextlib import closing

import pytest
from tests.front.loops import in_a_loop

from stopgap.clock import RandomIds
from stopgap.front import leaving
from stopgap.front.admission import InFlightLimit
from stopgap.front.intake import Intake
from stopgap.front.leaving import LAST_SECONDS, Leaving
from stopgap.front.sending import Sending
from stopgap.predicting.engine import Engine


def begin() -> asyncio.Event:
    """Begin to leave; the event is that the server is told to end."""
    end = Leaving(
        in_flight=InFlightLimit(1),
        intake=Intake(seconds=5, places=1),
        sending=Sending(RandomIds(), places=1),
        end_models=Engine().leave,
    )
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, told.set)
    end.begin()
    return told


@in_a_loop
async def test_who_waits_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is told to end once it has taken who waits, and read what they have sent."""
    monkeypatch.setattr(leaving, "UNREAD_SECONDS", 60)
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(socket.create_connection(listener.getsockname())) as client,
    ):
        client.sendall(b"a question")
        told = begin()
        await asyncio.sleep(LAST_SECONDS + 0.15)
        assert not told.is_set()
        taken, _ = listener.accept()
        with taken:
            await asyncio.sleep(0.15)
            assert not told.is_set()
            taken.recv(100)
            await asyncio.wait_for(told.wait(), 30)


@in_a_loop
async def test_who_is_never_taken_is_not_waited_for() -> None:
    """It is told soon, though somebody waits to be taken."""
    with (
        closing(socket.create_server(("127.0.0.1", 0))) as listener,
        closing(socket.create_connection(listener.getsockname())),
    ):
        await asyncio.wait_for(begin().wait(), 30)
