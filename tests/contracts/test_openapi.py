"""The OpenAPI document is valid and true: it describes what is taken, no more and no less."""

import json
import random
import re
from collections.abc import Iterator, Sequence
from typing import Annotated, Any, Literal

import jsonschema_rs
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel, Field
from tests.contracts.promises import DELIVERY, LETTER, contract_of, contracts

from stopgap.contracts import kinds, values
from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.corners import corners
from stopgap.contracts.drawing import draw
from stopgap.contracts.given import json_values, query_values
from stopgap.contracts.json_object import JsonMalformed
from stopgap.contracts.madcompany import contract as madcompany
from stopgap.contracts.months import Month
from stopgap.contracts.openapi import FORMS, JSON, component_schemas, document, path_items
from stopgap.contracts.parsing import InputMalformed, InputNotAllowed, read_inputs
from stopgap.contracts.sampling import sample_inputs
from stopgap.contracts.spellings import Spellings

ALL = (madcompany, DELIVERY, LETTER)
DOCUMENT = document(ALL, {})


def validator(contract: Contract, name: str) -> jsonschema_rs.Draft202012Validator:
    """Make a validator of one of a contract's schemas, with the patterns of ECMAScript."""
    schemas = {"components": {"schemas": component_schemas(contract)}}
    schema = schemas | {"$ref": f"#/components/schemas/{contract.name}_{name}"}
    return jsonschema_rs.Draft202012Validator(schema)


def is_taken(contract: Contract, body: object) -> bool:
    """Tell whether a JSON body is taken."""
    try:
        read_inputs(contract, json_values(json.dumps(body).encode()))
    except (InputMalformed, InputNotAllowed, JsonMalformed):
        return False
    return True


