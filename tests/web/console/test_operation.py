"""The reference: every operation of the OpenAPI document, in words."""

import json
from pathlib import Path
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from tests.web.console.conftest import Build

from stopgap.contracts.contract import Contract
from stopgap.contracts.madcompany import contract
from stopgap.contracts.openapi import document
from stopgap.web.console.operation import Operation, allowed, operations
from stopgap.web.platform_paths import platform_paths

DOCUMENT = document([contract], platform_paths())
DELIVERY = str(Path(__file__).parents[3] / "examples/delivery.py") + ":contract"


@pytest.fixture
def found() -> dict[str, Operation]:
    """Read the document of MadCompany's server, by the ids of its operations."""
    return {each.id: each for each in operations(DOCUMENT)}


def test_none_is_missing(found: dict[str, Operation]) -> None:
    """Every method of every path is there, with every answer that it may give."""
    described = {
        (path, method.upper(), tuple(told["responses"]))
        for path, item in DOCUMENT["paths"].items()
        for method, told in item.items()
        if method != "parameters"
    }
    assert described == {
        (each.path, each.method, tuple(answer.status for answer in each.answers))
        for each in found.values()
    }


def test_calls(found: dict[str, Operation]) -> None:
    """An example can be sent as it stands: by path, by query, as JSON, as a file."""
    assert found["predictMadcompanyByPath"].address == "/predict/5/january/100"
    by_query = found["predictMadcompanyByQuery"].address
    assert by_query.startswith("/predict?seller_available=5&month=january&")
    by_body = found["predictMadcompanyByBody"]
    assert (by_body.address, by_body.sends[:9]) == ("/predict", " --json '")
    assert found["uploadImage"].sends == " -F image=@photo.png"
    assert found["logout"].sends == " -X POST"
    assert found["fetchImage"].address == ""  # no image's name is an example


def test_calls_of_what_has_no_example(build: Build) -> None:
    """Each GET of a contract has an example that is answered, with defaults where there is none."""
    house = build(contracts=(DELIVERY,))
    client = house.client()
    described = json.loads(client.get("/openapi.json").text)
    calls = [each for each in operations(described) if each.contract and each.method == "GET"]
    assert [each.address for each in calls] == [
        "/delivery/2.5/standard",
        "/delivery/2.5?service=standard",
        "/delivery?weight_kg=2.5&service=standard",
    ]
    assert {client.get(each.address).status_code for each in calls} == {200}


FOLDED = """
from typing import Literal

from pydantic import BaseModel
from stopgap import Contract


class Step(BaseModel):
    place: Literal[".", "..", "a b"]
    note: str
    count: int = 5


same = {"version": "1", "inputs": Step, "output": bool}
contract = Contract(name="step", path="/v1/step/{place}/{count}/{note}", **same)
other = Contract(name="memo", path="/memo/{note}/{count}", **same)
"""


def test_calls_with_what_a_path_cannot_hold(build: Build, tmp_path: Path) -> None:
    """Where a path would be folded away, all of an example follows as a query, as elsewhere."""
    (file := tmp_path / "step.py").write_text(FOLDED)
    client = build(contracts=(f"{file}:contract", f"{file}:other")).client()
    described = json.loads(client.get("/openapi.json").text)
    calls = {each.id: each.address for each in operations(described) if each.method == "GET"}
    assert calls["predictStepByPath"] == "/v1/step?place=.&note=&count=5"
    assert calls["predictMemoByPath"] == "/memo?place=.&note=&count=5"
    assert calls["predictMemoByPathOf1"] == "/memo?place=.&note=&count=5"
    for name in ("predictStepByPath", "predictMemoByPathOf1"):
        assert client.get(calls[name]).status_code == 200


class Wide(BaseModel):
    """What may be left out, of each kind that is described in a way of its own."""

    note: Annotated[str, Field(max_length=2000, description="A note.")] = ""
    count: Annotated[int, Field(ge=0, le=9)] = 0


def test_words_of_optional_values() -> None:
    """What may be left out is told as what it is, and that it may be empty."""
    wide = Contract(name="wide", version="1", path="/wide", inputs=Wide, output=bool)
    values = operations(document([wide], {}))[0].values
    assert [each.allowed for each in values] == [
        *("a text of up to 2000 characters", "an integer from 0 to 9 or empty")
    ]


def test_who_may(found: dict[str, Operation]) -> None:
    """It is said who may call it."""
    assert found["status"].needs == ""
    assert found["predictMadcompanyByPath"].needs.startswith("Open to all")
    assert found["listImages"].needs == "Needs a session or an API key."


@pytest.mark.parametrize(
    ("schema", "words"),
    [
        ({"type": "integer", "minimum": 0, "maximum": 9}, "an integer from 0 to 9"),
        ({"type": "number", "exclusiveMinimum": 0}, "a number above 0"),
        ({"type": "number", "exclusiveMinimum": 0.0, "maximum": 30.0}, "a number above 0 up to 30"),
        ({"type": "boolean"}, "true or false"),
        ({"type": "string", "format": "binary"}, "a file"),
        ({"type": "string", "maxLength": 3}, "a text of up to 3 characters"),
        ({"type": "string", "pattern": "^[a-z]+$"}, "a text that matches ^[a-z]+$"),
        ({"enum": ["a", 2]}, "one of a, 2"),
        ({"const": "Alive!"}, '"Alive!"'),
        ({"anyOf": [{"type": "boolean"}, {"const": ""}]}, "true or false or empty"),
        ({"$ref": "#/components/schemas/madcompany_output"}, "an integer from 2000 to 5000"),
        ({}, "any value"),
    ],
)
def test_words(schema: dict[str, Any], words: str) -> None:
    """What a schema allows is said in words."""
    assert allowed(DOCUMENT, schema) == words
