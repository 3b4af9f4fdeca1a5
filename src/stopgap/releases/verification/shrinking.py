"""Shrinking: inputs that break a rule, made as simple as they can be and still break it."""

import json
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row, allowed_inputs, repeats

Breaks = Callable[[Row], Awaitable[bool]]
"""Whether a row still breaks the rule."""

FEW = 16
"""Steps that are tried one by one; of more, the first that breaks is found by halving."""

FINENESS = 4_096
"""Steps from a number to the simplest one."""


class TriesOver(Exception):
    """As many questions were asked as may be."""


@dataclass(frozen=True, kw_only=True)
class Ladder:
    """The values of one field from the simplest up to the one there is."""

    steps: int  # up to the value there is, which breaks the rule
    at: Callable[[int], Any]


async def shrink(contract: Contract, row: Row, breaks: Breaks, *, tries: int) -> Row:
    """Make a row simpler, field by field, while it breaks the rule.

    The simplest inputs of all are tried first: a model that fails at everything is done at once.

    Args:
        contract: Whose inputs they are.
        row: Breaks the rule.
        breaks: Asks the model.
        tries: Questions at most; some models take a second to fail.
    """
    search = Search(contract, row, breaks, tries)
    with suppress(TriesOver):  # what was found until then is simpler than nothing
        await search.run()
    return search.row


class Search:
    """A search for the simplest row; `row` is the simplest so far."""

    def __init__(self, contract: Contract, row: Row, breaks: Breaks, tries: int) -> None:
        self._contract = contract
        self._breaks = breaks
        self._left = tries
        self._values: dict[str, Any] = json.loads(row.json)  # as a client would write them
        self.row = row

    async def run(self) -> None:
        """Search until nothing gets simpler.

        Raises:
            TriesOver: as many questions were asked as may be.
        """
        if not repeats(self._contract, self.row.json):
            return
        fields = self._contract.fields
        simplest = {each.name: _ladder(each, self._values[each.name]).at(0) for each in fields}
        if self._values == simplest or await self._try(simplest):
            return
        before = None
        while self._values != before:  # one field may have waited for another
            before = dict(self._values)
            for field in fields:
                await self._climb(field)

    async def _climb(self, field: kinds.Field) -> None:
        """Find the lowest step of a field's ladder that breaks the rule."""
        ladder = _ladder(field, self._values[field.name])
        for step in range(min(ladder.steps, FEW)):
            if await self._try({**self._values, field.name: ladder.at(step)}):
                return
        low, high = min(ladder.steps, FEW), ladder.steps
        while low < high:
            middle = (low + high) // 2
            if await self._try({**self._values, field.name: ladder.at(middle)}):
                high = middle
            else:
                low = middle + 1

    async def _try(self, values: dict[str, Any]) -> bool:
        """Ask with other values, and keep them if they break the rule."""
        inputs = allowed_inputs(self._contract, values)
        if inputs is None:
            return False
        if self._left <= 0:
            raise TriesOver
        self._left -= 1
        row = Row.of(inputs)
        if found := await self._breaks(row):
            self._values, self.row = values, row
        return found


def _ladder(field: kinds.Field, value: Any) -> Ladder:
    match field.kind:
        case kinds.Integer(low=low, high=high):
            start = min(max(0, low), high)
            sign = 1 if value >= start else -1
            return Ladder(steps=abs(value - start), at=lambda step: start + sign * step)
        case kinds.Number():
            return _numbers(field.kind, value)
        case kinds.Choice(values=words):
            return _among(words, value)
        case kinds.Boolean():
            return _among((False, True), value)
        case kinds.Text(shortest=shortest, pattern=None):
            return _texts(shortest, value)
        case kinds.Text():
            return _among((*field.examples, field.default, value), value)


def _numbers(kind: kinds.Number, value: float) -> Ladder:
    """Go from zero, or what is next to it, through whole numbers to the value."""
    low, high = kind.ends()
    start = min(max(0.0, low), high)
    whole = [min(max(float(sign * n), low), high) for n in (1, 10, 100) for sign in (1, -1)]
    first = [start, *(each for each in whole if abs(each) < abs(value))]
    if value == start or value in whole:
        return Ladder(steps=0 if value == start else len(first), at=(*first, value).__getitem__)

    def at(step: int) -> float:
        if step < len(first):
            return first[step]
        share = (step - len(first)) / FINENESS
        return min(max(start * (1 - share) + value * share, low), high)

    return Ladder(steps=len(first) + FINENESS, at=at)


def _texts(shortest: int, value: str) -> Ladder:
    """Cut the text; and before that, have it of one letter throughout."""
    room = len(value) - shortest
    plain = ["a" * shortest, "a" * len(value)]
    found = [text for text in plain if text != value]

    def at(step: int) -> str:
        return found[step] if step < len(found) else value[: shortest + step - len(found)]

    plainest = value == "a" * shortest
    return Ladder(steps=0 if plainest else len(found) + room, at=at)


def _among(values: Sequence[Any], value: Any) -> Ladder:
    return Ladder(steps=values.index(value), at=lambda step: values[step])
