"""The OpenAPI 3.1 document: what a contract's routes take and give, derived from the contract."""

import re
from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

from stopgap.contracts import kinds, schemas
from stopgap.contracts.contract import Contract, placeholder, segments_of
from stopgap.contracts.corners import corners
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.schemas import Schema
from stopgap.contracts.values import takes_empty

VERSION = "3.1.1"
JSON = "application/json"
PROBLEM = "application/problem+json"
FORMS = ("application/x-www-form-urlencoded", "multipart/form-data")

ALWAYS = {
    "400": "Malformed",
    "401": "NotSignedIn",
    "408": "BodyLate",
    "413": "BodyTooLarge",
    "414": "AddressTooLong",
    "422": "NotAllowed",
    "429": "Throttled",
    "503": "Unready",
    "507": "DiskFull",
}
"""Errors that every prediction can meet: status -> the name of its shared description.

A GET may bring a body, which is of no use, and read like any other.
"""

WITH_BODY = {
    "403": "CrossSite",
    "415": "MediaTypeUnsupported",
}
"""Errors that only a prediction whose values are in a body can meet."""

SIGNED_IN: list[dict[str, Any]] = [{"session": []}, {"key": []}]
ANYBODY_OR_SIGNED_IN: list[dict[str, Any]] = [{}, *SIGNED_IN]


def document(
    contracts: Sequence[Contract], platform_paths: Mapping[str, Any], *, closed: bool = False
) -> dict[str, Any]:
    """Write the document of a server.

    Args:
        contracts: Those that it serves.
        platform_paths: Its own routes, as path items; they may refer to the components below.
        closed: Whether it predicts for signed-in users only.
    """
    versions = ", ".join(f"{contract.name} {contract.version}" for contract in contracts)
    paths = [path_items(contract, closed=closed) for contract in contracts]
    return {
        "openapi": VERSION,
        "info": {"title": "Stopgap", "version": versions},
        "servers": [{"url": "/"}],
        "tags": [{"name": c.name, "description": c.description} for c in contracts],
        "paths": {path: item for items in (*paths, platform_paths) for path, item in items.items()},
        "components": {
            "schemas": {"Problem": _problem_schema()}
            | {name: schema for c in contracts for name, schema in component_schemas(c).items()},
            "headers": _headers(),
            "responses": _problem_responses(),
            "securitySchemes": _security_schemes(),
        },
    }


def path_items(contract: Contract, *, closed: bool = False) -> dict[str, Any]:
    """Describe a contract's routes: its path, whole and short, and its prefix for the rest.

    They refer to the shared components of `document` and to `component_schemas`.
    """
    items = {contract.prefix: {"get": _by_query(contract), "post": _by_body(contract)}}
    if contract.path != contract.prefix:
        short = {path: {"get": _by_short_path(contract, path)} for path in contract.short_paths}
        items = {contract.path: {"get": _by_path(contract)}} | short | items
    for item in items.values():
        for operation in item.values():
            operation["security"] = SIGNED_IN if closed else ANYBODY_OR_SIGNED_IN
    return items


def component_schemas(contract: Contract) -> dict[str, Schema]:
    """Describe a contract's values: each input as it is written, the bodies, the output."""
    name = contract.name
    inputs = {f"{name}_{_component(field)}": _input_schema(field) for field in contract.fields}
    return inputs | {
        f"{name}_json": _object(contract, _in_json),
        f"{name}_form": _object(contract, _in_form),
        f"{name}_output": _output_schema(contract),
    }


def _by_path(contract: Contract) -> dict[str, Any]:
    operation = _operation(contract, "ByPath", "with the values in the path")
    return operation | {"parameters": _placed(contract, contract.placed)}


def _by_short_path(contract: Contract, path: str) -> dict[str, Any]:
    placed = [name for part in segments_of(path) if (name := placeholder(part))]
    ending = "with the first values in the path"
    operation = _operation(contract, f"ByPathOf{len(placed)}", ending)
    return operation | {"parameters": _placed(contract, placed)}


def _placed(contract: Contract, placed: Sequence[str]) -> list[dict[str, Any]]:
    return [
        _parameter(contract, field, "path" if field.name in placed else "query")
        for field in contract.fields
    ]


def _by_query(contract: Contract) -> dict[str, Any]:
    return _operation(contract, "ByQuery", "with the values in the query") | {
        "parameters": [_parameter(contract, field, "query") for field in contract.fields]
    }


