"""How releases move from stage to stage: a table of what is allowed, and what follows from it.

One release of a contract is live, the stand-in where no other is; one may be a canary; some may be
shadows. Nothing here knows of databases: a move makes one standing into another.
"""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from itertools import pairwise

from stopgap.errors import StopgapError
from stopgap.releases.release import STAND_IN_NUMBER, WHOSE, Stage, Sticky

ALLOWED: Mapping[Stage, frozenset[Stage]] = {
    "candidate": frozenset({"shadow", "canary", "live", "retired"}),
    "shadow": frozenset({"candidate", "canary", "live", "retired"}),
    "canary": frozenset({"candidate", "shadow", "canary", "live", "retired"}),
    "live": frozenset(),  # it ends when another is live: by a promotion, or by going back
    "retired": frozenset({"live"}),  # while it is one of those that going back would reach
}
"""Stage -> where an operator may send a release from there. A canary's percentage may change.

A retired release that is kept ready for going back is in `Standing.before`; one that was put away
for good is not.
"""

STEPS_BACK = 10
"""What was live before and is kept for going back, the stand-in too; models keep their files."""

HUNDRED = 100.0  # percent

SHADOWS = 3
"""Shadows at once: each costs a process and a copy of the traffic in every worker."""


class MoveNotAllowed(StopgapError):
    """A release in its stage cannot be sent there."""

    def __init__(self, number: int, stage: Stage, wanted: Stage, reason: str = "") -> None:
        name = f"Release {number}" if number else "The stand-in"
        if stage == wanted == "live":
            super().__init__(f"{name} is live already.")
            return
        because = reason or f"from {stage} it can go to {_listed(ALLOWED[stage])}"
        super().__init__(f"{name} is {stage} and cannot be {wanted}: {because}.")


class NothingBefore(StopgapError):
    """Nothing was live before the release that is live, so there is nothing to go back to."""

    def __init__(self, contract: str) -> None:
        super().__init__(f"{contract}: no release was live before this one.")


class StandingChanged(StopgapError):
    """Somebody changed the releases between this look at them and the decision."""

    def __init__(self, contract: str) -> None:
        super().__init__(
            f"Releases of {contract} were changed after this was asked; look at what would happen "
            "now, and decide again."
        )


class PercentageInvalid(StopgapError):
    """Only a canary has a percentage of the requests, above 0 and below 100."""

    def __init__(self, stage: Stage, percent: float | None) -> None:
        super().__init__(
            "A canary answers a share of the requests above 0 and below 100 percent, and no other "
            f"release does; it cannot be {stage} with {'no share' if percent is None else percent}."
        )


@dataclass(frozen=True, kw_only=True)
class Standing:
    """How the releases of one contract stand, the stand-in left out."""

    stages: Mapping[int, Stage] = field(default_factory=dict)
    percents: Mapping[int, float] = field(default_factory=dict)  # of the canary
    before: tuple[int, ...] = ()  # who was live before, the last of them last; 0: the stand-in

    @property
    def live(self) -> int:
        """The number of the live release; the stand-in's, where no other is live."""
        return next(iter(self.at("live")), STAND_IN_NUMBER)

    @property
    def canary(self) -> int | None:
        """The number of the canary."""
        return next(iter(self.at("canary")), None)

    @property
    def previous(self) -> int | None:
        """The last real release that was replaced; it answers when the live one cannot.

        One that a rollback took off the traffic does not count: it was not replaced, but given up.
        """
        known = (n for n in reversed(self.before) if self.stages.get(n) == "retired")
        return next(known, None)

    def at(self, stage: Stage) -> list[int]:
        """List the releases at a stage, by number."""
        return sorted(number for number, found in self.stages.items() if found == stage)

    def stage_of(self, number: int) -> Stage:
        """Tell a release's stage; the stand-in is retired while another is live."""
        if number == STAND_IN_NUMBER:
            return "retired" if self.live else "live"
        return self.stages[number]

    def is_put_away(self, number: int) -> bool:
        """Tell whether a release was retired and is not kept ready for going back."""
        return self.stages.get(number) == "retired" and number not in self.before


