"""The pool: threads for one kind of request, so that no kind can take what another needs."""

import asyncio
import time
from collections.abc import Callable, Collection
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from functools import partial
from typing import TypeVar

from stopgap.errors import Overloaded
from stopgap.telemetry.tracing import note

T = TypeVar("T")

FIRST_GUESS = 0.01
"""Seconds that a task is taken to need before the first has been seen."""

SMOOTHNESS = 16
"""The mean follows roughly so many of the last tasks."""

FORM_BYTES = 1_048_576
"""What a request may bring where no image is expected. The interpreter does nothing else while it
reads JSON: 10 MiB of it would hold up everybody for half a second."""

WATCHED = frozenset({"/status", "/health", "/metrics"})
"""What tells how the server is; it must be told under any load."""


class Pool:
    """Some threads, and a bounded queue.

    A task that would wait for more than half of the patience, by how long tasks have taken of late,
    is refused at once; one that has waited for more than all of it, when its turn comes.

    Args:
        threads: Tasks at once.
        patience: Seconds.
        body_bytes: What a request may bring along.
    """

    def __init__(self, name: str, *, threads: int, patience: float, body_bytes: int) -> None:
        self.body_bytes = body_bytes
        self._name = name
        self._threads = threads
        self._patience = patience
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix=name)
        self._inside = 0
        self._mean = FIRST_GUESS

    async def run(self, task: Callable[[], T]) -> T:
        """Do a task in a thread.

        Raises:
            Overloaded: its turn does not come in time.
        """
        before = self._inside - self._threads + 1
        if before > 0 and before * self._mean / self._threads > self._patience / 2:
            raise self._refusal()
        self._inside += 1
        try:
            work = asyncio.get_running_loop().run_in_executor
            here = copy_context().run  # what is traced goes on there
            result, took = await work(self._pool, here, self._do, task, time.monotonic())
        finally:
            self._inside -= 1
        self._mean += (took - self._mean) / SMOOTHNESS
        return result

    def _do(self, task: Callable[[], T], arrived: float) -> tuple[T, float]:
        began = time.monotonic()
        if began - arrived > self._patience:
            raise self._refusal()
        note("begun")
        result = task()
        return result, time.monotonic() - began

    def _refusal(self) -> Overloaded:
        return Overloaded(f"Too many requests wait for the same thing ({self._name}).")


class Pools:
    """Which request is answered in which pool.

    Args:
        threads: Of all pools together, but for the two that tell how the server is.
        prefixes: Below these, predictions are asked for.
        images: There images are brought; below, they are looked at.
        image_bytes: What an upload may bring.
    """

    def __init__(
        self,
        *,
        threads: int,
        prefixes: Collection[str],
        images: Collection[str],
        image_bytes: int,
    ) -> None:
        self._prefixes = tuple(prefixes)
        self._image_pages = tuple(images)
        quarter, eighth = threads // 4, max(threads // 8, 1)
        people = threads - 2 * quarter - eighth
        form = partial(Pool, body_bytes=FORM_BYTES)
        self.watching = form("watching", threads=2, patience=2.0)
        self._people = form("people", threads=people, patience=4.0)
        self._predictions = form("predictions", threads=quarter, patience=0.5)
        self._images = form("images", threads=quarter, patience=4.0)
        self._uploads = Pool("uploads", threads=eighth, patience=8.0, body_bytes=image_bytes)

    def of(self, method: str, path: str) -> Pool:
        """Tell the pool of a request; its path is percent-decoded, as Flask routes it."""
        if path in self._prefixes:
            return self._predictions
        if path.rstrip("/") in WATCHED:
            return self.watching
        if method == "POST" and f"/{path.strip('/')}" in self._image_pages:
            return self._uploads
        if is_below(path, self._image_pages):
            return self._images
        if is_below(path, self._prefixes):
            return self._predictions
        return self._people


def is_below(path: str, prefixes: Collection[str]) -> bool:
    """Tell whether a path is a prefix or goes on after one; Flask takes many slashes for one."""
    path = f"/{path.lstrip('/')}"
    return any(path == prefix or path.startswith(prefix + "/") for prefix in prefixes)