def _by_body(contract: Contract) -> dict[str, Any]:
    example = example_inputs(contract)
    content = {JSON: {"schema": _ref(contract, "json"), "example": example}} | {
        form: {"schema": _ref(contract, "form"), "example": example} for form in FORMS
    }
    operation = _operation(contract, "ByBody", "with the values in JSON or a form", WITH_BODY)
    return operation | {"requestBody": {"required": True, "content": content}}


def _operation(
    contract: Contract, way: str, ending: str, more: Mapping[str, str] | None = None
) -> dict[str, Any]:
    errors = dict(sorted((ALWAYS | dict(more or {})).items()))
    return {
        "operationId": f"predict{contract.identifier}{way}",
        "tags": [contract.name],
        "summary": f"Predict, {ending}",
        "description": contract.description,
        "responses": {"200": _prediction(contract)}
        | {status: shared_response(name) for status, name in errors.items()},
    }


def _prediction(contract: Contract) -> dict[str, Any]:
    content = {"schema": _ref(contract, "output"), "example": _example_output(contract)}
    return {
        "description": contract.output_description or "The prediction.",
        "headers": {name: header(name) for name in ("Stopgap-Release", "X-Request-Id")},
        "content": {JSON: content},
    }


def _parameter(contract: Contract, field: kinds.Field, place: str) -> dict[str, Any]:
    schema = _input_ref(contract, field)
    parameter = {
        "name": field.name,
        "in": place,
        "required": field.required or place == "path",
        "description": _told(field, with_aliases=place == "query"),
        "schema": schema if place == "path" else _or_empty(field, schema),
    }
    example = example_inputs(contract).get(field.name)
    return parameter | ({} if example is None else {"example": example})


def _told(field: kinds.Field, *, with_aliases: bool) -> str:
    """Tell people about an input, in sentences."""
    sentences = [_meant(field)]
    if isinstance(field.kind, kinds.Integer):
        minus = ", behind a minus where it is below 0" if field.kind.low < 0 else ""
        sentences.append(f"Outside JSON, in digits alone{minus}.")
    if with_aliases and field.aliases:
        names = " and ".join(f"`{alias}`" for alias in field.aliases)
        sentences.append(f"{names} is read as well, one of the names in a request.")
    return " ".join(sentences)


def _meant(field: kinds.Field) -> str:
    """Say what a value means, and in which unit it is."""
    unit = f" In {field.unit}." if field.unit else ""
    return f"{field.description or f'{field.title}.'}{unit}"


def _input_schema(field: kinds.Field) -> Schema:
    return _described(field) | schemas.written(field.kind)


def _described(field: kinds.Field) -> Schema:
    told: Schema = {"title": field.title, "description": _told(field, with_aliases=False)}
    if field.examples:
        told["examples"] = list(field.examples)
    return told if field.required else told | {"default": field.default}


def _in_json(contract: Contract, field: kinds.Field) -> Schema:
    same = schemas.in_json(field.kind) == schemas.written(field.kind)
    if same:
        return _input_ref(contract, field)
    return _described(field) | schemas.in_json(field.kind)


def _in_form(contract: Contract, field: kinds.Field) -> Schema:
    return _or_empty(field, _input_ref(contract, field))


def _or_empty(field: kinds.Field, schema: Schema) -> Schema:
    """Let an optional value be empty, as browsers' forms send what nobody filled in."""
    if field.required or takes_empty(field.kind):
        return schema
    empty = {"const": "", "description": "As if it were not given."}
    return {"anyOf": [schema, empty]}


def _object(contract: Contract, schema_of: Any) -> Schema:
    """Describe all inputs as one object, in which an alias may stand for a name, but not both."""
    properties: Schema = {}
    for field in contract.fields:
        properties[field.name] = schema_of(contract, field)
        for alias in field.aliases:
            told = f"Another name of `{field.name}`."
            properties[alias] = properties[field.name] | {"description": told}
    plain = [f.name for f in contract.fields if f.required and not f.aliases]
    one_name = [rule for f in contract.fields if f.aliases for rule in _one_name(f)]
    schema: Schema = {"type": "object", "properties": properties, "additionalProperties": False}
    schema |= {"required": plain} if plain else {}
    return schema | ({"allOf": one_name} if one_name else {})


def _one_name(field: kinds.Field) -> list[Schema]:
    """Say that an input comes under one of its names: exactly one, or at most one."""
    names = (field.name, *field.aliases)
    if field.required:
        return [{"oneOf": [{"required": [name]} for name in names]}]
    return [{"not": {"required": list(pair)}} for pair in combinations(names, 2)]


