"""What a new version changes for a client of the old one is told; nothing is missed."""

import json
import random
from typing import Annotated, Any, Literal, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import AliasChoices, BaseModel, Field
from tests.contracts.promises import DELIVERY, LETTER, choices, contract_of, integers, numbers

from stopgap.contracts import kinds, values
from stopgap.contracts.compatibility import Difference, compare, moved
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.drawing import draw
from stopgap.contracts.given import Given, json_values
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.months import Month
from stopgap.contracts.parsing import read_inputs, read_path
from stopgap.contracts.spellings import Spellings

AND_X = Annotated[int, Field(validation_alias=AliasChoices("n", "x"))]
M_OR_N = Annotated[int, Field(validation_alias=AliasChoices("m", "n"))]
KILOS = Annotated[int, Field(json_schema_extra={"unit": "kg"})]
FULL = Annotated[str, Field(min_length=2)]
GRAMS = Annotated[int, Field(json_schema_extra={"unit": "g"})]


def spelled(values: Any, numbers: dict[int, str] | None = None, **readings: str) -> Any:
    """Write down a choice with further spellings."""
    return Annotated[values, Spellings(readings=readings, numbers=numbers or {}, described="")]


def between(low: int, high: int) -> Any:
    """Write down a range."""
    return Annotated[int, Field(ge=low, le=high)]


class Days(BaseModel):
    """An object with one field."""

    days: Annotated[int, Field(ge=0, le=9)]


class DaysAndMore(Days):
    """An object with one field more."""

    late: bool


N, NO, AB, ABC = int, bool, Literal["a", "b"], Literal["a", "b", "c"]

# an old and a new type of the input n -> what is said about it
INPUT_BREAKING: list[tuple[Any, Any, str]] = [
    (N, bool, "input-type-changed"),
    (N, str, "input-type-changed"),
    (AB, str, "input-type-changed"),
    (float, int, "input-type-narrowed"),
    (between(0, 9), between(1, 9), "input-range-narrowed"),
    (between(0, 9), between(0, 8), "input-range-narrowed"),
    (float, Annotated[float, Field(gt=0)], "input-range-narrowed"),
    (Annotated[float, Field(ge=0)], Annotated[float, Field(gt=0)], "input-range-narrowed"),
    (ABC, AB, "input-choice-removed"),
    (spelled(AB, x="a"), spelled(AB), "input-spelling-removed"),
    (spelled(AB, x="a"), AB, "input-spelling-removed"),
    (spelled(AB), AB, "input-spelling-removed"),
    (spelled(AB, {1: "a"}), spelled(AB), "input-spelling-removed"),
    (spelled(AB, x="a"), spelled(AB, x="b"), "input-spelling-changed"),
    (spelled(AB, {1: "a"}), spelled(AB, {1: "b"}), "input-spelling-changed"),
    (str, Annotated[str, Field(max_length=9)], "input-length-narrowed"),
    (str, Annotated[str, Field(min_length=1)], "input-length-narrowed"),
    (str, Annotated[str, Field(pattern="^a")], "input-pattern-added"),
    (
        Annotated[str, Field(pattern="a")],
        Annotated[str, Field(pattern="b")],
        "input-pattern-changed",
    ),
    ((N, 1), N, "input-now-required"),
    ((N, 1), (N, 2), "input-default-changed"),
    ((FULL, "xy"), (str, "xy"), "input-empty-changed"),
    (AND_X, N, "input-alias-removed"),
    (KILOS, GRAMS, "input-unit-changed"),
    (KILOS, N, "input-unit-changed"),
]

INPUT_HARMLESS: list[tuple[Any, Any, str]] = [
    (N, float, "input-type-widened"),
    (between(1, 8), between(0, 9), "input-range-widened"),
    (Annotated[float, Field(gt=0)], Annotated[float, Field(ge=0)], "input-range-widened"),
    (AB, ABC, "input-choice-added"),
    (AB, spelled(AB, x="a"), "input-spelling-added"),
    (AB, spelled(Literal["a", "c"], b="c"), "input-choice-renamed"),
    (Annotated[str, Field(max_length=9)], str, "input-length-widened"),
    (Annotated[str, Field(pattern="^a")], str, "input-pattern-removed"),
    (N, (N, 1), "input-now-optional"),
    (FULL, str, "input-length-widened"),
    ((FULL, "xy"), (Annotated[str, Field(min_length=1)], "xy"), "input-length-widened"),
    (N, AND_X, "input-alias-added"),
]

