"""Matching: which requests are plain predictions, and what they ask.

The express lane and the waiting lane share it; they differ in who then answers. Whatever is not
recognised here goes on to Flask's views.
"""

from collections.abc import Callable, Iterable
from typing import Generic, TypeVar

from stopgap import problems
from stopgap.accounts.keys import bearer
from stopgap.accounts.recent import Credential, Known
from stopgap.contracts.contract import Contract
from stopgap.contracts.given import json_values
from stopgap.contracts.parsing import read_inputs
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.front.answers import JSON, Header
from stopgap.front.asgi import Scope

UNUSUAL = frozenset({b"origin", b"sec-fetch-site", b"expect", b"content-encoding"})
"""Headers that ask for more than an answer."""

COOKIE, AUTHORIZATION = b"cookie", b"authorization"
LENGTH, CHUNKED = b"content-length", b"transfer-encoding"
NOTABLE = UNUSUAL | {COOKIE, AUTHORIZATION, LENGTH, CHUNKED}

NOBODY: Known = (None,)

Target = TypeVar("Target")


class Matcher(Generic[Target]):
    """Recognises the plain requests of one contract, reads their inputs, and tells who answers.

    Args:
        by_path: Who answers a request with its inputs in the path.
        by_query: Who answers one with its inputs in a query.
        by_json: Who answers one with its inputs in a body.
    """

    def __init__(
        self, contract: Contract, *, by_path: Target, by_query: Target, by_json: Target
    ) -> None:
        self._contract = contract
        self._prefix = contract.prefix.encode()
        reader = plain_reader(contract)
        self._read_path = reader.path if reader else nothing
        self._read_query = reader.query if reader else nothing
        self._read_json = reader.json if reader else nothing
        self._by_path, self._by_query, self._by_json = by_path, by_query, by_json

    def match(self, path: bytes, query: bytes) -> tuple[Target, Row] | None:
        """Recognise a GET by its raw path and query."""
        if query:
            row = self._read_query(query) if path == self._prefix else None
            return None if row is None else (self._by_query, row)
        row = self._read_path(path)
        return None if row is None else (self._by_path, row)

    def match_json(self, scope: Scope, body: bytes) -> tuple[Target, Row] | None:
        """Recognise a POST by its body; Flask's view says what is wrong with any other."""
        if scope["raw_path"] != self._prefix or scope["query_string"]:
            return None
        if row := self._read_json(body):
            return self._by_json, row
        try:
            return self._by_json, Row.of(read_inputs(self._contract, json_values(body)))
        except Exception:  # noqa: BLE001  # a contract's own validator may raise anything
            return None


def nothing(_text: bytes) -> Row | None:
    """Read nothing: no request is plain."""
    return None


def is_json(scope: Scope) -> bool:
    """Tell whether a body is worth reading here."""
    if scope["method"] != "POST" or JSON not in scope["headers"]:
        return False
    return [name for name, _ in scope["headers"]].count(JSON[0]) == 1


def asks_for_page(headers: Iterable[Header]) -> bool:
    """Tell whether a browser asks, which gets errors as pages."""
    accepted = [value.decode("latin-1") for name, value in headers if name == b"accept"]
    return bool(accepted) and problems.wants_page(",".join(accepted))


def credentials(headers: Iterable[Header]) -> list[Credential]:
    """List the headers by which a caller is found."""
    return [
        (name, value)
        for name, value in headers
        if name == COOKIE or (name == AUTHORIZATION and _is_bearer(value))
    ]


def _is_bearer(value: bytes) -> bool:
    return bearer(value.decode("latin-1")) is not None


def asks_for_more(scope: Scope) -> bool:
    """Tell whether more than an answer is asked for, or a body comes where none belongs."""
    return any(name in UNUSUAL or _is_stray(scope, name, value) for name, value in scope["headers"])


def _is_stray(scope: Scope, name: bytes, value: bytes) -> bool:
    """Tell whether this header brings a body with a GET, which intake has to bound."""
    brings = name == CHUNKED or (name == LENGTH and value != b"0")
    return brings and scope["method"] == "GET"


def known_caller(
    scope: Scope, recall: Callable[[Credential], Known | None], *, closed: bool
) -> Known | None:
    """Tell who asks; None: that has to be looked up, or more than an answer is asked for.

    Where predictions are closed, nobody is not told either.
    """
    known, authorized = NOBODY, False
    for name, value in scope["headers"]:
        if name in NOTABLE:
            if name in (LENGTH, CHUNKED):
                if _is_stray(scope, name, value):
                    return None
                continue
            if name == AUTHORIZATION:
                if authorized:
                    return None  # which of the two counts, the view tells
                authorized = True
                if not _is_bearer(value):
                    continue
            if known is not NOBODY or name in UNUSUAL:
                return None  # who of two asks, or what more is asked for, the view tells
            found = recall((name, value))
            if found is None:
                return None
            known = found
    return None if closed and known[0] is None else known
