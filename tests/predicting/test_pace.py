"""The pace of a model: how long whoever comes now will wait."""

import pytest
from tests.fakes import FakeClock

from stopgap.predicting.pace import Pace


def one_after_the_other(pace: Pace, clock: FakeClock, *, number: int, seconds: float) -> None:
    """Have so many come at once, and be answered one by one."""
    entered = [pace.enter() for _ in range(number)]
    for each in entered:
        clock.forward(seconds=seconds)
        pace.leave(each)


def test_nothing_is_known_of_an_idle_model(clock: FakeClock) -> None:
    """Before its first answer nobody is expected to wait."""
    pace = Pace(1, clock.monotonic)
    pace.enter()
    assert pace.wait() == 0
    assert pace.inside == 1


def test_one_at_a_time(clock: FakeClock) -> None:
    """Behind ten, at 20 ms each, one waits for 200 ms."""
    pace = Pace(1, clock.monotonic)
    entered = [pace.enter() for _ in range(20)]
    for each in entered[:10]:
        clock.forward(seconds=0.02)
        pace.leave(each)
    assert pace.inside == 10
    assert pace.wait() == pytest.approx(0.2, rel=0.01)


def crowd(pace: Pace, number: int, *, longest: float) -> list[float]:
    """Have so many come at one instant; tell the moments of those who are not refused."""
    return [pace.enter() for _ in range(number) if pace.wait() <= longest]


def test_a_crowd_comes_to_an_idle_model(clock: FakeClock) -> None:
    """Of a thousand at one instant only those come in whom the model may answer within a second."""
    pace = Pace(1, clock.monotonic)
    one_after_the_other(pace, clock, number=3, seconds=0.1)
    assert len(crowd(pace, 1_000, longest=0.5)) == 11


def test_a_crowd_that_is_answered_in_time_is_let_in(clock: FakeClock) -> None:
    """However long each of a crowd has waited, the next one as large comes in again."""
    pace = Pace(1, clock.monotonic)
    for _ in range(20):
        entered = crowd(pace, 45, longest=0.5)
        assert len(entered) == 45
        for each in entered:
            clock.forward(seconds=0.02)
            pace.leave(each)
        one_after_the_other(pace, clock, number=3, seconds=0.05)


def test_who_has_no_answer_does_not_make_a_model_fast(clock: FakeClock) -> None:
    """Those who are refused while a model is away say nothing of how fast it is."""
    pace = Pace(1, clock.monotonic)
    one_after_the_other(pace, clock, number=3, seconds=0.1)
    for _ in range(3):
        pace.leave(pace.enter(), answered=False)
    assert len(crowd(pace, 1_000, longest=0.5)) == 11


def test_a_first_answer_says_little_of_batches(clock: FakeClock) -> None:
    """What was answered alone, quickly, does not make a crowd that goes together wait."""
    pace = Pace(64, clock.monotonic)
    one_after_the_other(pace, clock, number=1, seconds=0.003)
    crowd = [pace.enter() for _ in range(300)]
    clock.forward(seconds=0.003)
    pace.leave(crowd[0])
    assert pace.wait() < 0.02


def test_a_crowd_is_not_feared_where_batches_are_quick(clock: FakeClock) -> None:
    """Answers that come by batches are many a second, though each of them has waited."""
    pace = Pace(64, clock.monotonic)
    for _ in range(20):
        entered = [pace.enter() for _ in range(640)]
        for begin in range(0, 640, 64):
            clock.forward(seconds=0.004)
            for each in entered[begin : begin + 64]:
                pace.leave(each)
    assert pace.inside == 0
    entered = [pace.enter() for _ in range(640)]
    clock.forward(seconds=0.004)
    for each in entered[:64]:
        pace.leave(each)
    assert pace.wait() == pytest.approx(0.036, rel=0.01)


def test_what_was_long_ago_counts_less(clock: FakeClock) -> None:
    """A model that has become ten times slower is known for that within two seconds."""
    pace = Pace(1, clock.monotonic)
    waiting = [pace.enter() for _ in range(10)]
    for seconds, number in ((0.01, 300), (0.1, 30)):
        for _ in range(number):
            waiting.append(pace.enter())
            clock.forward(seconds=seconds)
            pace.leave(waiting.pop(0))
    assert pace.wait() > 0.5