OUTPUT_BREAKING: list[tuple[Any, Any, str]] = [
    (between(2, 5), bool, "output-type-changed"),
    (between(2, 5), AB, "output-type-changed"),
    (bool, Days, "output-type-changed"),
    (Days, bool, "output-type-changed"),
    (between(2, 5), Annotated[float, Field(ge=2, le=5)], "output-type-widened"),
    (between(2, 5), between(1, 5), "output-range-widened"),
    (between(2, 5), between(2, 6), "output-range-widened"),
    (AB, ABC, "output-choice-added"),
    (DaysAndMore, Days, "output-field-removed"),
    (Days, DaysAndMore, "output-field-added"),
]

OUTPUT_HARMLESS: list[tuple[Any, Any, str]] = [
    (Annotated[float, Field(ge=2, le=5)], between(2, 5), "output-type-narrowed"),
    (between(2, 5), between(3, 4), "output-range-narrowed"),
    (ABC, AB, "output-choice-removed"),
]


def has_pattern(annotation: Any) -> bool:
    """Tell whether a type is a text that only examples can be drawn from."""
    promise = contract_of(bool, n=annotation).fields[0].kind
    return isinstance(promise, kinds.Text) and promise.pattern is not None


def one_value() -> st.SearchStrategy[Any]:
    """Types so small that two of them are often alike."""
    return st.one_of(integers(0, 3), numbers(0, 1), choices(), st.just(bool))


def told(changes: list[Difference]) -> set[tuple[str, bool]]:
    """List the codes, and whether each is breaking."""
    return {(change.code, change.breaking) for change in changes}


@pytest.mark.parametrize(
    ("old", "new", "code", "breaking"),
    [(*row, True) for row in INPUT_BREAKING] + [(*row, False) for row in INPUT_HARMLESS],
)
def test_an_input_that_changes(old: Any, new: Any, code: str, breaking: bool) -> None:
    """An input that loses what it took breaks a client; one that takes more does not."""
    changes = compare(contract_of(NO, n=old), contract_of(NO, n=new))
    assert (code, breaking) in told(changes)
    assert breaking or not any(change.breaking for change in changes)
    assert {change.where for change in changes} == {"input n"}
    assert all(change.message.endswith(".") for change in changes)


@pytest.mark.parametrize(
    ("old", "new", "code", "breaking"),
    [(*row, True) for row in OUTPUT_BREAKING] + [(*row, False) for row in OUTPUT_HARMLESS],
)
def test_an_output_that_changes(old: Any, new: Any, code: str, breaking: bool) -> None:
    """An output that may be more than was promised breaks a client; one that is less does not."""
    changes = compare(contract_of(old), contract_of(new))
    assert told(changes) == {(code, breaking)}
    assert all(change.where.startswith("output") for change in changes)


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ({"n": N, "m": N}, {"n": N}, {("input-removed", True)}),
        ({"n": N}, {"n": N, "m": N}, {("input-added-required", True)}),
        ({"n": N}, {"n": N, "m": (N, 1)}, {("input-added-optional", False)}),
        ({"n": N}, {"m": N}, {("input-removed", True), ("input-added-required", True)}),
        ({"n": N}, {"m": M_OR_N}, {("input-renamed", False)}),
        ({"n": N, "m": N}, {"m": M_OR_N}, {("input-renamed", False), ("input-removed", True)}),
        ({"n": N, "m": N}, {"m": N, "n": N}, set()),
    ],
)
def test_inputs_that_come_and_go(
    old: dict[str, Any], new: dict[str, Any], changes: set[tuple[str, bool]]
) -> None:
    """An input may be renamed where its old name is still read; their order does not matter."""
    assert told(compare(contract_of(NO, **old), contract_of(NO, **new))) == changes


