"""The rule of the OpenAPI document: it describes a contract's routes, and refers to what it has."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import unquote

from stopgap.contracts.conformance.calling import Request
from stopgap.contracts.conformance.visiting import Broken, Rule, Visit, expect_status
from stopgap.contracts.contract import Contract


def openapi_rule(contract: Contract) -> Rule:
    """Make the rule of one contract."""
    operations = [(contract.path, "get"), (contract.prefix, "get"), (contract.prefix, "post")]

    def hold(visit: Visit) -> None:
        answer = visit.call(Request(target="/openapi.json"))
        expect_status(answer, 200)
        document = answer.json()
        for path, method in operations:
            if _found(document, "paths", path, method, "responses", "200") is None:
                expected = f"a document with {method} {path} in it, and its answer 200"
                raise Broken(answer.request, expected, answer)
        for reference in _references(document):
            if _found(document, *_parts(reference)) is None:
                raise Broken(answer.request, f"a document with {reference} in it", answer)

    return Rule(
        id=f"{contract.name}-openapi",
        sentence="/openapi.json describes the contract's routes.",
        hold=hold,
    )


def _found(document: Any, *parts: str) -> Any:
    """Follow names, and places in lists, to what stands there; None: nothing does."""
    for part in parts:
        if isinstance(document, dict):
            document = document.get(part)
        elif isinstance(document, list):
            document = {str(place): each for place, each in enumerate(document)}.get(part)
        else:
            return None
    return document


def _parts(reference: str) -> list[str]:
    """Take a reference apart (RFC 6901, section 6)."""
    parts = unquote(reference.removeprefix("#/")).split("/")
    return [part.replace("~1", "/").replace("~0", "~") for part in parts]


def _references(document: Any) -> Iterator[str]:
    """Find every reference to the document itself, at any depth."""
    left = [document]
    while left:
        each = left.pop()
        if isinstance(each, dict):
            reference = each.get("$ref")
            if isinstance(reference, str) and reference.startswith("#/"):
                yield reference
            left.extend(each.values())
        elif isinstance(each, list):
            left.extend(each)
