"""The reference: every operation of the OpenAPI document, in words."""

from typing import Any

import pytest

from stopgap.contracts.madcompany import contract
from stopgap.contracts.openapi import document
from stopgap.web.console.operation import Operation, allowed, operations
from stopgap.web.platform_paths import platform_paths

DOCUMENT = document([contract], platform_paths())


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