@dataclass(frozen=True, kw_only=True)
class Change:
    """What a move does to one release."""

    number: int
    was: Stage
    now: Stage
    percent: float = 0.0  # of the requests, as a canary
    sticky: Sticky | None = None  # whose share that is from now on; None: as before

    def words(self) -> str:
        """Say it to whoever is asked whether that is what they want."""
        name = f"Release {self.number} ({self.was})" if self.number else "The stand-in"
        put_away = "answers none any more" if self.was in {"live", "canary"} else "is put away"
        then = {
            "candidate": "gets no traffic any more",
            "shadow": "gets copies of the traffic; no client sees its answers",
            "canary": f"answers {self.percent:g}% of the requests, judged all the while",
            "live": "answers the requests",
            "retired": put_away,
        }
        share = f"; its share is {WHOSE[self.sticky]} from now on" if self.sticky else ""
        return f"{name} {then[self.now]}{share}."

    def reason(self, said: str) -> str:
        """Put whose share it is from now on before what was said, for the record."""
        share = f"its share is {WHOSE[self.sticky]}. " if self.sticky else ""
        return f"{share}{said}".rstrip() if share else said


def promoted(
    standing: Standing, number: int, stage: Stage, percent: float | None = None
) -> Standing:
    """Send a release forward, to shadow, canary or live.

    Whoever becomes live retires the one that was, and takes another's canary off: it was judged
    beside a release that is gone. A new canary takes the place of the old one.

    Raises:
        MoveNotAllowed: it cannot go there.
        PercentageInvalid: it is to be a canary without a percentage, or nothing else with one.
    """
    _check(standing, number, stage)
    fits = percent is None if stage != "canary" else percent is not None and 0 < percent < HUNDRED
    if not fits:
        raise PercentageInvalid(stage, percent)
    if stage == "live":
        return _with_live(standing, number, (*standing.before, standing.live))
    if stage == "canary":
        standing = _without_canary(standing)
    elif len(standing.at("shadow")) >= SHADOWS:
        reason = f"{SHADOWS} shadows at once are the most"
        raise MoveNotAllowed(number, standing.stage_of(number), stage, reason)
    percents = _percents(standing, number)
    if percent is not None:
        percents[number] = percent
    return replace(standing, stages={**standing.stages, number: stage}, percents=percents)


def withdrawn(standing: Standing, number: int) -> Standing:
    """Take a shadow or a canary off the traffic: it is a candidate again.

    Raises:
        MoveNotAllowed: it is neither.
    """
    _check(standing, number, "candidate")
    stages: dict[int, Stage] = {**standing.stages, number: "candidate"}
    return replace(standing, stages=stages, percents=_percents(standing, number))


def rolled_back(standing: Standing, contract: str) -> Standing:
    """Make the release live that was live before; the one that was is a candidate again.

    To go back once more goes one step further, and ends at the stand-in.

    Raises:
        NothingBefore: there is none.
    """
    if not standing.before:
        raise NothingBefore(contract)
    *before, number = standing.before
    left = standing.live
    after = _with_live(standing, number, tuple(before))
    stages: dict[int, Stage] = dict(after.stages)
    return replace(after, stages=stages | {left: "candidate"} if left else stages)


def retired(standing: Standing, number: int) -> Standing:
    """Put a release away for good: nothing goes back to it, and its model's file is not kept.

    Raises:
        MoveNotAllowed: it is live, or away already.
    """
    stage = standing.stage_of(number)
    if stage != "retired" or not number or number not in standing.before:
        _check(standing, number, "retired")
    return replace(
        standing,
        stages={**standing.stages, number: "retired"},
        percents=_percents(standing, number),
        before=_chain([each for each in standing.before if each != number], standing.live),
    )


