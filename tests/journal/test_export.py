"""An export: what is written down is what was answered, and runs in no spreadsheet."""

import csv
import io
import json

from hypothesis import given
from hypothesis import strategies as st
from tests.journal.records import record

from stopgap.journal.entry import Entry
from stopgap.journal.export import write

SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
FIELDS = [("input", "text"), ("input", "texts"), ("output", "")]
TEXTS = st.text([*SIGNS, *";,\t\r\n\"' x1"], max_size=12)


def written(text: str) -> str:
    """Export one answer as CSV, which holds a text in several places."""
    inputs = json.dumps({"text": text, "texts": [text]}).encode()
    one = record(inputs=inputs, output=json.dumps(text).encode())
    file = io.StringIO(newline="")
    write("csv", [Entry(position=1, record=one, actual=one.output)], FIELDS, file)
    return file.getvalue()


@given(text=TEXTS)
def test_no_separator_makes_a_formula(text: str) -> None:
    """Whatever a spreadsheet takes for the separator, no cell of a CSV is run."""
    for separator in ",;\t":
        for row in csv.reader(io.StringIO(written(text), newline=""), delimiter=separator):
            for cell in row:
                assert not cell.lstrip("\t\r\n").startswith(SIGNS), (separator, row)


def test_a_formula_behind_a_separator() -> None:
    """Only what would be run is changed, and by as little as a quote."""
    cells = {
        "x;=1+1;y": "x;'=1+1;y",
        'x;"=1+1;y': "x;'\"=1+1;y",
        "one\n@two": "one\n'@two",
        "=1;2": "'=1;2",
        "a; b - c, -1": "a; b - c, -1",
    }
    for text, expected in cells.items():
        _, row = csv.reader(io.StringIO(written(text), newline=""))
        assert row[-4] == expected
