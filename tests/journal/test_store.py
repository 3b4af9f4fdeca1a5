"""The journal's store: every record once, found by whatever it holds."""

import gc
import json
import math
import random
import threading
from collections.abc import Sequence
from contextlib import AbstractContextManager
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Connection, event, text
from tests.contracts.promises import LETTER
from tests.fakes import FakeClock
from tests.journal.asking import FILTERS, answer, where
from tests.journal.filling import add, at, newest_first, various
from tests.journal.records import PARTS, record

from stopgap.contracts.kinds import NUMBER_MAX
from stopgap.journal import journal as journals
from stopgap.journal import store
from stopgap.journal.entry import Entry
from stopgap.journal.filters import Filters
from stopgap.journal.journal import Journal, JournalRowNotFound
from stopgap.journal.record import Record
from stopgap.journal.store import finding
from stopgap.journal.terms import position_of, word_number
from stopgap.storage.database import Database


@pytest.fixture
def some(journal_database: Database) -> list[Record]:
    """Fill the journal with records that come in disorder, as from several workers; list them."""
    made = various(400)
    pieces = [made[start : start + 23] for start in range(0, 400, 23)]
    random.Random(3).shuffle(pieces)
    for piece in pieces:
        assert add(journal_database, piece[::-1]) == len(piece)
    return made


def test_filters_find_what_each_record_says(journal: Journal, some: list[Record]) -> None:
    """Any filter finds, newest first, what a look at each record would find."""
    for filters in FILTERS:
        expected = newest_first(some, filters)
        found = [entry.record for entry in journal.page(filters, limit=1000)]
        assert found == expected, filters
        assert [entry.record for entry in journal.page(filters, limit=5)] == expected[:5], filters


def test_pages_follow_each_other(journal: Journal, some: list[Record]) -> None:
    """Pages, each before the last entry of the one before, hold every record once."""
    for filters in FILTERS:
        found: list[Record] = []
        before = None
        while entries := journal.page(filters, before=before, limit=7):
            found += [entry.record for entry in entries]
            before = entries[-1].position
        assert found == newest_first(some, filters), filters


def of_two_contracts(values: Sequence[object], kind: type) -> list[Record]:
    """Make records of values that are of a kind to one contract, and of another to the other."""
    return [
        record(
            at=PARTS["at"] + number,
            contract="its" if isinstance(value, kind) else "others",
            inputs=b'{"size":%s,"count":%d}' % (json.dumps(value).encode(), number % 7),
            output=json.dumps(value).encode(),
        )
        for number, value in enumerate(values)
    ]


def assert_found(journal: Journal, made: Sequence[Record], filters: Filters) -> None:
    """Hold that pages of any size, and an export, have the records that meet the filters."""
    expected = newest_first(made, filters)
    assert expected
    for limit in (1, 7, 1_000):
        found = [entry.record for entry in journal.page(filters, limit=limit)]
        assert found == expected[:limit], filters
    assert [entry.record for entry in journal.export(filters)] == expected, filters


@pytest.mark.parametrize("block_records", [16, 1_000])
def test_a_range_finds_no_text(
    journal: Journal, journal_database: Database, block_records: int
) -> None:
    """Where a field is a text to one contract and a number to another, a range is of numbers."""
    values = random.Random(1).choices(["large", "small", "any", 5, 20], k=300)
    made = of_two_contracts(values, str)
    add(journal_database, made, block_records=block_records)
    for condition in (where("size", 10, NUMBER_MAX), answer(0, NUMBER_MAX), where("size", 5)):
        for others in ((), (where("count", 3),), (where("count", 1, 5),)):
            assert_found(journal, made, Filters(conditions=(condition, *others)))


@pytest.mark.parametrize("block_records", [16, 1_000])
def test_a_truth_is_no_number(
    journal: Journal, journal_database: Database, block_records: int
) -> None:
    """Where a field is a truth to one contract and a number to another, they are told apart."""
    values = random.Random(1).choices([True, False, 0, 1, 1.0, 2], k=300)
    made = of_two_contracts(values, bool)
    add(journal_database, made, block_records=block_records)
    for condition in (
        *(answer(each) for each in (True, False, 0.0, 1.0)),
        *(answer(0, 5), where("size", 1), where("size", low=True), where("size", 0.5, 1)),
    ):
        for others in ((), (where("count", 3),)):
            assert_found(journal, made, Filters(conditions=(condition, *others)))


