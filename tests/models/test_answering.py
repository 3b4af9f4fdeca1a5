"""What a model answers becomes plain JSON, each failure in its row's place; no more is read."""

import json
import math
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel
from tests.models.slots import row

from stopgap.contracts.madcompany import contract
from stopgap.contracts.row import Row
from stopgap.models.answering import NO_TIME, REASON_MAX, Answering, decoded
from stopgap.models.failures import ModelLate, ModelRaised
from stopgap.models.kinds import load_model

ROWS = [row(number) for number in range(3)]


class Fate(BaseModel):
    """An output of the contract's own type."""

    days: float
    late: bool


@dataclass
class Said:
    """A model that answers what it is told to, and counts its calls."""

    outputs: Any
    calls: int = 0

    def predict(self, rows: Sequence[Row]) -> Any:
        """Answer, or raise."""
        self.calls += 1
        found = self.outputs(rows) if callable(self.outputs) else self.outputs
        return found[: len(rows)] if len(rows) == 1 else found


def answer(outputs: Any) -> list[Any]:
    """Have a model answer three rows."""
    body = Answering(Said(outputs), lambda: 0.0).each(ROWS, 1.0)
    return decoded(body, 3)


@pytest.mark.parametrize(
    ("outputs", "plain"),
    [
        ([1, 2.5, "a"], [1, 2.5, "a"]),
        ((True, None, {"a": 1}), [True, None, {"a": 1}]),
        (np.array([1, 2, 3]), [1, 2, 3]),
        (np.array([[1.5], [2], [3]]), [1.5, 2.0, 3.0]),
        (np.array([1.5, 2, 3], np.float32), [1.5, 2.0, 3.0]),
        ([np.int64(1), np.float32(0.5), np.bool_(1)], [1, 0.5, True]),
        (pd.Series(["a", "b", "c"]), ["a", "b", "c"]),
        ([Fate(days=1, late=True)] * 3, [{"days": 1.0, "late": True}] * 3),
        (iter([1, 2, 3]), [1, 2, 3]),
    ],
    ids=lambda each: type(each).__name__,
)
def test_libraries_values_become_plain(outputs: Any, plain: list[Any]) -> None:
    """Arrays, scalars, series and the contract's own types become plain values."""
    found = answer(outputs)
    assert found == plain
    assert [type(each) for each in found] == [type(each) for each in plain]


def test_broken_numbers_are_told_as_they_are() -> None:
    """NaN and infinity reach the guard."""
    found = answer([math.nan, math.inf, -math.inf])
    assert math.isnan(found[0])
    assert found[1:] == [math.inf, -math.inf]


@pytest.mark.parametrize("outputs", [[1, 2], [1, 2, 3, 4], "abc", {"a": 1}, None, 7])
def test_what_is_no_list_of_outputs(outputs: Any) -> None:
    """Too few, too many, one text or nothing at all fail the call as a whole."""
    found = decoded(Answering(Said(lambda _: outputs), lambda: 0.0).once(ROWS), 3)
    assert [type(each) for each in found] == [ModelRaised] * 3


@pytest.mark.parametrize("outputs", ["abc", {"a": 1}, None, 7, np.float64(7)])
def test_one_output_for_all_rows_is_told(outputs: Any) -> None:
    """Who forgot to return, or returned one value, is told so, in words that are not Python's."""
    first, *_ = decoded(Answering(Said(lambda _: outputs), lambda: 0.0).once(ROWS), 3)
    said = f"TypeError: It answered with one {type(outputs).__name__}, not one output a row."
    assert first.reason == said


def test_a_table_is_no_list_of_outputs() -> None:
    """Who returned a data frame is told how to return rows: going through it gives its columns."""
    table = pd.DataFrame({"days": [1, 2, 3]})
    first, *_ = decoded(Answering(Said(lambda _: table), lambda: 0.0).once(ROWS), 3)
    assert "to_dict('records')" in first.reason


