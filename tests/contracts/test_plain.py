"""The plain reader reads what it reads exactly as the full reading does, and nothing else."""

import random
from typing import Annotated, Literal
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, field_validator
from tests.contracts.promises import contract_of, contracts

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.given import query_values
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import read_inputs, read_path
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs
from stopgap.contracts.spellings import Spellings


@given(contracts(), st.integers(0, 2**32))
def test_it_agrees_with_the_full_reading(contract: Contract, seed: int) -> None:
    """Whatever it reads is the very row that parsing and pydantic make."""
    reader = plain_reader(contract)
    if reader is None:
        return
    inputs = sample_inputs(contract, random.Random(seed))
    address = contract.address(inputs.model_dump())
    row = reader.path(address.encode()) if "?" not in address else None
    if row is not None:
        assert row.json == Row.of(read_path(contract, address)).json


@st.composite
def queries(draw: st.DrawFn, contract: Contract) -> str:
    """Draw a query in which values are written in any of the ways that a contract names."""
    pairs = []
    for field in contract.fields:
        if not field.required and draw(st.booleans()):
            continue
        text = draw(_written(field.kind))
        pairs.append((draw(st.sampled_from([field.name, *field.aliases])), text))
    return urlencode(pairs)


def _written(kind: kinds.Scalar) -> st.SearchStrategy[str]:
    match kind:
        case kinds.Integer():
            return st.integers(kind.low, kind.high).map(str)
        case kinds.Choice():
            words = [*kind.values, *kind.spellings]
            ways = [way for word in words for way in (word, word.capitalize(), word.upper())]
            return st.sampled_from(ways)
        case _:
            return st.sampled_from(["true", "false"])


@given(st.data(), contracts())
def test_a_query_agrees_with_the_full_reading(data: st.DataObject, contract: Contract) -> None:
    """However a value is written, and if it is left out, it is the very row that pydantic makes."""
    reader = plain_reader(contract)
    if reader is None:
        return
    query = data.draw(queries(contract))
    row = reader.query(query.encode())
    if row is not None:
        assert row.json == Row.of(read_inputs(contract, query_values(query))).json


def test_letters_beyond_ascii_are_written_alike() -> None:
    """A choice that is no ASCII has a plain way to be written: its row is the full reading's."""
    season = Annotated[
        Literal["été", "hiver"],
        Spellings(readings={"ete": "été"}, numbers={}, described="without accents"),
    ]
    contract = contract_of(bool, "/p/{season}", season=season, other=(season, "été"))
    reader = plain_reader(contract)
    assert reader is not None
    row = reader.query(b"season=ete")
    assert row is not None
    assert row.json == '{"season":"été","other":"été"}'.encode()
    assert row.json == Row.of(read_inputs(contract, query_values("season=ete"))).json


@pytest.mark.parametrize("seller", ["0", "5", "900719925474099"])
@pytest.mark.parametrize("month", ["january", "January", "JANUARY", "jan", "mrt", "12", "03"])
def test_what_nearly_everybody_writes_is_plain(seller: str, month: str) -> None:
    """MadCompany's own addresses need no detour."""
    reader = plain_reader(madcompany)
    assert reader is not None
    path = f"/predict/{seller}/{month}/100"
    row = reader.path(path.encode())
    assert row is not None
    assert row.json == Row.of(read_path(madcompany, path)).json


@pytest.mark.parametrize(
    "path",
    ["/predict/5/january", "/predict/5/january/100/", "/predict/5/jui/100", "/predict/-5/1/1"]
    + ["/predict/5/january/9007199254740992", "/predict//january/1", "/predict/5/ao%C3%BBt/1"]
    + ["/predict/5/january/10000000000000000", "/predict/5/january/1\n", "/Predict/5/january/1"],
)
def test_what_is_not_plain_is_left_to_the_full_reading(path: str) -> None:
    """A value that is odd, or not allowed, is no matter of the plain reader's."""
    reader = plain_reader(madcompany)
    assert reader is not None
    assert reader.path(path.encode()) is None


class Checked(BaseModel):
    """Inputs that their author looks at."""

    number: int

    @field_validator("number")
    @classmethod
    def even(cls, number: int) -> int:
        """Refuse what is odd."""
        if number % 2:
            raise ValueError("must be even")
        return number


class Configured(BaseModel):
    """Inputs that pydantic treats in another way."""

    model_config = ConfigDict(frozen=True)
    number: int


class Decimal(BaseModel):
    """Inputs with many ways to be written."""

    number: float


@pytest.mark.parametrize("inputs", [Checked, Configured, Decimal])
def test_no_plain_case(inputs: type[BaseModel]) -> None:
    """Where only pydantic knows what happens, pydantic is asked."""
    output = Annotated[int, Field(ge=0, le=1)]
    contract = Contract(name="n", version="1", path="/n/{number}", inputs=inputs, output=output)
    assert plain_reader(contract) is None


@pytest.mark.parametrize("name", ["growth %", "100%d", '5" pipe', "a\\b", "été"])
def test_a_name_of_any_letters(name: str) -> None:
    """Whatever letters a field's name has, the row is the full reading's."""
    contract = contract_of(bool, **{"rooms": int, name: (int, 3)})
    reader = plain_reader(contract)
    assert reader is not None
    row = reader.query(b"rooms=2")
    assert row is not None
    assert row.json == Row.of(read_inputs(contract, query_values("rooms=2"))).json
