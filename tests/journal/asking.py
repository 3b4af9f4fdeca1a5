"""Questions for journals that are filled with various records: every kind of filter."""

from datetime import timedelta

from tests.journal.filling import START

from stopgap.journal.filters import Condition, Filters, Value


def where(name: str, low: Value, high: Value | None = None) -> Condition:
    """Say what an input is."""
    return Condition(part="input", name=name, low=low, high=low if high is None else high)


def answer(low: Value, high: Value | None = None, name: str = "") -> Condition:
    """Say what the answer is."""
    return Condition(part="output", name=name, low=low, high=low if high is None else high)


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
    Filters(conditions=(answer(3000, 3500),)),
    Filters(conditions=(answer(2, 5.5, "days"),)),
    Filters(conditions=(answer("n", name="carrier"), where("service", "express"))),
    Filters(caller="ann", since=START + timedelta(minutes=3), conditions=(where("count", 0, 9),)),
]
