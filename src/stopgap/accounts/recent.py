"""Recent callers: whose a cookie or key was a moment ago, so that not every request asks anew."""

from collections.abc import Callable

from stopgap.accounts.account import Caller

SECONDS = 1.0
"""How long an answer counts: so long may a session that was ended still predict."""

ROOM = 10_000
"""Headers that are remembered; when there are more, all are forgotten."""


class RecentCallers:
    """Remembers, for a second, who sent a Cookie or Authorization header."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._known: dict[bytes, tuple[float, str | None]] = {}

    def remember(self, header: bytes, caller: Caller | None) -> None:
        """Note whose a header is; None: nobody's."""
        if len(self._known) >= ROOM:
            self._known.clear()
        until = self._monotonic() + SECONDS
        self._known[header] = (until, caller.id if caller else None)

    def recall(self, header: bytes) -> tuple[str | None] | None:
        """Tell the id of the caller whose header it is, wrapped; None: that is not known now."""
        found = self._known.get(header)
        if found is None or found[0] < self._monotonic():
            return None
        return (found[1],)
