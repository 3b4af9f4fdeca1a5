"""A username and a password, as a login's body names them."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

from stopgap.contracts.given import Given, Raw
from stopgap.contracts.parsing import InputMalformed
from stopgap.errors import Fault

PAGE = re.compile(r"/console/[!-~]*")
"""No other site's address begins so, and nothing in it ends a header's line."""

NAMES = {"username": "username", "user": "username", "password": "password", "pass": "password"}


@dataclass(frozen=True, kw_only=True)
class Credentials:
    """Who wants to sign in, and the proof."""

    username: str
    password: str = field(repr=False)


def credentials_in(given: Sequence[Given]) -> Credentials:
    """Find the username and the password; whatever else a form sends is left alone.

    Raises:
        InputMalformed: one is missing, empty, given twice or no text. A password is never repeated.
    """
    found: dict[str, list[object]] = {"username": [], "password": []}
    for value in given:
        if value.name in NAMES:
            found[NAMES[value.name]].append(value.value)
    faults = [fault for name, values in found.items() if (fault := _fault(name, values))]
    if faults:
        names = " and ".join(fault.field for fault in faults)
        raise InputMalformed(
            f"A login needs a username and a password; see {names}.", faults=faults
        )
    return Credentials(username=str(found["username"][0]), password=str(found["password"][0]))


def username_in(given: Sequence[Given]) -> str:
    """Find the username that a form is to show again; empty where there is none to show."""
    texts = [each.value for each in given if NAMES.get(each.name) == "username"]
    return texts[0] if len(texts) == 1 and isinstance(texts[0], str) else ""


def page_to_return_to(given: Sequence[Given]) -> str:
    """Find the page of ours that somebody wanted who had to sign in first; empty if none."""
    pages = [str(each.value) for each in given if each.name == "back"]
    return next((page for page in pages if PAGE.fullmatch(page)), "")


def _fault(name: str, values: Sequence[object]) -> Fault | None:
    if not values or values == [""]:
        return Fault(field=name, message="is missing")
    if len(values) > 1:
        return Fault(field=name, message="is given more than once")
    if isinstance(values[0], Raw):
        return Fault(field=name, message="must be a text in UTF-8")
    if not isinstance(values[0], str):
        return Fault(field=name, message="must be a text, in quotes in JSON")
    return None
