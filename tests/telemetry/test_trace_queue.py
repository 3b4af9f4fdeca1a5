"""The trace queue: traces reach a collector, and never hold anything up."""

import logging
import threading
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from stopgap.telemetry.trace_queue import (
    AGAIN_SECONDS,
    BATCH,
    WAITING_MAX,
    CollectorUnreachable,
    TraceQueue,
)
from stopgap.telemetry.tracing import Trace


class Taking:
    """A collector that can go away; and its time."""

    def __init__(self) -> None:
        self.taken: list[Sequence[Trace]] = []
        self.asked = 0
        self.away = False
        self.now = 0.0

    def take(self, traces: Sequence[Trace]) -> None:
        """Take some, unless it is away."""
        self.asked += 1
        if self.away:
            raise CollectorUnreachable("it is away")
        self.taken.append(traces)


@pytest.fixture
def collector() -> Taking:
    """Make a collector."""
    return Taking()


@pytest.fixture
def queue(collector: Taking) -> TraceQueue:
    """Hold traces for it."""
    return TraceQueue(collector, lambda: collector.now)


def keep(queue: TraceQueue, number: int) -> list[Trace]:
    """Hand in traces."""
    traces = [Trace(None, int) for _ in range(number)]
    for trace in traces:
        queue.keep(trace)
    return traces


def test_all_is_sent_in_its_order(collector: Taking, queue: TraceQueue) -> None:
    """Nothing is sent twice, or where there is nothing; many go in several batches."""
    queue.send()
    assert collector.asked == 0
    traces = keep(queue, BATCH + 1)
    queue.send()
    queue.send()
    assert [len(batch) for batch in collector.taken] == [BATCH, 1]
    assert [trace for batch in collector.taken for trace in batch] == traces


def test_a_collector_that_is_away(
    collector: Taking, queue: TraceQueue, caplog: pytest.LogCaptureFixture
) -> None:
    """It is asked seldom meanwhile; its going is told once, and what was lost at its coming."""
    caplog.set_level(logging.INFO)
    collector.away = True
    for _ in range(3):
        keep(queue, 2)
        queue.send()
        collector.now += AGAIN_SECONDS / 2
    assert collector.asked == 2  # the four that came in between went together
    assert caplog.messages == ["traces are not taken now, and will be lost: it is away"]
    collector.away = False
    collector.now += AGAIN_SECONDS
    last = keep(queue, 1)
    queue.send()
    assert collector.taken == [last]
    assert caplog.messages[1:] == [
        "traces are taken again; those of 6 requests were lost",
    ]


def test_more_than_can_be_sent(
    collector: Taking, queue: TraceQueue, caplog: pytest.LogCaptureFixture
) -> None:
    """Memory is bounded: the oldest are lost, which is told once a minute."""
    for _ in range(2):
        traces = keep(queue, WAITING_MAX + 3)
        queue.send()
        collector.now += 1
    assert collector.taken[-1][-1] is traces[-1]
    assert sum(map(len, collector.taken)) == 2 * WAITING_MAX
    assert caplog.messages == ["there are more traces than can be sent; 3 were lost just now"]


def test_two_may_send_at_once() -> None:
    """Whoever sends the last traces beside a chore that still does, a collector is asked by one."""
    turn = threading.Lock()

    class Slow(Taking):
        def take(self, traces: Sequence[Trace]) -> None:
            """Take some, in its time."""
            assert turn.acquire(blocking=False)
            time.sleep(0.05)
            super().take(traces)
            turn.release()

    slow = Slow()
    queue = TraceQueue(slow, lambda: 0.0)
    keep(queue, 2 * BATCH)
    with ThreadPoolExecutor() as threads:
        for each in [threads.submit(queue.send) for _ in range(2)]:
            each.result()
    assert sum(map(len, slow.taken)) == 2 * BATCH
