"""How numbers are spread: counted in bins that need not be told the range beforehand.

Each power of two is cut into 32 bins, so a bin is 3% of its numbers wide, at any size. The ends of
wide bins are ends of narrow ones as well, so bars of one width can be made from them exactly.
"""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

CUTS = 32
LEAST, GREATEST = 1e-300, 1e300
"""A number that is nearer to zero counts as zero, one that is further off as the greatest."""

BARS = 40
"""Of a chart, at most: so many of numbers, and so many of words, beside one of all others."""

LEAST_EXPONENT = math.frexp(LEAST)[1]


@dataclass(frozen=True, kw_only=True)
class Bar:
    """How many answers were a word, a number from `low` to just below `high`, or other words."""

    word: str | None = None
    low: float | None = None
    high: float | None = None
    others: int = 0  # words that it stands for, as each was given less often than those drawn
    answers: int


def bin_of(value: float) -> int:
    """Tell the bin of a finite number; bins are in the numbers' order, 0 is zero's."""
    if -LEAST <= value < LEAST:
        return 0
    if value < 0:
        return ~bin_of(math.nextafter(-value, 0))  # so that each bin holds its lower end
    fraction, exponent = math.frexp(min(value, GREATEST))  # the fraction is from 1/2 to below 1
    return (exponent - LEAST_EXPONENT) * CUTS + int(fraction * 2 * CUTS) - CUTS + 1


def ends(number: int) -> tuple[float, float]:
    """Tell a bin's lower end, and its upper one, which belongs to the next."""
    if number < 0:
        low, high = ends(~number)
        return -high, -low
    if number == 0:
        return 0.0, 0.0
    octave, cut = divmod(number - 1, CUTS)
    exponent = octave + LEAST_EXPONENT
    low, high = (CUTS + cut) / (2 * CUTS), (CUTS + cut + 1) / (2 * CUTS)
    return math.ldexp(low, exponent), math.ldexp(high, exponent)


def bars(counts: Mapping[int, int], *, most: int) -> list[Bar]:
    """Make bars of one width, a power of two, from the answers in each bin.

    Args:
        counts: Bin -> answers.
        most: Bars at most; empty ones among the others are not listed.
    """
    if not counts:
        return []
    spans = [ends(number) for number in counts]
    low, high = min(span[0] for span in spans), max(span[1] for span in spans)
    width = max(_whole(spans), *(span[1] - span[0] for span in spans))
    while high // width - low // width >= most:
        width *= 2
    filled: dict[float, int] = {}
    for (start, _), answers in zip(spans, counts.values(), strict=True):
        filled[start // width] = filled.get(start // width, 0) + answers
    return [
        Bar(low=place * width, high=(place + 1) * width, answers=answers)
        for place, answers in sorted(filled.items())
    ]


def drawn(
    numbers: Mapping[int, int], words: Mapping[str, int], others: tuple[int, int] = (0, 0)
) -> list[Bar]:
    """Make a chart's bars: of numbers, in their order, and of the words with the most answers.

    Args:
        numbers: Bin -> answers.
        words: Word -> answers.
        others: Further words, with fewer answers: how many words, and how many answers.
    """
    ranked = sorted(words.items(), key=lambda counted: (-counted[1], counted[0]))
    fewer = [answers for _, answers in ranked[BARS:]]
    rest = Bar(others=others[0] + len(fewer), answers=others[1] + sum(fewer))
    return [
        *bars(numbers, most=BARS),
        *(Bar(word=word, answers=answers) for word, answers in ranked[:BARS]),
        *([rest] if rest.others else []),
    ]


def _whole(spans: Iterable[tuple[float, float]]) -> float:
    """Tell the least width: 1 where all numbers may well be integers."""
    return 1.0 if all(low.is_integer() for low, _ in spans) else 0.0


def quantile(counts: Mapping[int, int], share: float) -> float:
    """Tell below which number a share of the answers lies, to 3%; there is one at least."""
    wanted = share * sum(counts.values())
    ordered = sorted(counts)
    sums = accumulate(counts[number] for number in ordered)
    return next(
        ends(number)[1] for number, seen in zip(ordered, sums, strict=True) if seen >= wanted
    )
