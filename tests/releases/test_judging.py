"""Judging: bad canaries go back soon, good ones never by chance."""

import math
import random
from collections import Counter
from fractions import Fraction
from statistics import median

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from stopgap.releases.judging import (
    CHANCE,
    FAILURES,
    WINDOWS,
    WORSE,
    Seen,
    Verdict,
    apart,
    fisher,
    quantile_bounds,
    tail,
    verdict,
)
from stopgap.releases.tally import Tally, duration_bin


def tally(number: int, requests: int, failures: int = 0) -> Tally:
    """Count requests, some of them without an answer."""
    counts = Counter({"ok": requests - failures, "late": failures})
    return Tally(contract="test", number=number, outcomes=counts)


def judged(
    canary: tuple[int, int], live: tuple[int, int] | None = None, seconds: float = 10.0
) -> Verdict:
    """Judge requests and failures of a canary, and of the real live release if there is one."""
    other = None if live is None else tally(1, *live)
    return verdict([Seen(seconds=seconds, canary=tally(2, *canary), live=other)])


@pytest.mark.parametrize(
    ("requests", "failures", "action"),
    [
        (0, 0, "keep"),
        (3, 3, "keep"),  # bad luck, once in a million times
        (4, 4, "back"),
        (40, 5, "keep"),
        (40, 7, "back"),
        (600, 6, "keep"),
        (600, 30, "back"),
        (100_000, 1_000, "keep"),
        (100_000, 1_200, "back"),
    ],
)
def test_failures_against_the_limit(requests: int, failures: int, action: str) -> None:
    """Beside the stand-in, a canary goes back when its failures are more than chance explains."""
    found = judged((requests, failures))
    assert found.action == action
    assert found.reason


def test_the_reason_tells_of_the_live_release() -> None:
    """What is allowed is told with what the live release failed in the same time."""
    reason = judged((44, 13), (400, 2)).reason
    assert "13 of 44 requests in 10 s had no valid answer (13 late)" in reason
    assert reason.endswith("; 1.0% may, and release 1 had 2 of 400.")


@pytest.mark.parametrize(
    ("rate", "percent", "share"), [(50, 10, 0.25), (5, 10, 0.25), (1, 10, 0.5)]
)
def test_a_live_release_that_never_fails_excuses_nothing(
    rate: int, percent: int, share: float
) -> None:
    """A bad canary goes back beside it about as soon as beside the stand-in."""
    source = random.Random(1)

    def seconds(live: bool) -> int:
        asked, failed = [0, 0], 0
        for second in range(1, 601):
            for _ in range(rate):
                canary = source.random() < percent / 100
                asked[canary] += 1
                failed += canary and source.random() < share
            if judged((asked[1], failed), (asked[0], 0) if live else None).action == "back":
                return second
        return 601

    beside_it, beside_the_stand_in = (
        median(seconds(live) for _ in range(30)) for live in (True, False)
    )
    assert beside_it <= 1.5 * beside_the_stand_in


def test_back_within_ten_seconds_at_modest_traffic() -> None:
    """At 5 requests a second, a canary that fails one in four is back before 10 s are over."""
    source = random.Random(1)
    late = 0
    for _ in range(400):
        failures, requests, second = 0, 0, 0
        while judged((requests, failures)).action == "keep":
            second += 1
            requests += 5
            failures += sum(source.random() < 0.25 for _ in range(5))
        late += second > 9
    assert late / 400 < 0.1
    everything = [n for n in range(1, 11) if judged((5 * n, 5 * n)).action == "back"]
    assert everything[0] == 1


def chance_of_back(share: float, requests: int) -> float:
    """Add up the chances of every count of failures for which a canary would go back."""
    least = next(
        (n for n in range(requests + 1) if judged((requests, n)).action == "back"), requests + 1
    )
    return sum(
        math.comb(requests, n) * share**n * (1 - share) ** (requests - n)
        for n in range(least, requests + 1)
    )


@given(st.floats(0.0001, FAILURES), st.integers(1, 400))
@settings(max_examples=150)
def test_a_good_canary_never_goes_back_by_chance(share: float, requests: int) -> None:
    """A canary that fails no more than allowed goes back in less than 1 of 10,000 judgements.

    Not simulated: the chance is added up exactly.
    """
    assert chance_of_back(share, requests) < CHANCE < 1 / 10_000


def ways(requests: int, share: float) -> list[float]:
    """Tell how likely each count of failures is, up to where hardly any is left."""
    if share == 0:
        return [1.0]
    found: list[float] = []
    while len(found) <= requests * share or found[-1] > 1e-18:
        n = len(found)
        choices = math.lgamma(requests + 1) - math.lgamma(n + 1) - math.lgamma(requests - n + 1)
        failed = n * math.log(share) + (requests - n) * math.log1p(-share)
        found.append(math.exp(choices + failed))
    return found


