"""Single flight: a caller who is not known yet is looked up once, for all who wait for that.

It takes a thread, of which there are few, for as long as the database takes and no longer: not
while a model answers. A client that opens a hundred connections with a new key takes one.
"""

import asyncio
from collections.abc import Callable, Collection
from functools import partial
from typing import NamedTuple

from stopgap.accounts.recent import Credential, RecentCallers
from stopgap.errors import StopgapError
from stopgap.front.asgi import Scope
from stopgap.front.matching import credentials
from stopgap.front.pool import Pool, is_below
from stopgap.problems import InternalFault


class Search(NamedTuple):
    """What came of looking a caller up, where that was needed."""

    found: bool  # it was, and the request may be plain by now
    error: StopgapError | None = None  # what was in the way


class SingleFlight:
    """Looks up who sends a prediction request, once for many of them.

    Args:
        prefixes: Below these, predictions are asked for.
        recent: Who is known.
        look_up: Finds whose a header is, and has `recent` remember it; returns what was in the way.
            Called in a thread.
    """

    def __init__(
        self,
        *,
        prefixes: Collection[str],
        recent: RecentCallers,
        look_up: Callable[[Credential], StopgapError | None],
    ) -> None:
        self._prefixes = tuple(prefixes)
        self._is_sought = recent.is_sought
        self._look_up = look_up
        self._under_way: dict[Credential, asyncio.Future[StopgapError | None]] = {}

    async def find(self, scope: Scope, pool: Pool) -> Search:
        """Have a request's caller looked up, or wait for who does; if that is needed.

        Raises:
            Overloaded: no thread is free in time.
            InternalFault: looking up has ended with an exception, which it should not; who waited
                for it is looked up by Flask's view.
        """
        credential = self._sought(scope)
        if credential is None:
            return Search(found=False)
        if ahead := self._under_way.get(credential):
            error = await asyncio.shield(ahead)
            return Search(found=error is None, error=error)
        ended = asyncio.get_running_loop().create_future()
        self._under_way[credential] = ended
        error = None
        try:
            error = await pool.run(partial(self._look_up, credential))
        except StopgapError:
            raise
        except Exception as fault:
            raise InternalFault from fault
        finally:
            del self._under_way[credential]
            ended.set_result(error)
        return Search(found=error is None, error=error)

    def _sought(self, scope: Scope) -> Credential | None:
        """Tell the header of a prediction request by which its caller is yet to be found."""
        if is_below(scope["path"], self._prefixes):
            return next(filter(self._is_sought, credentials(scope["headers"])), None)
        return None
