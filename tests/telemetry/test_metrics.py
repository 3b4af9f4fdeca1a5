"""What workers count is summed over all of them, the dead included, and never falls."""

import errno
import fcntl
import json
import logging
import os
import re
import subprocess
import sys
import threading
import zlib
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import ExitStack, closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.telemetry.metrics import (
    FORM,
    JOURNAL_LOST,
    LABELS,
    LOGIN_FAILURES,
    LONGEST,
    PREDICTIONS,
    REQUESTS,
    SHED,
    SHORTEST,
    Metrics,
    Series,
    times,
)
from stopgap.telemetry.shards import gather

ROOT = Path(__file__).parents[2]
GOOD = (PREDICTIONS, "mail", "stand-in", "ok")

WORKER = """
import sys
from pathlib import Path
from stopgap.telemetry.metrics import Metrics

metrics = Metrics(Path(sys.argv[1]))
metrics.gauge("in_flight", lambda: 3)
series = metrics.prediction_series("mail", "stand-in")
for order in sys.stdin:
    match order.split():
        case ["count", number]:
            for _ in range(int(number)):
                series.took(40)
        case ["publish"]:
            metrics.publish()
        case ["close"]:
            metrics.close()
    print("done", flush=True)
"""


class Worker:
    """A worker in a process of its own, which does what it is told."""

    def __init__(self, process: subprocess.Popen[str], orders: IO[str], answers: IO[str]) -> None:
        self._process = process
        self._orders = orders
        self._answers = answers

    def do(self, *orders: str) -> None:
        """Have it do something, and wait until it is done."""
        for order in orders:
            print(order, file=self._orders, flush=True)
            assert self._answers.readline() == "done\n"

    def kill(self) -> None:
        """End it, as the system does when memory runs out."""
        self._process.kill()
        self._process.wait()


@contextmanager
def worker(folder: Path) -> Iterator[Worker]:
    """Start a worker that publishes in a folder; it is killed at the end."""
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", WORKER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "src"},
    )
    with process:
        assert process.stdin
        assert process.stdout
        try:
            yield Worker(process, process.stdin, process.stdout)
        finally:
            process.kill()


def counted(folder: Path, *key: str) -> int:
    """Tell how often something has happened, by what all workers have published."""
    return times(gather(folder, FORM).counts.get(key, [0]))


def test_workers_are_summed(tmp_path: Path) -> None:
    """What several workers count at the same time is one sum, and so are their gauges."""
    with ExitStack() as stack:
        for number in (1, 20, 300):
            stack.enter_context(worker(tmp_path)).do(f"count {number}", "publish")
        assert counted(tmp_path, *GOOD) == 321
        assert gather(tmp_path, FORM).gauges == {"in_flight": 9}


def test_a_killed_worker_keeps_what_it_has_published(tmp_path: Path) -> None:
    """A worker that is killed loses what it counted since it last published, and nothing else."""
    with worker(tmp_path) as killed:
        killed.do("count 10", "publish", "count 5")
        killed.kill()
        assert counted(tmp_path, *GOOD) == 10


def test_a_dead_worker_has_no_gauges(tmp_path: Path) -> None:
    """What a dead worker had under way is under way no more."""
    with worker(tmp_path) as living, worker(tmp_path) as killed:
        living.do("publish")
        killed.do("publish")
        killed.kill()
        assert gather(tmp_path, FORM).gauges == {"in_flight": 3}


def test_a_worker_goes_on_from_a_dead_one(tmp_path: Path) -> None:
    """Workers that die and are replaced leave no more files than live at once, and all counts."""
    with worker(tmp_path) as living:
        living.do("count 1", "publish")
        for generation in range(1, 6):
            with worker(tmp_path) as mortal:
                mortal.do("count 10", "publish")
                mortal.kill()
            assert counted(tmp_path, *GOOD) == 1 + 10 * generation
    assert len(list(tmp_path.glob("*.lock"))) == 2