def test_an_export_is_all_pages(journal: Journal, journal_database: Database) -> None:
    """An export goes on where a batch ends, and holds every record that meets the filters."""
    made = various(4_500)
    add(journal_database, made, block_records=1_000)
    for filters in (Filters(), Filters(contract="madcompany")):
        assert [each.record for each in journal.export(filters)] == newest_first(made, filters)


@pytest.mark.parametrize("filters", [Filters(), Filters(contract="madcompany")])
def test_an_export_holds_few_long_records(
    journal: Journal,
    journal_database: Database,
    filters: Filters,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """However long records are, and wherever the long ones lie, few of them are in memory."""
    monkeypatch.setattr(journals, "EXPORT_CHARACTERS", 50_000)
    long = b'{"text":"%s"}' % (b"x" * 10_000)
    made = [
        record(at=PARTS["at"] + number, **({"inputs": long} if number % 500 < 100 else {}))
        for number in range(1_000)
    ]
    add(journal_database, made)
    batches: list[Sequence[Entry]] = []

    def page(*args: Any, **named: Any) -> Sequence[Entry]:
        batches.append(finding_page(*args, **named))
        return batches[-1]

    finding_page = finding.page
    monkeypatch.setattr(finding, "page", page)
    assert [each.record for each in journal.export(filters)] == newest_first(made, filters)
    assert max(sum(len(each.record.inputs) for each in batch) for batch in batches) < 70_000
    assert max(map(len, batches)) > 400


def test_what_comes_in_leaves_no_garbage(journal_database: Database) -> None:
    """A drainer writes for months, and Python is to look for circles of objects but seldom."""
    batches = [various(60)[start : start + 20] for start in (0, 20, 40)]
    add(journal_database, batches[0])
    gc.collect()
    gc.disable()
    try:
        for batch in batches[1:]:
            add(journal_database, batch)
        assert gc.collect() < 20
    finally:
        gc.enable()


def test_a_record_comes_back_whole(journal: Journal, journal_database: Database) -> None:
    """Every byte of a record comes back, and it is found by its id."""
    one = record(
        caller="ann",
        inputs='{"text":"ünïcode 😀 \\u0000 \\"","number":-1.5e-7,"none":null}'.encode(),
        output=b'{"a":true,"b":[1,{"c":null}]}',
        micros=2**40,
    )
    assert add(journal_database, [one]) == 1
    entry = journal.find(one.id)
    assert entry.record == one
    assert entry.actual is None
    assert entry.facts()["request_id"] == one.id
    assert entry.facts()["at"] == "2030-01-01T12:00:00.000000+00:00"


def test_somebody_elses_record_is_not_found(journal: Journal, journal_database: Database) -> None:
    """Who may see their own answers alone does not learn whether there are others."""
    mine, other, nobodys = (record(caller=caller) for caller in ("ann", "bob", None))
    add(journal_database, [mine, other, nobodys])
    assert journal.find(mine.id, of="ann").record == mine
    for each in (other, nobodys):
        with pytest.raises(JournalRowNotFound):
            journal.find(each.id, of="ann")


def test_what_is_no_json_hides_nothing(journal: Journal, journal_database: Database) -> None:
    """Inputs that cannot be read, which no worker writes, are kept and shown as they are."""
    one = record(inputs=b"\xff{", output=b"NaN")
    add(journal_database, [one, record()])
    assert journal.find(one.id).facts()["inputs"] == "�{"
    assert len(journal.page()) == 2


def test_a_record_is_kept_once(journal: Journal, journal_database: Database) -> None:
    """Records that come again, in one batch or in another, change nothing; new ones are told."""
    made = various(60)
    assert add(journal_database, made[:40] + made[10:20]) == 40
    assert add(journal_database, made[:40]) == 0
    assert add(journal_database, made[30:]) == 20
    assert [entry.record for entry in journal.page(limit=100)] == newest_first(made, Filters())
    assert sum(point.answers for point in journal.charts().timeline.points) == 60
    may = [each for each in made if b'"may"' in each.inputs]
    assert len(journal.page(Filters(conditions=(where("month", "may"),)))) == len(may)


def test_nothing_is_nothing(journal: Journal, journal_database: Database) -> None:
    """An empty batch is no error, and an empty journal has no page, chart or export."""
    assert add(journal_database, []) == 0
    assert not journal.page()
    assert not list(journal.export(Filters(caller="ann")))
    assert not journal.charts().timeline.points
    assert not journal.stats()
    assert not journal.charts().spread


def test_records_of_one_microsecond(journal: Journal, journal_database: Database) -> None:
    """Records of the same microsecond are all kept, and told apart."""
    made = [record(caller="ann") for _ in range(300)]
    assert add(journal_database, made[:150]) + add(journal_database, made[100:]) == 300
    assert len({position_of(each) for each in made}) < 300
    for filters in (Filters(), Filters(caller="ann")):
        found = list(journal.export(filters))
        assert {entry.record.id for entry in found} == {each.id for each in made}
        assert len({entry.position for entry in found}) == 300
        assert all(0 <= entry.record.at - made[0].at <= 1 for entry in found)


def test_writers_at_the_same_time(journal: Journal, journal_database: Database) -> None:
    """Several drainers of one database, as several servers have, do each other no harm."""
    made = various(300)

    def write(records: list[Record]) -> None:
        for start in range(0, len(records), 20):
            add(journal_database, records[start : start + 20])

    slices = (made[:200], made[100:], made[::-1])
    threads = [threading.Thread(target=write, args=(each,)) for each in slices]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for filters in FILTERS:
        found = [entry.record for entry in journal.page(filters, limit=1000)]
        assert found == newest_first(made, filters)
    assert sum(point.answers for point in journal.charts().timeline.points) == 300


def test_offsets(journal_database: Database) -> None:
    """How far a spool was read is kept with what was read, and forgotten when the file is gone."""
    with journal_database.write() as connection:
        assert store.offset(connection, "a.spool") == 0
        store.set_offset(connection, "a.spool", 10)
        store.set_offset(connection, "b.spool", 2**40)
        store.set_offset(connection, "a.spool", 20)
        store.forget_offset(connection, "unknown.spool")
    with journal_database.read() as connection:
        offsets = [store.offset(connection, name) for name in ("a.spool", "b.spool", "c.spool")]
        assert offsets == [20, 2**40, 0]
    with journal_database.write() as connection:
        store.forget_offset(connection, "a.spool")
        assert store.offset(connection, "a.spool") == 0


def test_a_batch_is_kept_whole_or_not_at_all(journal: Journal, journal_database: Database) -> None:
    """A batch that is not committed leaves nothing: no record, count or offset."""

    def fail_halfway() -> None:
        with journal_database.write() as connection:
            store.insert(connection, various(50))
            store.set_offset(connection, "a.spool", 10)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_halfway()
    assert not journal.page()
    assert not journal.charts().timeline.points
    with journal_database.read() as connection:
        assert store.offset(connection, "a.spool") == 0


def test_actual_outcomes(journal: Journal, journal_database: Database, clock: FakeClock) -> None:
    """What really came of an answer is kept with it; the last report counts."""
    one, other = record(), record(at=at(clock.now()) + 1)
    add(journal_database, [one, other])
    journal.report_actual(one.id, 3000)
    journal.report_actual(one.id, {"days": 2.5})
    assert [entry.facts()["actual"] for entry in journal.page()] == [None, {"days": 2.5}]
    with pytest.raises(JournalRowNotFound, match=r"no answer to the request nothing"):
        journal.report_actual("nothing", 1)
    with pytest.raises(JournalRowNotFound) as caught:
        journal.find("\x1b[31m")
    assert "\x1b" not in caught.value.detail


def test_an_account_is_made_anonymous(journal: Journal, some: list[Record]) -> None:
    """A caller's answers stay, and nothing tells any more that they were the caller's."""
    mine = [each for each in some if each.caller == "ann"]
    assert journal.anonymise("ann") == len(mine)
    assert journal.anonymise("ann") == 0
    assert not journal.page(Filters(caller="ann"))
    assert len(journal.page(limit=1000)) == len(some)
    assert journal.find(mine[0].id).record.caller is None
    bobs = [each for each in some if each.caller == "bob"]
    assert len(journal.page(Filters(caller="bob"), limit=1000)) == len(bobs)


def test_fields_are_told(journal: Journal, some: list[Record]) -> None:
    """The journal tells which fields its records have had, of one contract or of all."""
    assert some
    visits = {("input", "month"), ("input", "count"), ("output", "")}
    assert set(journal.fields("madcompany")) == visits
    assert set(journal.fields()) > visits
    assert len(journal.fields()) == len(set(journal.fields()))


def test_what_is_served_can_be_asked_for_too(journal: Journal, some: list[Record]) -> None:
    """What is served is known before it has a record, each name once, of one contract or of all."""
    assert some
    known = journal.known_fields([LETTER])
    assert known[:2] == [("input", "note"), ("input", "code")]
    assert set(known) > set(journal.fields())
    assert len(known) == len(set(known))
    assert set(journal.known_fields([LETTER], "madcompany")) == set(journal.fields("madcompany"))


def test_no_question_is_an_error(journal: Journal, some: list[Record]) -> None:
    """Whatever a stranger asks for is found, or not found."""
    zero, lone = "\0", "\ud800"
    far, near = datetime.max.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC)
    assert len(journal.page(Filters(since=near, until=far), limit=1000)) == len(some)
    assert not journal.page(Filters(since=far))
    assert not journal.page(Filters(until=near))
    assert not journal.page(before=-(2**70))
    assert journal.page(before=2**70)
    for odd in (zero, lone, "'; --", "a" * 100_000):
        asked = Filters(contract=odd), Filters(release=odd), Filters(caller=odd)
        conditions = where(odd, 1), where("month", odd), answer(1, 2, odd), answer(odd)
        for filters in (*asked, *(Filters(conditions=(each,)) for each in conditions)):
            assert not journal.page(filters)
            assert sum(bar.answers for bar in journal.charts(filters, name=odd).spread) == 0
        assert not journal.fields(odd)
        with pytest.raises(JournalRowNotFound):
            journal.find(odd)
    for number in (math.inf, -math.inf, math.nan, 10**400, 1e308):
        assert not journal.page(Filters(conditions=(where("count", number),)))


