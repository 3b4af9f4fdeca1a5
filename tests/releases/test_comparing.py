"""Comparing: counts that add up, whoever counted them, and the largest differences by name."""

import json
from typing import Annotated, Any

from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field
from tests.contracts.promises import DELIVERY, contract_of, kind

from stopgap.releases.comparing import EDGES, LARGEST, Comparison, percent

SALES = kind(Annotated[int, Field(ge=2000, le=5000)])
ANSWERS = st.lists(st.tuples(st.integers(2000, 5000), st.integers(2000, 5000)), max_size=60)


def compared(pairs: list[tuple[int, int]]) -> Comparison:
    """Compare pairs of answers."""
    made = Comparison(SALES)
    for number, (given_, other) in enumerate(pairs):
        made.add(b'{"n":%d}' % number, given_, other)
    return made


def test_a_difference_in_its_bin() -> None:
    """Differences are counted by their share of the promised range, in both directions."""
    made = compared([(3000, 3000), (3000, 3003), (3000, 2990), (2000, 5000), (5000, 2000)])
    spread = made.spreads[""]
    assert spread.bins == {0: 1, 1: 1, -3: 1, 10: 1, -10: 1}
    assert (spread.compared, spread.same, spread.close) == (5, 1, 3)
    assert (spread.total, spread.absolute) == (-7, 6013)
    assert made.agreement == 0.6
    assert [each.inputs["n"] for each in made.largest] == [3, 4, 2, 1]


def test_only_all_is_all() -> None:
    """One pair in many that does not agree is not rounded away."""
    assert [percent(share) for share in (1, 0.9999, 0.9994, 0.5, 0)] == [
        *("100.0%", "99.9%", "99.9%"),
        *("50.0%", "0.0%"),
    ]


def test_objects_and_words() -> None:
    """Each value of an object is counted for itself; words are the same or not."""
    made = Comparison(DELIVERY.output_kind)
    north, south = {"days": 2.0, "carrier": "north"}, {"days": 2.0, "carrier": "south"}
    for given_, other in ((north, north), (north, south), (south, north)):
        made.add(b"{}", given_, other)
    assert made.spreads["days"].same == 3
    assert made.spreads["carrier"].words == {"north -> south": 1, "south -> north": 1}
    assert (made.compared, made.agreement) == (3, 1 / 3)
    truths = Comparison(contract_of(bool).output_kind)
    truths.add(b"{}", given=True, other=False)
    assert truths.spreads[""].words == {"True -> False": 1}


def test_objects_agree_in_every_value() -> None:
    """Pairs that differ in one value or another are those that do not agree, all together."""
    made = Comparison(DELIVERY.output_kind)
    given_ = {"days": 2.0, "carrier": "north"}
    for change in ({}, {"carrier": "south"}, {"days": 20.0}, {}, {}):
        made.add(b"{}", given_, given_ | change)
    assert made.agreement == 0.6
    written = json.loads(json.dumps(made.document()))
    made.merge(written)
    assert (made.compared, made.agreement) == (10, 0.6)
    del written["close"]  # as it was written down before it was counted
    made.merge(written)
    assert (made.compared, made.close) == (15, 10)


def test_nothing_compared() -> None:
    """Before anything was compared, nobody is told that all agreed, nor that none did."""
    assert (Comparison(SALES).compared, Comparison(SALES).agreement) == (0, None)


@given(ANSWERS, ANSWERS)
def test_two_workers_are_one(one: list[tuple[int, int]], other: list[tuple[int, int]]) -> None:
    """What two workers have written down adds up to what one would have seen."""
    whole = compared(one)
    whole.merge(json.loads(json.dumps(compared(other).document())))
    expected = compared(one + other)
    assert vars(whole.spreads[""]) == vars(expected.spreads[""])
    shares = [each.share for each in whole.largest]
    assert shares == [each.share for each in expected.largest]
    assert len(shares) <= LARGEST
    assert sum(whole.spreads[""].bins.values()) == len(one) + len(other)
    assert all(abs(place) < len(EDGES) for place in whole.spreads[""].bins)


def test_what_is_kept_is_bounded() -> None:
    """Neither many words nor long inputs make a comparison grow."""
    words: Any = Comparison(kind(bool))
    for number in range(1_000):
        words.add(b'{"n":"%b"}' % (b"x" * 5_000), f"w{number}", f"v{number}")
    assert len(words.spreads[""].words) <= 31
    assert words.largest == ()
    assert len(json.dumps(compared([(2000, 5000)] * 500).document())) < 10_000
