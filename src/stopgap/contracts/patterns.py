"""Patterns that mean one thing: to pydantic here, and to the readers of the OpenAPI document.

Pydantic reads a pattern as Rust's `regex` crate does, or Python; the document's readers as
ECMAScript with the flag u (JSON Schema 2020-12, section 6.4), those in Python often as Python. What
these know differently, or not all of them, is not promised: `\\d` takes Arabic digits here, and
refuses them there.
"""

import re

ESCAPED = r"\\(?:[\^$\\.*+?()\[\]{}|/tnvfr]|x[0-9A-Fa-f]{2}|u[0-9A-Fa-f]{4})"
"""A character."""

NOT_REPEATED = r"(?![*+?{])"

OUTSIDE = re.compile(
    rf"{ESCAPED}|\\[1-9](?![0-9])|\((?:\?(?::|<?[=!]))?{NOT_REPEATED}|\)"
    rf"|(?:[*+?]|\{{[0-9]+(?:,[0-9]*)?\}})\??{NOT_REPEATED}|[\^$]{NOT_REPEATED}"
    r"|\[(?:\^(?!\])|(?![\^\]]))|[^\\()\[\]{}*+?^$]"
)
"""One part of a pattern, outside of a class."""

INSIDE = re.compile(rf"{ESCAPED}|\\-|(?!&&|--|~~)[^\\\[]")
"""One part of a class, its end included."""

INSTEAD = {
    r"\A": "^",
    r"\z": "$",
    r"\Z": "$",
    r"\d": "[0-9]",
    r"\D": "[^0-9]",
    r"\w": "[A-Za-z0-9_]",
    r"\W": "[^A-Za-z0-9_]",
    r"\s": "[ ]",
    r"\S": "[^ ]",
    r"\p": "the characters themselves, [A-Za-z]",
    r"\P": "the characters themselves, [A-Za-z]",
    r"\b": "the characters that may stand there",
    r"\B": "the characters that may stand there",
}
"""What is often written, and means several things -> what means one."""


def ambiguous(pattern: str) -> str | None:
    """Say which part of a pattern means several things, and what to write in its place.

    None, if it means one.
    """
    at, in_class = 0, False
    while at < len(pattern):
        found = (INSIDE if in_class else OUTSIDE).match(pattern, at)
        if not found:
            part, instead = _fault(pattern[at:], in_class=in_class)
            return f"has {part}, which not all clients' languages read alike; write {instead}"
        in_class = found[0] != "]" if in_class else found[0] in {"[", "[^"}
        at = found.end()
    return None


def _fault(rest: str, *, in_class: bool) -> tuple[str, str]:
    """Name the part that a rest of a pattern begins with, and what to write in its place."""
    part = rest[:2]
    if part[0] == "\\":
        return part, _instead_of_escape(part, in_class=in_class)
    if part == "(?":
        group = re.match(r"\(\?([A-Za-z-]*[:)])?(P?<)?", rest)
        instead = "( in its place" if group and group[2] else "letters in both cases, [Aa]"
        return group[0] if group else part, instead
    if in_class:
        return (part[0], r"\[") if part[0] == "[" else (part, rf"a single {part[0]}")
    if part in {"[]", "[^"}:
        return part, r"\] for a ] in a class"
    if re.match(r"[*+?^$]|\{[0-9]+(,[0-9]*)?\}", rest):
        return part, "a group around what is repeated, (?:...)"
    return part[0], f"\\{part[0]}"


def _instead_of_escape(part: str, *, in_class: bool) -> str:
    instead = INSTEAD.get(part, "the character itself")
    if in_class and instead.startswith("["):
        return "the characters themselves" if part.isupper() else instead[1:-1]
    return instead
