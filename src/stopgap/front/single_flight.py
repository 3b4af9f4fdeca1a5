"""Single flight: a caller who is not known yet is looked up once, for all who wait for that.

It takes a thread, of which there are few, for as long as the database takes and no longer: not
while a model answers. A client that opens a hundred connections with a new key takes one.
"""

import asyncio
from collections.abc import Callable, Collection
from functools import partial

from stopgap.accounts.recent import Credential, RecentCallers
from stopgap.front.intake import Scope
from stopgap.front.matching import credentials
from stopgap.front.pool import Pool, is_below


class SingleFlight:
    """Looks up who sends a prediction request, once for many of them.

    Args:
        prefixes: Below these, predictions are asked for.
        recent: Who is known.
        look_up: Finds whose a header is, and has `recent` remember it; called in a thread.
    """

    def __init__(
        self,
        *,
        prefixes: Collection[str],
        recent: RecentCallers,
        look_up: Callable[[Credential], object],
    ) -> None:
        self._prefixes = tuple(prefixes)
        self._is_sought = recent.is_sought
        self._look_up = look_up
        self._under_way: dict[Credential, asyncio.Event] = {}

    async def find(self, scope: Scope, pool: Pool) -> bool:
        """Have a request's caller looked up, or wait for who does; tell whether that was needed.

        If so, the caller may be known by now, and the request be plain.

        Raises:
            Overloaded: no thread is free in time.
        """
        credential = self._sought(scope)
        if credential is None:
            return False
        if ahead := self._under_way.get(credential):
            await ahead.wait()
            return True
        ended = self._under_way[credential] = asyncio.Event()
        try:
            await pool.run(partial(self._look_up, credential))
        finally:
            del self._under_way[credential]
            ended.set()
        return True

    def _sought(self, scope: Scope) -> Credential | None:
        """Tell the header of a prediction request by which its caller is yet to be found."""
        if is_below(scope["path"], self._prefixes):
            return next(filter(self._is_sought, credentials(scope["headers"])), None)
        return None
