"""Single flight: a caller who is not known yet is looked up once for many requests.

Flask's views look callers up, in few threads. A client that opens a hundred connections with a new
key would take all of them, and find itself refused.
"""

import asyncio
from collections.abc import AsyncIterator, Collection
from contextlib import asynccontextmanager

from stopgap.accounts.recent import Credential, RecentCallers
from stopgap.front.intake import Scope
from stopgap.front.matching import credentials
from stopgap.front.pool import is_below


class SingleFlight:
    """Lets one prediction request of an unknown caller go ahead, and the others wait for its end.

    Args:
        prefixes: Below these, predictions are asked for.
        recent: Who is known; Flask's views fill it.
    """

    def __init__(self, *, prefixes: Collection[str], recent: RecentCallers) -> None:
        self._prefixes = tuple(prefixes)
        self._peek = recent.peek
        self._under_way: dict[Credential, asyncio.Event] = {}

    @asynccontextmanager
    async def turn(self, scope: Scope) -> AsyncIterator[bool]:
        """Take a turn, `async with` this; tell whether it waited for another of the same caller.

        If so, the caller may be known by now, and the request be plain.
        """
        credential = self._unknown(scope)
        if credential is None:
            yield False
        elif ahead := self._under_way.get(credential):
            await ahead.wait()
            yield True
        else:
            ended = self._under_way[credential] = asyncio.Event()
            try:
                yield False
            finally:
                del self._under_way[credential]
                ended.set()

    def _unknown(self, scope: Scope) -> Credential | None:
        """Tell the header of a prediction request by which its caller is yet to be found."""
        if is_below(scope["path"], self._prefixes):
            return next(filter(self._is_unknown, credentials(scope["headers"])), None)
        return None

    def _is_unknown(self, credential: Credential) -> bool:
        return self._peek(credential) is None
