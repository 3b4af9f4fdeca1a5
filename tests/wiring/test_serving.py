"""Serving: what a worker does at its end, whatever fails."""

import os
from pathlib import Path

import pytest
from tests.front.loops import in_a_loop
from tests.front.requests import Client, playing
from tests.journal.records import is_free

from stopgap import wiring
from stopgap.front.chores import Chore
from stopgap.journal.segment import segments
from stopgap.settings import Settings
from stopgap.web.app import create_app


@in_a_loop
async def test_an_outlet_that_fails_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told; the other outlets are called nevertheless, and everything is closed."""
    installation = wiring.prepare(Settings(data=tmp_path))
    parts = wiring.build_parts(installation)
    parts.spool.append(b"{}")
    (segment,) = segments(installation.at.spool)
    called: list[str] = []

    def fail() -> None:
        called.append("fail")
        raise ZeroDivisionError

    outlets = [Chore(call=fail, every=60), Chore(call=lambda: called.append("last"), every=60)]
    door = wiring.door_to(create_app(parts), parts, supervisor=os.getppid(), outlets=outlets)
    stop, told = {"type": "lifespan.shutdown"}, Client()
    await door({"type": "lifespan"}, playing([{"type": "lifespan.startup"}, stop]), told.send)
    assert told.messages[-1]["type"] == "lifespan.shutdown.complete"
    assert called[-2:] == ["fail", "last"]
    assert "what was noted last could not be written" in caplog.messages
    assert is_free(segment)
