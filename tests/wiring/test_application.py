"""The application: what a worker does at its end, whatever fails."""

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from tests.fakes import FakeClock
from tests.front.loops import in_a_loop, parent
from tests.front.requests import Client, living, playing
from tests.journal.records import is_free

from stopgap import wiring
from stopgap.accounts.sessions import Sessions
from stopgap.clock import Clock
from stopgap.front.chores import Chore
from stopgap.images.gallery import Images
from stopgap.journal.journal import Journal
from stopgap.journal.segment import segments
from stopgap.journal.spool import Spool
from stopgap.models.artifacts import Artifacts
from stopgap.releases.watch import Watch
from stopgap.settings import Settings
from stopgap.storage.database import Database
from stopgap.telemetry.metrics import Metrics
from stopgap.web.app import create_app
from stopgap.wiring.application import door_to


@in_a_loop
async def test_an_outlet_that_fails_at_the_end(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """It is told; the other flushes are called nevertheless, and everything is closed."""
    installation = wiring.prepare(Settings(data=tmp_path))
    parts = wiring.build_parts(installation)
    parts.spool.append(b"{}")
    (segment,) = segments(installation.at.spool)
    called: list[str] = []

    def fail() -> None:
        called.append("fail")
        raise ZeroDivisionError

    flushes = [Chore(call=fail, every=60), Chore(call=lambda: called.append("last"), every=60)]
    door = door_to(create_app(parts), parts, supervisor=parent(), flushes=flushes)
    stop, told = {"type": "lifespan.shutdown"}, Client()
    await door({"type": "lifespan"}, playing([{"type": "lifespan.startup"}, stop]), told.send)
    assert told.messages[-1]["type"] == "lifespan.shutdown.complete"
    assert called[-2:] == ["fail", "last"]
    assert "what was noted last could not be written" in caplog.messages
    assert is_free(segment)


@in_a_loop
async def test_a_worker_does_all_its_chores(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What has aged goes by itself, from the start on: nobody has to ask for it."""
    done: dict[tuple[type, str], tuple[object, ...]] = {}
    chores = {
        (Metrics, "publish"): (),
        (Sessions, "sweep"): (),
        (Images, "sweep"): (),
        (Images, "sweep_orphans"): (),
        (Watch, "sweep"): (),
        (Artifacts, "sweep"): (frozenset(),),
        (Journal, "sweep"): (7,),
        (Spool, "renew"): (),
    }
    parts = wiring.build_parts(wiring.prepare(Settings(data=tmp_path, journal_days=7)))
    for kind, name in chores:
        monkeypatch.setattr(
            kind, name, lambda _self, *given, of=(kind, name): done.update({of: given})
        )
    door = door_to(create_app(parts), parts, supervisor=parent())
    stop, told = asyncio.Event(), Client()
    life = asyncio.create_task(door({"type": "lifespan"}, living(told, stop), told.send))
    async with asyncio.timeout(5):
        while len(done) < len(chores):  # noqa: ASYNC110  # threads do them
            await asyncio.sleep(0.01)
    stop.set()
    await life
    assert done == chores


@in_a_loop
async def test_a_clock_that_others_do_not_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgresql_url: str
) -> None:
    """By a clock that is not the database's a worker deletes nothing that has rows there."""
    settings = Settings(data=tmp_path, database_url=postgresql_url)
    parts = wiring.build_parts(wiring.prepare(settings))
    clock = FakeClock(datetime.now(UTC) + timedelta(days=300))
    parts = replace(parts, clock=clock, journal=Journal(parts.database, clock))
    done: list[type] = []
    for kind in (Sessions, Images, Watch, Journal):
        monkeypatch.setattr(kind, "sweep", lambda _self, *_given, of=kind: done.append(of))
    looks = asyncio.Queue[None]()
    other_time = Database.other_time

    def look(self: Database, by: Clock) -> datetime | None:
        told = other_time(self, by)
        loop.call_soon_threadsafe(looks.put_nowait, None)
        return told

    loop = asyncio.get_running_loop()
    monkeypatch.setattr(Database, "other_time", look)
    door = door_to(create_app(parts), parts, supervisor=parent())
    stop, told = asyncio.Event(), Client()
    life = asyncio.create_task(door({"type": "lifespan"}, living(told, stop), told.send))
    async with asyncio.timeout(5):
        for _ in range(4):
            await looks.get()
    stop.set()
    await life
    assert done == []
