"""Questions for journals that are filled with various records: every kind of filter."""

import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Literal

from tests.journal.filling import START, newest_first

from stopgap.journal.filters import Condition, Filters, Value
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record


def where(name: str, low: Value, high: Value | None = None) -> Condition:
    """Say what an input is."""
    return Condition(part="input", name=name, low=low, high=low if high is None else high)


def answer(low: Value, high: Value | None = None, name: str = "") -> Condition:
    """Say what the answer is."""
    return Condition(part="output", name=name, low=low, high=low if high is None else high)


RENAMED = replace(where("fragile", low=True), aliases=(("madcompany", "month"),), others=("may",))

FILTERS = [
    Filters(),
    Filters(since=START + timedelta(minutes=5)),
    Filters(until=START + timedelta(minutes=5)),
    Filters(since=START + timedelta(minutes=5), until=START + timedelta(minutes=5, seconds=9)),
    Filters(since=START + timedelta(days=5)),
    Filters(contract="madcompany"),
    Filters(contract="delivery-time"),
    Filters(contract="unknown"),
    Filters(release="7"),
    Filters(release="stand-in"),
    Filters(release="stand-in", contract="madcompany"),
    Filters(release="7", contract="delivery-time"),
    Filters(caller="ann"),
    Filters(caller="nobody"),
    Filters(conditions=(where("month", "mai"),)),
    Filters(conditions=(where("month", "unknown"),)),
    Filters(conditions=(where("unknown", 1),)),
    Filters(conditions=(where("service", "ünïcode 😀"),)),
    Filters(conditions=(where("fragile", low=True),)),
    Filters(conditions=(where("fragile", low=False),)),
    Filters(conditions=(where("weight_kg", -5, 0),)),
    Filters(conditions=(where("weight_kg", 0.5, 12.25),)),
    Filters(conditions=(where("weight_kg", 5, 4),)),
    Filters(conditions=(where("count", 7),)),
    Filters(conditions=(where("count", 10**400),)),
    Filters(conditions=(where("count", 7),), contract="madcompany"),
    Filters(conditions=(where("count", 3, 5),), contract="delivery-time"),
    Filters(conditions=(where("count", 3, 15), where("month", "may"))),
    Filters(conditions=(where("count", 3, 15), where("month", "may")), release="7", caller="bob"),
    Filters(conditions=(where("count", 3), where("count", 4))),
    Filters(conditions=(replace(where("count", 7), others=(9, "7")),)),
    Filters(conditions=(replace(where("number", 3), aliases=(("madcompany", "count"),)),)),
    Filters(conditions=(replace(where("number", 3, 5), aliases=(("madcompany", "count"),)),)),
    Filters(conditions=(RENAMED, where("count", 7)), caller="ann"),
    Filters(conditions=(answer(3000, 3500),)),
    Filters(conditions=(answer(2, 5.5, "days"),)),
    Filters(conditions=(answer("n", name="carrier"), where("service", "express"))),
    Filters(caller="ann", since=START + timedelta(minutes=3), conditions=(where("count", 0, 9),)),
]


def hold(journal: Journal, made: Sequence[Record]) -> None:
    """Hold each filter's page against a look at all records."""
    for filters in FILTERS:
        expected = newest_first(made, filters)
        for limit in (1, 5, 1000):
            found = [entry.record for entry in journal.page(filters, limit=limit)]
            assert found == expected[:limit], filters


NAMED: list[tuple[Literal["input", "output"], str, list[Value]]] = [
    ("input", "month", ["may", "june", "mai", "unknown"]),
    ("input", "count", [-1, 0, 3, 7, 12, 19, 25]),
    ("input", "weight_kg", [-5, 0, 0.5, 12.25, 30]),
    ("input", "service", ["standard", "ünïcode 😀"]),
    ("input", "fragile", [True, False]),
    ("output", "", [1999, 2000, 2500, 3000, 4200, 5000]),
    ("output", "days", [0.5, 2, 7.5, 14]),
    ("output", "carrier", ["n", "s"]),
]


def any_filters(source: random.Random) -> Filters:
    """Make filters of any kind: up to four conditions, and whatever else there is."""
    since, until = (START + timedelta(seconds=source.randrange(1500)) for _ in range(2))
    return Filters(
        since=source.choice([None, None, since]),
        until=source.choice([None, None, until]),
        contract=source.choice([None, "madcompany", "delivery-time"]),
        release=source.choice([None, None, None, "7", "stand-in"]),
        caller=source.choice([None, None, "ann", "cleo"]),
        conditions=tuple(_any_condition(source) for _ in range(source.randrange(5))),
    )


def _any_condition(source: random.Random) -> Condition:
    part, name, values = source.choice(NAMED)
    low = source.choice(values)
    whole = isinstance(low, str | bool) or source.random() < 0.4
    high = low if whole else source.choice(values)
    return Condition(part=part, name=name, low=low, high=high)
