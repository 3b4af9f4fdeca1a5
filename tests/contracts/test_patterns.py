"""A pattern that means several things is refused, and one that means one is not."""

import re
from typing import Annotated, Any

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import ConfigDict, Field, create_model
from tests.contracts.promises import contract_of, kind

from stopgap.contracts.annotations import ContractInvalid, object_of
from stopgap.contracts.kinds import Text
from stopgap.contracts.openapi import document
from stopgap.contracts.patterns import ambiguous

PLAIN = [
    "",
    "^a",
    "^[0-9]{4}-[0-9]{2}-[0-9]{2}$",
    "^[A-Z]{1,3}?(?:a|b)+$",
    "^(a)([0-9]{2,})?$",
    r"^\[\]\{\}\(\)\^\$\.\*\+\?\|\/\\$",
    r"[a\-z\]\[\\^-]",
    "[-a]",
    "[$.*+?(){}|]",
    "a b",
    "é|日本",
    r"\t\x41\u00e9",
    "^.{0,5}$",
    "[a&b~c]",
    "\"'@#&~:;,=!<>-",
]
"""What Rust, Python and ECMAScript read alike, as far as they know it."""

FOR_PYTHON = ["^a(?!b)(?=c)", "(?<=a)(?<!b)c", r"(a)\1"]
"""What a model reads with `regex_engine="python-re"`."""

AMBIGUOUS = [
    (r"\A[0-9]", r"\A", "write ^"),
    (r"[0-9]\z", r"\z", "write $"),
    (r"[0-9]\Z", r"\Z", "write $"),
    (r"^\d{4}$", r"\d", "write [0-9]"),
    (r"^[\d.]$", r"\d", "write 0-9"),
    (r"^\D$", r"\D", "write [^0-9]"),
    (r"^[\D]$", r"\D", "write the characters themselves"),
    (r"^\w+$", r"\w", "write [A-Za-z0-9_]"),
    (r"^[\w-]+$", r"\w", "write A-Za-z0-9_"),
    (r"^\W$", r"\W", "write [^A-Za-z0-9_]"),
    (r"a\sb", r"\s", "write [ ]"),
    (r"a\Sb", r"\S", "write [^ ]"),
    (r"\ba", r"\b", "write the characters that may stand there"),
    (r"\Ba", r"\B", "write the characters that may stand there"),
    (r"\\\d", r"\d", "write [0-9]"),
    (r"[\]\d]", r"\d", "write 0-9"),
    (r"[a]\d", r"\d", "write [0-9]"),
    ("(?i)a", "(?i)", "write letters in both cases, [Aa]"),
    ("a(?i:b)", "(?i:", "write letters in both cases, [Aa]"),
    ("(?s-m:.)", "(?s-m:", "write letters in both cases"),
    ("(?P<x>a)", "(?P<", "write ( in its place"),
    (r"a\-b", r"\-", "write the character itself"),
    (r"a\@b", r"\@", "write the character itself"),
    (r"\x{41}", r"\x", "write the character itself"),
    (r"\u{41}", r"\u", "write the character itself"),
    (r"\p{L}", r"\p", "write the characters themselves"),
    (r"[\P{L}]", r"\P", "write the characters themselves"),
    ("(?<x>a)", "(?<", "write ( in its place"),
    ("a]", "]", r"write \]"),
    ("a}", "}", r"write \}"),
    ("a{ 2 }", "{", r"write \{"),
    ("a++", "++", "write a group around what is repeated"),
    ("a{2}{3}", "{2", "write a group around what is repeated"),
    ("^*a", "^*", "write a group around what is repeated"),
    ("[[:alpha:]]", "[", r"write \["),
    ("[a[b]]", "[", r"write \["),
    ("[a[]", "[", r"write \["),
    ("[a-z&&b]", "&&", "write a single &"),
    ("[a-z~~b]", "~~", "write a single ~"),
    ("[a-z--b]", "--", "write a single -"),
    ("[]a]", "[]", r"write \]"),
    ("[^]a]", "[^", r"write \]"),
]


@pytest.mark.parametrize("pattern", PLAIN)
def test_a_pattern_that_everybody_reads_alike(pattern: str) -> None:
    """It is kept as it is written, and the document is valid with it."""
    contract = contract_of(bool, n=Annotated[str, Field(pattern=pattern, examples=["a"])])
    assert contract.fields[0].kind == Text(pattern=pattern)
    OpenAPIV31SpecValidator(document([contract], {})).validate()
    jsonschema_rs.Draft202012Validator({"type": "string", "pattern": pattern})


@pytest.mark.parametrize("pattern", FOR_PYTHON)
def test_a_pattern_that_looks_around(pattern: str) -> None:
    """What ECMAScript knows as well may be read by Python here."""
    config = ConfigDict(regex_engine="python-re")
    annotated: Any = Annotated[str, Field(pattern=pattern)]
    inputs = object_of(create_model("Inputs", __config__=config, n=annotated))
    assert inputs.fields[0].kind == Text(pattern=pattern)


@pytest.mark.parametrize(("pattern", "part", "instead"), AMBIGUOUS)
def test_a_pattern_that_means_several_things(pattern: str, part: str, instead: str) -> None:
    """It is refused, with the part that does, and what to write in its place."""
    said = ambiguous(pattern)
    assert said
    assert said.startswith(f"has {part}, which")
    assert instead in said


def test_a_contract_holds_its_patterns() -> None:
    """At the start, and in a line that names the field."""
    for pattern in (r"^\d{4}$", re.compile(r"^\d{4}$")):
        with pytest.raises(ContractInvalid, match=r"n: its pattern has \\d, .*; write \[0-9\]\.$"):
            kind(Annotated[str, Field(pattern=pattern)])


def test_a_pattern_has_no_flags() -> None:
    """They stand in no document."""
    assert kind(Annotated[str, Field(pattern=re.compile("^a"))]) == Text(pattern="^a")
    with pytest.raises(ContractInvalid, match=r"n: its pattern has flags, .*\[Aa\]"):
        kind(Annotated[str, Field(pattern=re.compile("^a", re.IGNORECASE))])
