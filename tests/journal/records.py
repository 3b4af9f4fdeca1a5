"""Records for tests: whole ones, of every shape."""

import json
from pathlib import Path
from typing import Any

from hypothesis import strategies as st

from stopgap.clock import RandomIds
from stopgap.journal.record import Record, encoder
from stopgap.journal.segment import claim

PARTS: dict[str, Any] = {
    "id": "01890a5d-ac96-774b-bcce-b302099a8057",
    "at": 1_893_499_200_000_000,
    "contract": "madcompany",
    "fingerprint": "0123456789abcdef",
    "release": "stand-in",
    "caller": None,
    "inputs": b'{"seller_available":5,"month":"january","customer_visiting_website":100}',
    "output": b"3141",
    "micros": 37,
}


def record(**parts: Any) -> Record:
    """Make a record like MadCompany's, with an id of its own."""
    return Record(**PARTS | {"id": RandomIds().new()} | parts)


def encode(one: Record) -> bytes:
    """Write a record as the spool keeps it."""
    write = encoder(contract=one.contract, fingerprint=one.fingerprint, release=one.release)
    return write(one.id, one.at, one.caller, one.micros, one.inputs, one.output)


def records(count: int) -> list[Record]:
    """Make records, each a millisecond after the one before."""
    return [record(at=PARTS["at"] + 1000 * number) for number in range(count)]


def compact_json() -> st.SearchStrategy[bytes]:
    """Draw JSON as `predicting` writes it: on one line."""
    return st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    ).map(lambda value: json.dumps(value, separators=(",", ":")).encode())


def is_free(path: Path) -> bool:
    """Tell whether nobody holds a file's lock."""
    with path.open("r+b") as file:
        return claim(file.fileno())


def no_damage(start: int, end: int) -> None:
    """Be told of damage where there must be none."""
    raise AssertionError(start, end)