@pytest.mark.parametrize(
    ("old", "new", "changes"),
    [
        ("/p", "/p/{n}", {("path-added", False)}),
        ("/p/{n}", "/p", {("path-changed", True)}),
        ("/p/{n}/{m}", "/p/{m}/{n}", {("path-changed", True)}),
        ("/p/{n}/{m}", "/p/{n}", {("path-changed", True)}),
        ("/p/{n}/to/{m}", "/p/{n}/{m}", {("path-changed", True)}),
        ("/p/{n}", "/q/{n}", {("prefix-changed", True)}),
        ("/p/{n}", "/v1/p/{n}", {("prefix-changed", True)}),
        ("/p/x", "/p/{n}", {("prefix-changed", True)}),
    ],
)
def test_a_path_that_changes(old: str, new: str, changes: set[tuple[str, bool]]) -> None:
    """An address that answered must answer still; one more does no harm."""
    versions = (contract_of(NO, path, n=N, m=N) for path in (old, new))
    assert told(compare(*versions)) == changes


EMPTY_OR_X, FULL_OR_XY = (str, "x"), (FULL, "xy")


@pytest.mark.parametrize(
    ("old", "new", "change"),
    [
        ("/p/{n}", "/p/{n}/{o}", ("path-extended", False)),
        ("/p/{n}", "/p/{n}/{o}/{f}", ("path-extended", False)),
        ("/p/{n}/{o}", "/p/{n}/{o}/{f}", ("path-extended", False)),
        ("/p/{n}", "/p/{n}/{e}", ("path-changed", True)),
        ("/p/{n}", "/p/{n}/{m}", ("path-changed", True)),
        ("/p/{n}", "/p/{n}/{o}/{m}", ("path-changed", True)),
        ("/p/{n}", "/p/{n}/to/{o}", ("path-changed", True)),
        ("/p/{n}", "/p/{n}/end", ("path-changed", True)),
        ("/p/{n}/{o}", "/p/{n}", ("path-changed", True)),
    ],
)
def test_a_path_that_takes_more(old: str, new: str, change: tuple[str, bool]) -> None:
    """A path may go on with optional inputs: the old address is answered as before."""
    inputs: dict[str, Any] = {"n": N, "m": N, "o": (N, 7), "e": EMPTY_OR_X, "f": FULL_OR_XY}
    versions = [contract_of(NO, path, **inputs) for path in (old, new)]
    assert told(compare(*versions)) == {change}
    if change[1]:
        return
    address = old.format(n=5, o=6)
    for written in (address, f"{address}/"):
        read = [read_path(each, written, [Given("m", "8")]).model_dump() for each in versions]
        assert read[0] == read[1]


def test_a_path_knows_a_renamed_input() -> None:
    """What a path's part is called is no client's business."""
    old, new = contract_of(NO, "/p/{n}", n=N), contract_of(NO, "/p/{m}", m=M_OR_N)
    assert told(compare(old, new)) == {("input-renamed", False)}


def test_an_outputs_unit_is_a_promise() -> None:
    """Euros instead of cents break a client, though every number stays in its range."""
    versions = (
        Contract(name="t", version=unit, path="/t", inputs=Days, output=bool, unit=unit)
        for unit in ("cents", "euros")
    )
    assert told(compare(*versions)) == {("output-unit-changed", True)}


def test_a_message_lists_few_of_many() -> None:
    """A month without its spellings is told in a line, not in sixty words."""
    (change,) = compare(contract_of(NO, n=Month), contract_of(NO, n=get_args(Month)[0]))
    assert change.code == "input-spelling-removed"
    assert change.message.endswith(" more.")
    assert len(change.message) < 100


@pytest.mark.parametrize("contract", [madcompany, DELIVERY, LETTER])
def test_a_contract_is_compatible_with_itself(contract: Contract) -> None:
    """Where nothing changed, nothing is said."""
    assert compare(contract, contract) == []