def _output_schema(contract: Contract) -> Schema:
    kind = contract.output_kind
    schema = schemas.output(kind)
    if isinstance(kind, kinds.Object):
        schema["properties"] = {f.name: _answered(f) for f in kind.fields}
    unit = f"In {contract.unit}." if contract.unit else ""
    told = f"{contract.output_description} {unit}".strip()
    return schema | ({"description": told} if told else {})


def _answered(field: kinds.Field) -> Schema:
    return {"title": field.title, "description": _meant(field)} | schemas.output(field.kind)


def _example_output(contract: Contract) -> Any:
    if contract.examples:
        return contract.examples[0].output
    return corners(contract.output_kind)[0]


def _ref(contract: Contract, name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{contract.name}_{name}"}


def _input_ref(contract: Contract, field: kinds.Field) -> Schema:
    return _ref(contract, _component(field))


def _component(field: kinds.Field) -> str:
    """Name an input's schema: a component's name has fewer letters than an input's may have.

    There is no dot in it, which makes modules of what datamodel-code-generator writes.
    """
    return "input_" + re.sub(r"[^A-Za-z0-9_]", lambda found: f"-{ord(found[0]):x}-", field.name)


def header(name: str) -> dict[str, str]:
    """Refer to one of the headers of `document`."""
    return {"$ref": f"#/components/headers/{name}"}


def shared_response(name: str) -> dict[str, str]:
    """Refer to one of the errors of `document`."""
    return {"$ref": f"#/components/responses/{name}"}


def problem_response(description: str, *headers: str) -> dict[str, Any]:
    """Describe an error that some headers come with."""
    return {
        "description": description,
        "headers": {name: header(name) for name in ("X-Request-Id", *headers)},
        "content": {PROBLEM: {"schema": {"$ref": "#/components/schemas/Problem"}}},
    }


def _headers() -> dict[str, Any]:
    text = {"type": "string"}
    release = "Which release gave the answer: `stand-in`, or a release's number."
    return {
        "Stopgap-Release": {"description": release, "schema": text},
        "X-Request-Id": {
            "description": "The server's own id of this request.",
            "schema": text | {"format": "uuid"},
        },
        "Retry-After": {
            "description": "Seconds until it makes sense to ask again.",
            "schema": {"type": "integer", "minimum": 1},
        },
        "WWW-Authenticate": {"description": "How to sign in (RFC 9110).", "schema": text},
    }


def _problem_responses() -> dict[str, Any]:
    told = {
        "Malformed": "A value is missing or cannot be read; `errors` names every field at fault.",
        "NotSignedIn": "The API key is refused, or this server predicts for signed-in users only.",
        "CrossSite": "A browser sent it from another site's page.",
        "BodyLate": "The body did not arrive in time.",
        "BodyTooLarge": "The body is too large.",
        "AddressTooLong": "Path and query are too long.",
        "MediaTypeUnsupported": "The body is neither JSON nor a form.",
        "NotAllowed": "A value is not allowed; `errors` names every field at fault.",
        "Throttled": "This server limits predictions, and these were too many.",
        "Unready": "There is no answer that keeps the promise; try again.",
        "DiskFull": "The server's disk is full.",
    }
    more = {
        "NotSignedIn": "WWW-Authenticate",
        "Throttled": "Retry-After",
        "Unready": "Retry-After",
    }
    return {
        name: problem_response(description, *([more[name]] if name in more else []))
        for name, description in told.items()
    }


def _problem_schema() -> Schema:
    text = {"type": "string"}
    received = {
        "type": ["string", "number", "boolean"],
        "description": "What arrived, shortened; absent where nothing did.",
    }
    fault = {
        "type": "object",
        "properties": {"field": text, "message": text, "received": received},
        "required": ["field", "message"],
    }
    return {
        "type": "object",
        "description": "What went wrong (RFC 9457).",
        "properties": {
            "type": text | {"format": "uri-reference", "description": "A page that explains it."},
            "title": text,
            "status": {"type": "integer", "minimum": 400, "maximum": 599},
            "detail": text,
            "instance": text | {"format": "uri-reference"},
            "request_id": text | {"format": "uuid"},
            "errors": {"type": "array", "items": fault, "description": "The fields at fault."},
        },
        "required": ["type", "title", "status", "detail", "instance", "request_id"],
    }


def _security_schemes() -> dict[str, Any]:
    return {
        "session": {
            "type": "apiKey",
            "in": "cookie",
            "name": "stopgap_session",
            "description": "Set by POST /login.",
        },
        "key": {"type": "http", "scheme": "bearer", "description": "An API key."},
    }
