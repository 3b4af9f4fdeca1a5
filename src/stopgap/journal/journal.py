"""The journal as others see it: looked up, counted, completed, and cleared in time."""

import json
import logging
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from pathlib import Path

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.errors import StopgapError
from stopgap.journal import store
from stopgap.journal.backlog import Backlog, backlog, sizes
from stopgap.journal.conditions import names_served
from stopgap.journal.drain import catch_up
from stopgap.journal.entry import Entry
from stopgap.journal.filters import EVERYTHING, Filters
from stopgap.journal.segment import segments
from stopgap.journal.store import charts, clearing, finding
from stopgap.journal.summary import Charts, ReleaseStats
from stopgap.storage.database import Database

EXPORT_BATCH = 2_000
"""Records of an export that are in memory at once, at most."""

EXPORT_CHARACTERS = 4_000_000
"""Of their inputs and outputs, after which there are no more of them."""

DELETE_BATCH = 5_000
"""Records that are deleted in one step: the drainer waits for 0.2 s at most."""

ANONYMISE_BATCH = 5_000
"""Records that are made anonymous in one step."""

SILENCE_MIN = timedelta(days=30)
"""A silence as long as answers are kept, and as this, may be a clock that has leapt."""

DOUBT = timedelta(days=1)
"""Time to set the clock, before what is too old by it is deleted."""

logger = logging.getLogger(__name__)


class JournalRowNotFound(StopgapError):
    """The journal has no record of a request with this id; it may be older than what is kept."""

    def __init__(self, record_id: str) -> None:
        shown = record_id[:64] if record_id.isprintable() else "this id"
        super().__init__(f"The journal has no answer to the request {shown}.")