ENDS: Mapping[Stage, Callable[[Standing, int], Standing]] = {
    "candidate": withdrawn,
    "retired": retired,
}
"""How a release comes to the stages to which it is not promoted."""


def possible(standing: Standing, number: int) -> frozenset[Stage]:
    """List the stages to which a release can be sent as all stand now, once it is verified."""
    found: set[Stage] = set()
    for stage in ALLOWED:
        with suppress(MoveNotAllowed):
            if stage in ENDS:
                ENDS[stage](standing, number)
            else:
                promoted(standing, number, stage, HUNDRED / 2 if stage == "canary" else None)
            found.add(stage)
    return frozenset(found)


def changes(was: Standing, now: Standing) -> tuple[Change, ...]:
    """List what is different for each release, whoever goes live first.

    One that only leaves the way back, and is put away by that, is retired before and after.
    """
    numbers = {STAND_IN_NUMBER, *was.stages, *now.stages}
    found = [
        Change(
            number=number,
            was=was.stage_of(number),
            now=now.stage_of(number),
            percent=now.percents.get(number, 0.0),
        )
        for number in numbers
        if number == STAND_IN_NUMBER or (number in was.stages and number in now.stages)
        if was.stage_of(number) != now.stage_of(number)
        or was.percents.get(number) != now.percents.get(number)
        or _is_put_away(number, was, now)
    ]
    order = ("live", "canary", "shadow", "candidate", "retired")
    return tuple(sorted(found, key=lambda change: (order.index(change.now), change.number)))


def promotion_changes(
    was: Standing, now: Standing, number: int, sticky: Sticky | None
) -> tuple[Change, ...]:
    """List what is different with a release sent forward; a canary in any case, as that was asked.

    Args:
        sticky: Whose share a canary's is from now on; None: as before.
    """
    found = {each.number: each for each in changes(was, now)}
    if number == now.canary:
        found[number] = Change(
            number=number,
            was=was.stage_of(number),
            now="canary",
            percent=now.percents[number],
            sticky=sticky,
        )
    return tuple(found.values())


def _is_put_away(number: int, was: Standing, now: Standing) -> bool:
    """Tell whether nothing goes back to a release any more that was kept ready for that."""
    left = number != STAND_IN_NUMBER and number in was.before and number not in now.before
    return left and now.stage_of(number) == "retired"


def _check(standing: Standing, number: int, stage: Stage) -> None:
    now = standing.stage_of(number)
    if number == STAND_IN_NUMBER and stage != "live":
        raise MoveNotAllowed(number, now, stage, "its only stages are live and retired")
    if stage not in ALLOWED[now]:
        raise MoveNotAllowed(number, now, stage)
    if standing.is_put_away(number):
        raise MoveNotAllowed(number, now, stage, "its model is not kept any more; add it again")


def _with_live(standing: Standing, number: int, before: tuple[int, ...]) -> Standing:
    standing = _without_canary(standing)
    stages: dict[int, Stage] = dict(standing.stages)
    for other in standing.at("live"):
        stages[other] = "retired"
    if number:
        stages[number] = "live"
    return Standing(stages=stages, before=_chain(before, number))


def _without_canary(standing: Standing) -> Standing:
    off: dict[int, Stage] = dict.fromkeys(standing.at("canary"), "candidate")
    return replace(standing, stages={**standing.stages, **off}, percents={})


def _percents(standing: Standing, number: int) -> dict[int, float]:
    return {other: share for other, share in standing.percents.items() if other != number}


def _chain(before: Sequence[int], live: int) -> tuple[int, ...]:
    """Keep the way back short, the stand-in at its end, without a step from a release to itself."""
    kept = before if len(before) <= STEPS_BACK else (STAND_IN_NUMBER, *before[1 - STEPS_BACK :])
    return tuple(number for number, after in pairwise((*kept, live)) if number != after)


def _listed(stages: frozenset[Stage]) -> str:
    return " or ".join(sorted(stages)) or "nowhere until another is live"
