"""What people ask the history for, read as the contracts do that may be meant."""

from collections.abc import Sequence
from typing import Annotated, Literal

import pytest
from pydantic import AliasChoices, Field
from tests.contracts.promises import contract_of

from stopgap.contracts.contract import Contract
from stopgap.journal.conditions import FilterInvalid, answer_condition, input_condition
from stopgap.journal.filters import Condition, Value

NUMBERS = contract_of(Annotated[int, Field(ge=0, le=9)], "/numbers", size=int)
WORDS = contract_of(Literal["yes", "no"], "/words", size=Literal["large", "small"])
FLAGS = contract_of(bool, "/flags", size=bool)
ALL = (NUMBERS, WORDS, FLAGS)


@pytest.mark.parametrize(
    ("text", "low", "high"),
    [("7", 7, 7), ("7..9", 7, 9), ("yes", "yes", "yes"), ("true", True, True)],
)
def test_any_contract_may_be_meant(text: str, low: object, high: object) -> None:
    """Where several have an answer, a value is read by the first that can have it."""
    found = answer_condition(ALL, "", text)
    assert (found.low, found.high) == (low, high)


def test_an_input_of_several() -> None:
    """So it is with an input that several contracts have."""
    assert input_condition(ALL, "size", "small").low == "small"
    assert input_condition(ALL, "size", "..5").high == 5


def test_an_own_name_comes_before_another_ones_other_name() -> None:
    """Where a name is an input's own, that one is meant, in whatever order the contracts are."""
    count = Annotated[int, Field(validation_alias=AliasChoices("count", "size"))]
    counts = contract_of(bool, "/counts", count=count)
    for contracts in ((counts, NUMBERS), (NUMBERS, counts)):
        assert input_condition(contracts, "size", "7").name == "size"
    assert input_condition((FLAGS, counts), "count", "7").name == "count"
    assert input_condition((counts,), "size", "7").name == "count"


def test_an_input_that_was_renamed() -> None:
    """Records may have it under a name that is an alias now: its own contract's, not another's."""
    count = Annotated[int, Field(validation_alias=AliasChoices("count", "size"))]
    counts = contract_of(bool, "/counts", count=count)
    wanted = Condition(part="input", name="count", low=7, high=7, aliases=((counts.name, "size"),))
    for asked in ("count", "size"):
        assert input_condition((counts,), asked, "7") == wanted
    assert input_condition((counts, NUMBERS), "count", "7") == wanted
    assert not input_condition((counts, NUMBERS), "size", "7").aliases


CODES = contract_of(Literal["5", "true", "a..b"], "/codes", size=str)


@pytest.mark.parametrize("contracts", [(CODES, NUMBERS, FLAGS), (NUMBERS, FLAGS, CODES)])
def test_each_contract_reads_it(contracts: Sequence[Contract]) -> None:
    """What several can have is looked for as each reads it; a range, if any reads one, as that."""
    for text, value in (("5", 5), ("true", True)):
        found = answer_condition(contracts, "", text)
        assert {found.low, *found.others} == {value, text}
        assert input_condition(contracts, "size", text).others == found.others
    found = answer_condition(contracts, "", "5..7")
    assert (found.low, found.high, found.others) == (5, 7, ())
    assert answer_condition(contracts, "", "a..b").low == "a..b"


@pytest.mark.parametrize(
    ("contracts", "text", "once", "found"),
    [
        ((NUMBERS,), "7", ["7"], [7, "7"]),
        ((FLAGS,), "true", ["true"], [True, "true"]),
        ((WORDS,), "7", ["7", 7], ["7", 7]),
        ((WORDS,), "true", ["true", True], ["true", True]),
        ((CODES,), "5", [5], ["5", 5]),
        ((), "7", ["7"], [7, "7"]),
    ],
)
def test_a_field_whose_type_has_changed(
    contracts: Sequence[Contract], text: str, once: Sequence[Value], found: Sequence[Value]
) -> None:
    """A value is meant as its field once was, too, where one look tells that a record has that."""
    looked: list[Sequence[Value]] = []

    def held(condition: Condition) -> bool:
        looked.append([condition.low, *condition.others])
        return True

    condition = input_condition(contracts, "size", text, held)
    assert looked == [once]
    assert [condition.low, *condition.others] == found


def test_what_is_looked_for_in_the_journal_to_read_it() -> None:
    """A word costs no look at the journal; no truth is sought among numbers, and no old range."""
    looked: list[Value] = []

    def held(condition: Condition) -> bool:
        looked.append(condition.low)
        return False

    input_condition((CODES,), "size", "small", held)
    input_condition((NUMBERS,), "size", "5..7", held)
    assert not looked
    for contracts, text in ((NUMBERS, "true"), (FLAGS, "1"), (WORDS, "1..5")):
        with pytest.raises(FilterInvalid):
            input_condition((contracts,), "size", text, held)
    assert looked == ["true", "1", "1..5"]


def test_what_none_can_have() -> None:
    """What none of them can have is refused as the first of them would."""
    with pytest.raises(FilterInvalid, match="not a number"):
        answer_condition(ALL, "", "perhaps")
    with pytest.raises(FilterInvalid, match="one of"):
        answer_condition((WORDS, NUMBERS), "", "perhaps")


def test_a_word_that_its_contract_has_dropped() -> None:
    """What none allows is meant as it stands where a record has it, else refused as ever."""
    inputs = Condition(part="input", name="size", low="huge", high="huge")
    outputs = Condition(part="output", low="maybe", high="maybe")
    held = {inputs, outputs}.__contains__
    assert input_condition((WORDS, NUMBERS), "size", "huge", held) == inputs
    assert answer_condition((WORDS, NUMBERS), "", "maybe", held) == outputs
    for text in ("hug", "Huge", "maybe"):
        with pytest.raises(FilterInvalid, match="is not one of"):
            input_condition((WORDS, NUMBERS), "size", text, held)
    with pytest.raises(FilterInvalid, match="is not one of"):
        answer_condition((WORDS, NUMBERS), "", "huge", held)


@pytest.mark.parametrize("text", ["perhaps", "1e400", "1e400.."])
def test_any_number_can_be_looked_for(text: str) -> None:
    """A number out of its field's bounds is looked for too; what cannot be is no number at all."""
    assert answer_condition((NUMBERS,), "", "10").low == 10
    with pytest.raises(FilterInvalid, match="not a number"):
        answer_condition((NUMBERS,), "", text)