class Journal:
    """Every answer that was given, in its database.

    On SQLite, a page under any one filter takes 0.3 to 4 ms, and a chart 1 to 9, at ten thousand
    records as at ten million; several filters at once take as long as the rarest of them, unless
    they hardly ever meet. An export gives 118,000 records a second. docs/benchmarks.md has these
    figures; to measure again, and how many records come in: `python -m bench.journal`.

    Args:
        database: Migrated.
        clock: Tells what is old.
        spool: Where this machine's answers wait for the database; None: there is none here.
    """

    def __init__(self, database: Database, clock: Clock, *, spool: Path | None = None) -> None:
        self._database = database
        self._clock = clock
        self._spool = spool
        self._doubt: tuple[int, float] | None = None  # after which position, and since when

    def backlog(self) -> Backlog:
        """Tell how much waits for the database; it may be away."""
        return backlog(self._spool) if self._spool else Backlog(files=0, bytes=0)

    def waiting(self) -> int:
        """Tell the bytes that wait, as the database has it; the backlog may be about another."""
        if self._spool is None:
            return 0
        with self._database.read() as connection:
            names = [path.name for path in segments(self._spool)]
            moved = {name: store.offset(connection, name) for name in names}
        ends = sizes(self._spool).items()
        return sum(max(0, end - moved.get(name, 0)) for name, end in ends)

    def catch_up(self, seconds: float) -> int:
        """See that answers given until now can be found; tell the bytes of those that cannot yet.

        Whoever drains is awaited; where nobody does, because no server runs, it is done here.

        Args:
            seconds: Of waiting, at most.

        Raises:
            DatabaseUnreachable, DatabaseFull: the database takes nothing now.
        """
        return catch_up(self._spool, self._database, self._clock, seconds) if self._spool else 0

    def page(
        self, filters: Filters = EVERYTHING, *, before: int | None = None, limit: int = 50
    ) -> Sequence[Entry]:
        """List the newest answers that meet the filters.

        Args:
            filters: What is asked for.
            before: The position of the last entry of the page before; None: from the newest on.
            limit: Entries at most.
        """
        with self._database.read() as connection:
            return finding.page(connection, filters, before, limit)

    def holds(self, filters: Filters) -> bool:
        """Tell whether any answer meets the filters."""
        return bool(self.page(filters, limit=1))

    def export(self, filters: Filters = EVERYTHING) -> Iterator[Entry]:
        """List all answers that meet the filters, the newest first.

        Read in batches, so that memory stays flat and no transaction lasts; answers that come
        meanwhile are not among them.
        """
        before = None
        while entries := self._batch(filters, before):
            yield from entries
            before = entries[-1].position

    def _batch(self, filters: Filters, before: int | None) -> Sequence[Entry]:
        with self._database.read(unbounded=True) as connection:
            return finding.page(connection, filters, before, EXPORT_BATCH, room=EXPORT_CHARACTERS)

    def find(self, record_id: str, *, of: str | None = None) -> Entry:
        """Find the answer to one request, by its X-Request-Id.

        Args:
            of: The caller whose answer it has to be; None: anybody's will do.

        Raises:
            JournalRowNotFound: it is not in the journal.
        """
        with self._database.read() as connection:
            entry = finding.find(connection, record_id)
        if entry is None or of not in {None, entry.record.caller}:
            raise JournalRowNotFound(record_id)
        return entry

    def fields(self, contract: str | None = None) -> Sequence[tuple[str, str]]:
        """List what records have had: `("input", "month")`, `("output", "")`."""
        with self._database.read() as connection:
            return finding.fields(connection, contract)

    def known_fields(
        self, served: Sequence[Contract], contract: str | None = None
    ) -> Sequence[tuple[str, str]]:
        """List what can be asked for: of what is served, then of what records have had besides."""
        asked = [each for each in served if contract in {None, each.name}]
        return list(dict.fromkeys([*names_served(asked), *self.fields(contract)]))

    def releases(self) -> Sequence[tuple[str, str]]:
        """List which release of which contract has answered: `("madcompany", "stand-in")`."""
        with self._database.read() as connection:
            return finding.releases(connection)

    def charts(
        self, filters: Filters = EVERYTHING, *, contract: str | None = None, name: str = ""
    ) -> Charts:
        """Count answers over time, and those of one contract by what they were.

        Of the filters, time, contract, release and caller matter. By what they were, answers are
        counted in whole hours, or days where the time is longer than three of them or the hours of
        its first are not kept any more. A caller's are taken to the moment, and counted among its
        newest four thousand; then the timeline is not whole.

        Args:
            filters: What is asked for.
            contract: Whose outputs are told apart, for they should be of one kind; None: all.
            name: Of the output's member, where the output is an object.
        """
        with self._database.read() as connection:
            now = self._clock.now()
            return charts.count(connection, filters, now, contract=contract, name=name)

    def stats(self, filters: Filters = EVERYTHING) -> Sequence[ReleaseStats]:
        """Sum up the answers of each release; time is taken in whole hours or days."""
        with self._database.read() as connection:
            return charts.stats(connection, filters, self._clock.now())

    def report_actual(self, record_id: str, value: object) -> None:
        """Keep what really came of an answer; the last report counts.

        Args:
            record_id: The X-Request-Id of the answer.
            value: Of the contract's output type, which the caller has seen to.

        Raises:
            JournalRowNotFound: there is no such answer.
        """
        text = json.dumps(value, separators=(",", ":"))
        with self._database.write() as connection:
            known = clearing.report_actual(connection, record_id, text, self._clock.now())
        if not known:
            raise JournalRowNotFound(record_id)

    def anonymise(self, caller: str) -> int:
        """Forget who asked for a caller's answers, which stay; tell how many there were.

        For callers who are gone: what is still in a spool is not counted, but nobody's as well when
        it comes in, and so is whatever the caller would be given from now on.
        """
        with self._database.write() as connection:
            clearing.forget(connection, caller, self._clock.now())
        changed = 0
        while blocks := self._blocks_of(caller):  # again: they may have been merged meanwhile
            for block in blocks:
                with self._database.write() as connection:
                    changed += clearing.anonymise(connection, caller, block, ANONYMISE_BATCH)
        return changed

    def _blocks_of(self, caller: str) -> Sequence[int]:
        with self._database.read() as connection:
            return finding.blocks_of(connection, caller)

    def delete_older(self, before: datetime, batch: int = DELETE_BATCH) -> int:
        """Delete the oldest answers from before a moment, one batch; tell how many."""
        with self._database.write(unbounded=True) as connection:
            return clearing.delete_older(connection, before, batch)

    def sweep(self, days: int) -> int:
        """Delete all answers that are older than so many days, in batches; tell how many.

        Where all would go that was recorded before a long silence, the clock may have leapt: then
        nothing is deleted for a day.
        """
        before = self._clock.now() - timedelta(days=days)
        if self._has_to_wait(self.silence(days), before):
            return 0
        deleted = 0
        while count := self.delete_older(before):
            deleted += count
        if deleted:
            logger.info("%s answers from before %s were too old, and are deleted", deleted, before)
            self._delete_terms()
        self._delete_words(before)
        with self._database.write(unbounded=True) as connection:
            clearing.delete_forgotten(connection, before)
            clearing.end_doubts(connection)
        return deleted

    def _delete_terms(self) -> None:
        """Delete what older answers were found by, in a block that has younger ones too."""
        with self._database.read(unbounded=True) as connection:
            outlived = clearing.outlived_terms(connection)
        for field, block in outlived:
            with self._database.write(unbounded=True) as connection:
                clearing.delete_terms(connection, field, block)

    def _delete_words(self, before: datetime) -> None:
        """Delete what the charts have kept of the words of older answers, in batches."""
        with self._database.read(unbounded=True) as connection:
            steps = clearing.steps_with_words(connection, before)
        for step in steps:
            deleted = DELETE_BATCH
            while deleted == DELETE_BATCH:
                with self._database.write(unbounded=True) as connection:
                    deleted = clearing.delete_words(connection, step, DELETE_BATCH)

    def other_time(self) -> datetime | None:
        """Tell what time it is by the database, if that is another than the clock's."""
        return self._database.other_time(self._clock)

    def silence(self, days: int) -> clearing.Silence | None:
        """Tell in what time nothing was recorded, if it is so long that the clock may have leapt.

        Args:
            days: For which answers are kept. Those from before the silence are older.
        """
        now = self._clock.now()
        with self._database.read(unbounded=True) as connection:
            found = clearing.silence(connection, now - timedelta(days=days), now)
        return found if found and found.length >= max(timedelta(days=days), SILENCE_MIN) else None

    def _has_to_wait(self, silence: clearing.Silence | None, before: datetime) -> bool:
        if silence is None:
            self._doubt = None
            return False
        now = self._clock.monotonic()
        last, since = self._doubt or (None, now)
        seconds = now - since if last == silence.last else 0.0
        with self._database.write(unbounded=True) as connection:
            doubted = clearing.doubted(connection, silence, seconds)
        if not doubted:
            logger.warning(
                "it is %s, and nothing was recorded for %s days before; if that is wrong, set the "
                "clock: answers from before %s are deleted in a day",
                *(self._clock.now(), silence.length.days, before),
            )
        self._doubt = silence.last, now - doubted
        return doubted < DOUBT.total_seconds()

    def close(self) -> None:
        """Close every connection."""
        self._database.close()
