"""A contract of many inputs, whose answers are long words, is read on pages like any other."""

import json
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest
from playwright.sync_api import Browser, expect
from tests.acceptance.desk import SHOP
from tests.acceptance.processes import wait_for
from tests.acceptance.server import Server, running
from tests.browser.test_looks import HIDDEN, WIDTHS
from tests.browser.visiting import OPERATOR, PASSWORD, Visitor
from tests.browser.wide_contract import FIELDS, contract
from tests.releases.making import report

from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.journal.backlog import backlog
from stopgap.models.specification import Specification
from stopgap.parts import Parts
from stopgap.releases.comparing import Comparison
from stopgap.settings import read_settings

WORDS = get_args(contract.output)

CROWDED = """() => {
    const ticks = document.querySelectorAll(".ticks.words span");
    const boxes = [...ticks].map((tick) => tick.getBoundingClientRect());
    const over = boxes.filter((box, place) => place && box.left < boxes[place - 1].right);
    return [boxes.length, over.length];
}"""
"""Counts the words below columns, and those that are over others."""


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Serve the contract, with a release that gives other answers than the stand-in.

    Each word has been answered before a page is opened, which remembers its charts for a minute.
    """
    folder = tmp_path_factory.mktemp("wide")
    told = {"STOPGAP_CONTRACTS": f"{Path(__file__).with_name('wide_contract.py')}:contract"}
    settings = read_settings(told | {"STOPGAP_DATA": str(folder / "data")})
    with closing(wiring.build_parts(wiring.prepare(settings))) as parts:
        parts.accounts.add(OPERATOR, PASSWORD, Role.OPERATOR)
        compare(parts)
    with running(folder, told) as server:
        for place in range(40):
            asked = f"/wide?days_since_a_purchase_in_category_0={place}"
            assert server.client().get(asked).status == 200
        wait_for(lambda: not backlog(server.data / "spool").bytes, 20, "the answers in the journal")
        yield server


def compare(parts: Parts) -> None:
    """Hand in a model that broke a rule, and was compared once."""
    specification = Specification(uri=f"python:{SHOP}:Steady", artifact=parts.artifacts.put(SHOP))
    number = parts.releases.add("wide", specification, "ann", "trained in May").number
    parts.releases.keep_report(
        "wide", number, report(contract, "survives", at=parts.clock.now()), "ann"
    )
    compared = Comparison(contract.output_kind)
    for place in range(9):
        inputs = json.dumps(dict.fromkeys(FIELDS, place)).encode()
        compared.add(inputs, WORDS[place % 3], WORDS[(place + 1) % 3])
    parts.watch.compare("wide", number, 0, "shown", compared)


@pytest.fixture
def operator(chromium: Browser, wide: Server) -> Iterator[Visitor]:
    """Open a browser as the operator, who has each of the answers."""
    with closing(Visitor(chromium, wide.url)) as opened:
        opened.be(OPERATOR, PASSWORD)
        yield opened
        opened.has_seen_no_fault()


@pytest.mark.parametrize("width", WIDTHS)
def test_looking_back(operator: Visitor, width: int) -> None:
    """A row has the first inputs; long answers break, in the table and below the columns."""
    page = operator.page
    page.set_viewport_size({"width": width, "height": 800})
    operator.goto("/console/history")
    expect(page.locator("td.asked").first).to_contain_text("and 24 more")
    assert page.locator("td.asked").first.locator(".named").count() == 6
    assert page.evaluate(HIDDEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert page.evaluate(CROWDED) == [3, 0]


@pytest.mark.parametrize("width", WIDTHS)
def test_a_release(operator: Visitor, width: int) -> None:
    """All inputs of a difference are there for whoever wants them."""
    page = operator.page
    page.set_viewport_size({"width": width, "height": 800})
    operator.goto("/console/releases/wide/1")
    asked = page.locator("td.asked").first
    last = asked.get_by_text("category_29")
    expect(last).to_be_hidden()
    asked.get_by_text("and 24 more").click()
    expect(last).to_be_visible()
    assert page.evaluate(HIDDEN) == []
    assert page.evaluate("document.documentElement.scrollWidth") == width
