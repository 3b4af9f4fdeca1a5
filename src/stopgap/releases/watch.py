"""The watch: what workers tell of releases, added up, and judged."""

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from stopgap.clock import Clock
from stopgap.contracts.contract import Contract
from stopgap.releases.comparing import Comparison
from stopgap.releases.judging import DURATIONS_WINDOW, WINDOWS, Seen, Verdict, verdict
from stopgap.releases.store import (
    ComparisonRows,
    ReleaseRows,
    TallyRows,
    add_tallies,
    delete_tallies,
    delete_troubles,
    keep_troubles,
    list_troubles,
)
from stopgap.releases.tally import Tally
from stopgap.releases.trouble import TROUBLE_SECONDS, Trouble, Troubles
from stopgap.storage.database import Database

TALLY_HOURS = 1
"""How long counts are kept; the judge looks ten minutes back, and the journal has the rest."""


SKEW = timedelta(seconds=5)
"""By which the clocks of workers may differ. What lies further ahead was counted before the clock
was set right, and would count for as long as it was wrong."""


HEARD = timedelta(seconds=2)
"""In which all workers have learned of a canary, and handed over what they had counted before."""


TROUBLE_MAX = 400
"""Characters of why a canary could not be asked that are kept with its going back."""


FINGERPRINT = "fingerprint"
"""Where a comparison that is kept tells the contract that it was made under; older ones do not."""


class Watch:
    """How the releases of the served contracts do."""

    def __init__(self, database: Database, clock: Clock, contracts: Sequence[Contract]) -> None:
        self._database = database
        self._clock = clock
        self._contracts = {each.name: each for each in contracts}

    def tally(self, worker: str, tallies: Collection[Tally]) -> None:
        """Keep what a worker has counted since it last told.

        Args:
            worker: Its own name, which no other worker has had.
            tallies: One for each release that had requests.
        """
        with self._database.write() as connection:
            add_tallies(connection, worker, self._clock.now(), tallies)

    def tallies(self, contract: str, since: datetime) -> Mapping[int, Tally]:
        """Add up what each release did since a moment, an hour ago at most."""
        with self._database.read() as connection:
            rows, until = TallyRows(connection, contract), self._clock.now() + SKEW
            found = rows.tallies(since, until)
            for number, tally in found.items():
                tally.durations = rows.durations(number, since, until)
        return found

    def compare(
        self, contract: str, number: int, against: int, worker: str, comparison: Comparison
    ) -> None:
        """Keep all that a worker has compared of two releases, in place of what it told before.

        It has begun anew, and has compared nothing yet, where the file of one of them was changed.
        Of a release that has been put away nothing is kept: the worker has only not learned of it.

        Args:
            number: The release that no client, or not this one, was answered by.
            against: The one whose answers were given.
        """
        document = comparison.document() | {FINGERPRINT: self._contracts[contract].fingerprint}
        text = json.dumps(document, separators=(",", ":"))
        with self._database.write() as connection:
            rows = ComparisonRows(connection, contract)
            away = ReleaseRows(connection, contract).state().standing.is_put_away(number)
            if comparison.compared and not away:
                rows.keep(number, against, worker, text)
            else:
                rows.take_back(number, against, worker)

    def comparison(self, contract: str, number: int, against: int) -> Comparison:
        """Add up what all workers have compared of two releases under the contract as served.

        What they have under another is left out: its range is another, and so are its values.
        """
        whole = Comparison(self._contracts[contract].output_kind)
        with self._database.read() as connection:
            for document in self._compared(ComparisonRows(connection, contract), number, against):
                whole.merge(document)
        return whole

    def compared_with(self, contract: str, number: int) -> Sequence[int]:
        """List the releases that a release was compared with under the contract as served."""
        with self._database.read() as connection:
            rows = ComparisonRows(connection, contract)
            others = rows.compared_with(number)
            return [other for other in others if self._compared(rows, number, other)]

    def _compared(
        self, rows: ComparisonRows, number: int, against: int
    ) -> Sequence[Mapping[str, Any]]:
        served = self._contracts[rows.contract].fingerprint
        documents = map(json.loads, rows.list(number, against))
        return [each for each in documents if each.get(FINGERPRINT, served) == served]

    def trouble(self, worker: str, troubles: Troubles) -> None:
        """Keep what a worker cannot ask now, in place of what it told before."""
        with self._database.write() as connection:
            keep_troubles(connection, worker, self._clock.now(), troubles)

    def troubles(self, contract: str) -> Sequence[Trouble]:
        """Tell which releases some worker cannot ask now, and why."""
        now = self._clock.now()
        since = now - timedelta(seconds=TROUBLE_SECONDS)
        with self._database.read() as connection:
            return list_troubles(connection, contract, since, now + SKEW)

    def judge(self, contract: str) -> Verdict | None:
        """Judge the canary by what was counted since it became one; None: there is none."""
        now = self._clock.now()
        with self._database.read() as connection:
            releases, rows = ReleaseRows(connection, contract), TallyRows(connection, contract)
            standing = releases.state().standing
            if standing.canary is None:
                return None
            canary, live = standing.canary, standing.live
            began, was = releases.became_canary(canary) or (now, "")
            until = now + SKEW
            if was == "shadow":  # it has been counted, and was slow in the background
                began += HEARD
            if began > until:  # the clock has been set back since
                began = now - timedelta(seconds=max(WINDOWS))
            seen = []
            for seconds in WINDOWS:
                found = rows.tallies(max(began, now - timedelta(seconds=seconds)), until)
                mine, other = (
                    found.get(number, Tally(contract=contract, number=number))
                    for number in (canary, live)
                )
                seen.append(Seen(seconds=seconds, canary=mine, live=other if live else None))
            since = max(began, now - timedelta(seconds=DURATIONS_WINDOW))
            took = None
            if live:
                took = rows.durations(canary, since, until), rows.durations(live, since, until)
        judged = verdict(seen, took)
        return judged if judged.action == "keep" else self._explained(contract, canary, judged)

    def _explained(self, contract: str, canary: int, back: Verdict) -> Verdict:
        """Add why workers cannot ask a canary that goes back: nobody tells that of it later."""
        mine = [each for each in self.troubles(contract) if each.number == canary]
        if not mine:
            return back
        words = " ".join(max(mine, key=lambda each: each.workers).words().split())
        words = words if len(words) <= TROUBLE_MAX else f"{words[:TROUBLE_MAX]}…"
        return replace(back, reason=f"{back.reason} It {words}")

    def sweep(self) -> int:
        """Delete what workers told and nobody looks at any more; tell how many rows.

        That is what is old, and what was compared with releases that are put away: by hand, or by
        a promotion.
        """
        before = self._clock.now() - timedelta(hours=TALLY_HOURS)
        with self._database.write() as connection:
            compared = sum(
                _drop_put_away(ReleaseRows(connection, name)) for name in self._contracts
            )
            old = delete_tallies(connection, before) + delete_troubles(connection, before)
        return compared + old


def _drop_put_away(releases: ReleaseRows) -> int:
    standing = releases.state().standing
    away = filter(standing.is_put_away, standing.stages)
    return ComparisonRows(releases.connection, releases.contract).drop(*away)
