"""Following: every worker has what the releases say, and goes on with what it knows."""

import asyncio
import errno
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from tests.front.loops import in_a_loop
from tests.predicting.slots import FakeSlot, release, routing

from stopgap.cli.serving.workers import READY_SECONDS
from stopgap.clock import SystemClock
from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract
from stopgap.models.failures import ModelUnloadable
from stopgap.models.slot import Slot
from stopgap.models.specification import LOAD_TIMEOUT_MAX
from stopgap.releases import following, reconciling
from stopgap.releases.following import Follower
from stopgap.releases.last_known import LastKnown
from stopgap.releases.plan import Plan, SlotKey
from stopgap.releases.routing import Routing
from stopgap.releases.trouble import Troubles
from stopgap.storage import files
from stopgap.storage.database_faults import DatabaseUnreachable


class Source:
    """Knows who answers, unless it is away."""

    def __init__(self, of: Routing) -> None:
        self.away = False
        self.flaps = False  # is away every other time
        self.number = 1
        self.of = of

    def change(self, of: Routing) -> None:
        """Have another routing."""
        self.number += 1
        self.of = of

    def version(self) -> int:
        """Tell the version."""
        self.away ^= self.flaps
        if self.away:
            raise DatabaseUnreachable("database", "it is away")
        return self.number

    def routing(self, name: str) -> Routing:
        """Tell who answers."""
        assert name == contract.name
        return self.of


class Worker:
    """A worker that follows."""

    def __init__(self, source: Source, path: Path, *, helped: bool = False) -> None:
        self.plan = Plan(None)
        self.slots: list[FakeSlot] = []
        self.reports = 0
        self.away = False
        self.troubles: Troubles = {}
        self.follower = Follower(
            source,
            contracts=[contract],
            open=self._open,
            apply=self._apply,
            last_known=LastKnown(path),
            report=self._report,
            monotonic=SystemClock().monotonic,
            helped=helped,
        )

    async def _open(self, _contract: Contract, key: SlotKey) -> Slot:
        self.slots.append(FakeSlot(2000 + key.number))
        return self.slots[-1]

    def _apply(self, _contract: Contract, plan: Plan) -> None:
        self.plan = plan

    def _report(self, troubles: Troubles) -> Callable[[], None]:
        self.troubles = troubles

        def count() -> None:
            if self.away:
                raise DatabaseUnreachable("database", "it is away")
            self.reports += 1

        return count

    @property
    def live(self) -> int | None:
        """Who is live."""
        return self.plan.routing.live.number if self.plan.routing else None


@asynccontextmanager
async def working(source: Source, path: Path) -> AsyncIterator[Worker]:
    """Have a worker follow, to its end."""
    worker = Worker(source, path)
    await worker.follower.start()
    yield worker
    await worker.follower.stop()
    assert all(slot.stopped for slot in worker.slots)


@in_a_loop
async def test_it_begins_with_what_is_so(tmp_path: Path) -> None:
    """When it has started, the live release is loaded."""
    async with working(Source(routing(release(1))), tmp_path / "releases.json") as worker:
        assert worker.live == 1
        assert worker.plan.slot(release(1)) is not None


@in_a_loop
async def test_a_change_is_there_within_a_second(tmp_path: Path) -> None:
    """What somebody changes, every worker has within a second."""
    source = Source(routing(release(0)))
    async with (
        working(source, tmp_path / "1.json") as one,
        working(source, tmp_path / "2.json") as two,
    ):
        source.change(routing(release(1)))
        await asyncio.sleep(1)
        assert (one.live, two.live) == (1, 1)
    assert one.reports >= 1


