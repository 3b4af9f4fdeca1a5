"""How fast the history page is with a million answers: all of it, charts included.

Run `python -m bench.console`; it takes two minutes. `--write` puts the table into
docs/benchmarks.md.
"""

import argparse
import random
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import timedelta
from http import HTTPStatus
from itertools import islice
from pathlib import Path
from urllib.parse import urlencode

from flask.testing import FlaskClient

from bench.journal import records, say
from bench.page import write
from bench.table import markdown
from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.clock import SystemClock
from stopgap.journal import store
from stopgap.journal.drain import BATCH
from stopgap.journal.record import Record
from stopgap.parts import Parts
from stopgap.settings import Settings
from stopgap.storage.database import open_database
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app

MARKS = "<!-- Written by `python -m bench.console`. -->", "<!-- The end of the history's. -->"

ROUNDS = 15
PASSWORD = "a password of the bench"  # noqa: S105  # it protects nothing
ACCOUNTS = {
    "an operator": ("operator", Role.OPERATOR),
    "an account with 0.1% of them": ("rare", Role.CLIENT),
    "an account with 10% of them": ("busy", Role.CLIENT),
}
"""Who looks -> their name and role."""

HEAD = ("Page", "Filter", "Median ms, charts remembered", "Median ms, charts counted anew")


RARE, BUSY = range(1, 2), range(400, 500)
"""Numbers of the callers, of 500, whose answers become an account's."""


def own(record: Record, ids: dict[str, str]) -> Record:
    """Give some of the callers' records to accounts."""
    number = int((record.caller or "caller-0").removeprefix("caller-"))
    owners = [name for name, numbers in (("rare", RARE), ("busy", BUSY)) if number in numbers]
    return replace(record, caller=ids[owners[0]]) if owners else record


def fill(parts: Parts, count: int) -> None:
    """Put answers into the journal, as their drainer does."""
    ids = {name: parts.accounts.get(name).id for name, _ in ACCOUNTS.values()}
    source = random.Random(1)  # noqa: S311  # no secret
    made = (own(each, ids) for each in records(count, time.time_ns() // 1_000, source))
    with closing(open_database(wiring.Locations.of(parts.settings).journal)) as database:
        while batch := list(islice(made, BATCH)):
            with database.write() as connection:
                store.insert(connection, batch)


def questions() -> Iterator[tuple[str, dict[str, str]]]:
    """Name what is asked of the page: each filter by itself, with a time."""
    month = {"period": "30d"}
    ago = SystemClock().now() - timedelta(days=40)
    long_ago = {
        "begin": (ago - timedelta(days=7)).strftime("%Y-%m-%dT%H:%M"),
        "end": ago.strftime("%Y-%m-%dT%H:%M"),
    }
    visits = "customer_visiting_website"
    yield "time: 7 days", {"period": "7d"}
    yield "time: 90 days", {"period": "90d"}
    yield "time: a week, long ago", long_ago
    yield "release", month | {"release": "1"}
    yield "release, in a time when it gave none", long_ago | {"release": "7"}
    yield "input: a word", month | {"field": "month", "value": "march"}
    yield "input: a rare number", month | {"field": visits, "value": "777"}
    yield "input: a range, long ago", long_ago | {"field": visits, "value": "500..510"}
    yield "input: no such value", month | {"field": visits, "value": "9000000.."}
    yield "answer: a range", month | {"answer": "3000..3010"}


def median(client: FlaskClient, parts: Parts, address: str, *, anew: bool) -> float:
    """Ask for a page; tell the median in milliseconds, and that it was a good one."""
    times = []
    for _ in range(ROUNDS):
        if anew:
            parts.charts.forget()
        start = time.perf_counter()
        answer = client.get(address, headers={"Accept": "text/html"})
        times.append((time.perf_counter() - start) * 1_000)
        if answer.status_code != HTTPStatus.OK:
            raise SystemExit(f"{address}: {answer.status}")
    return statistics.median(times)


def measure(folder: Path, count: int) -> list[list[str]]:
    """Fill a journal and measure its pages; return the table's lines."""
    app = create_app(Settings(data=folder))
    parts: Parts = app.extensions[NAME]
    with closing(parts):
        for name, role in ACCOUNTS.values():
            parts.accounts.add(name, PASSWORD, role)
        fill(parts, count)
        lines = []
        for who, (name, _) in ACCOUNTS.items():
            client = app.test_client()
            client.post("/login", data={"username": name, "password": PASSWORD})
            for words, query in questions():
                address = f"/console/history?{urlencode(query)}"
                figures = [median(client, parts, address, anew=anew) for anew in (False, True)]
                lines.append([who, words, *(f"{each:.0f}" for each in figures)])
                say("  ".join(lines[-1]))
    return lines


def main(words: Sequence[str] | None = None) -> None:
    """Measure the history's pages, and print their table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--records", type=int, default=1_000_000)
    parser.add_argument("--write", action="store_true", help="put the table into the page")
    chosen = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="stopgap-bench-") as folder:
        table = markdown(HEAD, measure(Path(folder), chosen.records))
    text = f"{chosen.records:,} answers of 90 days, on SQLite.\n\n{table}"
    sys.stdout.write(f"\n{text}\n")
    if chosen.write:
        write(text, MARKS)


if __name__ == "__main__":
    main()