def test_words_are_told_apart() -> None:
    """Texts that look alike have numbers of their own, which a double keeps exactly."""
    words = ["", "a", "A", "á", "a\u0301", "1", "true", "\ud800", "a" * 10_000]
    numbers = [word_number(word) for word in words]
    assert len(set(numbers)) == len(words)
    assert all(number.is_integer() and number < 2**53 for number in numbers)


@pytest.mark.parametrize("kind", ["sqlite"])
def test_every_question_is_answered_by_an_index(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """No filter makes SQLite read a table of many rows from its beginning to its end."""
    plans: list[str] = []
    deciding = False

    def explain(
        connection: Connection, _cursor: object, statement: str, given: object, *_: object
    ) -> None:
        nonlocal deciding
        if statement.startswith("SELECT") and not deciding:
            deciding = True
            rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", given)  # type: ignore[arg-type]  # as the driver had it
            plans.extend(str(row[3]) for row in rows)
            deciding = False

    assert some
    event.listen(journal_database.engine, "before_cursor_execute", explain)
    for filters in FILTERS:
        journal.page(filters, before=2**62)
    scans = {plan for plan in plans if plan.startswith("SCAN journal_") and "blocks" not in plan}
    small = {"SCAN journal_sources", "SCAN journal_fields"}
    assert {plan for plan in scans if not any(plan.startswith(each) for each in small)} == set()
    assert any(plan.startswith("SEARCH") and "journal_terms" in plan for plan in plans)
    with journal_database.read() as connection:
        assert connection.scalar(text("SELECT count(*) FROM journal_blocks")) > 3


@pytest.mark.parametrize("kind", ["postgresql"])
def test_postgresql_walks_the_blocks(
    journal: Journal, journal_database: Database, some: list[Record]
) -> None:
    """Each block's terms are found by its number, though nothing is known of the tables yet."""
    plans: list[str] = []

    def explain(
        connection: Connection, _cursor: object, statement: str, given: object, *_: object
    ) -> None:
        if statement.startswith("SELECT") and "LATERAL" in statement:
            connection.exec_driver_sql("SET LOCAL enable_seqscan = off")  # the tables are small
            rows = connection.exec_driver_sql(f"EXPLAIN {statement}", given)  # type: ignore[arg-type]  # as the driver had it
            plans.append("\n".join(str(row[0]) for row in rows))

    assert some
    event.listen(journal_database.engine, "before_cursor_execute", explain)
    for filters in (Filters(contract="madcompany"), Filters(release="7"), Filters(caller="ann")):
        journal.page(filters)
    assert len(plans) == 3
    for plan in plans:
        assert "block = journal_blocks.block" in plan, plan


def test_only_an_export_takes_its_time(
    journal: Journal, journal_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A page is a request's, whose statements are bounded; an export's may take any time."""
    asked: list[bool] = []
    read = journal_database.read

    def note(*, unbounded: bool = False) -> AbstractContextManager[Connection]:
        asked.append(unbounded)
        return read(unbounded=unbounded)

    monkeypatch.setattr(journal_database, "read", note)
    journal.page()
    list(journal.export())
    assert asked == [False, True]