@in_a_loop
async def test_it_goes_on_while_the_source_is_away(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who knows goes on with that, and learns what is new when the source is back.

    Both the beginning and the end are told; the end once it has lasted.
    """
    caplog.set_level(logging.INFO)
    source = Source(routing(release(1)))
    async with working(source, tmp_path / "releases.json") as worker:
        source.away = True
        source.change(routing(release(2)))
        await asyncio.sleep(1)
        assert worker.live == 1
        assert "it is known again whether releases have changed" not in caplog.messages
        source.away = False
        await asyncio.sleep(1)
        assert worker.live == 2
        assert "it is known again whether releases have changed" not in caplog.messages
        await asyncio.sleep(following.LOOK_SECONDS * following.STEADY_LOOKS)
    assert caplog.messages.count("it is known again whether releases have changed") == 1


@in_a_loop
async def test_a_source_that_is_away_now_and_then(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Where every other look fails that is one outage, told once, and what is new is learnt."""
    caplog.set_level(logging.INFO)
    source = Source(routing(release(1)))
    async with working(source, tmp_path / "releases.json") as worker:
        source.flaps = True
        source.change(routing(release(2)))
        await asyncio.sleep(3)
        assert worker.live == 2
    (told,) = caplog.messages
    assert told.startswith("it is not known whether releases have changed: ")


@in_a_loop
async def test_a_loss_is_told_once(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """That nobody takes what is counted is told once an outage, and so is that it is over."""
    caplog.set_level(logging.INFO)
    async with working(Source(routing(release(1))), tmp_path / "releases.json") as worker:
        for outage in (1, 2):
            worker.away = True
            await asyncio.sleep(2.5)
            worker.away = False
            assert caplog.text.count("what is counted of releases is lost") == outage
            await asyncio.sleep(1.5)
            assert caplog.messages.count("what is counted of releases is kept again") == outage


@in_a_loop
async def test_a_start_while_the_source_is_away(tmp_path: Path) -> None:
    """Who starts then has what was known last on this machine; else nobody answers, not even 0."""
    source = Source(routing(release(3), previous=release(2, "retired")))
    path = tmp_path / "releases.json"
    async with working(source, path):
        source.change(routing(release(4), previous=release(3, "retired")))
        await asyncio.sleep(1)
    source.away = True
    async with working(source, path) as worker:
        assert worker.live == 4
        assert worker.plan.slot(release(3)) is not None
    async with working(source, tmp_path / "other.json") as worker:
        assert worker.live is None
        source.away = False
        await asyncio.sleep(1)
        assert worker.live == 4


@in_a_loop
async def test_it_goes_on_after_an_error(tmp_path: Path) -> None:
    """Whatever goes wrong once, the next change is followed."""
    source = Source(routing(release(1)))
    async with working(source, tmp_path / "releases.json") as worker:
        source.change(None)  # type: ignore[arg-type]  # it is to go wrong
        await asyncio.sleep(1)
        source.change(routing(release(2)))
        await asyncio.sleep(1)
        assert worker.live == 2


NEWER = b'{"format": 1, "routings": [{"contract": "a", "version": 1, "live": {"number": 1}}]}'
INVALID = json.dumps(
    {
        "format": 1,
        "routings": [
            routing(release(1)).document()
            | {"live": {**release(1).document(), "specification": {"uri": "no-uri"}}}
        ],
    }
).encode()


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b'{"format": 1}', b'{"format": 99}', NEWER, INVALID]
)
def test_a_file_that_is_no_routing_is_none(tmp_path: Path, content: bytes) -> None:
    """What cannot be read is not known, and no reason to stop."""
    path = tmp_path / "releases.json"
    path.write_bytes(content)
    assert LastKnown(path).read() == {}


def test_what_is_known_last_is_kept_whole(tmp_path: Path) -> None:
    """All of it comes back, it is nobody else's to read, and a missing folder is no error."""
    known = LastKnown(tmp_path / "releases.json")
    who = routing(release(7), canary=release(8, "canary", percent=2.5), stand_in_fallback=True)
    known.write({contract.name: who})
    assert known.read() == {contract.name: who}
    (file,) = tmp_path.iterdir()
    assert file.stat().st_mode & 0o077 == 0
    LastKnown(tmp_path / "no" / "releases.json").write({contract.name: who})
    LastKnown(file / "releases.json").write({contract.name: who})  # nor one that can be none


