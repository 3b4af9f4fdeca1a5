"""Every server is asked the same, and stands on pins."""

import json
import re

import pytest
from bench.contestants import OURS, PEERS, ROOT, Contestant
from bench.serving import invalid, valid

from bench import model_servers

EVERYONE = [*OURS, *PEERS, *model_servers.CONTESTANTS]
everyone = pytest.mark.parametrize("contestant", EVERYONE, ids=lambda each: each.name)
ENVIRONMENTS = sorted({each.environment for each in EVERYONE if each.environment})


@everyone
def test_asked_the_same(contestant: Contestant) -> None:
    """Whatever its form, a request brings the same three values."""
    for request, month in (
        (valid(contestant.request), "january"),
        (invalid(contestant.request), "smarch"),
    ):
        sent = request.path + request.body
        assert re.findall(r"\b(?:5|100|january|smarch)\b", sent) == ["5", month, "100"]
        assert "{seller" not in sent
        assert not request.body or json.loads(request.body)


def test_all_read_json() -> None:
    """Whoever is measured with a model is asked in a body, which each has to read."""
    for each in model_servers.CONTESTANTS:
        assert each.request.method == "POST"
        assert each.request.headers == {"Content-Type": "application/json"}
        assert each.request.body, each.name


def test_names() -> None:
    """A name is one server's alone: figures are kept under it."""
    for together in ((*OURS, *PEERS), model_servers.CONTESTANTS):
        names = [each.name for each in together]
        assert len(set(names)) == len(names)


@everyone
def test_our_servers_are_there(contestant: Contestant) -> None:
    """A module of ours that a command names exists."""
    named = re.findall(
        r"bench\.servers\.[a-z_.]+\b(?<!\.)",
        " ".join([*contestant.command, *contestant.variables.values()]),
    )
    for module in named:
        assert (ROOT / f"{module.replace('.', '/')}.py").is_file()


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_pins(environment: str) -> None:
    """A peer's libraries are pinned, every one, and no file says where they are fetched from."""
    text = (ROOT / f"bench/requirements-{environment}.txt").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert any(line.startswith(f"{environment}==") for line in lines)
    assert [line for line in lines if not re.match(r"[\w.-]+==[\w.]+( ;.+)?$", line)] == []
    assert "://" not in text


def test_one_scikit_learn() -> None:
    """Whoever is measured with a model has the libraries that Stopgap has, in the same versions."""
    ours = (ROOT / "requirements-dev.txt").read_text()
    for each in filter(None, (each.environment for each in model_servers.CONTESTANTS)):
        theirs = (ROOT / f"bench/requirements-{each}.txt").read_text()
        for name in ("scikit-learn", "skops", "pandas", "numpy"):
            assert pins_of(name, theirs) == pins_of(name, ours), each


def pins_of(name: str, text: str) -> list[str]:
    """List a library's versions, with the Pythons that they are for."""
    found = re.findall(rf"^{name}==([^\s;]+)(?: ; ([^\\\n]+?))?(?: \\)?$", text, re.MULTILINE)
    return [" ".join(each).strip() for each in found]
