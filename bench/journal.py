"""How fast the journal is at a million records, or at any number: what a page and a chart cost.

Run `python -m bench.journal`; `--records 10000000` takes some ten minutes and 3 GB, `--database`
names another database than a new SQLite file, and one that is full already is not filled again.
"""

import argparse
import calendar
import json
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from datetime import timedelta
from itertools import islice
from uuid import UUID

from stopgap.clock import SystemClock
from stopgap.journal import store
from stopgap.journal.drain import BATCH
from stopgap.journal.filters import Condition, Filters, Value
from stopgap.journal.journal import Journal
from stopgap.journal.record import Record
from stopgap.storage.database import Database, open_database
from stopgap.storage.history import JOURNAL, migrate

DAYS = 90
"""Over how long a time the records are spread."""

MONTHS = [name.lower() for name in calendar.month_name[1:]]
CALLERS, VISITS = 500, 100_000
ROUNDS = 15
EXPORTED = 100_000


def records(count: int, end: int, source: random.Random) -> Iterator[Record]:
    """Make records as MadCompany leaves them, the oldest first, up to a moment in microseconds."""
    step = DAYS * 86_400_000_000 // count
    for number in range(count):
        at = end - (count - number) * step + source.randrange(step)
        inputs = {
            "seller_available": source.randrange(10),
            "month": source.choice(MONTHS),
            "customer_visiting_website": source.randrange(VISITS),
        }
        yield Record(
            id=str(UUID(int=(at // 1_000) << 80 | 7 << 76 | 2 << 62 | source.getrandbits(62))),
            at=at,
            contract="madcompany",
            fingerprint="0123456789abcdef",
            release="stand-in" if number < count // 2 else "1",
            caller=f"caller-{source.randrange(CALLERS)}" if number % 2 else None,
            inputs=json.dumps(inputs, separators=(",", ":")).encode(),
            output=b"%d" % source.randint(2000, 5000),
            micros=source.randrange(20, 400),
        )


def fill(database: Database, count: int) -> float:
    """Insert the records; tell how many a second, the time of making them left out."""
    made = records(count, time.time_ns() // 1_000, random.Random(1))  # noqa: S311  # no secret
    spent = 0.0
    while batch := list(islice(made, BATCH)):
        start = time.perf_counter()
        with database.write() as connection:
            store.insert(connection, batch)
            store.set_offset(connection, "bench", 1)
        spent += time.perf_counter() - start
    return count / spent


def merge(database: Database) -> float:
    """Merge what blocks the drainer would merge when it has time; tell how many a second."""
    merged, start, more = 0, time.perf_counter(), True
    while more:
        with database.write(unbounded=True) as connection:
            more = store.merge(connection)
        merged += more
    return merged / (time.perf_counter() - start)


def where(name: str, low: Value, high: Value | None = None) -> Condition:
    """Say that an input has a value, or lies in a range."""
    return Condition(part="input", name=name, low=low, high=low if high is None else high)


def filters(journal: Journal) -> dict[str, Filters]:
    """Name the filters whose pages are measured."""
    newest = journal.page(limit=1)[0].at
    middle = newest - timedelta(days=DAYS / 2)
    visits = "customer_visiting_website"
    return {
        "nothing": Filters(),
        "time: an hour, long ago": Filters(since=middle, until=middle + timedelta(hours=1)),
        "contract": Filters(contract="madcompany"),
        "release: of now": Filters(release="1"),
        "release: of long ago": Filters(release="stand-in"),
        "release: unknown": Filters(release="7"),
        "caller": Filters(caller="caller-5"),
        "caller, long ago": Filters(caller="caller-5", until=middle),
        "caller: unknown": Filters(caller="nobody"),
        "field: a word": Filters(conditions=(where("month", "march"),)),
        "field: a common number": Filters(conditions=(where("seller_available", 5),)),
        "field: a rare number": Filters(conditions=(where(visits, 777),)),
        "field: a wide range": Filters(conditions=(where(visits, 0, 90_000),)),
        "field: a narrow range": Filters(conditions=(where(visits, 500, 510),)),
        "field: the range, long ago": Filters(conditions=(where(visits, 500, 510),), until=middle),
        "field: wide, long ago": Filters(conditions=(where(visits, 0, 90_000),), until=middle),
        "field: no such value": Filters(conditions=(where(visits, 1e7, 1e8),)),
        "answer: a range": Filters(conditions=(Condition(part="output", low=3000, high=3010),)),
        "a word and a common number": Filters(
            conditions=(where("month", "march"), where("seller_available", 5))
        ),
        "a word and a rare number": Filters(
            conditions=(where("month", "march"), where(visits, 777))
        ),
        "contract, two fields, answer": Filters(
            contract="madcompany",
            conditions=(
                where("month", "march"),
                where("seller_available", 5),
                Condition(part="output", low=2000, high=2500),
            ),
        ),
    }


def measure(name: str, call: Callable[[], object]) -> None:
    """Print the median of some calls, and the first one, which found less in memory.

    The processor's time, which is SQLite's too, does not depend on what else the machine does.
    """
    times, busy = [], []
    for _ in range(ROUNDS):
        start, start_busy = time.perf_counter(), time.process_time()
        call()
        times.append((time.perf_counter() - start) * 1_000)
        busy.append((time.process_time() - start_busy) * 1_000)
    median, median_busy = statistics.median(times), statistics.median(busy)
    say(f"{name:38} {median:8.1f} ms   busy {median_busy:8.1f} ms   first {times[0]:8.1f} ms")


def measure_all(journal: Journal) -> None:
    """Print what pages, charts and an export cost."""
    found = filters(journal)
    for name, chosen in found.items():
        measure(f"page by {name}", lambda chosen=chosen: journal.page(chosen))  # type: ignore[misc]
    newest = journal.page(limit=1)[0].at
    for days in (0.2, 7, DAYS):
        chosen = Filters(contract="madcompany", since=newest - timedelta(days=days))
        for chart in (journal.charts, journal.stats):
            measure(f"{chart.__name__} of {days:g} days", lambda: chart(chosen))  # noqa: B023
    start = time.perf_counter()
    count = sum(1 for _ in islice(journal.export(), EXPORTED))
    say(f"export: {count / (time.perf_counter() - start):,.0f} records/s")


def say(line: str) -> None:
    """Print a line at once."""
    sys.stdout.write(line + "\n")
    sys.stdout.flush()


def main(words: Sequence[str] | None = None) -> None:
    """Fill a journal and measure it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--database", help="its URL")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as folder:
        url = chosen.database or f"sqlite:///{folder}/journal.db"
        with closing(open_database(url)) as database:
            migrate(database, JOURNAL)
            journal = Journal(database, SystemClock())
            if not journal.page(limit=1):
                rate = fill(database, chosen.records)
                say(f"insert: {rate:,.0f} records/s, {chosen.records:,} in all")
                say(f"merge: {merge(database):.1f} times eight blocks/s")
            measure_all(journal)


if __name__ == "__main__":
    main()