def test_the_last_known_routing_outlives_a_power_cut(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its content is on the disk before it takes the place of what was known before."""
    path, flushed = tmp_path / "releases.json", list[tuple[int, bool]]()
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.append((os.fstat(descriptor).st_size, path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)  # the operating system's part, not ours
    LastKnown(path).write({contract.name: routing(release(1))})
    assert flushed == [(path.stat().st_size, False)]


async def until(so: Callable[[], bool]) -> None:
    """Wait until something is so; another task does it."""
    async with asyncio.timeout(5):
        while not so():  # noqa: ASYNC110  # it is no event
            await asyncio.sleep(0.01)


class Unlucky(Worker):
    """A worker that cannot load its first model at once."""

    tried = False

    async def _open(self, of: Contract, key: SlotKey) -> Slot:
        if not self.tried:
            self.tried = True
            raise ModelUnloadable("its file is not there yet")
        return await super()._open(of, key)


@in_a_loop
async def test_what_cannot_be_loaded_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A model that could not be loaded is tried again by itself, though nobody changes anything."""
    monkeypatch.setattr(reconciling, "RETRY_SECONDS", 0.01)
    worker = Unlucky(Source(routing(release(1))), tmp_path / "releases.json")
    await worker.follower.start()
    assert worker.plan.slot(release(1)) is None
    await until(lambda: worker.plan.slot(release(1)) is not None)
    await worker.follower.stop()


@in_a_loop
async def test_what_cannot_be_asked_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Operators are to learn why a release does not answer, for as long as it does not."""
    monkeypatch.setattr(following, "REPORT_SECONDS", 0.01)
    worker = Unlucky(Source(routing(release(1))), tmp_path / "releases.json")
    await worker.follower.start()
    await asyncio.sleep(0.1)
    assert worker.troubles == {(contract.name, 1): "its file is not there yet"}
    await until(lambda: not worker.troubles)
    worker.slots[0].trouble = "it died"
    await asyncio.sleep(0.1)
    assert worker.troubles == {(contract.name, 1): "it died"}
    await worker.follower.stop()


class Waiting(Worker):
    """A worker whose models are never loaded."""

    async def _open(self, of: Contract, key: SlotKey) -> Slot:
        await asyncio.Event().wait()
        return await super()._open(of, key)


@in_a_loop
async def test_a_start_does_not_wait_for_ever(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker starts without a model that takes too long, to serve what else it can."""
    monkeypatch.setattr(following, "START_SECONDS", 0.05)
    worker = Waiting(Source(routing(release(1))), tmp_path / "releases.json")
    async with asyncio.timeout(5):
        await worker.follower.start()
    assert worker.live is None
    await worker.follower.stop()


class Heavy(Worker):
    """A worker whose models take their time."""

    async def _open(self, of: Contract, key: SlotKey) -> Slot:
        await asyncio.sleep(0.3)
        return await super()._open(of, key)


@in_a_loop
@pytest.mark.parametrize("helped", [False, True])
async def test_who_takes_anothers_place_waits_for_the_slowest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, helped: bool
) -> None:
    """Where others answer meanwhile, a worker starts with its models, however long they take."""
    monkeypatch.setattr(following, "START_SECONDS", 0.05)
    worker = Heavy(Source(routing(release(1))), tmp_path / "releases.json", helped=helped)
    await worker.follower.start()
    assert worker.live == (1 if helped else None)
    await worker.follower.stop()


def test_a_server_listens_in_time() -> None:
    """Heroku waits for 60 seconds; a slow machine needs some before any model is loaded."""
    assert following.START_SECONDS <= 30


def test_the_old_worker_stays_for_the_slowest_load() -> None:
    """It is ended when its successor serves, whose start waits for longer than any load."""
    assert LOAD_TIMEOUT_MAX < following.HELPED_SECONDS < READY_SECONDS


def test_another_format(tmp_path: Path) -> None:
    """What another version has kept, in a form of its own, is taken for nothing."""
    path = tmp_path / "releases.json"
    LastKnown(path).write({contract.name: routing(release(1))})
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 2}))
    assert LastKnown(path).read() == {}


def test_a_full_disk_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the routing cannot be kept, no draft of it stays, however often it is tried."""

    def full(_path: Path) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(files, "flush", full)
    LastKnown(tmp_path / "releases.json").write({contract.name: routing(release(1))})
    assert list(tmp_path.iterdir()) == []


@in_a_loop
async def test_what_was_counted_last_is_handed_over(tmp_path: Path) -> None:
    """At the end what was counted since the last time is not lost."""
    async with working(Source(routing(release(1))), tmp_path / "releases.json") as worker:
        assert worker.reports == 0
    assert worker.reports == 1
