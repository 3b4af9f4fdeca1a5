"""A pool bounds how long anybody waits, whatever its tasks do."""

import asyncio
import time
from collections import Counter
from threading import Event

import pytest
from tests.front.loops import in_a_loop

from stopgap.errors import Overloaded
from stopgap.front.pool import FIRST_GUESS, FORM_BYTES, Pool, Pools


def pool(threads: int = 1, patience: float = 0.2) -> Pool:
    """Make a pool."""
    return Pool("test", threads=threads, patience=patience, body_bytes=0)


async def outcome(pool: Pool, seconds: float) -> tuple[str, float]:
    """Have a task done that takes so long; tell what came of it, and when."""
    began = time.monotonic()
    try:
        await pool.run(lambda: time.sleep(seconds))
    except Overloaded:
        return "refused", time.monotonic() - began
    return "done", time.monotonic() - began


@in_a_loop
async def test_a_task_is_done() -> None:
    """What a task returns comes back; what it raises, too."""
    assert await pool().run(lambda: 5) == 5
    with pytest.raises(ZeroDivisionError):
        await pool().run(lambda: 1 // 0)


@in_a_loop
async def test_a_free_thread_is_always_taken() -> None:
    """However long tasks take, one is not refused while a thread is free."""
    slow = pool(patience=0.01)
    for _ in range(3):
        assert (await outcome(slow, 0.1))[0] == "done"


@in_a_loop
async def test_a_crowd_is_refused_at_once() -> None:
    """Of far too many, as many are let in as can be done in time; the others need not wait."""
    some = pool(threads=2, patience=0.2)
    for _ in range(32):
        await outcome(some, 0.01)
    took = await asyncio.gather(*(outcome(some, 0.01) for _ in range(200)))
    counts = Counter(what for what, _ in took)
    assert 15 <= counts["done"] <= 25
    assert max(seconds for what, seconds in took if what == "done") < 0.4
    assert max(seconds for what, seconds in took if what == "refused") < 0.1
    assert (await outcome(some, 0.01))[0] == "done"


@in_a_loop
async def test_a_pool_that_slows_down() -> None:
    """Who was let in, but then would wait for too long, is refused when the turn comes."""
    assert FIRST_GUESS * 2 <= 0.5 / 2
    sudden = pool(patience=0.5)
    first = asyncio.create_task(outcome(sudden, 1.0))
    await asyncio.sleep(0)
    others = [asyncio.create_task(outcome(sudden, 0)) for _ in range(2)]
    assert (await first)[0] == "done"
    assert {what for what, _ in await asyncio.gather(*others)} == {"refused"}
    assert (await outcome(sudden, 0))[0] == "done"


async def let_in(pool: Pool) -> int:
    """Tell how many of a hundred that come at once may wait for their turn."""
    release = Event()
    tasks = [asyncio.create_task(pool.run(release.wait)) for _ in range(100)]
    await asyncio.sleep(0)
    waiting = sum(not task.done() for task in tasks)
    release.set()
    await asyncio.gather(*tasks, return_exceptions=True)
    return waiting


@in_a_loop
async def test_how_long_tasks_take_is_learnt() -> None:
    """Where tasks have taken long of late, fewer are let in to wait than at the start."""
    new, slowed = pool(patience=1.0), pool(patience=1.0)
    await outcome(slowed, 10 * FIRST_GUESS)
    assert 0 < await let_in(slowed) < await let_in(new)


PREFIXES = ["/predict", "/delivery/v2"]


GET, POST = "GET", "POST"


@pytest.mark.parametrize(
    ("path", "same"),
    [
        ("/predict", "/delivery/v2/3/fast"),
        ("/predict/", "/predict/5/january/100"),
        ("/images", "/images/x.png"),
        ("/images", "/pictures"),
        ("/status/", "/health"),
        ("/metrics", "/status"),
        ("/login", "/"),
        ("/delivery", "/predictions"),
        ("/imagesx", "/statusx"),
    ],
)
def test_whom_a_pool_is_for(path: str, same: str) -> None:
    """Predictions, images, what watches the server and all the rest have pools of their own."""
    pools = Pools(threads=4, prefixes=PREFIXES, images=["/images", "/pictures"], image_bytes=10)
    assert pools.of(GET, path) is pools.of(GET, same)


def test_who_brings_an_image() -> None:
    """An upload has a pool of its own, apart from who looks at images, or deletes one."""
    images = ["/images", "/console/images"]
    pools = Pools(threads=4, prefixes=PREFIXES, images=images, image_bytes=10)
    [uploads] = {pools.of(POST, f"{each}{end}") for each in images for end in ("", "/")}
    assert pools.of(POST, "//images") is uploads
    [others] = {pools.of(GET, each) for each in images}
    assert pools.of("DELETE", "/images/x.png") is others
    assert pools.of(POST, "/console/images/x.png/delete") is others
    assert pools.of(POST, "/predict") is pools.of(GET, "/predict")
    assert uploads is not others


def test_pools_are_apart() -> None:
    """No pool's threads are another's, and an image may be larger than a form."""
    pools = Pools(threads=4, prefixes=PREFIXES, images=["/images"], image_bytes=10_000_000)
    every = [pools.of(POST, "/images")]
    every += [pools.of(GET, path) for path in ("/predict", "/images", "/status", "/login")]
    assert len(set(every)) == 5
    assert [each.body_bytes for each in every] == [10_000_000] + [FORM_BYTES] * 4

    async def run() -> None:
        release = Event()
        stuck = [asyncio.create_task(each.run(release.wait)) for each in every[:4] for _ in "12"]
        await asyncio.sleep(0.05)
        assert await every[4].run(lambda: "served") == "served"
        release.set()
        await asyncio.gather(*stuck)

    asyncio.run(run())
