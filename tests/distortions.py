"""What flaws are made of: which answers are changed, and how."""

import itertools
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

from tests.wrong_server import Asked, Flaw, Said, problem

When = Callable[[Asked, Said], bool]
Change = Callable[[Said], Said]


def when(condition: When, change: Change) -> Flaw:
    """Make a flaw that changes some answers."""
    return lambda asked, said: change(said) if condition(asked, said) else said


def body(text: str) -> Change:
    """Say something else."""
    return lambda said: replace(said, body=text.encode())


def swap(old: bytes, new: bytes) -> Change:
    """Say something in other words."""
    return lambda said: replace(said, body=said.body.replace(old, new))


def status(code: int) -> Change:
    """Say it under another status; an error stays a whole problem document."""

    def change(said: Said) -> Said:
        if code < 400:
            return replace(said, status=code)
        request_id = said.headers["X-Request-Id"]
        instance = {"request_id": request_id, "instance": f"urn:uuid:{request_id}"}
        told = json.loads(said.body) if said.status >= 400 else json.loads(problem(code).body)
        document = told | instance | {"status": code}
        headers = problem(code).headers | {"X-Request-Id": request_id}
        return Said(status=code, body=json.dumps(document).encode(), headers=headers)

    return change


def header(name: str, value: str | None) -> Change:
    """Say another header, or none."""

    def change(said: Said) -> Said:
        others = {key: kept for key, kept in said.headers.items() if key != name}
        return replace(said, headers=others | ({} if value is None else {name: value}))

    return change


def add(name: str, more: str) -> Change:
    """Say more in a header."""
    return lambda said: header(name, said.headers[name] + more)(said)


def member(key: str, value: Any) -> Change:
    """Say another member of a JSON object."""
    return lambda said: replace(
        said, body=json.dumps(json.loads(said.body) | {key: value}).encode()
    )


def at(target: str, method: str = "GET", code: int | None = None) -> When:
    """Hold for one address."""
    return lambda asked, said: (
        asked.path == target and asked.method == method and code in {None, said.status}
    )


def both(*conditions: When) -> When:
    """Hold where all do."""
    return lambda asked, said: all(condition(asked, said) for condition in conditions)


def sent(*parts: bytes) -> When:
    """Hold for bodies that have these in them."""
    return lambda asked, _: all(part in asked.body for part in parts)


def no(condition: When) -> When:
    """Hold where another does not."""
    return lambda asked, said: not condition(asked, said)


def of(kind: str) -> When:
    """Hold for bodies of a type."""
    return lambda asked, _: asked.kind == kind


def has(name: str, value: str = "") -> When:
    """Hold for requests with a header."""
    return lambda asked, _: name in asked.headers and value in asked.headers[name]


def fault_begins(name: str, message: str, code: int) -> When:
    """Hold for errors in which a field is at fault in this way."""

    def condition(_: Asked, said: Said) -> bool:
        if said.status != code:
            return False
        errors = json.loads(said.body).get("errors", [])
        return any(e["field"] == name and e["message"].startswith(message) for e in errors)

    return condition


def predicted(asked: Asked, said: Said) -> bool:
    """Hold for predictions that are given."""
    return asked.path.startswith("/small") and said.status == 200


def in_path(asked: Asked, said: Said) -> bool:
    """Hold for predictions from the path."""
    return predicted(asked, said) and asked.path != "/small"


def in_query(asked: Asked, said: Said) -> bool:
    """Hold for predictions from the query."""
    return predicted(asked, said) and asked.path == "/small" and asked.method == "GET"


def told_the_order(_: Asked, said: Said) -> bool:
    """Hold where a mistaken path is told the right one."""
    return b"order" in said.body


def after(count: int) -> When:
    """Hold for predictions after so many."""
    numbers = itertools.count()
    return lambda asked, said: predicted(asked, said) and next(numbers) >= count


def rename_fault(name: str) -> Change:
    """Blame another field."""

    def change(said: Said) -> Said:
        document = json.loads(said.body)
        for error in document["errors"]:
            if error["field"] == name:
                error["field"] = "something"
        return member("errors", document["errors"])(said)

    return change


def first_fault_only(said: Said) -> Said:
    """Blame one field alone."""
    return member("errors", json.loads(said.body)["errors"][:1])(said)
