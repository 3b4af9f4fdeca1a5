"""Contracts are found by name, and those that cannot stand side by side stop the start."""

from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from stopgap.contracts.contract import Contract
from stopgap.contracts.loading import (
    ContractNotFound,
    ContractsOverlap,
    check_apart,
    load_contract,
    load_contracts,
)

FILE = """
from pydantic import BaseModel
from stopgap import Contract

class Inputs(BaseModel):
    text: bool

contract = Contract(name="mine", version="1", path="/mine/{text}", inputs=Inputs, output=bool)
other = 5
"""


def test_a_module_or_a_file(tmp_path: Path) -> None:
    """A contract is named by module or by file."""
    file = tmp_path / "mine.py"
    file.write_text(FILE)
    found = load_contracts(["stopgap.contracts.madcompany:contract", f"{file}:contract"])
    assert [contract.name for contract in found] == ["madcompany", "mine"]


def test_a_module_in_the_working_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A package that lies where the command is run is found, though it is not installed."""
    monkeypatch.syspath_prepend("")  # restores the path afterwards
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lying_here.py").write_text(FILE)
    assert load_contract("lying_here:contract").name == "mine"


@pytest.mark.parametrize(
    "place",
    [
        "",
        "x",
        ":contract",
        "stopgap:",
        "no.such.module:contract",
        "no/such/file.py:contract",
        "stopgap:Contract",
        "stopgap.contracts.madcompany:nothing",
        "stopgap:a b",
    ],
)
def test_not_found(place: str) -> None:
    """A place that holds no contract is told in words."""
    with pytest.raises(ContractNotFound):
        load_contract(place)


def test_a_broken_file(tmp_path: Path) -> None:
    """A file that is no Python, or holds no contract, is told in words."""
    broken = tmp_path / "broken.py"
    broken.write_text("def")
    plain = tmp_path / "plain.py"
    plain.write_text(FILE)
    for place in (f"{broken}:contract", f"{plain}:other"):
        with pytest.raises(ContractNotFound):
            load_contract(place)


class Inputs(BaseModel):
    """Two inputs, for paths to hold."""

    a: int
    b: int


def named(name: str, path: str) -> Contract:
    """Make a contract at a path."""
    output = Annotated[int, Field(ge=0, le=1)]
    return Contract(name=name, version="1", path=path, inputs=Inputs, output=output)


def test_a_file_whose_own_code_fails(tmp_path: Path) -> None:
    """What the author's own line raises is told in a line of ours, with the number of it."""
    file = tmp_path / "wrong.py"
    file.write_text(f"{FILE}\nContract(nothing=1)\n")
    with pytest.raises(ContractNotFound, match=r"TypeError: .*nothing.* \(line 11\)\.$"):
        load_contract(f"{file}:contract")


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("/p/{a}", "/p/{b}"),
        ("/p/{a}", "/p"),
        ("/p/{a}/{b}", "/p/q/{b}"),
        ("/p/q/{a}", "/p/{a}"),
        ("/p", "/p/q/{a}"),
    ],
)
def test_overlapping_paths(one: str, other: str) -> None:
    """Two contracts whose addresses could be one and the same are refused."""
    for contracts in ([named("x", one), named("y", other)], [named("y", other), named("x", one)]):
        with pytest.raises(ContractsOverlap):
            check_apart(contracts)


@pytest.mark.parametrize(
    ("one", "other"), [("/p/{a}", "/q/{a}"), ("/p/q/{a}", "/p/r/{a}"), ("/p/{a}", "/pp/{a}")]
)
def test_paths_apart(one: str, other: str) -> None:
    """Contracts with fixed beginnings of their own stand side by side."""
    check_apart([named("x", one), named("y", other)])


@pytest.mark.parametrize("path", ["/status/{a}", "/images/{a}", "/login", "/docs/x/{a}"])
def test_the_platforms_own(path: str) -> None:
    """A contract cannot take what the platform answers."""
    with pytest.raises(ContractsOverlap):
        check_apart([named("x", path)])


def test_one_name_twice() -> None:
    """Two contracts cannot share a name."""
    with pytest.raises(ContractsOverlap):
        check_apart([named("x", "/p/{a}"), named("x", "/q/{a}")])
