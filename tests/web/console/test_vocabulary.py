"""The pages' common words: values with their names."""

import re
from html import unescape
from pathlib import Path

import pytest
from tests.web.console.conftest import Build

from stopgap.settings import Settings
from stopgap.wiring.application import create_app

CITIES = """from typing import Literal
from pydantic import BaseModel
from stopgap import Contract

class Order(BaseModel):
    city: Literal["İstanbul", "'s-Hertogenbosch"]

contract = Contract(name="order", version="1", path="/order/{city}", inputs=Order, output=Order)
"""


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (False, "false"),
        (None, "null"),
        (12, "12"),
        (0.1 + 0.2, "0.3"),
        ("may", "may"),
        ("şubat", "şubat"),
        (["şubat", "\ud800"], "[&#34;şubat&#34;, &#34;\\ud800&#34;]"),
        ("<b>", "&lt;b&gt;"),
        ("x" * 101, "x" * 99 + "…"),
    ],
)
def test_named(tmp_path: Path, value: object, written: str) -> None:
    """A value is written as in JSON, but a text without quotes, and nothing too long."""
    app = create_app(Settings(data=tmp_path))
    app.extensions["stopgap"].close()
    words = app.jinja_env.get_template("vocabulary.html").module
    html = words.named([("field", value)])  # type: ignore[attr-defined]  # a macro
    assert re.sub(r"\s+", " ", re.sub("<[^>]*>", "", html)).strip() == f"field {written}"


def test_right_to_left(build: Build) -> None:
    """A value has its own direction, in a field and on a page, whatever stands around it."""
    client = build().client()
    value = "القاهرة (1)"
    asked = client.get(f"/console/predict?seller_available={value}").text
    assert f'value="{value}" dir="auto"' in asked
    refused = client.get(f"/predict?month={value}").text
    assert f"<bdi><code>&#34;{value}&#34;</code></bdi>" in refused


def test_letters(build: Build, tmp_path: Path) -> None:
    """Texts stand in their own letters wherever a page shows them as JSON."""
    file = tmp_path / "cities.py"
    file.write_text(CITIES, encoding="utf-8")
    client = build(contracts=(f"{file}:contract",)).client()
    assert """-d '{"city": "İstanbul"}'""" in unescape(client.get("/").text)
    reference = unescape(client.get("/docs").text)
    assert """--json '{"city": "İstanbul"}'""" in reference
    assert """{\n  "city": "İstanbul"\n}""" in reference
    assert """<code>"Muş'a"</code>""" in unescape(client.get("/order/Muş'a").text)
