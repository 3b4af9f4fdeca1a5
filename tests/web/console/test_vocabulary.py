"""The pages' common words: values with their names."""

import re
from pathlib import Path

import pytest

from stopgap import wiring
from stopgap.settings import Settings


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (False, "false"),
        (None, "null"),
        (12, "12"),
        (0.1 + 0.2, "0.3"),
        ("may", "may"),
        ("<b>", "&lt;b&gt;"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
def test_named(tmp_path: Path, value: object, written: str) -> None:
    """A value is written as in JSON, but a text without quotes, and nothing too long."""
    app = wiring.create_app(Settings(data=tmp_path))
    app.extensions["stopgap"].close()
    words = app.jinja_env.get_template("vocabulary.html").module
    html = words.named([("field", value)])  # type: ignore[attr-defined]  # a macro
    assert re.sub(r"\s+", " ", re.sub("<[^>]*>", "", html)).strip() == f"field {written}"
