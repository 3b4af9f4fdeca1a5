"""Kinds as JSON Schema (2020-12), which says exactly what `values` reads: no more and no less.

A schema is true of two writings: as text in a path, query or form (where JSON Schema's types mean
what the text says), and as a JSON value. The two differ for a choice that can be a number in JSON.
"""

import unicodedata
from functools import cache
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.spellings import fold
from stopgap.contracts.values import UNPRINTABLE

Schema = dict[str, Any]

FOLDED_LAST = 0x2FFF
"""Code points up to here are looked through for letters in another case: Latin, Greek, Cyrillic.
Spellings in the few further scripts that have case are described as they are written."""


def written(kind: kinds.Scalar) -> Schema:
    """Describe a value as it is written in a path, query or form."""
    match kind:
        case kinds.Integer():
            return {"type": "integer", "minimum": kind.low, "maximum": kind.high}
        case kinds.Number():
            return _number(kind)
        case kinds.Boolean():
            return {"type": "boolean"}
        case kinds.Choice():
            return _choice(kind)
        case kinds.Text():
            return _text(kind)


def in_json(kind: kinds.Kind) -> Schema:
    """Describe a value as it stands in JSON."""
    if isinstance(kind, kinds.Object):
        return {
            "type": "object",
            "properties": {field.name: in_json(field.kind) for field in kind.fields},
            "required": [field.name for field in kind.fields],
            "additionalProperties": False,
        }
    if isinstance(kind, kinds.Choice) and kind.numbers:
        return {"anyOf": [written(kind), {"type": "integer", "enum": list(kind.numbers)}]}
    return written(kind)


def output(kind: kinds.Kind) -> Schema:
    """Describe what is answered: of a choice the values alone, however else they may be written."""
    if isinstance(kind, kinds.Choice):
        return {"type": "string", "enum": list(kind.values)}
    if isinstance(kind, kinds.Object):
        return in_json(kind) | {"properties": {f.name: output(f.kind) for f in kind.fields}}
    return in_json(kind)


def _number(kind: kinds.Number) -> Schema:
    schema: Schema = {"type": "number", "format": "double"}
    if kind.low > -kinds.NUMBER_MAX:
        schema["exclusiveMinimum" if kind.low_open else "minimum"] = kind.low
    if kind.high < kinds.NUMBER_MAX:
        schema["exclusiveMaximum" if kind.high_open else "maximum"] = kind.high
    return schema


def _choice(kind: kinds.Choice) -> Schema:
    values: Schema = {"enum": list(kind.values)}
    if not kind.spellings:
        return {"type": "string"} | values
    spelled = {"pattern": spelling_pattern(kind), "description": kind.described}
    return {"type": "string", "anyOf": [values, spelled]}


def _text(kind: kinds.Text) -> Schema:
    unprintable = UNPRINTABLE.encode("unicode_escape").decode("ascii").replace(r"\x", r"\u00")
    schema: Schema = {
        "type": "string",
        "minLength": kind.shortest,
        "maxLength": kind.longest,
        "pattern": f"^[^{unprintable}]*$",
    }
    return schema if kind.pattern is None else schema | {"allOf": [{"pattern": kind.pattern}]}


def spelling_pattern(kind: kinds.Choice) -> str:
    """Write the regular expression of all spellings of a choice, in any case.

    It is read alike by ECMAScript (as JSON Schema has it) and Python; flags are not to be had, so
    each letter is a class. An accent may be a character of its own, behind its letter.
    """
    spellings = sorted({*kind.spellings, *map(fold, kind.values)})
    return "^(?:" + "|".join("".join(map(_letter, spelling)) for spelling in spellings) + ")$"


def _letter(letter: str) -> str:
    decomposed = unicodedata.normalize("NFD", letter)
    whole = _same(letter)
    if len(decomposed) == 1:
        return whole
    return f"(?:{whole}|{_same(decomposed[0])}{decomposed[1:]})"


def _same(letter: str) -> str:
    """Write the class of all characters that fold to a letter."""
    found = _characters().get(letter, [letter])
    escaped = ["\\" + one if one in r"\^$.|?*+()[]{}/-" else one for one in found]
    return escaped[0] if len(escaped) == 1 else f"[{''.join(escaped)}]"


@cache
def _characters() -> dict[str, list[str]]:
    """Map each folded character to all that fold to it; made when the first pattern is."""
    found: dict[str, list[str]] = {}
    for character in map(chr, range(FOLDED_LAST + 1)):
        found.setdefault(fold(character), []).append(character)
    return found
