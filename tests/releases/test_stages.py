"""How releases move: a table, and laws that no order of moves breaks."""

from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise, product
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.errors import StopgapError
from stopgap.releases.release import Stage
from stopgap.releases.stages import (
    ALLOWED,
    STEPS_BACK,
    Change,
    MoveNotAllowed,
    NothingBefore,
    PercentageInvalid,
    Standing,
    changes,
    possible,
    promoted,
    retired,
    rolled_back,
    withdrawn,
)

STAGES: tuple[Stage, ...] = get_args(Stage)
FORWARD: tuple[Stage, ...] = ("shadow", "canary", "live")


def standing(**stages: Stage) -> Standing:
    """Write a standing down: `standing(r1="live")`."""
    return Standing(stages={int(name[1:]): stage for name, stage in stages.items()})


def to_live(number: int, to: Standing) -> Standing:
    """Make a release live."""
    return promoted(to, number, "live")


def share(stage: Stage) -> float | None:
    """Give a canary its percentage, and nothing else one."""
    return 5.0 if stage == "canary" else None


@pytest.mark.parametrize(
    ("stage", "percent"),
    [("canary", None), ("canary", 0.0), ("canary", 100.0), ("canary", -1.0), ("live", 5.0)]
    + [("canary", float("nan")), ("shadow", 5.0)],
)
def test_percentages(stage: Stage, percent: float | None) -> None:
    """A canary needs a percentage above 0 and below 100, and nothing else has one."""
    with pytest.raises(PercentageInvalid):
        promoted(standing(r1="candidate"), 1, stage, percent)


MOVES: list[tuple[Stage, Stage]] = [
    ("candidate", "shadow"),
    ("candidate", "canary"),
    ("candidate", "live"),
    ("shadow", "canary"),
    ("shadow", "live"),
    ("canary", "shadow"),
    ("canary", "canary"),
    ("canary", "live"),
]


@pytest.mark.parametrize(("stage", "wanted"), list(product(STAGES, FORWARD)))
def test_promotions(stage: Stage, wanted: Stage) -> None:
    """A promotion goes forward, or changes a canary; what is live or retired stays where it is."""
    if (stage, wanted) in MOVES:
        assert promoted(standing(r1=stage), 1, wanted, share(wanted)).stages == {1: wanted}
    else:
        with pytest.raises(MoveNotAllowed):
            promoted(standing(r1=stage), 1, wanted, share(wanted))


def test_the_table_names_every_stage() -> None:
    """Every stage has a row, and no row leads to a stage that there is not."""
    assert set(ALLOWED) == set(STAGES)
    assert set(STAGES).issuperset(stage for row in ALLOWED.values() for stage in row)


def test_one_is_live_and_one_is_canary() -> None:
    """Who becomes live retires the one before; a new canary takes the place of the old."""
    first = to_live(1, standing(r1="candidate", r2="shadow", r3="canary"))
    assert first.stages == {1: "live", 2: "shadow", 3: "candidate"}
    second = promoted(promoted(first, 3, "canary", 10), 2, "canary", 20)
    assert second.stages == {1: "live", 2: "canary", 3: "candidate"}
    assert second.percents == {2: 20}
    third = to_live(2, second)
    assert (third.stages[1], third.stages[2], third.percents) == ("retired", "live", {})


def test_back_to_the_stand_in_step_by_step() -> None:
    """To go back reaches who was live before, again and again, down to the stand-in."""
    now = standing(r1="candidate", r2="candidate")
    now = to_live(2, to_live(1, now))
    assert (now.live, now.previous) == (2, 1)
    now = rolled_back(now, "test")
    assert (now.live, now.previous, now.stages[2]) == (1, None, "candidate")
    now = rolled_back(now, "test")
    assert (now.live, now.stage_of(0), now.stages[1]) == (0, "live", "candidate")
    with pytest.raises(NothingBefore, match="test"):
        rolled_back(now, "test")


def test_the_stand_in_can_be_promoted() -> None:
    """The stand-in can be made live again, and be gone back from; it is nothing else, ever."""
    now = to_live(0, to_live(1, standing(r1="candidate")))
    assert (now.live, now.stages[1], now.stage_of(0)) == (0, "retired", "live")
    assert rolled_back(now, "test").live == 1
    for stage in FORWARD[:2]:
        with pytest.raises(MoveNotAllowed, match=f"The stand-in is live and cannot be {stage}: "):
            promoted(standing(), 0, stage, share(stage))
    with pytest.raises(MoveNotAllowed, match="The stand-in is live and cannot be retired: "):
        retired(now, 0)


def test_retired_for_good() -> None:
    """A release that was replaced can come back; one that was put away cannot."""
    now = to_live(2, to_live(1, standing(r1="candidate", r2="candidate")))
    assert to_live(1, now).live == 1
    away = retired(now, 1)
    assert away.previous is None
    with pytest.raises(MoveNotAllowed, match="add it again"):
        to_live(1, away)
    with pytest.raises(MoveNotAllowed):
        retired(away, 1)
    assert rolled_back(away, "test").live == 0
    (told,) = changes(now, away)
    assert told.words() == "Release 1 (retired) is put away."
    with pytest.raises(MoveNotAllowed):
        retired(now, 2)


