"""The README cannot lie: its commands are run, and its ticks have files."""

import json
import re
from itertools import pairwise

import pytest
from flask import Flask
from tests.docs import curl
from tests.docs.markdown import ROOT, Block, blocks, links, shell_lines
from tests.pictures import jpeg

from stopgap.contracts.madcompany import contract
from stopgap.contracts.values import breach
from stopgap.web.current import NAME

README = ROOT / "README.md"
CLIENT = ROOT / "docs" / "client.md"
FILES = {"photo.jpg": jpeg()}
TICK = re.compile(r"^- \[x\] .+$", re.MULTILINE)
RANDOM = (
    (
        re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"),
        "(a request id)",
    ),
    (re.compile(r"/images/[0-9a-f]{72}\."), "/images/(a name)."),
)


def exchanges() -> list[tuple[Block, Block]]:
    """List the README's commands that have their answer below them."""
    return [
        (asked, told)
        for asked, told in pairwise(blocks(README))
        if asked.text.startswith("curl ") and told.language in {"text", "json"}
    ]


@pytest.mark.parametrize(("asked", "told"), exchanges(), ids=lambda block: block.text[:60])
def test_answers_are_as_printed(app: Flask, asked: Block, told: Block) -> None:
    """A command of the README gives the answer that stands below it, but for what is random."""
    response = curl.run(app.test_client(), asked.text, FILES)
    assert same(response.get_data(as_text=True), told)


def same(answer: str, told: Block) -> bool:
    """Compare an answer with the printed one: a prediction with the promise, ids by their form."""
    if told.text.isdigit():
        promised = contract.output_kind
        return breach(promised, json.loads(answer)) is breach(promised, int(told.text)) is None
    answer, text = (_without_ids(each) for each in (answer, told.text))
    if told.language == "json":
        return bool(json.loads(answer) == json.loads(text))
    return answer == text


def _without_ids(text: str) -> str:
    for pattern, shown in RANDOM:
        text = pattern.sub(shown, text)
    return text


def test_every_route_of_the_mail_is_shown() -> None:
    """Who reads the routes sees each of the mail's, with its answer."""
    shown = " ".join(asked.text for asked, _ in exchanges())
    for path in ("/status", "/login", "/predict/", "/predict?", "/images"):
        assert path in shown


def test_the_first_screen_has_what_a_client_looks_for() -> None:
    """In ten seconds: whose API it is, the command, the link, the account, what to try."""
    first = README.read_text(encoding="utf-8").splitlines()[:20]
    assert first[0] == "# MadCompany's prediction API, in Flask"
    screen = " ".join(" ".join(first).split())
    for words in (
        "make run",
        "http://localhost:5000",
        "`orhan`",
        "`12345`",
        "Live link",
        "Source link",
        "https://www.heroku.com/deploy",
    ):
        assert words in screen
    assert "send a prediction request or upload an image" in screen


def test_ticks_have_files() -> None:
    """What is ticked names the files that do it, and they are there."""
    ticks = TICK.findall(README.read_text(encoding="utf-8"))
    assert len(ticks) == 3 + 3 + 6
    for tick in ticks:
        files = re.findall(r"\]\(([^)#]+)\)", tick)
        assert files, tick
        assert [file for file in files if not (ROOT / file).is_file()] == [], tick
    assert set(re.findall(r"\]\(([^)#]+)\)", " ".join(ticks))) <= set(links(README))


def test_the_client_page_works(app: Flask) -> None:
    """Every command on the page for the client's programmers is answered without an error."""
    client = app.test_client()
    key = _key(app)
    for line in shell_lines(CLIENT):
        if line.startswith("curl "):
            response = curl.run(client, line, FILES, API="http://localhost:5000", KEY=key)
            assert response.status_code < 300, f"{line}: {response.get_data(as_text=True)}"


def _key(app: Flask) -> str:
    secret: str = app.extensions[NAME].keys.create("orhan")[1]
    return secret
