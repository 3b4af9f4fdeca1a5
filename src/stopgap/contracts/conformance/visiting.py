"""A visit to a live server: what is asked of it, what it answered, and how a rule is held."""

import math
import random
import re
from collections.abc import Callable, Collection, Mapping
from contextlib import suppress
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any

from stopgap.contracts.conformance.calling import Answer, NoAnswer, Request, Server, json_request

SILENCE_MAX = 3
"""Questions in a row without an answer, after which nothing more is asked."""

REFUSALS = {HTTPStatus.UNAUTHORIZED, HTTPStatus.TOO_MANY_REQUESTS}
"""What an account is answered whose password is wrong, or was wrong too often."""

PATIENCE = 60.0
"""Seconds that are waited in all for one question that the server limits, as it tells to; once that
was in vain, no other is waited for as long."""

KEPT = 65_536
"""Bytes of an answer that are kept for the rules about all answers."""


class Broken(Exception):
    """The server broke a rule."""

    def __init__(self, request: Request | None, expected: str, came: object) -> None:
        super().__init__(f"expected {expected}, came {came}")
        self.request = request
        self.expected = expected
        self.came = str(came)


class NotChecked(Exception):
    """A rule could not be checked; its argument says why."""


@dataclass(frozen=True, kw_only=True)
class Rule:
    """One thing that a client can rely on."""

    id: str
    sentence: str
    hold: Callable[["Visit"], None]  # raises Broken or NotChecked


def rules(told: Mapping[Callable[["Visit"], None], str]) -> tuple[Rule, ...]:
    """Make a rule of each function and its sentence; its id is the function's name."""
    return tuple(
        Rule(id=hold.__name__.strip("_").replace("_", "-"), sentence=sentence, hold=hold)
        for hold, sentence in told.items()
    )


@dataclass(frozen=True, kw_only=True)
class Visitor:
    """Who visits: a made-up name, which a server with guests welcomes, or an account."""

    username: str
    password: str = field(repr=False)
    account: bool  # whether it is said to exist


class Visit:
    """One check of one server. Rules share it, so that what has been learnt is asked once."""

    def __init__(
        self,
        server: Server,
        visitor: Visitor,
        source: random.Random,
        progress: Callable[[int, int], None],
        pause: Callable[[float], None],
    ) -> None:
        self.server = server
        self.visitor = visitor
        self.source = source
        self.progress = progress
        self._pause = pause
        self._patience = PATIENCE
        self.answers: list[Answer] = []
        self.predictions: list[Answer] = []  # those that were given
        self._silences = 0
        self._welcome: Answer | None = None
        self._session: str | None = None
        self._account_sessions: list[str] = []  # their cookies
        self._predicting: dict[str, str] | None = None

    def call(self, request: Request, *, kept: bool = True) -> Answer:
        """Ask one thing; the answer is kept for the rules about all answers.

        Where a limit is in the way, it is asked again as soon as the server says that it may be.

        Raises:
            Broken: no answer came.
            NotChecked: none has come for so long that nothing more is asked; or the server limits
                what may be asked for longer than is waited.
        """
        own = self.visitor.account and request.target == "/login"
        if own:
            request = replace(request, secret=True)  # it has the account's own password
        left = self._patience
        while True:
            answer = self._ask(request, kept=kept)
            if own and answer.cookie:
                self._account_sessions.append(answer.cookie)
            if own or answer.status != HTTPStatus.TOO_MANY_REQUESTS:
                return answer  # an account that is locked out must not try again
            seconds = _seconds_to_wait(answer)
            if seconds > left:
                self._patience = left
                told = answer.header("Retry-After") or "none"
                raise NotChecked(f"the server limits what may be asked (429, Retry-After: {told})")
            left -= seconds
            self._pause(seconds)

    def _ask(self, request: Request, *, kept: bool) -> Answer:
        if self._silences >= SILENCE_MAX:
            raise NotChecked("the server has stopped answering")
        try:
            answer = self.server.call(request)
        except NoAnswer as error:
            self._silences += 1
            raise Broken(request, "an answer", error) from error
        self._silences = 0
        if kept:
            self.answers.append(replace(answer, body=answer.body[:KEPT]))
        return answer

    def see_welcome(self) -> None:
        """See whether the visitor can be expected to sign in at all.

        A refused account does not try again: too many failures would lock it out.

        Raises:
            Broken: the account is refused, as is seen for the first time.
            NotChecked: it was refused before; or the visitor is a guest, and this server has none.
        """
        first = self._welcome is None
        if self._welcome is None:
            self._welcome = self._knock()
        if self.visitor.account and self._welcome.status in REFUSALS:
            if first:
                raise Broken(self._welcome.request, "status 200", self._welcome)
            raise NotChecked("the account was refused")
        if self._welcome.status == HTTPStatus.UNAUTHORIZED and not self.visitor.account:
            raise NotChecked("this server has no guests; give --username and --password")

    def session(self) -> str:
        """Tell the cookie of a session that all rules share.

        Raises:
            NotChecked: as for `see_welcome`.
            Broken: signing in does not work.
        """
        self.see_welcome()
        if self._session is None:
            self._session = self.sign_in()
        return self._session

    def sign_in(self) -> str:
        """Start a session of one's own; tell its cookie.

        Raises:
            NotChecked: as for `see_welcome`.
            Broken: signing in does not work.
        """
        self.see_welcome()
        answer = self._knock()
        if answer.status != HTTPStatus.OK or not answer.cookie:
            raise Broken(answer.request, "status 200 and a session cookie", answer)
        return answer.cookie

    def _knock(self) -> Answer:
        login = {"username": self.visitor.username, "password": self.visitor.password}
        return self.call(json_request("/login", login))

    def discreet(self, said: str) -> str:
        """Leave an account's own password out of what a server has said, which may repeat it."""
        return said.replace(self.visitor.password, "…") if self.visitor.account else said

    def leave(self) -> None:
        """End the account's sessions: they would last for days, and it may have only so many."""
        with suppress(NoAnswer):
            for cookie in self._account_sessions:
                headers = {"Cookie": cookie}
                self.server.call(
                    Request(method="POST", target="/logout", headers=headers, body=b"")
                )

    def predict(self, request: Request) -> Answer:
        """Ask for a prediction; with a session where the server wants one."""
        headers = {} if self._predicting is None else self._predicting
        answer = self.call(replace(request, headers={**request.headers, **headers}))
        if self._predicting is None:
            closed = answer.status == HTTPStatus.UNAUTHORIZED
            self._predicting = {"Cookie": self.session()} if closed else {}
            if closed:
                return self.predict(request)
        if answer.status == HTTPStatus.OK:
            self.predictions.append(self.answers[-1])
        return answer


