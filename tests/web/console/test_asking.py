"""A contract's form: whatever the contract, each field is asked for as its kind is written."""

from typing import Annotated, Any, Literal

from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, Field

from stopgap.contracts.contract import Contract
from stopgap.contracts.given import Given
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import read_inputs
from stopgap.errors import Fault
from stopgap.web.console.asking import Question, objections, questions


class Everything(BaseModel):
    """An input of each kind."""

    count: Annotated[int, Field(ge=1, le=9, json_schema_extra={"unit": "boxes"})]
    weight: Annotated[float, Field(gt=0, le=30, examples=[2.5])]
    balance: Annotated[int, Field(ge=-5, le=5)] = 0
    service: Literal["standard", "BIG"] = "standard"
    fragile: bool = False
    note: Annotated[str, Field(max_length=20)] = ""


everything = Contract(
    name="everything", version="1", path="/everything", inputs=Everything, output=bool
)


def asked(contract: Contract, **told: Any) -> dict[str, Question]:
    """Make a form, its questions by name."""
    return {each.name: each for each in questions(contract, **told)}


def test_labels_units_and_hints() -> None:
    """People are told a field's name, its unit, its range, and whether it is optional."""
    form = asked(everything)
    assert (form["count"].label, form["count"].unit) == ("Count", "boxes")
    assert form["count"].hint == "A whole number from 1 to 9."
    assert form["weight"].hint == "A number above 0 up to 30."
    assert form["note"].hint == "Up to 20 characters. Optional."
    assert form["fragile"].hint == "Optional."
    sellers = asked(madcompany)["seller_available"]
    assert sellers.hint.endswith("A whole number, 0 or more.")


def test_keyboards() -> None:
    """A telephone shows digits only where a minus sign is never needed."""
    form = asked(everything)
    modes = {name: each.inputmode for name, each in form.items() if each.inputmode}
    assert modes == {"count": "numeric", "weight": "decimal"}


def test_lists() -> None:
    """A choice is a list of words for people, whose values are the contract's own."""
    form = asked(everything)
    assert form["service"].options == [("standard", "Standard"), ("BIG", "BIG")]
    assert form["fragile"].options == [("true", "Yes"), ("false", "No")]
    months = asked(madcompany)["month"]
    assert len(months.options) == 12
    assert months.options[0] == ("january", "January")


def test_other_spellings() -> None:
    """A value that is spelt another way is found in the list; one that is none is kept."""
    august = asked(madcompany, given={"month": "AOÛT"})["month"]
    assert august.value == "august"
    maybe = asked(madcompany, given={"month": "maybe"})["month"]
    assert maybe.value == "maybe"
    assert maybe.options[-1] == ("maybe", "maybe")


def test_faults() -> None:
    """What is wrong stands beside its field, and in a line above that leads there."""
    faults = [
        Fault(field="count", message="is missing"),
        Fault(field="nonsense", message="is not a field"),
    ]
    form = asked(everything, given={}, faults=faults)
    assert form["count"].error == "Is missing."
    assert form["weight"].error == ""
    ours, unknown = objections(everything, faults)
    assert (ours.id, ours.label) == ("field-count", "Count")
    assert (unknown.id, unknown.label) == ("", "nonsense")


def test_the_starting_values_are_allowed() -> None:
    """A form that is sent as it stands gets an answer."""
    for contract in (madcompany, everything):
        sent = [Given(each.name, each.value) for each in questions(contract)]
        read_inputs(contract, sent)


@given(st.dictionaries(st.sampled_from([*Everything.model_fields, "x"]), st.text(max_size=30)))
def test_whatever_was_filled_in_is_kept(values: dict[str, str]) -> None:
    """Nothing that somebody has filled in is lost, and each value of a list can be chosen."""
    for each in questions(everything, values):
        assert each.value == values.get(each.name, "")
        assert not each.options or each.value in {"", *dict(each.options)}
