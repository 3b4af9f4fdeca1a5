"""Comparing two releases: how far their answers to the same inputs are apart."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any, Literal, Self

from stopgap.contracts import kinds

EDGES = (0.0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0)
"""Ends of the histogram's bins, as shares of the promised range: 1, 2, 5 and so on, because what
matters may be a tenth of a percent of it or half."""

CLOSE = 0.01
"""Answers that lie no further apart than this share of the promised range agree. A client who was
promised 2000 to 5000 has to live with far more; bare equality would call every retrained model
different."""

LARGEST = 20
"""Differences that are kept with their inputs."""

INPUTS_MAX = 2_000
"""Bytes of inputs that are kept; longer ones are counted only."""

WORDS_MAX = 30
"""Pairs of words that are counted apart; further ones together."""


def percent(share: float) -> str:
    """Write a share in percent; only all is 100.0%."""
    return f"{share if share == 1 else min(share, 0.999):.1%}"


def rounded(number: float, sign: Literal["", "+"] = "") -> str:
    """Write a number with four digits, or as a whole one where it has some more.

    Args:
        sign: `+` shows it in front of what is not negative, too.
    """
    return f"{number:{sign},.0f}" if 10**3 <= abs(number) < 10**15 else f"{number:{sign}.4g}"


@dataclass(kw_only=True)
class Spread:
    """How one value of the output differs: the other's less the given one."""

    compared: int = 0
    same: int = 0
    close: int = 0  # the same ones among them
    total: float = 0.0  # of the differences
    absolute: float = 0.0  # of their sizes
    bins: Counter[int] = field(default_factory=Counter)  # 0: same; ±n: up to EDGES[n]
    words: Counter[str] = field(default_factory=Counter)  # `north -> south`, where they differ

    @property
    def mean(self) -> float:
        """The mean difference: how much more the other says. At least one has to be compared."""
        return self.total / self.compared

    @property
    def mean_absolute(self) -> float:
        """The mean absolute difference: how far they are apart, either way."""
        return self.absolute / self.compared

    def add_number(self, difference: float, width: float) -> float:
        """Count a difference; tell it as a share of the promised range."""
        share = abs(difference) / width if width else float(difference != 0)
        self.compared += 1
        self.same += difference == 0
        self.close += share <= CLOSE
        self.total += difference
        self.absolute += abs(difference)
        place = next((n for n, edge in enumerate(EDGES) if share <= edge), len(EDGES) - 1)
        self.bins[place if difference >= 0 else -place] += 1
        return share

    def add_word(self, given: object, other: object) -> float:
        """Count two words, or truths, which are the same or not."""
        self.compared += 1
        self.same += given == other
        self.close += given == other
        if given != other:
            pair = f"{given} -> {other}"
            known = pair in self.words or len(self.words) < WORDS_MAX
            self.words[pair if known else "others"] += 1
        return float(given != other)

    def merge(self, more: "Spread") -> None:
        """Add what another has counted."""
        for name in ("compared", "same", "close", "total", "absolute"):
            setattr(self, name, getattr(self, name) + getattr(more, name))
        self.bins.update(more.bins)
        self.words.update(more.words)

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what was written as JSON, whose keys are all texts."""
        bins = Counter({int(place): count for place, count in document["bins"].items()})
        return cls(**{**document, "bins": bins, "words": Counter(document["words"])})


@dataclass(frozen=True, kw_only=True)
class Difference:
    """Two answers that are far apart."""

    share: float  # of the promised range; words that differ count as all of it
    inputs: Any
    given: Any
    other: Any


class Comparison:
    """What was seen of two releases that were asked the same.

    Args:
        kind: What the contract promises; both answers keep it.
    """

    def __init__(self, kind: kinds.Kind) -> None:
        self._kind = kind
        self._kinds = kinds.values(kind)
        self.spreads = {name: Spread() for name in self._kinds}  # "": an output that is no object
        self.close = 0  # pairs of which every value is
        self.largest: Sequence[Difference] = ()

    def anew(self) -> "Comparison":
        """Give one of the same kind, of which nothing was seen yet."""
        return Comparison(self._kind)

    @property
    def compared(self) -> int:
        """Pairs of answers."""
        return min(spread.compared for spread in self.spreads.values())

    @property
    def agreement(self) -> float | None:
        """The share of pairs that are close in every value; None without any pair."""
        return self.close / self.compared if self.compared else None

    def add(self, inputs: bytes, given: Any, other: Any) -> None:
        """Compare two answers that keep the contract.

        Args:
            inputs: The row's canonical JSON.
            given: What the client was given.
            other: What the other release says.
        """
        share = 0.0
        for name, kind in self._kinds.items():
            one, two = (given[name], other[name]) if name else (given, other)
            spread = self.spreads[name]
            if isinstance(kind, kinds.Integer | kinds.Number):
                share = max(share, spread.add_number(two - one, kind.high - kind.low))
            else:
                share = max(share, spread.add_word(one, two))
        self.close += share <= CLOSE
        least = self.largest[-1].share if len(self.largest) == LARGEST else 0.0
        if share > least and len(inputs) <= INPUTS_MAX:
            found = Difference(share=share, inputs=json.loads(inputs), given=given, other=other)
            self._keep(found)

    def merge(self, document: Mapping[str, Any]) -> None:
        """Add what another worker has written down; values that the contract lost are left out."""
        for name, spread in self.spreads.items():
            if name in document["spreads"]:
                spread.merge(Spread.of(document["spreads"][name]))
        ends = (each["close"] for each in document["spreads"].values())
        self.close += document.get("close", min(ends))  # before it was counted, at most so many
        self._keep(*(Difference(**each) for each in document["largest"]))

    def _keep(self, *more: Difference) -> None:
        whole = sorted((*self.largest, *more), key=lambda each: -each.share)
        self.largest = tuple(whole[:LARGEST])

    def document(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {
            "spreads": {name: dict(vars(spread)) for name, spread in self.spreads.items()},
            "close": self.close,
            "largest": [asdict(each) for each in self.largest],
        }