def test_withdrawn() -> None:
    """A shadow or a canary can be taken off the traffic; nothing else changes."""
    now = promoted(standing(r1="shadow", r2="candidate"), 2, "canary", 5)
    assert withdrawn(now, 1).stages == {1: "candidate", 2: "canary"}
    assert withdrawn(now, 2).percents == {}
    with pytest.raises(MoveNotAllowed):
        withdrawn(to_live(1, now), 1)


@given(st.sampled_from(STAGES), st.sampled_from(STAGES))
def test_what_is_possible(stage: Stage, other: Stage) -> None:
    """Where a release can be sent is where a move would take it, and nothing is moved by asking."""
    now = standing(r1=stage, r2="candidate" if other == stage else other)
    moved: dict[Stage, Callable[[], Standing]] = {
        "candidate": lambda: withdrawn(now, 1),
        "shadow": lambda: promoted(now, 1, "shadow"),
        "canary": lambda: promoted(now, 1, "canary", 5),
        "live": lambda: to_live(1, now),
        "retired": lambda: retired(now, 1),
    }
    for wanted in STAGES:
        if wanted in possible(now, 1):
            assert moved[wanted]().stages[1] == wanted
        else:
            with pytest.raises(MoveNotAllowed):
                moved[wanted]()


def test_shadows_are_bounded() -> None:
    """More shadows than a worker may run are refused."""
    full = standing(r1="shadow", r2="shadow", r3="shadow", r4="candidate")
    with pytest.raises(MoveNotAllowed, match="at once"):
        promoted(full, 4, "shadow")


def test_changes_are_told_before_they_happen() -> None:
    """What a move does to each release can be listed, and said in a sentence each."""
    all_new = standing(r1="candidate", r2="candidate", r3="candidate")
    was = promoted(to_live(1, all_new), 2, "canary", 5)
    told = changes(was, to_live(3, was))
    assert told == (
        Change(number=3, was="candidate", now="live"),
        Change(number=2, was="canary", now="candidate"),
        Change(number=1, was="live", now="retired"),
    )
    assert told[0].words() == "Release 3 (candidate) answers the requests."
    assert told[2].words() == "Release 1 (live) answers none any more."
    (away,) = changes(was, retired(was, 3))
    assert away.words() == "Release 3 (candidate) is put away."
    assert changes(was, was) == ()
    (percent,) = changes(was, promoted(was, 2, "canary", 50))
    assert percent.words().endswith("answers 50% of the requests, judged all the while.")


def off(was: Standing, now: Standing) -> set[int]:
    """Tell which releases have left the way back: all of them are told, if they are not live."""
    return set(was.before) - set(now.before)


Step = Callable[[Standing], Standing]
NUMBERS = st.integers(0, 4)
STEPS = st.one_of(
    st.tuples(NUMBERS, st.sampled_from(FORWARD)).map(
        lambda drawn: lambda now: promoted(now, drawn[0], drawn[1], share(drawn[1]))
    ),
    NUMBERS.map(lambda number: lambda now: withdrawn(now, number)),
    NUMBERS.map(lambda number: lambda now: retired(now, number)),
    st.just(lambda now: rolled_back(now, "test")),
)


@given(st.lists(STEPS, max_size=60))
def test_laws_of_any_order_of_moves(steps: list[Step]) -> None:
    """However releases are moved: one is live, at most one canary, and the way back is sound."""
    now = standing(r1="candidate", r2="candidate", r3="candidate", r4="candidate")
    for step in steps:
        was = now
        with suppress(StopgapError):
            now = step(now)
        assert {0, now.live, *(each.number for each in changes(was, now))} >= off(was, now)
        assert len(now.at("live")) <= 1
        assert len(now.at("canary")) <= 1
        assert set(now.percents) == set(now.at("canary"))
        assert len(now.before) <= STEPS_BACK
        assert all(one != after for one, after in pairwise(now.before))
        assert not now.before or now.before[-1] != now.live
        assert now.previous is None or now.previous in now.before
        assert now.previous is None or now.stages[now.previous] == "retired"
        for number in now.before:
            assert to_live(number, now).live == number if number != now.live else True
    for _ in range(STEPS_BACK + 1):
        with suppress(NothingBefore):
            now = rolled_back(now, "test")
    assert now.live == 0


def test_what_is_live_cannot_be_made_live() -> None:
    """Who wants live what is live is told so, not where it could go."""
    for standing, number, said in (
        (Standing(), 0, "The stand-in is live already."),
        (Standing(stages={3: "live"}), 3, "Release 3 is live already."),
    ):
        with pytest.raises(MoveNotAllowed) as refusal:
            promoted(standing, number, "live")
        assert refusal.value.detail == said


def test_nobody_helps_out_for_itself() -> None:
    """Who is live again after the stand-in has no release before it to answer in its place."""
    again = to_live(1, to_live(0, to_live(1, standing(r1="candidate"))))
    assert again.live == 1
    assert again.previous is None


def test_what_was_gone_back_from_does_not_help_out() -> None:
    """A release that was gone back from gets no traffic, also if it was live twice."""
    now = standing(r1="candidate", r2="candidate", r3="candidate")
    for number in (3, 1, 2, 1):
        now = to_live(number, now)
    now = rolled_back(now, "test")
    assert (now.live, now.stages[1], now.previous) == (2, "candidate", 3)
    assert promoted(now, 1, "canary", 10).previous == 3
    assert rolled_back(now, "test").live == 1