INPUT_TYPES: list[Any] = [
    *[annotation for row in (*INPUT_BREAKING, *INPUT_HARMLESS) for annotation in row[:2]],
    *[Annotated[float, Field(ge=0, le=9)], Annotated[float, Field(gt=-1, lt=9)]],
    *[(between(0, 9), 0), (between(-9, 9), 0), (AB, "a"), (spelled(ABC, {1: "a"}, x="c"), "b")],
]
VERSIONS = [
    *[contract_of(NO, n=annotation) for annotation in INPUT_TYPES if not has_pattern(annotation)],
    *[contract_of(NO, n=N, m=N), contract_of(NO, n=N, m=(N, 1)), contract_of(NO, n=(N, 0), m=N)],
    *[contract_of(NO, m=M_OR_N), contract_of(NO, m=(M_OR_N, 5)), contract_of(NO, m=N)],
    *[contract_of(NO, x=Annotated[int, Field(validation_alias=AliasChoices("n", "m", "x"))])],
    *[contract_of(NO, n=AND_X, m=N), contract_of(NO, n=N, m=N, x=(N, 2)), contract_of(NO, x=N)],
]
"""Versions of one contract: each is compared with each."""


def requests_of(contract: Contract, source: random.Random) -> list[dict[str, Any]]:
    """Write requests that the contract takes: at its corners and inside, all fields and few."""
    record = kinds.Object(fields=contract.fields)
    rows = [*corners(record), *(draw(record, source) for _ in range(5))]
    needed = {field.name for field in contract.fields if field.required}
    few = [{name: row[name] for name in row if name in needed} for row in rows]
    aliased = [
        {source.choice([f.name, *f.aliases]): row[f.name] for f in contract.fields} for row in rows
    ]
    return [*rows, *few, *aliased]


def is_harmless(old: Contract, new: Contract, *, side: str) -> bool:
    """Tell whether nothing breaking is said of the inputs, or of the output."""
    changes = [change for change in compare(old, new) if change.where.startswith(side)]
    return not any(change.breaking for change in changes)


@pytest.mark.parametrize("old", VERSIONS, ids=range(len(VERSIONS)))
def test_what_is_not_called_breaking_breaks_no_request(old: Contract) -> None:
    """Without a breaking change of inputs, whatever the old contract takes, the new one takes."""
    for new in VERSIONS:
        if not is_harmless(old, new, side="input"):
            continue
        for row in requests_of(old, random.Random(1)):
            written = [Given(name, values.write_text(value)) for name, value in row.items()]
            from_json = read_inputs(new, json_values(json.dumps(row).encode()))
            assert from_json == read_inputs(new, written)


def test_the_law_above_says_something() -> None:
    """Many of those pairs are compatible, and many are not."""
    verdicts = [is_harmless(old, new, side="input") for old in VERSIONS for new in VERSIONS]
    assert 0.1 < sum(verdicts) / len(verdicts) < 0.5


@settings(max_examples=300)
@given(one_value(), st.data())
def test_the_law_holds_for_any_input(old_type: Any, data: st.DataObject) -> None:
    """The same holds for pairs of any types, most often of one kind."""
    old, new = contract_of(NO, n=old_type), contract_of(NO, n=data.draw(one_value()))
    if is_harmless(old, new, side="input"):
        for row in requests_of(old, random.Random(1)):
            read_inputs(new, json_values(json.dumps(row).encode()))


@settings(max_examples=300)
@given(one_value(), one_value())
def test_what_is_not_called_breaking_keeps_the_old_promise(old_type: Any, new_type: Any) -> None:
    """Without a breaking change of outputs, whatever the new one answers, the old one promised."""
    assert_promise_kept(contract_of(old_type), contract_of(new_type))


OUTPUT_TYPES = [
    annotation for row in (*OUTPUT_BREAKING, *OUTPUT_HARMLESS) for annotation in row[:2]
]


