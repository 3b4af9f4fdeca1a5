"""An export: answers as CSV, or as one JSON object a line, however many there are."""

import csv
import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Literal, TextIO

from stopgap.journal.entry import Entry

Form = Literal["csv", "jsonl"]

SIGNS = "=+-@\uff1d\uff0b\uff0d\uff20"
FORMULA = (*SIGNS, *"\t\r\n")
"""How a text begins that a spreadsheet would run (OWASP, CSV Injection); wide signs, too."""

INNER = re.compile(rf'(?<=[;\t\r\n])(?="*[{re.escape(SIGNS)}])')
"""Where such a text begins to a spreadsheet that does not separate by commas: a quote that opens
behind a comma holds nothing together there."""

KEPT = ("request_id", "at", "contract", "fingerprint", "release", "caller", "micros")
"""What the journal knows of every answer, besides inputs and output."""


def write(
    form: Form, entries: Iterable[Entry], fields: Sequence[tuple[str, str]], file: TextIO
) -> None:
    """Write answers down, one at a time.

    Args:
        fields: The CSV's columns, as `Journal.fields` lists them.
    """
    if form == "jsonl":
        file.writelines(json.dumps(entry.facts()) + "\n" for entry in entries)
        return
    names = [f"{part}.{name}" if name else part for part, name in fields]
    writer = csv.writer(file)
    writer.writerow([*KEPT, *map(_cell, names), "actual"])
    for entry in entries:
        writer.writerow(map(_cell, _cells(entry.facts(), fields)))


def _cells(facts: dict[str, Any], fields: Iterable[tuple[str, str]]) -> Iterator[object]:
    yield from (facts[name] for name in KEPT)
    values = {"input": facts["inputs"], "output": facts["output"]}
    for part, name in fields:
        value = values[part]
        whole = not isinstance(value, dict)
        yield value if whole and not name else None if whole else value.get(name)
    yield facts["actual"]


def _cell(value: object) -> object:
    """Write a value so that no spreadsheet takes it for a formula."""
    if value is None or type(value) in {int, float}:
        return value
    text = INNER.sub("'", value if isinstance(value, str) else json.dumps(value))
    return f"'{text}" if text.startswith(FORMULA) else text
