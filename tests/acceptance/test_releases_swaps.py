"""Many changes under load: no request fails, and nothing piles up."""

import os
import time
from itertools import cycle, islice
from pathlib import Path

import pytest
from tests.acceptance.callers import Callers
from tests.acceptance.desk import NAME, add, desk
from tests.acceptance.processes import children, size, wait_for, workers
from tests.acceptance.server import running

pytestmark = pytest.mark.alone

SWAPS = int(os.environ.get("SWAPS", "9"))
LOADED_SECONDS = 20.0
MEBIBYTE = 1_048_576
GROWTH = 12 * MEBIBYTE
"""What a worker may hold more in the end; a slot that is not given back holds a process as well."""


def models(server: int) -> list[int]:
    """List the processes in which models run."""
    return [each for worker in workers(server) for each in children(worker)]


def test_many_swaps(tmp_path: Path) -> None:
    """From one release to the next, and the next: every answer is valid, and all is given back."""
    with (
        running(tmp_path, {"STOPGAP_WORKERS": "2"}) as server,
        desk(server.data) as releases,
        Callers(server.port) as callers,
    ):
        numbers = [add(releases, model) for model in ("Steady", "Other", "Steady")]
        supervisor = server.process.pid

        def swap(number: int) -> None:
            releases.promote(NAME, number, "ann")
            began = time.monotonic()
            wait_for(
                lambda: {each.release for each in callers.listen(0.3)} == {str(number)},
                LOADED_SECONDS,
                f"{number} answers alone after {time.monotonic() - began}",
            )

        for number in numbers:
            swap(number)
        wait_for(lambda: len(models(supervisor)) == 4, LOADED_SECONDS, "one is live, one before")
        before = [size(worker) for worker in workers(supervisor)]
        for number in islice(cycle(numbers), SWAPS):
            swap(number)
        wait_for(lambda: len(models(supervisor)) == 4, LOADED_SECONDS, "one is live, one before")
        after = [size(worker) for worker in workers(supervisor)]
    assert callers.failures == {}
    for then, now in zip(before, after, strict=True):
        assert now.memory - then.memory < GROWTH, (before, after)
        assert now.files <= then.files + 8, (before, after)
        assert now.threads <= then.threads + 4, (before, after)