@pytest.mark.parametrize("old", [contract_of(annotation) for annotation in OUTPUT_TYPES])
def test_the_promise_is_kept_in_every_row_of_the_tables(old: Contract) -> None:
    """The same holds for each of the outputs above against each."""
    for new_type in OUTPUT_TYPES:
        assert_promise_kept(old, contract_of(new_type))


def assert_promise_kept(old: Contract, new: Contract) -> None:
    """Hold that what the new contract answers, the old one promised, or a breach was told."""
    if is_harmless(old, new, side="output"):
        source = random.Random(1)
        answers = [*corners(new.output_kind), *(draw(new.output_kind, source) for _ in range(10))]
        assert not any(values.breach(old.output_kind, answer) for answer in answers)


def test_changes_are_told_in_sentences() -> None:
    """Which name is read as which is said, and a default is shown as clients write it."""
    old, new = contract_of(NO, n=AND_X, b=(bool, False)), contract_of(NO, n=N, b=(bool, True))
    told = {change.code: change.message for change in compare(old, new)}
    assert told["input-alias-removed"] == "x is no longer read as n."
    assert told["input-default-changed"] == "Left out, b was false; now it is true."
    told = {change.code: change.message for change in compare(new, old)}
    assert told["input-alias-added"] == "x is read as n, too."


def test_what_was_not_given_and_is_an_empty_text_now_breaks() -> None:
    """A form that is sent with an empty field would mean something else."""
    old, new = contract_of(NO, n=int, note=(FULL, "xy")), contract_of(NO, n=int, note=(str, "xy"))
    given = [Given("n", "5"), Given("note", "")]
    assert read_inputs(old, given).model_dump() != read_inputs(new, given).model_dump()
    told = {change.code: change.message for change in compare(old, new) if change.breaking}
    said = "Empty, note was as if left out; now it is an empty text."
    assert told == {"input-empty-changed": said}


BA, AXB = Literal["b", "a"], Literal["a", "x", "b"]


class LateAndDays(BaseModel):
    """The fields of the larger object, the other way round."""

    late: bool
    days: Annotated[int, Field(ge=0, le=9)]


@pytest.mark.parametrize(
    ("old", "new", "lists"),
    [
        (contract_of(bool, n=int, m=int), contract_of(bool, n=int, m=int), []),
        (contract_of(bool, n=int, m=int), contract_of(bool, m=int, n=int), ["inputs"]),
        (contract_of(bool, n=int), contract_of(bool, n=int, m=int), []),
        (contract_of(bool, n=int), contract_of(bool, m=int, n=int), ["inputs"]),
        (contract_of(bool, n=int, m=int), contract_of(bool, m=int), ["inputs"]),
        (contract_of(bool, n=AB), contract_of(bool, n=ABC), []),
        (contract_of(bool, n=AB), contract_of(bool, n=AXB), ["input n"]),
        (contract_of(bool, n=AB), contract_of(bool, n=BA), ["input n"]),
        (contract_of(bool, n=AB), contract_of(bool, n=str), []),
        (contract_of(AB), contract_of(BA), ["output"]),
        (contract_of(AB), contract_of(DaysAndMore), []),
        (contract_of(DaysAndMore), contract_of(LateAndDays), ["outputs"]),
        (contract_of(Days), contract_of(LateAndDays), ["outputs"]),
        (contract_of(bool, n=AB), contract_of(bool, x=int, n=BA), ["inputs", "input n"]),
    ],
)
def test_what_has_another_place_is_named(old: Contract, new: Contract, lists: list[str]) -> None:
    """A model that is fed by position must not get one input, or one choice, for another."""
    assert [*moved(old, new)] == lists


def test_a_renamed_input_keeps_its_place() -> None:
    """Places are those of what is meant, whatever it is called by now."""
    old = contract_of(bool, x=int, m=int)
    assert [*moved(old, contract_of(bool, n=AND_X, m=int))] == []
    assert [*moved(old, contract_of(bool, m=int, n=AND_X))] == ["inputs"]
    renamed = Literal["c", "b"]
    assert [*moved(contract_of(bool, n=AB), contract_of(bool, n=spelled(renamed, a="c")))] == []
