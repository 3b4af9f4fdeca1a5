"""Influence: which of its inputs a model heeds. Not to heed one may be right, so that is no rule.

But who trained it on other spellings than the contract's reads here that it takes them all alike.
"""

import json
import random
from collections.abc import Mapping, Sequence
from contextlib import suppress
from itertools import islice
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.row import Row, allowed_inputs, repeats
from stopgap.releases.verification.asking import Asking, TimeOver
from stopgap.releases.verification.rows import sampled_rows

ROWS = 32
"""In each of which one input is varied at a time, all others being as they are."""

VALUES = 8
"""That an input has in turn."""

Group = list[Row]
"""Rows that differ in one input alone."""


async def unheeded(asking: Asking, contract: Contract, batch: int) -> Mapping[str, int]:
    """Vary each input alone; tell which changed no answer, and how many inputs were asked for it.

    Not told are texts, since what is drawn of them is in no language, and inputs for which there
    was an error, or no time left.

    Args:
        batch: Rows in one call, at most.
    """
    rows = _rows(contract)
    found: dict[str, int] = {}
    with suppress(TimeOver):
        for field in contract.fields:
            if asking.fatal:  # each more costs a start
                break
            groups = [] if isinstance(field.kind, kinds.Text) else _groups(contract, rows, field)
            if groups and await _all_alike(asking, groups, batch):
                found[field.name] = sum(map(len, groups))
    return found


def _rows(contract: Contract) -> list[dict[str, Any]]:
    """Take what people are shown, and draw the same rows each time.

    Those that validators would turn into others are left out.
    """
    drawn = sampled_rows(contract, random.Random(0))  # noqa: S311  # any inputs will do
    shown = allowed_inputs(contract, example_inputs(contract))
    rows = [*([Row.of(shown)] if shown else []), *islice(drawn, ROWS - 1)]
    return [json.loads(row.json) for row in rows if repeats(contract, row.json)]


def _groups(contract: Contract, rows: Sequence[dict[str, Any]], field: kinds.Field) -> list[Group]:
    """Vary one input in each row that allows it.

    Its values are first those that are worth trying: most draws from a wide range are far out.
    """
    drawn = (row[field.name] for row in rows)
    tried = [each for each in field.given if each is not None]
    values = list(dict.fromkeys((*tried, *corners(field.kind), *drawn)))[:VALUES]
    groups = [_group(contract, row, field.name, values) for row in rows]
    return [group for group in groups if len(group) > 1]


def _group(contract: Contract, row: Mapping[str, Any], name: str, values: Sequence[Any]) -> Group:
    made = [allowed_inputs(contract, {**row, name: value}) for value in values]
    by_value = {getattr(inputs, name): inputs for inputs in made if inputs is not None}
    return [Row.of(inputs) for inputs in by_value.values()]


async def _all_alike(asking: Asking, groups: Sequence[Group], batch: int) -> bool:
    """Tell whether each row was answered, and as the first of its group.

    Raises:
        TimeOver: there is no time left.
    """
    rows = [(at, row) for at, group in enumerate(groups) for row in group]
    first: dict[int, Any] = {}
    for begin in range(0, len(rows), batch):
        part = rows[begin : begin + batch]
        answers = await asking.batch([row for _, row in part])
        if any(answered.failed for answered in answers):
            return False  # nobody knows what it would have changed
        for (at, _), answered in zip(part, answers, strict=True):
            if answered.output != first.setdefault(at, answered.output):
                return False
    return True
