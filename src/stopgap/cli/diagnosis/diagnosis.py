"""A diagnosis: one thing of a set-up that was looked at, and what is to be done."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from stopgap.clock import Clock
from stopgap.settings import Settings


class Weight(StrEnum):
    """How much a diagnosis matters."""

    FINE = "fine"
    WARNING = "warning"
    WRONG = "wrong"


@dataclass(frozen=True, kw_only=True)
class Diagnosis:
    """One thing that was looked at."""

    what: str = ""  # what was looked at; empty: what the look is called
    weight: Weight
    told: str
    fix: str | None = None


Look = Callable[[Settings, Clock], Iterator["Diagnosis"]]
"""Looks at one thing, and changes nothing; its name is what people read."""


def fine(told: str) -> Diagnosis:
    """Find that something is as it should be."""
    return Diagnosis(weight=Weight.FINE, told=told)


def warning(told: str, fix: str) -> Diagnosis:
    """Find something to think about, and say what to do if it is not meant so."""
    return Diagnosis(weight=Weight.WARNING, told=told, fix=fix)


def wrong(told: str, fix: str) -> Diagnosis:
    """Find what keeps the server from running as it should, and say what to do."""
    return Diagnosis(weight=Weight.WRONG, told=told, fix=fix)