def operations(paths: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """List paths, methods and operations."""
    for path, item in paths.items():
        for method, operation in item.items():
            yield path, method, operation


@pytest.mark.parametrize("served", [[madcompany], [DELIVERY], [LETTER], ALL])
def test_the_document_is_openapi_3_1(served: Sequence[Contract]) -> None:
    """It validates, alone and with several contracts, and is JSON."""
    health = {"/health": {"get": {"responses": {"200": {"description": "It can serve."}}}}}
    written = json.loads(json.dumps(document(served, health), allow_nan=False))
    OpenAPIV31SpecValidator(written).validate()
    assert written["openapi"] == "3.1.1"
    versions = ", ".join(f"{each.name} {each.version}" for each in served)
    assert written["info"] == {"title": "Stopgap", "version": versions}
    assert "/health" in written["paths"]


@settings(max_examples=30)
@given(contracts())
def test_any_contract_has_a_valid_document(contract: Contract) -> None:
    """Whatever a contract promises can be described."""
    OpenAPIV31SpecValidator(document([contract], {})).validate()


def test_a_contract_has_its_three_ways() -> None:
    """Path, query and body are described, each with the errors that it can meet."""
    found = {
        (path, method): set(op["responses"])
        for path, method, op in operations(path_items(madcompany))
    }
    always = {"200", "400", "401", "408", "413", "414", "422", "429", "503", "507"}
    assert found == {
        (madcompany.path, "get"): always,
        ("/predict", "get"): always,
        ("/predict", "post"): always | {"403", "415"},
    }


def test_a_path_is_described_short_as_well() -> None:
    """Where the last inputs may be left out of the path, what is left is a path of its own."""
    inputs: dict[str, Any] = {"n": int, "o": (int, 1), "u": (int, 2)}
    contract = contract_of(bool, "/p/{n}/{o}/{u}", **inputs)
    written = document([contract], {})
    OpenAPIV31SpecValidator(written).validate()
    assert {
        path: [each["in"] for each in written["paths"][path]["get"]["parameters"]]
        for path in written["paths"]
    } == {
        "/p/{n}/{o}/{u}": ["path", "path", "path"],
        "/p/{n}/{o}": ["path", "path", "query"],
        "/p/{n}": ["path", "query", "query"],
        "/p": ["query", "query", "query"],
    }
    names = [operation["operationId"] for _, _, operation in operations(written["paths"])]
    assert len(names) == len(set(names)) == 5


def test_who_may_predict() -> None:
    """Where predictions are closed, nothing says that they can be had without credentials."""
    for closed in (False, True):
        for _, _, operation in operations(path_items(madcompany, closed=closed)):
            assert ({} in operation["security"]) is not closed
            assert {"key": []} in operation["security"]


def test_a_contract_without_inputs_in_its_path_has_two() -> None:
    """Where the path is its own prefix, nothing is described twice."""
    assert {method for _, method, _ in operations(path_items(contract_of(bool)))} == {"get", "post"}


def test_every_operation_has_a_name_of_its_own() -> None:
    """Names become functions in generated clients."""
    names = [operation["operationId"] for _, _, operation in operations(DOCUMENT["paths"])]
    assert len(names) == len(set(names)) == 10
    assert "predictDeliveryTimeByPath" in names


def references(part: object) -> Iterator[str]:
    """List all references in a document."""
    if isinstance(part, dict):
        if isinstance(part.get("$ref"), str):
            yield part["$ref"]
        for inner in part.values():
            yield from references(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from references(inner)


def test_every_reference_leads_somewhere_and_every_component_is_used() -> None:
    """Nothing is missing, and nothing is left over."""
    used = set(references(DOCUMENT))
    there = {
        f"#/components/{kind}/{name}"
        for kind, components in DOCUMENT["components"].items()
        for name in components
        if kind != "securitySchemes"
    }
    assert used == there


def test_people_are_told_what_the_author_wrote() -> None:
    """Descriptions, units, examples and further names stand beside each value."""
    parameter = path_items(madcompany)["/predict"]["get"]["parameters"][0]
    for words in ("at work in that month", "In people.", "in digits alone", "`seller_avaible`"):
        assert words in parameter["description"]
    assert parameter["example"] == 5
    schema = component_schemas(madcompany)["madcompany_input_seller_available"]
    assert (schema["title"], schema["examples"]) == ("Sellers available", [5, 20])
    floor = component_schemas(LETTER)["letter_input_floor"]["description"]
    assert floor.endswith("in digits alone, behind a minus where it is below 0.")
    assert "In letters." in component_schemas(LETTER)["letter_output"]["description"]


class Parcel(BaseModel):
    """An answer of which the author tells something."""

    weight: Annotated[
        float,
        Field(ge=0, le=9, title="Mass", description="With its box."),
        Field(json_schema_extra={"unit": "kg"}),
    ]
    side: Literal["north", "south"]


def test_people_are_told_what_an_answer_means() -> None:
    """Titles, descriptions and units stand beside each field of an answer, too."""
    answer = component_schemas(contract_of(Parcel))["test_output"]["properties"]
    assert answer["weight"]["title"] == "Mass"
    assert answer["weight"]["description"] == "With its box. In kg."
    assert (answer["side"]["title"], answer["side"]["description"]) == ("Side", "Side.")


@pytest.mark.parametrize("contract", ALL)
def test_every_example_is_true(contract: Contract) -> None:
    """Whoever copies an example from the document gets an answer."""
    schemas = {"components": DOCUMENT["components"]}
    for _, _, operation in operations(path_items(contract)):
        bodies = operation.get("requestBody", {"content": {}})["content"].values()
        answers = operation["responses"]["200"]["content"].values()
        for shown in (*operation.get("parameters", ()), *bodies, *answers):
            if "example" in shown:
                jsonschema_rs.validate(schemas | shown["schema"], shown["example"])
    post = path_items(contract)[contract.prefix]["post"]["requestBody"]["content"]
    assert set(post) == {JSON, *FORMS}
    assert is_taken(contract, post[JSON]["example"])


def test_a_golden_example_is_shown() -> None:
    """Where the author gave examples, the first of them stands in the document."""
    inputs, output = {"weight_kg": 1.5, "service": "express"}, {"days": 1.0, "carrier": "south"}
    shown = Contract(
        name="delivery", version="1", path="/d", inputs=DELIVERY.inputs, output=DELIVERY.output,
        examples=[Example(inputs=inputs, output=output)],
    )  # fmt: skip  # one call, not ten lines
    operation = path_items(shown)["/d"]["post"]
    assert operation["requestBody"]["content"][JSON]["example"] == inputs
    assert operation["responses"]["200"]["content"][JSON]["example"] == output


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner, max_size=2),
    max_leaves=3,
)
NEARLY: list[object] = [
    *[0, -1, 1, 5, 5.0, 5.5, 9, 10, 30, 30.5, 2**53 - 1, 2**53, "5", True, None, "", " "],
    *["n", "N", "NORTH", "no\u0308rth", "Nörth\n", "sóuth", "süd", "standard", "Standard", "AOÛT"],
    *[
        "abc",
        "abcabc",
        "a\n",
        "\x00",
        "x" * 20,
        "x" * 21,
        "é",
        "\u2028",
        "may",
        12,
        13,
        "05",
        "5\n",
    ],
]


