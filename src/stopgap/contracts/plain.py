"""The plain case: inputs written as nearly everybody writes them, read without a detour.

A `PlainReader` is compiled from a contract and reads what is plain into the same row as `parsing`
and pydantic would; for whatever is not plain, or not allowed, it has no answer, and they have.
"""

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TypeVar

from pydantic import BaseModel
from pydantic_core import to_json

from stopgap.contracts import kinds
from stopgap.contracts.annotations import own_code
from stopgap.contracts.contract import Contract, placeholder
from stopgap.contracts.row import Row

Read = Callable[[bytes], bytes | None]
"""From a value's text to its canonical JSON; None: not plain."""

Key = TypeVar("Key", bytes, str)
Value = TypeVar("Value")

Named = Mapping[Key, tuple[int, Callable[[Value], bytes | None]]]
"""By each name that a field may have: its place, and who reads its values."""

members_of = json.JSONDecoder(object_pairs_hook=tuple).decode
"""From a JSON object to its members in a tuple, which nothing else becomes: twice is seen there."""


class PlainReader:
    """Reads the plain paths, queries and bodies of one contract; made by `plain_reader`."""

    def __init__(self, contract: Contract, reads: Sequence[Read]) -> None:
        names = [field.name for field in contract.fields]
        self._type = contract.inputs
        members = (to_json(name).replace(b"%", b"%%") + b":%b" for name in names)
        self._template = b"{" + b",".join(members) + b"}"
        self._path = _pattern(contract)
        self._in_order = names == list(self._path.groupindex)
        self._names = names
        kinds_of = enumerate(field.kind for field in contract.fields)
        self._odd = [(place, reads[place]) for place, kind in kinds_of if not _is_wide(kind)]
        places = {name: names.index(own) for name, own in contract.names.items()}
        self._in_query: Named[bytes, bytes] = {
            name.encode(): (place, reads[place]) for name, place in places.items()
        }
        self._in_json: Named[str, object] = {
            name: (place, _json_read(contract.fields[place].kind)) for name, place in places.items()
        }
        self._defaults = [
            None if field.required else to_json(field.default) for field in contract.fields
        ]

    def path(self, raw_path: bytes) -> Row | None:
        """Read a raw path; None: it is not plain."""
        match = self._path.fullmatch(raw_path)
        if match is None:
            return None
        found = [*match.groups()] if self._in_order else [match[name] for name in self._names]
        for place, read in self._odd:
            if (value := read(found[place])) is None:
                return None
            found[place] = value
        return Row(self._type, self._template % tuple(found))

    def query(self, raw_query: bytes) -> Row | None:
        """Read a raw query; None: it is not plain."""
        pairs = [pair.partition(b"=") for pair in raw_query.split(b"&")]
        return self._row([(name, text) for name, _, text in pairs], self._in_query)

    def json(self, body: bytes) -> Row | None:
        """Read a body; None: it is not plain."""
        try:
            members = members_of(body.decode())
        except (ValueError, RecursionError):
            return None
        return self._row(members, self._in_json) if type(members) is tuple else None

    def _row(self, given: Iterable[tuple[Key, Value]], named: Named[Key, Value]) -> Row | None:
        found = self._defaults.copy()
        seen = set()
        for name, value in given:
            known = named.get(name)
            if known is None or known[0] in seen:
                return None
            seen.add(known[0])
            found[known[0]] = known[1](value)
            if found[known[0]] is None:
                return None
        return None if None in found else Row(self._type, self._template % tuple(found))


CANONICAL = "0|[1-9][0-9]{0,14}"
"""Integers that are their own canonical JSON, and of which a wide range has every one."""


def _is_wide(kind: kinds.Scalar) -> bool:
    return isinstance(kind, kinds.Integer) and kind.low <= 0 and kind.high >= 10**15


NEVER = re.compile(rb"(?!)")


def _pattern(contract: Contract) -> re.Pattern[bytes]:
    """Write the shape of a plain path: one group an input. 0.3 µs less than to split it."""
    if any(field.name not in contract.placed for field in contract.fields):
        return NEVER  # what the path leaves out may stand in a query beside it
    wide = {field.name for field in contract.fields if _is_wide(field.kind)}
    parts = [
        (
            rf"(?P<{name}>{CANONICAL if name in wide else '[0-9A-Za-z]+'})"
            if (name := placeholder(part))
            else re.escape(part)
        )
        for part in contract.segments
    ]
    return re.compile("".join(f"/{part}" for part in parts).encode())


def plain_reader(contract: Contract) -> PlainReader | None:
    """Compile a contract's reader; None if its inputs have no plain case.

    That is so where a text or a decimal is among them, which have too many ways to be written, and
    where the author's model does more than hold fields: then only pydantic knows what it does.
    """
    reads = [read for field in contract.fields if (read := _read(field.kind))]
    if len(reads) < len(contract.fields) or _does_more(contract):
        return None
    return PlainReader(contract, reads)


def _does_more(contract: Contract) -> bool:
    model = contract.inputs
    made = {"__init__", "__get_pydantic_core_schema__"} & set(vars(model))
    return bool(own_code(model) or made or model.model_config or model.__bases__ != (BaseModel,))


def _read(kind: kinds.Scalar) -> Read | None:
    match kind:
        case kinds.Integer():
            return _integer(kind.low, kind.high)
        case kinds.Choice():
            return _words(kind).get
        case kinds.Boolean():
            return {b"true": b"true", b"false": b"false"}.get
        case _:
            return None


def _integer(low: int, high: int) -> Read:
    def read(text: bytes) -> bytes | None:
        if not text.isdigit() or len(text) > 16:  # noqa: PLR2004  # the grammar of `values`
            return None
        number = int(text)
        return b"%d" % number if low <= number <= high else None

    return read


def _json_read(kind: kinds.Scalar) -> Callable[[object], bytes | None]:
    match kind:
        case kinds.Integer(low=low, high=high):
            return lambda value: (
                b"%d" % value if type(value) is int and low <= value <= high else None
            )
        case kinds.Choice():
            words = {word.decode(): value for word, value in _words(kind).items()}
            return lambda value: words.get(value) if type(value) is str else None
        case _:
            return lambda value: to_json(value) if type(value) is bool else None


def _words(kind: kinds.Choice) -> dict[bytes, bytes]:
    """Map the plain ways to write a choice: its values and spellings, small, Capital or LARGE."""
    meant = dict(kind.spellings) | {value: value for value in kind.values}
    found = {
        written.encode(): to_json(value)
        for word, value in meant.items()
        for written in (word.lower(), word.capitalize(), word.upper())
        if word.isascii() and word.isalnum() and kind.spellings
    }
    exact = {v.encode(): to_json(v) for v in kind.values if v.isascii() and v.isalnum()}
    return found | exact
