"""Journals for tests: filled with records of many shapes, in any order."""

import json
import random
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from tests.journal.records import record

from stopgap.journal import store
from stopgap.journal.filters import Condition, Filters, Value
from stopgap.journal.record import Record
from stopgap.journal.terms import position_of
from stopgap.storage.database import Database

START = datetime(2030, 1, 1, tzinfo=UTC)
SECOND = 1_000_000


def at(moment: datetime) -> int:
    """Tell a moment in microseconds."""
    return (moment - datetime(1970, 1, 1, tzinfo=UTC)) // timedelta(microseconds=1)


def various(count: int, *, seed: int = 1) -> list[Record]:
    """Make records of two contracts, a few seconds apart, the oldest first."""
    source = random.Random(seed)
    return [
        _visits(source, number) if number % 3 else _parcel(source, number)
        for number in range(count)
    ]


def _visits(source: random.Random, number: int) -> Record:
    inputs = {"month": source.choice(["may", "june", "mai"]), "count": source.randrange(20)}
    return record(
        at=at(START) + number * 3 * SECOND + source.randrange(SECOND),
        release=source.choice(["stand-in", "7"]),
        caller=source.choice([None, "ann", "bob"]),
        inputs=json.dumps(inputs, ensure_ascii=False).encode(),
        output=b"%d" % source.randrange(2000, 5001),
        micros=source.randrange(1, 1000),
    )


def _parcel(source: random.Random, number: int) -> Record:
    inputs = {
        "weight_kg": round(source.uniform(-5, 30), 2),
        "service": source.choice(["standard", "express", "ünïcode 😀"]),
        "fragile": source.random() < 0.5,
        "count": source.randrange(20),
    }
    output = {"days": round(source.uniform(0.5, 14), 1), "carrier": source.choice(["n", "s"])}
    return record(
        at=at(START) + number * 3 * SECOND + source.randrange(SECOND),
        contract="delivery-time",
        fingerprint="f" * 16,
        release="stand-in",
        caller=source.choice([None, "ann", "cleo"]),
        inputs=json.dumps(inputs, ensure_ascii=False).encode(),
        output=json.dumps(output).encode(),
        micros=source.randrange(1, 1000),
    )


def add(database: Database, records: Sequence[Record], *, block_records: int = 16) -> int:
    """Insert records; blocks are small, so that there are many."""
    with database.write() as connection:
        return store.insert(connection, records, block_records=block_records)


def meets(one: Record, filters: Filters) -> bool:
    """Look at a record itself to see whether it meets the filters."""
    return (
        (filters.since is None or one.at >= at(filters.since))
        and (filters.until is None or one.at < at(filters.until))
        and filters.contract in {None, one.contract}
        and filters.release in {None, one.release}
        and filters.caller in {None, one.caller}
        and all(_holds(one, condition) for condition in filters.conditions)
    )


def _holds(one: Record, condition: Condition) -> bool:
    value = json.loads(one.inputs if condition.part == "input" else one.output)
    values = value if isinstance(value, dict) else {"": value}
    names = [condition.name, *(name for of, name in condition.aliases if of == one.contract)]
    return any(_is(values[name], condition) for name in names if name in values)


def _is(found: Value, condition: Condition) -> bool:
    if any(type(found) is type(each) and found == each for each in condition.others):
        return True
    if isinstance(found, str | bool) or isinstance(condition.low, str | bool):
        return type(found) is type(condition.low) and found == condition.low
    return not isinstance(condition.high, str) and condition.low <= found <= condition.high


def newest_first(records: Sequence[Record], filters: Filters) -> list[Record]:
    """List the records that meet the filters, as a page should."""
    return sorted((r for r in records if meets(r, filters)), key=position_of, reverse=True)