def test_counts_never_fall(tmp_path: Path) -> None:
    """Whoever looks again and again while workers count, die and come never sees less."""
    seen: list[int] = []
    over = threading.Event()

    def look() -> None:
        while not over.is_set():
            seen.append(counted(tmp_path, *GOOD))

    looking = threading.Thread(target=look)
    looking.start()
    for _ in range(4):
        with worker(tmp_path) as first, worker(tmp_path) as second:
            for each in (first, second) * 5:
                each.do("count 7", "publish")
            first.kill()
    over.set()
    looking.join()
    assert seen == sorted(seen)
    assert counted(tmp_path, *GOOD) == 4 * 2 * 5 * 7


def test_a_closed_worker_has_said_all(tmp_path: Path) -> None:
    """A worker that ends as it should has published its last count, and leaves its shard."""
    with worker(tmp_path) as closed:
        closed.do("count 5", "close", "publish")
        assert counted(tmp_path, *GOOD) == 5
        assert gather(tmp_path, FORM).gauges == {}
        with worker(tmp_path) as next_one:
            next_one.do("count 1", "publish")
            assert counted(tmp_path, *GOOD) == 6
        assert len(list(tmp_path.glob("*.lock"))) == 1


def test_threads_lose_no_count(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Threads that count the same thing while several publish lose nothing, and do not collide."""
    metrics = Metrics(tmp_path)
    over = threading.Event()

    def count() -> None:
        for _ in range(2_000):
            metrics.request("/images", "POST", 201, 0.01)
            metrics.shed("full")

    def publish() -> None:
        while not over.is_set():
            metrics.publish()

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor() as pool:
            publishing = [pool.submit(publish) for _ in range(2)]
            counting = [pool.submit(count) for _ in range(3)]
            wait(counting)
            over.set()
    finally:
        sys.setswitchinterval(interval)
    assert [each.exception() for each in publishing + counting] == [None] * 5
    metrics.close()
    assert counted(tmp_path, REQUESTS, "/images", "POST", "201") == 6_000
    assert counted(tmp_path, SHED, "full") == 6_000
    assert caplog.records == []


def test_everything_is_counted_under_its_name(tmp_path: Path) -> None:
    """Each thing that can be counted has a counter, and a series counts what its method does."""
    metrics = Metrics(tmp_path)
    metrics.prediction("mail", "stand-in", "ok", 0.001)
    metrics.prediction_series("mail", "stand-in").took(1_000)
    metrics.request("/status", "GET", 200, 0.001)
    metrics.request_series("/status", "GET").took(1_000)
    metrics.express_series("mail", "stand-in", "/predict", "GET").took(1_000)
    metrics.shed("full")
    metrics.login_failed("sign-in-refused")
    metrics.journal_lost()
    metrics.close()
    found = {key: times(counts) for key, counts in gather(tmp_path, FORM).counts.items()}
    assert found == {
        GOOD: 3,
        (REQUESTS, "/status", "GET", "200"): 2,
        (REQUESTS, "/predict", "GET", "200"): 1,
        (SHED, "full"): 1,
        (LOGIN_FAILURES, "sign-in-refused"): 1,
        (JOURNAL_LOST,): 1,
    }


def test_a_series_is_there_before_it_is_used(tmp_path: Path) -> None:
    """One that was asked for is published as 0, so that its first answer is seen as a rise."""
    metrics = Metrics(tmp_path)
    metrics.prediction_series("mail", "stand-in")
    metrics.close()
    assert gather(tmp_path, FORM).counts.keys() == {GOOD}
    assert counted(tmp_path, *GOOD) == 0


def test_the_same_series_is_given_again(tmp_path: Path) -> None:
    """Asking again for one costs nothing, so a release may come and go for ever."""
    metrics = Metrics(tmp_path)
    assert metrics.prediction_series("mail", "7") is metrics.prediction_series("mail", "7")
    metrics.close()


def test_a_client_cannot_make_up_labels(tmp_path: Path) -> None:
    """A method that nobody knows is counted as `other`."""
    metrics = Metrics(tmp_path)
    for method in ("BREW", "get", 'X"} 1', ""):
        metrics.request("other", method, 405, 0.0)
    metrics.close()
    assert counted(tmp_path, REQUESTS, "other", "other", "405") == 4


@given(st.lists(st.integers(0, 2**40)))
def test_durations_are_told_apart(durations: list[int]) -> None:
    """Each duration is counted once, in the span that it lies in, and in the sum."""
    series = Series()
    for micros in durations:
        series.took(micros)
    *spans, total = series.counts()
    bounds = [0, *(2**bits for bits in range(SHORTEST, LONGEST + 1)), 2**64]
    expected = [sum(low <= micros < high for micros in durations) for low, high in pairwise(bounds)]
    assert spans == expected
    assert total == sum(durations)


def test_without_a_folder_this_process_counts() -> None:
    """Metrics that are published nowhere are counted, and told by who counts them."""
    metrics = Metrics()
    metrics.shed("full")
    metrics.close()
    assert metrics.of_all().counts[SHED, "full"] == [1]


def files(folder: Path) -> list[Path]:
    """List what the first shard has written; the latest last."""
    return sorted(folder.glob("0.*json"), key=lambda path: path.stat().st_mtime_ns)


def empty(path: Path) -> None:
    """Leave what a power cut may leave."""
    path.write_bytes(b"")


def cut(path: Path) -> None:
    """Leave half of a file."""
    path.write_bytes(path.read_bytes()[:-9])


def mixed(path: Path) -> None:
    """Leave a file that was written over in part: whole as JSON, and yet not true."""
    path.write_bytes(re.sub(rb'"full"\],\[.', b'"full"],[7', path.read_bytes()))


def write(path: Path, document: object) -> None:
    """Write a file that is whole."""
    content = json.dumps(document).encode()
    path.write_bytes(b"%08x\n%s" % (zlib.crc32(content), content))


def foreign(path: Path) -> None:
    """Leave what another version may have written."""
    write(path, ["another's"])


def wider(path: Path) -> None:
    """Leave durations that another version has told apart by other bounds."""
    form = json.dumps([SHORTEST, LONGEST + 1, LABELS])
    write(path, {"format": form, "turn": 9, "counts": [[GOOD, [0] * 22]], "gauges": {}})


def labelled(path: Path) -> None:
    """Leave what another version has counted by other labels."""
    write(path, {"turn": 9, "counts": [[[REQUESTS, "/predict"], [0] * 21]], "gauges": {}})


@pytest.mark.parametrize("harm", [empty, cut, mixed, foreign, wider, labelled])
def test_a_file_that_is_not_whole(tmp_path: Path, harm: Callable[[Path], None]) -> None:
    """It counts nothing, the one before it does, and both are written over."""
    first = Metrics(tmp_path)
    for _ in range(2):
        first.shed("full")
        first.publish()
    first.close()
    before, latest = files(tmp_path)
    harm(latest)
    assert counted(tmp_path, SHED, "full") == 1
    harm(before)
    assert counted(tmp_path, SHED, "full") == 0
    second = Metrics(tmp_path)
    second.shed("full")
    second.prediction_series("mail", "stand-in").took(40)
    assert times(second.of_all().counts[GOOD]) == 1
    second.close()
    assert counted(tmp_path, SHED, "full") == 1


def test_whoever_is_asked_knows_its_own_counts(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A worker that cannot write tells what it has counted nevertheless, and others have told."""
    with worker(tmp_path) as other:
        other.do("count 2", "publish")
        asked = Metrics(tmp_path)
        for path in tmp_path.glob("1.*json"):
            path.unlink()
        for name in ("1.json", "1.next.json"):
            (tmp_path / name).mkdir()
        asked.prediction_series("mail", "stand-in").took(40)
        asked.gauge("in_flight", lambda: 4)
        told = asked.of_all()
        assert (times(told.counts[GOOD]), told.gauges) == (3, {"in_flight": 7})
        assert [record.levelname for record in caplog.records] == ["WARNING"]
        asked.close()


def test_a_volume_without_locks(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Where nothing can be locked a worker counts on, says so once, and makes no more files."""

    def refused(*_: object) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refused)
    metrics = Metrics(tmp_path)
    metrics.shed("full")
    metrics.publish()
    assert metrics.of_all().counts[SHED, "full"] == [1]
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    assert [path.name for path in tmp_path.iterdir()] == ["0.lock"]


@pytest.mark.parametrize("shut", ["0.lock", "0.json", "0.next.json"])
def test_a_file_that_cannot_be_opened_shuts_nobody_else_out(tmp_path: Path, shut: str) -> None:
    """Of a shard that is another user's nothing is told; workers publish in the next, and read it.

    A folder stands for that file: what is the file of another user can be opened by root.
    """
    with worker(tmp_path) as first:
        first.do("count 2", "publish")
    (tmp_path / shut).unlink()
    (tmp_path / shut).mkdir()
    asked, other = Metrics(tmp_path), Metrics(tmp_path)
    for metrics in (asked, other):
        metrics.shed("full")
        metrics.publish()
    assert counted(tmp_path, SHED, "full") == 2
    assert asked.of_all().counts[SHED, "full"] == [2]
    asked.close()
    other.close()


def test_a_full_disk_has_room_for_what_was_there(tmp_path: Path) -> None:
    """A worker's files grow no more, and are no others, whatever it counts that is new."""
    metrics = Metrics(tmp_path)
    before = {path: (path.stat().st_ino, path.stat().st_size) for path in files(tmp_path)}
    assert len(before) == 2
    for number in range(20):
        metrics.shed(f"reason {number}")
        metrics.publish()
    after = {path: (path.stat().st_ino, path.stat().st_size) for path in files(tmp_path)}
    assert after == before
    metrics.close()


def test_a_folder_that_cannot_be_written_stops_nothing(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Without a shard to publish in a worker counts on, says so once, and publishes all later."""
    caplog.set_level(logging.INFO)
    folder = tmp_path / "metrics"
    folder.write_text("in the way")
    metrics = Metrics(folder)
    metrics.shed("full")
    metrics.publish()
    assert [record.levelname for record in caplog.records] == ["WARNING"]
    folder.unlink()
    for _ in range(2):
        metrics.publish()
    assert counted(folder, SHED, "full") == 1
    assert caplog.messages[1:] == ["metrics are published again"]
    metrics.close()


def test_a_quiet_worker_writes_nothing(tmp_path: Path) -> None:
    """As long as nothing happens the disk is left alone."""
    metrics = Metrics(tmp_path)
    before = {path: path.stat().st_mtime_ns for path in files(tmp_path)}
    metrics.publish()
    assert before == {path: path.stat().st_mtime_ns for path in files(tmp_path)}
    metrics.shed("full")
    metrics.publish()
    assert counted(tmp_path, SHED, "full") == 1
    metrics.close()


def test_the_folder_is_private(tmp_path: Path) -> None:
    """Nobody but the server's user may read or write the folder."""
    metrics = Metrics(tmp_path / "metrics")
    assert (tmp_path / "metrics").stat().st_mode & 0o777 == 0o700
    metrics.close()


def test_who_has_left_its_place_writes_there_no_more(tmp_path: Path) -> None:
    """A chore that comes late takes nothing from the counts of who has the shard by then."""
    old = Metrics(tmp_path)
    old.shed("overloaded")
    old.close()
    with closing(Metrics(tmp_path)) as new:
        for _ in range(3):
            new.shed("overloaded")
        new.publish()
        old.shed("overloaded")
        old.publish()
        old.publish()
    with closing(Metrics(tmp_path)) as last:
        assert last.of_all().counts["stopgap_shed_total", "overloaded"] == [4]
