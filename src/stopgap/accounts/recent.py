"""Recent callers: whose a cookie or key was a moment ago, so that not every request asks anew."""

from collections.abc import Callable

from stopgap.accounts.account import Caller

SECONDS = 1.0
"""How long an answer counts: so long may a session that was ended still predict."""

RENEW_SECONDS = 0.5
"""From this age on, one request asks anew, and the others go on with the answer that is there. If
they all had to ask at the end of each second, a hundred at once would wait for it."""

ROOM = 10_000
"""Headers that are remembered; when there are more, all are forgotten."""

LENGTH_MAX = 4_096
"""Bytes of a header that is remembered: as long as a browser's longest cookie, and all of them have
40 MB together. Whoever sends a longer one is asked for each time."""

Credential = tuple[bytes, bytes]
"""A header by which its sender is found, `cookie` or `authorization`, and its value."""

Known = tuple[str | None]
"""The id of a caller who is known; None within: nobody's."""


class RecentCallers:
    """Remembers, for a second, who sent a Cookie or Authorization header."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._answers: dict[Credential, _Answer] = {}

    def remember(self, header: Credential, caller: Caller | None) -> None:
        """Note whose a header is; None: nobody's.

        The lanes take whoever is known, for every role may predict.
        """
        if len(header[1]) > LENGTH_MAX:
            return
        if len(self._answers) >= ROOM:
            self._answers.clear()
        self._answers[header] = _Answer(caller, self._monotonic())

    def recall(self, header: Credential) -> Known | None:
        """Tell whose header it is; None: that is not known now, or is to be asked anew by this one.

        For a request that else would not ask; see `peek` for others.
        """
        answer = self._answers.get(header)
        if answer is None:
            return None
        if self._monotonic() <= answer.due:
            return answer.known
        answer.due = answer.until
        return None

    def peek(self, header: Credential) -> Known | None:
        """Tell whose header it is; None: that is not known now."""
        answer = self._answers.get(header)
        return answer.known if answer and self._monotonic() <= answer.until else None

    def is_sought(self, header: Credential) -> bool:
        """Tell whether it is to be looked up whose header it is: it is unknown, or to be renewed.

        One that would not be remembered is not: that would help nobody.
        """
        answer = self._answers.get(header)
        if answer is None or self._monotonic() > answer.until:
            return len(header[1]) <= LENGTH_MAX
        return answer.due == answer.until

    def account(self, header: Credential) -> str | None:
        """Tell the id of the account whose header it is; None: it is nobody's, or a guest's."""
        answer = self._answers.get(header)
        return answer.known[0] if answer and answer.account else None


class _Answer:
    """Whose a header was found to be, and when that is to be asked anew."""

    __slots__ = ("account", "due", "known", "until")

    def __init__(self, caller: Caller | None, now: float) -> None:
        self.known: Known = (caller.id if caller else None,)
        self.account = caller is not None and caller.account
        self.due = now + RENEW_SECONDS
        self.until = now + SECONDS
