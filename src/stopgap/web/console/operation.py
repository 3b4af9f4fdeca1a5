"""An operation: one method of one route, read from the OpenAPI document and put in words."""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from stopgap.contracts import kinds
from stopgap.contracts.contract import NO_PART
from stopgap.contracts.values import write_text
from stopgap.web.answers import in_json
from stopgap.web.console.snippets import KEY

Document = Mapping[str, Any]
Schema = Mapping[str, Any]

METHODS = ("get", "post", "put", "patch", "delete")
JSON = "application/json"
MULTIPART = "multipart/form-data"
NEEDS_KEY = "Needs a session or an API key."
PATTERN_MAX = 40
"""Characters of a pattern that people still read; a longer one is left to the document."""


@dataclass(frozen=True, kw_only=True)
class Value:
    """A value that goes in."""

    name: str
    place: str  # path, query, or what the body is
    required: bool
    allowed: str
    description: str


@dataclass(frozen=True, kw_only=True)
class Answer:
    """An answer that may come back."""

    status: str
    description: str
    media_types: Sequence[str]
    example: str  # as it is sent; empty where there is none to show


@dataclass(frozen=True, kw_only=True)
class Operation:
    """What a route does with a method."""

    id: str
    method: str
    path: str
    contract: str  # the name of whose it is; empty for the platform's own
    summary: str
    description: str
    needs: str  # who may: words, or empty where nothing is asked
    values: Sequence[Value]
    media_types: Sequence[str]  # of the body; empty where there is none
    answers: Sequence[Answer]
    address: str  # of an example, without the server; empty where there is none
    sends: str  # what curl sends there besides, as its options


def operations(document: Document) -> list[Operation]:
    """List every operation of a document, in its order."""
    return [
        _operation(document, path, item, method)
        for path, item in document["paths"].items()
        for method in METHODS
        if method in item
    ]


def _operation(document: Document, path: str, item: Schema, method: str) -> Operation:
    told = item[method]
    parameters = [*item.get("parameters", ()), *told.get("parameters", ())]
    content = told.get("requestBody", {}).get("content", {})
    needs = _needs(told.get("security"))
    return Operation(
        id=told["operationId"],
        method=method.upper(),
        path=path,
        contract=next(iter(told.get("tags", ())), ""),
        summary=told["summary"],
        description=told.get("description", ""),
        needs=needs,
        values=[*_parameters(document, parameters), *_members(document, content)],
        media_types=list(content),
        answers=[
            _answer(status, resolved(document, each)) for status, each in told["responses"].items()
        ],
        address=_address(path, parameters),
        sends=(f" {KEY}" if needs == NEEDS_KEY else "") + _sends(document, method, content),
    )


def resolved(document: Document, described: Schema) -> Schema:
    """Follow a reference into the document's components; what stands beside it wins."""
    if "$ref" not in described:
        return described
    found: Any = document
    for part in described["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    beside = {name: value for name, value in described.items() if name != "$ref"}
    return {**resolved(document, found), **beside}


def _needs(security: Sequence[Schema] | None) -> str:
    if not security:
        return ""
    return "Open to all." if {} in security else NEEDS_KEY


def _parameters(document: Document, parameters: Sequence[Schema]) -> Iterator[Value]:
    for each in parameters:
        yield Value(
            name=each["name"],
            place=each["in"],
            required=each.get("required", False),
            allowed=allowed(document, each["schema"]),
            description=each.get("description", ""),
        )


def _members(document: Document, content: Mapping[str, Schema]) -> Iterator[Value]:
    """List the values of a body, which are the same in JSON and in forms."""
    for body in content.values():
        schema = resolved(document, body["schema"])
        if schema.get("type") == "object":
            for name, member in schema["properties"].items():
                yield Value(
                    name=name,
                    place="body",
                    required=name in schema.get("required", ()),
                    allowed=allowed(document, member),
                    description=resolved(document, member).get("description", ""),
                )
            return


def allowed(document: Document, described: Schema) -> str:
    """Say in words which values a schema allows."""
    schema = resolved(document, described)
    if "const" in schema:
        return "empty" if schema["const"] == "" else in_json(schema["const"])
    if "anyOf" in schema:
        kind = {"type": schema["type"]} if "type" in schema else {}
        parts = [allowed(document, {**kind, **each}) for each in schema["anyOf"]]
        return " or ".join(dict.fromkeys(parts))
    if "enum" in schema:
        return f"one of {', '.join(map(str, schema['enum']))}"
    return _typed(schema)


def _typed(schema: Schema) -> str:
    match schema.get("type"):
        case "integer":
            return f"an integer{_range(schema)}"
        case "number":
            return f"a number{_range(schema)}"
        case "boolean":
            return "true or false"
        case "string":
            return _text(schema)
        case kind:
            return str(kind or "any value")


def _range(schema: Schema) -> str:
    """Say where a number ends, in the words of the form."""
    low = schema.get("minimum", schema.get("exclusiveMinimum", -kinds.NUMBER_MAX))
    high = schema.get("maximum", schema.get("exclusiveMaximum", kinds.NUMBER_MAX))
    number = kinds.Number(
        low=float(low),
        high=float(high),
        low_open="exclusiveMinimum" in schema,
        high_open="exclusiveMaximum" in schema,
    )
    return number.allowed().removeprefix("a number")


def _text(schema: Schema) -> str:
    if schema.get("format") == "binary":
        return "a file"
    if "maxLength" in schema:
        return f"a text of up to {schema['maxLength']} characters"
    if "pattern" in schema:
        short = len(schema["pattern"]) <= PATTERN_MAX
        return f"a text that matches {schema['pattern']}" if short else _long_pattern(schema)
    return "a text"


def _long_pattern(schema: Schema) -> str:
    """Say what a pattern comes to, in its author's words where there are any."""
    return str(schema.get("description") or "a text").removeprefix("or ")


def _answer(status: str, told: Schema) -> Answer:
    content = told.get("content", {})
    examples = [body["example"] for body in content.values() if "example" in body]
    return Answer(
        status=status,
        description=told["description"],
        media_types=list(content),
        example=_written(next(iter(content)), examples[0]) if examples else "",
    )


def _written(media_type: str, example: Any) -> str:
    return json.dumps(example, indent=2, ensure_ascii=False) if media_type == JSON else str(example)


def _address(path: str, parameters: Sequence[Schema]) -> str:
    """Write the address of an example, as `Contract.address` does."""
    if not all("example" in each for each in parameters if each.get("required")):
        return ""
    shown = [each for each in parameters if "example" in each]
    written = {each["name"]: write_text(each["example"]) for each in shown}
    placed = {each["name"] for each in shown if each["in"] == "path"}
    if any(written[name] in NO_PART for name in placed):
        return f"{path.partition('/{')[0]}?{urlencode(written)}"
    for name in placed:
        path = path.replace(f"{{{name}}}", quote(written.pop(name), safe=""))
    return f"{path}?{urlencode(written)}" if written else path


def _sends(document: Document, method: str, content: Mapping[str, Schema]) -> str:
    if JSON in content:
        body = content[JSON]
        example = body.get("example", resolved(document, body["schema"]).get("example"))
        return f" --json {shlex.quote(in_json(example))}"
    if MULTIPART in content:
        return " -F image=@photo.png"
    return "" if method == "get" else f" -X {method.upper()}"