@st.composite
def bodies(draw_one: st.DrawFn, contract: Contract) -> dict[str, Any]:
    """Write bodies that are right, but for a few members that may be anything."""
    body: dict[str, Any] = sample_inputs(contract, draw_one(st.randoms())).model_dump()
    names = st.sampled_from([*contract.names, "zz"])
    for name in draw_one(st.sets(names, max_size=3)):
        body[name] = draw_one(JSON_VALUES | st.sampled_from(NEARLY))
    for name in draw_one(st.sets(names, max_size=2)):
        body.pop(name, None)
    return body


@pytest.mark.parametrize("contract", ALL)
@given(data=st.data())
@settings(max_examples=400)
def test_the_schema_of_a_body_is_true(contract: Contract, data: st.DataObject) -> None:
    """A JSON body is valid by the document if, and only if, it is taken."""
    body = data.draw(bodies(contract))
    is_valid = validator(contract, "json").is_valid(body)
    assert is_valid == is_taken(contract, body)


def test_a_body_that_is_hard_to_describe() -> None:
    """An alias stands for a name; both together, or any other member, are refused."""
    is_valid = validator(madcompany, "json").is_valid
    rest = {"month": "may", "customer_visiting_website": 1}
    assert is_valid(rest | {"seller_available": 1})
    assert is_valid(rest | {"seller_avaible": 1})
    assert not is_valid(rest)
    assert not is_valid(rest | {"seller_available": 1, "seller_avaible": 1})
    assert not is_valid(rest | {"seller_available": 1, "x": 1})


WORDS = [
    (contract, field)
    for contract in ALL
    for field in contract.fields
    if isinstance(field.kind, kinds.Choice) or field.name == "note"
]


@pytest.mark.parametrize(("contract", "field"), WORDS)
@given(data=st.data())
def test_the_schema_of_a_written_text_is_true(
    contract: Contract, field: kinds.Field, data: st.DataObject
) -> None:
    """A choice or text in an address is valid by the document if, and only if, it is read."""
    schema = component_schemas(contract)[f"{contract.name}_input_{field.name}"]
    patterns = [way["pattern"] for way in (schema, *schema.get("anyOf", ())) if "pattern" in way]
    valid_texts = [st.from_regex(pattern) for pattern in patterns]
    nearly = st.sampled_from([value for value in NEARLY if isinstance(value, str)])
    text = data.draw(st.one_of(st.text(), nearly, *valid_texts))
    try:
        values.read_text(field.kind, text)
        is_read = True
    except (values.Unreadable, values.OutOfBounds):
        is_read = False
    assert jsonschema_rs.is_valid(schema, text) == is_read


STREET = "\N{GREEK SMALL LETTER DELTA}\N{GREEK SMALL LETTER FINAL SIGMA}"


