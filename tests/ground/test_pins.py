"""The pins: what set-up, Docker and Heroku install."""

import re
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
FILES = ["requirements.txt", "requirements-dev.txt"]


def pins(name: str) -> dict[str, set[str]]:
    """Read a pin file: library -> its versions (by marker there may be several)."""
    found: dict[str, set[str]] = {}
    for library, version in re.findall(
        r"^([\w.-]+)==([^\s;]+)", (ROOT / name).read_text(), re.MULTILINE
    ):
        found.setdefault(canonicalize_name(library), set()).add(version)
    return found


def assert_pinned(wanted: Iterable[str], name: str) -> None:
    """Hold what pyproject.toml wants against a pin file."""
    pinned = pins(name)
    for requirement in map(Requirement, wanted):
        versions = pinned.get(canonicalize_name(requirement.name), set())
        assert versions, f"{requirement} is not in {name}: make pins"
        assert all(map(requirement.specifier.contains, versions)), f"{requirement}: make pins"


def test_current() -> None:
    """Whatever pyproject.toml asks for is pinned, in a version that it allows."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    runtime = project["project"]["dependencies"]
    assert_pinned(runtime, "requirements.txt")
    assert_pinned([*runtime, *project["dependency-groups"]["dev"]], "requirements-dev.txt")


def test_one_set() -> None:
    """The tests run with the very versions that are deployed."""
    everything = pins("requirements-dev.txt")
    assert all(everything.get(name) == each for name, each in pins("requirements.txt").items())


@pytest.mark.parametrize("name", FILES)
def test_hashes(name: str) -> None:
    """Every pin has its hashes, and none says where it is to be fetched from."""
    text = (ROOT / name).read_text()
    entries = re.split(
        r"^(?=\S)", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE), flags=re.MULTILINE
    )[1:]
    assert len(entries) >= len(pins(name))
    assert all(re.match(r"[\w.-]+==\S+.*\\\n\s+--hash=sha256:", entry) for entry in entries)
    assert not re.search(r"://|--index|--find-links|--trusted|/tmp|/home", text)