def chance_beside(live: int, requests: int, share: float) -> float:
    """Add up the chances of all failures of both for which a canary goes back that fails more.

    Args:
        live: Requests of the live release, of which the share fails.
        requests: The canary's; of these, WORSE more fails, and that is allowed.
    """
    canary = ways(requests, share + WORSE)
    chance, least = 0.0, 0
    for failed, part in enumerate(ways(live, share)):
        while least < len(canary) and judged((requests, least), (live, failed)).action == "keep":
            least += 1
        chance += part * sum(canary[least:])
    return chance


@pytest.mark.parametrize(
    ("live", "requests"),
    [(100, 100), (500, 100), (2_000, 2_000), (9_900, 100), (14_850, 150), (60_000, 1_000)],
)
@pytest.mark.parametrize("share", [0.0, 0.0005, 0.002, 0.007])
def test_a_canary_that_fails_hardly_more_never_goes_back_by_chance(
    live: int, requests: int, share: float
) -> None:
    """Beside a live release of whatever size, less than one judgement in a million is wrong.

    Not simulated either: the chance is added up exactly, over the failures of both.
    """
    assert chance_beside(live, requests, share) < CHANCE


@pytest.mark.parametrize(
    ("rate", "percent", "share", "minutes"),
    [(1_000, 1, 0.01, 4), (1_000, 1, 0.05, 1), (100, 5, 0.05, 1), (100, 10, 0.02, 3)],
)
def test_one_that_fails_more_goes_back_soon(
    rate: int, percent: int, share: float, minutes: int
) -> None:
    """At real traffic, what fails some percent more than a live release is back within minutes."""
    asked = rate * percent * 60 * minutes // 100
    live = rate * 60 * minutes - asked
    assert judged((asked, round(asked * share)), (live, 0)).action == "back"


@given(st.integers(1, 80), st.integers(1, 80), st.integers(0, 80), st.integers(0, 80))
def test_two_tails_are_taken_where_they_are_likeliest(
    requests: int, among: int, failures: int, others: int
) -> None:
    """No share of the other's makes the two likelier than is told."""
    failures, others = min(failures, requests), min(others, among)
    found = apart(failures, requests, others, among, WORSE)
    assert 0 <= found <= 1
    for percent in range(100):
        share = percent / 100
        one = tail(failures, requests, share + WORSE)
        product = one * tail(among - others, among, 1 - share)
        assert product * (1 - math.log(product or 1)) <= found * (1 + 1e-6)


@given(st.integers(100, 5_000), st.floats(0, 0.2), st.integers(0, 2**32))
@settings(max_examples=300)
def test_as_good_as_live_never_goes_back(requests: int, share: float, seed: int) -> None:
    """What canary and live release fail at alike is no fault of the canary's."""
    source = random.Random(seed)
    one, two = (sum(source.random() < share for _ in range(requests)) for _ in range(2))
    assert judged((requests, one), (requests, two)).action == "keep"


@pytest.mark.parametrize(
    ("canary", "live", "action"),
    [
        ((20_000, 160), (20_000, 0), "back"),  # 0.8%, below the limit: worse than live, surely
        ((20_000, 160), (20_000, 120), "keep"),
        ((20_000, 40), (20_000, 0), "keep"),  # by less than anybody would go back for
        ((99, 99), (99, 99), "back"),  # too few of the live release's to excuse it
        ((200, 40), (2_000, 400), "keep"),
        ((200, 120), (2_000, 400), "back"),
        ((8, 8), (100, 0), "back"),
        ((4, 4), (100, 0), "back"),  # as beside the stand-in
        ((44, 13), (400, 0), "back"),
        ((60, 9), (540, 0), "back"),
        ((60, 9), (540, 27), "keep"),
        ((99, 99), (100, 100), "keep"),  # enough to excuse it
    ],
)
def test_beside_a_real_live_release(
    canary: tuple[int, int], live: tuple[int, int], action: str
) -> None:
    """Beside a real release, a canary may fail where that fails as well, and hardly more."""
    assert judged(canary, live).action == action


def durations(source: random.Random, middle: float, count: int) -> Counter[int]:
    """Draw durations around a middle, in microseconds."""
    return Counter(
        duration_bin(int(source.lognormvariate(math.log(middle), 0.5))) for _ in range(count)
    )


