"""Filters: which records are asked for."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

Value = str | float | bool


@dataclass(frozen=True, kw_only=True)
class Condition:
    """A field whose value is from `low` to `high`, both included; a text is equal to `low`."""

    part: Literal["input", "output"]
    name: str = ""  # of an output that is no object: none
    aliases: tuple[tuple[str, str], ...] = ()  # a contract, and what its records may call it
    low: Value
    high: Value
    others: tuple[Value, ...] = ()  # what a value, but no range, may be as well


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Records that meet all of these; what is None, or empty, leaves none out."""

    since: datetime | None = None  # included
    until: datetime | None = None  # not included
    contract: str | None = None
    release: str | None = None
    caller: str | None = None
    conditions: tuple[Condition, ...] = ()


EVERYTHING = Filters()
