"""A finding: one thing of a set-up that was looked at, and what is to be done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from stopgap.clock import Clock
from stopgap.settings import Settings


class Weight(StrEnum):
    """How much a finding matters."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """One thing that was looked at."""

    what: str = ""  # what was looked at; empty: what the look is called
    weight: Weight
    told: str
    fix: str | None = None


Look = Callable[[Settings, Clock], Iterator["Finding"]]
"""Looks at one thing, and changes nothing; its name is what people read."""


def fine(told: str) -> Finding:
    """Find that something is as it should be."""
    return Finding(weight=Weight.FINE, told=told)


def warning(told: str, fix: str) -> Finding:
    """Find something to think about, and say what to do if it is not meant so."""
    return Finding(weight=Weight.WARNING, told=told, fix=fix)


def wrong(told: str, fix: str) -> Finding:
    """Find what keeps the server from running as it should, and say what to do."""
    return Finding(weight=Weight.WRONG, told=told, fix=fix)
