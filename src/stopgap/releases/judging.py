"""Judging a canary: whether what is seen of it is bad, and not merely bad luck.

A canary is judged every second, so a rule that is wrong once in a hundred times would send every
canary back within minutes. Each rule here is wrong at most once in a million judgements of a
release that is as good as it allows, and far less often of a better one: Argo Rollouts' bare
thresholds flap on few requests; Kayenta's judge asks, as these rules do, whether a difference is
larger than chance explains. What canary and live release both fail at is no fault of the canary:
that is Diffy's noise, and it is subtracted.

The stand-in is no yardstick. Beside it, only the canary's own failures are judged.
"""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

from stopgap.releases.tally import Tally, bin_at, bin_start

CHANCE = 1e-6
"""How likely a judgement may be wrong. A canary of a day is judged 86,400 times."""

DEVIATIONS = NormalDist().inv_cdf(1 - CHANCE)
"""The same, in standard deviations: 4.75."""

WINDOWS = (10.0, 60.0, 600.0)
"""Seconds back that failures are looked for in: a crash shows in the first, a slow leak of failures
in the last. A longer past would only speak for a release that has just gone bad."""

DURATIONS_WINDOW = 120.0
"""Seconds back that durations are compared over."""


FAILURES = 0.01
"""The share of requests that may have no valid answer, whichever release is live."""

WORSE = 0.002
"""The share by which a canary may fail more than a real live release."""

SLOWER = 2.0
"""Times as long as the real live release it may take; caches and batches differ by less."""

UNNOTICED = 0.010
"""Seconds that nobody notices, however many times as long they are."""

SAMPLE = 100
"""Requests to each, before they are compared."""

SLOW_SAMPLE = 250
"""Answers of each, before durations are; fewer have no bound on their slowest tenth."""


@dataclass(frozen=True, kw_only=True)
class Seen:
    """What was seen of a canary in the last seconds, and of the live release in the same time."""

    seconds: float
    canary: Tally
    live: Tally | None  # None: the stand-in, which is no yardstick


@dataclass(frozen=True, kw_only=True)
class Verdict:
    """What is to become of a canary, and why."""

    action: Literal["keep", "back"]
    reason: str
    figures: Mapping[str, float]


def verdict(
    seen: Sequence[Seen], durations: tuple[Counter[int], Counter[int]] | None = None
) -> Verdict:
    """Judge a canary.

    Args:
        seen: One for each of WINDOWS.
        durations: How long the canary's and the real live release's answers took, by bin.
    """
    for each in seen:
        found = _failing(each) or _worse(each)
        if found is not None:
            return found
    if durations is not None and (found := _slower(*durations)) is not None:
        return found
    requests = max((each.canary.requests for each in seen), default=0)
    but = _left_out(seen, durations)
    return Verdict(
        action="keep",
        reason=f"Nothing in its {requests} requests is worse than allowed{but}.",
        figures={"requests": requests},
    )


def _left_out(seen: Sequence[Seen], durations: tuple[Counter[int], Counter[int]] | None) -> str:
    """Say which rules could not be held against it yet: too little is known for them."""
    if durations is None:
        return "; the stand-in is no yardstick for durations, or for more failures"
    requests = max((min(it.canary.requests, it.live.requests) for it in seen if it.live), default=0)
    answers = min(each.total() for each in durations)
    told = []
    if requests < SAMPLE:
        told.append(f"failures not compared: {requests} of {SAMPLE} requests")
    if answers < SLOW_SAMPLE:
        told.append(f"durations not compared: {answers} of {SLOW_SAMPLE} answers")
    return "".join(f"; {each}" for each in told)


def _failing(seen: Seen) -> Verdict | None:
    """Hold the canary's failures against the share that is allowed.

    Back, if a release that fails as often as allowed would fail so often less than once in a
    million times. Four failures and nothing else are enough; at 5 requests a second, a canary that
    fails one request in four is back within 10 s. Not back, if a real live release fails so much
    itself that the canary's failures may be its share of both releases'.
    """
    tally, live = seen.canary, seen.live
    chance, beside = tail(tally.failures, tally.requests, FAILURES), ""
    if chance >= CHANCE:
        return None
    if live is not None and live.requests >= SAMPLE:
        chance = max(chance, fisher(tally.failures, tally.requests, live.failures, live.requests))
        if chance >= CHANCE:
            return None
        beside = f", and release {live.number} had {live.failures} of {live.requests}"
    kinds = ", ".join(f"{count} {kind}" for kind, count in _failures(tally))
    return Verdict(
        action="back",
        reason=(
            f"{tally.failures} of {tally.requests} requests in {seen.seconds:g} s had no valid "
            f"answer ({kinds}); {FAILURES:.1%} may{beside}."
        ),
        figures={"failures": tally.failures, "requests": tally.requests, "chance": chance},
    )