def _seconds_to_wait(answer: Answer) -> float:
    """Tell after how long to ask again; for ever where that is not told in seconds."""
    told = answer.header("Retry-After").strip()
    return max(1.0, float(told)) if re.fullmatch("[0-9]{1,9}", told) else math.inf


def expect_status(answer: Answer, status: int) -> None:
    """Hold an answer's status."""
    if answer.status != status:
        raise Broken(answer.request, f"status {status}", answer)


def expect_text(answer: Answer, status: int, body: str) -> None:
    """Hold a plain answer: its status, type and every byte of its body."""
    expect_status(answer, status)
    if answer.media_type != "text/plain" or answer.body != body.encode():
        raise Broken(answer.request, f"text/plain {body!r}", answer)


def expect_location(answer: Answer, path: str) -> None:
    """Hold where an answer leads to."""
    if answer.header("Location") != path:
        raise Broken(answer.request, f"Location: {path}", answer.header("Location") or "none")


def expect_header(answer: Answer, name: str, *parts: str) -> str:
    """Hold a header: it is there, and has these parts."""
    value = answer.header(name)
    if not value or any(part.lower() not in value.lower() for part in parts):
        wanted = f"the header {name}" + (f" with {', '.join(parts)}" if parts else "")
        shown = _without_value(value) if name == "Set-Cookie" else value
        raise Broken(answer.request, wanted, f"{name}: {shown}" if value else "none")
    return value


def expect_session_cookie(visit: Visit, answer: Answer, *parts: str) -> None:
    """Hold the cookie of a session: it has these parts, and clients bring it to other addresses."""
    value = expect_header(answer, "Set-Cookie", *parts)
    if not visit.server.gets_back(answer, "/images"):
        wanted = f"a cookie that clients bring back to {visit.server.url}"
        raise Broken(answer.request, wanted, f"Set-Cookie: {_without_value(value)}")


def _without_value(cookie: str) -> str:
    """Leave out of a cookie that is set what must not be shown: it may be a live session."""
    pair, mark, attributes = cookie.partition(";")
    name, equals, _ = pair.partition("=")
    return (f"{name}=…" if equals else "…") + mark + attributes


def expect_problem(answer: Answer, status: int, fields: Collection[str] = ()) -> dict[str, Any]:
    """Hold an error: its status, and that it names every field at fault.

    Its shape in full is a rule of its own, for all errors together.
    """
    if answer.status != status:
        named = f" naming {', '.join(fields)}" if fields else ""
        raise Broken(answer.request, f"status {status}{named}", answer)
    document = answer.json()
    found = document if isinstance(document, dict) else {}
    errors = found.get("errors")
    named_fields = [  # of any type, as the server is not known to be right
        error.get("field")
        for error in (errors if isinstance(errors, list) else ())
        if isinstance(error, dict)
    ]
    if any(name not in named_fields for name in fields):
        raise Broken(answer.request, f"a problem whose errors name {', '.join(fields)}", answer)
    return found
