"""The plain reader reads what it reads exactly as the full reading does, and nothing else."""

import json
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
from stopgap.contracts.given import json_values, query_values
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.parsing import read_inputs, read_path
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs
from stopgap.contracts.spellings import Spellings
from stopgap.errors import StopgapError


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


@given(st.data(), contracts())
def test_a_body_agrees_with_the_full_reading(data: st.DataObject, contract: Contract) -> None:
    """However a body is written, what is read of it is the very row that pydantic makes."""
    reader = plain_reader(contract)
    if reader is None:
        return
    members = dict(query_pairs(data.draw(queries(contract))))
    for name, value in members.items():
        kind = next(f.kind for f in contract.fields if f.name == contract.names[name])
        if not isinstance(kind, kinds.Choice) and data.draw(st.integers(0, 9)):
            members[name] = json.loads(str(value))
    body = json.dumps(members, indent=data.draw(st.sampled_from([None, 2]))).encode()
    row = reader.json(body)
    try:
        full = Row.of(read_inputs(contract, json_values(body)))
    except StopgapError:
        assert row is None
    else:
        assert row is None or row.json == full.json


def query_pairs(query: str) -> list[tuple[str, object]]:
    """List what a query gives."""
    return [(given.name, given.value) for given in query_values(query)]


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


PLAIN_BODY = b'{"seller_available": 5, "month": "mei", "customer_visiting_website": 100}'


def test_a_plain_body() -> None:
    """MadCompany's own bodies need no detour either."""
    reader = plain_reader(madcompany)
    assert reader is not None
    row = reader.json(PLAIN_BODY)
    assert row is not None
    assert row.json == Row.of(read_inputs(madcompany, json_values(PLAIN_BODY))).json


@pytest.mark.parametrize(
    ("plain", "odd"),
    [
        (b"{", b'{"seller_available": 5, '),
        (b"{", b'{"seller_avaible": 5, '),
        (b"5", b"5.0"),
        (b"5", b'"5"'),
        (b"5", b"true"),
        (b"5", b"NaN"),
        (b"5", b"-1"),
        (b"5", b"9" * 5_000),
        (b'"mei"', b"5"),
        (b'"mei"', b'["mei"]'),
        (b'"mei"', b'{"mei": []}'),
        (b'"mei"', b'"\\ud800"'),
        (b'"mei"', b'"\xff"'),
        (b'"mei"', b"[" * 60_000),
        (b"{", b"\xef\xbb\xbf{"),
        (b"}", b"}}"),
        (b', "customer_visiting_website": 100', b""),
        (b"100", b'100, "more": 1'),
        (PLAIN_BODY, b'[["seller_available", 5], ["month", "mei"]]'),
        (PLAIN_BODY, b"5"),
        (PLAIN_BODY, b""),
    ],
)
def test_a_body_that_is_not_plain(plain: bytes, odd: bytes) -> None:
    """What is odd in it, twice in it or not allowed is left to the full reading."""
    reader = plain_reader(madcompany)
    assert reader is not None
    assert reader.json(PLAIN_BODY.replace(plain, odd, 1)) is None


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