def test_once_is_one_call() -> None:
    """A call that is to be the only one is not repeated by parts; a call that may be is."""
    raising = Said(lambda rows: [1 // (len(rows) - 3)])
    assert [type(each) for each in decoded(Answering(raising, lambda: 0).once(ROWS), 3)] == [
        ModelRaised
    ] * 3
    assert raising.calls == 1
    assert decoded(Answering(raising, lambda: 0).each(ROWS, 1.0), 3) == [-1, -1, -1]
    assert raising.calls == 6


RAISING = """
from fractions import Fraction

def model(row):
    return Fraction("{message}")
"""


@pytest.mark.parametrize("message", ["x", "x" * 10_000])
def test_the_line_is_told(tmp_path: Path, message: str) -> None:
    """An author reads in which line of the model's own file it failed, whatever that called."""
    file = tmp_path / "raising.py"
    file.write_text(RAISING.format(message=message))
    model = load_model(f"python:{file}:model", contract, None)
    for body in (
        Answering(model, lambda: 0.0).once(ROWS),
        Answering(model, lambda: 0.0).each(ROWS, 1.0),
    ):
        for failure in decoded(body, 3):
            assert failure.reason.startswith("ValueError: Invalid literal for Fraction: 'x")
            assert failure.reason.endswith(" (raising.py:5)")
            assert len(failure.reason) <= REASON_MAX


@pytest.mark.parametrize("bad", [0, 31, 63])
def test_a_bad_row_fails_no_other(bad: int) -> None:
    """One row of many is found by halves, in few calls; its failure is its own, and told of it."""
    rows = [row(number) for number in range(64)]

    def picky(asked: Sequence[Row]) -> list[int]:
        if any(each.json == rows[bad].json for each in asked):
            raise ValueError(f"{len(asked)} at once")
        return [7] * len(asked)

    model = Said(picky)
    found = decoded(Answering(model, lambda: 0.0).each(rows, 1.0), 64)
    failure = found.pop(bad)
    assert isinstance(failure, ModelRaised)
    assert failure.reason == "ValueError: 1 at once"
    assert found == [7] * 63
    assert model.calls == 1 + 2 * 6


def test_trying_again_has_an_end() -> None:
    """Rows for which no time is left are late: what another has failed of is not told of them."""
    times = iter([0.0, 0.0, 0.1, 0.9, 1.1, 1.1])
    model = Said(lambda rows: [1 // (len(rows) - 3)])
    first, *others = decoded(Answering(model, lambda: next(times)).each(ROWS, 1.0), 3)
    assert first == -1
    assert [type(each) for each in others] == [ModelLate] * 2
    assert {each.reason for each in others} == {NO_TIME}


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"garbage",
        b"[1,2]",
        b"[1,2,3,4]",
        b"3",
        b'"abc"',
        b"{}",
        b'{"outputs":[1,2,3]}',
        b'{"outputs":[1,2,3],"raised":[[9,"x"]]}',
        b'{"outputs":[1,2,3],"raised":[["a","x"]]}',
        b'{"outputs":[1,2,3],"raised":[7]}',
        b'{"outputs":[1,2,3],"raised":[]}',
        b'{"outputs":[1,2,3],"raised":[],"late":[9]}',
        b'{"outputs":[1,2,3],"raised":[],"late":7}',
        b'{"outputs":{"0":1},"raised":[]}',
        b"[" * 100_000,
        b"[1,2," + b"9" * 5_000 + b"]",
        b"\xff\xfe",
    ],
)
def test_what_claims_to_be_an_answer(body: bytes) -> None:
    """Whatever a process sends in the place of an answer is refused, and nothing else happens."""
    with pytest.raises(ValueError, match=r".*"):
        decoded(body, 3)


@given(
    body=st.binary()
    | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(
        lambda value: json.dumps(value).encode()
    )
)
def test_no_answer_breaks_the_reader(body: bytes) -> None:
    """Any bytes are three outputs, or refused."""
    with suppress(ValueError):
        assert len(decoded(body, 3)) == 3