@pytest.mark.parametrize("value", [STREET, STREET.upper(), STREET.upper().capitalize()])
@pytest.mark.parametrize("end", [*"\u03a3\u03c3\u03c2", "\u03b4"])
@pytest.mark.parametrize("start", "\u0394\u03b4")
def test_the_schema_knows_a_sigma_at_a_words_end(value: str, start: str, end: str) -> None:
    """A capital sigma is another small letter there; each is described if, and only if, read."""
    annotation: Any = Annotated[Literal[(value,)], Spellings(readings={}, described="")]
    contract = contract_of(bool, n=annotation)
    is_valid = jsonschema_rs.is_valid(component_schemas(contract)["test_input_n"], start + end)
    assert is_valid == is_taken(contract, {"n": start + end}) == (end != "\u03b4")


@settings(max_examples=100)
@given(contracts(), st.randoms(use_true_random=False))
@example(madcompany, random.Random(1))
def test_samples_are_valid_by_the_document(contract: Contract, source: random.Random) -> None:
    """Whatever is drawn from a contract is what its document describes."""
    for kind, name in (
        (contract.output_kind, "output"),
        (kinds.Object(fields=contract.fields), "json"),
    ):
        is_valid = validator(contract, name).is_valid
        assert all(is_valid(sample) for sample in (draw(kind, source), *corners(kind)))


BEYOND: list[tuple[Contract, object]] = [
    *[(madcompany, answer) for answer in (1999, 5001, 3000.5, "3000", None, True, [3000])],
    (DELIVERY, {"days": 0.4, "carrier": "north"}),
    (DELIVERY, {"days": 1, "carrier": "North"}),
    (DELIVERY, {"days": 1}),
    (DELIVERY, {"days": 1, "carrier": "north", "more": 1}),
]


@pytest.mark.parametrize(("contract", "answer"), BEYOND)
def test_what_breaks_the_promise_is_invalid_by_the_document(
    contract: Contract, answer: object
) -> None:
    """A client that validates answers would notice what the guard notices."""
    assert not validator(contract, "output").is_valid(answer)
    assert values.breach(contract.output_kind, answer)


def test_an_answer_is_a_value_and_no_spelling_of_it() -> None:
    """A choice may be written in many ways by the client, and in one by the server."""
    contract = contract_of(Month)
    schema = component_schemas(contract)["test_output"]
    assert set(schema) == {"type", "enum"}


def test_an_optional_value_may_be_empty_in_a_query() -> None:
    """What a browser sends for an empty field is described, and taken; in JSON it is neither."""
    by_query = path_items(DELIVERY)["/delivery"]["get"]["parameters"][1]
    schemas = {"components": DOCUMENT["components"]}
    assert by_query["required"] is False
    assert jsonschema_rs.is_valid(schemas | by_query["schema"], "")
    read_inputs(DELIVERY, query_values("weight_kg=1&service="))
    assert not validator(DELIVERY, "json").is_valid({"weight_kg": 1, "service": ""})
    assert not is_taken(DELIVERY, {"weight_kg": 1, "service": ""})


def test_no_input_can_be_taken_for_another_schema() -> None:
    """Inputs called like the document's own parts do not replace them."""
    contract = contract_of(bool, form=int, output=Annotated[int, Field(ge=1)])
    OpenAPIV31SpecValidator(document([contract], {})).validate()
    assert component_schemas(contract)["test_output"] == {"type": "boolean"}


def test_an_input_may_have_any_name() -> None:
    """A name of any letters is an input's own, and has a component that no other name has.

    No component has a dot in its name, which generators of clients read as a module's.
    """
    names = ["größe", "grösse", "gr-f6--df-e", "gr.f6..df.e", "grf6dfe", "大きさ"]
    inputs: dict[str, Any] = dict.fromkeys(names, (int, 1))
    contract = contract_of(bool, **inputs)
    written = document([contract], {})
    OpenAPIV31SpecValidator(written).validate()
    components = written["components"]["schemas"]
    assert all(re.fullmatch(r"[a-zA-Z0-9_-]+", name) for name in components)
    assert len({name for name in components if "_input_" in name}) == len(names)
    assert {*references(written)} <= {
        f"#/components/{kind}/{name}"
        for kind, there in written["components"].items()
        for name in there
    }
    assert validator(contract, "json").is_valid({"größe": 5})
    assert [each["name"] for each in written["paths"]["/p"]["get"]["parameters"]] == names