def _worse(seen: Seen) -> Verdict | None:
    """Hold the canary's failures against the live release's.

    Back, if a canary that fails by WORSE more would fail so often beside so few of the live one's
    less than once in a million times, whatever the share of those. Of 100 requests beside thousands
    that did not fail, seven have to.
    """
    canary, live = seen.canary, seen.live
    if live is None or min(canary.requests, live.requests) < SAMPLE:
        return None
    one, two = canary.failures / canary.requests, live.failures / live.requests
    if tail(canary.failures, canary.requests, two + WORSE) >= CHANCE:
        return None  # nor would it go by both tails, which take a hundred times as long
    chance = apart(canary.failures, canary.requests, live.failures, live.requests, WORSE)
    if chance >= CHANCE:
        return None
    return Verdict(
        action="back",
        reason=(
            f"In {seen.seconds:g} s it failed {one:.2%} of its {canary.requests} requests and "
            f"release {live.number} {two:.2%} of {live.requests}: surely more than the {WORSE:.1%} "
            "by which it may fail more."
        ),
        figures={"canary": one, "live": two, "chance": chance},
    )


def _slower(canary: Counter[int], live: Counter[int]) -> Verdict | None:
    """Hold the slowest tenth of the canary's answers against the live release's.

    Back, if it surely begins later: its lower bound against the other's upper bound, both by ranks
    (the order statistics that enclose a quantile), so nothing is assumed of how durations spread.
    """
    if min(canary.total(), live.total()) < SLOW_SAMPLE:
        return None
    slow, fast = quantile_bounds(canary, 0.9)[0], quantile_bounds(live, 0.9)[1]
    if slow < SLOWER * fast or slow < UNNOTICED * 1_000_000:
        return None
    return Verdict(
        action="back",
        reason=(
            f"Its slowest tenth takes {slow / 1000:.1f} ms at least, the live release's "
            f"{fast / 1000:.1f} ms at most; {SLOWER:g} times as long is allowed."
        ),
        figures={"canary_micros": slow, "live_micros": fast},
    )


def tail(failures: int, requests: int, share: float) -> float:
    """Tell how likely so many failures or more are, if each request fails with the given share.

    Exact, by the binomial distribution.
    """
    return math.exp(_log_tail(failures, requests, share))


def _log_tail(failures: int, requests: int, share: float) -> float:
    """Tell the tail's logarithm, since what is very unlikely is no number else."""
    if failures <= requests * share:
        return 0.0
    if share <= 0:
        return -math.inf
    first = (
        _ways(requests, failures)
        + failures * math.log(share)
        + (requests - failures) * math.log1p(-share)
    )
    term, whole, odds = 1.0, 1.0, share / (1 - share)
    for count in range(failures, requests):
        term *= odds * (requests - count) / (count + 1)
        whole += term
        if term <= whole * 1e-9:
            break
    return min(first + math.log(whole), 0.0)


def apart(failures: int, requests: int, others: int, among: int, more: float) -> float:
    """Tell how likely the one's failures are so many, and the other's so few, or further apart.

    Exact, at whichever share of the other's that makes it likeliest: the product of the two tails.
    Two chances that have nothing to do with each other have so small a product t in t (1 - ln t) of
    all cases (Fisher's method). The product has one peak, for a tail's logarithm is concave.

    Args:
        failures: The one's, of its `requests`.
        others: The other's, of `among`.
        more: The share by which the one may fail more.
    """
    low, high = others / among, failures / requests - more
    if low >= high:
        return 1.0

    def both(share: float) -> float:
        canary = _log_tail(failures, requests, share + more)
        return canary + _log_tail(among - others, among, 1 - share)

    # beyond either end, one tail is all at most, and the other less than there
    most = max(
        _log_tail(failures, requests, low + more), _log_tail(among - others, among, 1 - high)
    )
    for _ in range(25):
        third = (high - low) / 3
        if both(low + third) < both(high - third):
            low += third
        else:
            high -= third
    most = max(most, both((low + high) / 2))
    return math.exp(most) * (1 - most)


def fisher(failures: int, requests: int, others: int, among: int) -> float:
    """Tell how likely so many of two releases' failures, or more, come to one, if both are as good.

    Exact, by the hypergeometric distribution (Fisher's test), whatever the share that both fail.

    Args:
        failures: The one's, of its `requests`.
        others: The other's, of `among`.
    """
    whole, failed = requests + among, failures + others
    if failures * whole <= failed * requests:
        return 1.0
    term = math.exp(
        _ways(failed, failures)
        + _ways(whole - failed, requests - failures)
        - _ways(whole, requests)
    )
    total = term
    for count in range(failures, min(failed, requests)):
        term *= (failed - count) * (requests - count)
        term /= (count + 1) * (whole - failed - requests + count + 1)
        total += term
        if term <= total * 1e-9:
            break
    return min(total, 1.0)


def _ways(of: int, chosen: int) -> float:
    """Tell in how many ways so many can be chosen, as a logarithm."""
    return math.lgamma(of + 1) - math.lgamma(chosen + 1) - math.lgamma(of - chosen + 1)


def quantile_bounds(durations: Counter[int], share: float) -> tuple[float, float]:
    """Enclose a quantile of durations, in microseconds: the ranks that surely lie around its own.

    The lower bound is its bin's lower end and the upper one its bin's upper end, so that the width
    of bins makes nobody guilty.
    """
    total = durations.total()
    half = DEVIATIONS * math.sqrt(total * share * (1 - share))
    low, high = math.floor(total * share - half), math.ceil(total * share + half)
    return bin_start(bin_at(durations, low)), bin_start(bin_at(durations, high) + 1)


def _failures(tally: Tally) -> list[tuple[str, int]]:
    counts = [(kind, count) for kind, count in tally.outcomes.items() if kind != "ok" and count]
    return sorted(counts, key=lambda each: -each[1])