@pytest.mark.parametrize(
    ("slow", "fast", "count", "action"),
    [
        (60_000, 6_000, 400, "back"),
        (60_000, 6_000, 200, "keep"),  # too few
        (8_000, 6_000, 4_000, "keep"),
        (2_000, 200, 4_000, "keep"),  # ten times as long, and nobody notices
        (30_000, 6_000, 4_000, "back"),
    ],
)
def test_durations(slow: int, fast: int, count: int, action: str) -> None:
    """A canary whose slowest tenth surely takes twice as long, and long enough to notice, goes."""
    source = random.Random(3)
    pair = durations(source, slow, count), durations(source, fast, count)
    assert verdict([], pair).action == action


def test_what_was_not_judged() -> None:
    """A canary that stays is told by which rules it could not be judged, and how much they take."""

    def reason(requests: int, answers: int) -> str:
        seen = [Seen(seconds=60, canary=tally(2, requests), live=tally(1, 5_000))]
        return verdict(seen, (Counter({80: answers}), Counter({80: 5_000}))).reason

    said = "Nothing in its {} requests is worse than allowed"
    failures, durations = "failures not compared: 99 of 100", "durations not compared: 249 of 250"
    assert reason(600, 250) == f"{said.format(600)}."
    assert reason(600, 249) == f"{said.format(600)}; {durations} answers."
    assert reason(99, 249) == f"{said.format(99)}; {failures} requests; {durations} answers."
    assert judged((7, 0)).reason.startswith(f"{said.format(7)}; the stand-in is no yardstick")


@given(st.floats(1_000, 1e6), st.integers(250, 2_000), st.integers(0, 2**32))
@settings(max_examples=100)
def test_as_quick_as_live_never_goes_back(middle: float, count: int, seed: int) -> None:
    """Durations of one kind never look like two."""
    source = random.Random(seed)
    pair = durations(source, middle, count), durations(source, middle, count)
    assert verdict([], pair).action == "keep"


def test_the_window_in_which_it_shows() -> None:
    """A crash shows in the last seconds, however many good requests were before."""
    seen = [
        Seen(seconds=seconds, canary=tally(2, requests, 10), live=None)
        for seconds, requests in zip(WINDOWS, (20, 3_000, 30_000), strict=True)
    ]
    found = verdict(seen)
    assert (found.action, "in 10 s" in found.reason) == ("back", True)
    assert "10 late" in found.reason


@given(st.integers(1, 60), st.integers(0, 60), st.integers(1, 99))
def test_the_tail_is_exact(requests: int, failures: int, percent: int) -> None:
    """The chance of so many failures is the binomial distribution's, to nine digits."""
    failures = min(failures, requests)
    share = Fraction(percent, 100)
    exact = sum(
        math.comb(requests, n) * share**n * (1 - share) ** (requests - n)
        for n in range(failures, requests + 1)
    )
    found = tail(failures, requests, percent / 100)
    assert found == 1.0 if failures <= requests * percent / 100 else True
    if found < 1:
        assert found == pytest.approx(float(exact), rel=1e-7)


@given(st.integers(1, 30), st.integers(0, 30), st.integers(1, 30), st.integers(0, 30))
def test_fishers_tail_is_exact(requests: int, failures: int, among: int, others: int) -> None:
    """It is the share of all ways to deal out the failures that give one as many, or more."""
    failures, others = min(failures, requests), min(others, among)
    failed = failures + others
    ways = sum(
        math.comb(requests, count) * math.comb(among, failed - count)
        for count in range(failures, min(failed, requests) + 1)
        if failed - count <= among
    )
    exact = Fraction(ways, math.comb(requests + among, failed))
    found = fisher(failures, requests, others, among)
    if failures * (requests + among) <= failed * requests:
        assert found == 1.0  # no more than its part: whatever the chance, it is none to object to
    else:
        assert found == pytest.approx(float(exact), rel=1e-6)


def test_bounds_of_a_quantile() -> None:
    """They enclose what was seen."""
    even = Counter(duration_bin(1000 * n) for n in range(1, 1_001))
    low, high = quantile_bounds(even, 0.5)
    assert low < 500_000 < high


@pytest.mark.parametrize("live", [(0, 0), (5, 0)])
def test_a_live_release_that_nobody_asks(live: tuple[int, int]) -> None:
    """With too few requests of the live release there is nothing to compare with, and no error."""
    assert judged((600, 6), live).action == "keep"


def test_a_live_release_without_durations() -> None:
    """However many durations a canary has, without the live one's there is no verdict by them."""
    assert verdict([], (Counter({duration_bin(90_000): 1_000}), Counter())).action == "keep"
