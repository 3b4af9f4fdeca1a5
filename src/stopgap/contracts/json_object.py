"""One JSON object, read strictly: what two readers could understand differently is refused."""

import json
import re
from collections import Counter
from collections.abc import Sequence
from typing import Any

from stopgap.errors import Fault, StopgapError

BYTE_ORDER_MARK = "\ufeff"
SURROGATE = re.compile("[\ud800-\udfff]")

THINGS_MAX = 10_000
"""Objects, and members of them, that a body may hold. Each is read by Python, not by C: a mebibyte
of `{}` would take a worker for a third of a second, these take it for some milliseconds."""


class JsonMalformed(StopgapError):
    """The body is not one JSON object with each name given once (RFC 8259)."""


def read_json_object(body: bytes) -> dict[str, Any]:
    """Read one JSON object strictly: UTF-8, no NaN, no name twice, no lone surrogates, not endless.

    Raises:
        JsonMalformed: it is none.
    """
    try:
        found = json.loads(
            body.decode("utf-8"), object_pairs_hook=_Objects().take, parse_constant=_no_constant
        )
    except RecursionError as error:
        raise JsonMalformed("The body's JSON is nested too deeply.") from error
    except ValueError as error:  # also what UnicodeDecodeError and JSONDecodeError are
        raise JsonMalformed(f"The body is not JSON: {_reason(error)}.") from error
    if not isinstance(found, dict):
        raise JsonMalformed('The body must be a JSON object, like {"name": "value"}.')
    return found


def _reason(error: ValueError) -> str:
    if isinstance(error, json.JSONDecodeError):
        if error.doc.startswith(BYTE_ORDER_MARK):
            return "a byte order mark stands before it"
        return f"{error.msg} at character {error.pos}"
    if isinstance(error, UnicodeError):
        return "it is not UTF-8"
    return str(error) if isinstance(error, _Objection) else "a number in it has too many digits"


class _Objection(ValueError):
    """What this reader refuses, and Python's would take."""


def _no_constant(name: str) -> None:
    raise _Objection(f"{name} is no JSON number")


class _Objects:
    """The objects of one body, innermost first."""

    def __init__(self) -> None:
        self._things = 0

    def take(self, pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
        """Make a dictionary of an object's members, each given once.

        Raises:
            JsonMalformed: with this one, they are too many.
        """
        self._things += 1 + len(pairs)
        if self._things > THINGS_MAX:
            raise JsonMalformed(f"The body holds more than {THINGS_MAX:,} objects and members.")
        members = dict(pairs)
        if len(members) != len(pairs):
            (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
            raise _Objection(f"the name {Fault.shorten(twice)!r} is given twice")
        for text in (*members, *members.values()):
            if isinstance(text, str) and SURROGATE.search(text):
                raise _Objection("a text holds half of a surrogate pair")
        return members
