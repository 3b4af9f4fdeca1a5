"""Contracts are found by name, and those that cannot stand side by side stop the start."""

import os
import sys
from pathlib import Path
from typing import Annotated

import pytest
from pydantic import BaseModel, Field

from stopgap.contracts.annotations import ContractInvalid
from stopgap.contracts.contract import Contract
from stopgap.contracts.kinds import Integer
from stopgap.contracts.loading import (
    ContractNotFound,
    ContractsOverlap,
    check_apart,
    import_place,
    load_contract,
    load_contracts,
    plain_name,
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


LATE = """
from __future__ import annotations

import pickle
from dataclasses import dataclass
from typing import Annotated

from pydantic import BaseModel, Field
from stopgap import Contract


@dataclass
class Kept:
    size: Size


class Inputs(BaseModel):
    size: Size


Size = Annotated[int, Field(le={most})]
Inputs.model_rebuild()
contract = Contract(name="late", version="1", path="/late/{{size}}", inputs=Inputs, output=bool)
again = pickle.loads(pickle.dumps(Kept(5)))
"""


@pytest.mark.parametrize("name", ["late", "inspect", "platform", "statistics", "pydantic", "a.b"])
def test_files_of_one_name(tmp_path: Path, name: str) -> None:
    """Two files of one name, whatever it is, are two modules, and nobody else's."""
    theirs = sys.modules.get(name)
    found = []
    for most in (5, 9):
        file = tmp_path / str(most) / f"{name}.py"
        file.parent.mkdir()
        file.write_text(LATE.format(most=most))
        found.append(load_contract(f"{file}:contract"))
    assert [contract.fields[0].kind for contract in found] == [Integer(high=5), Integer(high=9)]
    known = [sys.modules[contract.inputs.__module__] for contract in found]
    assert [plain_name(module) for module in known] == [name.replace(".", "_")] * 2
    assert known[0] is not known[1]
    assert sys.modules.get(name) is (known[0] if name == "late" else theirs)
    sys.modules.pop("late", None)
    sys.modules.pop("a_b", None)


def test_a_standard_module_is_not_replaced(tmp_path: Path) -> None:
    """A file named like a module that nobody has imported yet does not take its place."""
    file = tmp_path / "this.py"
    file.write_text(FILE)
    assert load_contract(f"{file}:contract").name == "mine"
    assert "this" not in sys.modules


def test_a_file_is_read_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A change is seen that leaves size and moment as they were, and nothing is put beside it."""
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    file = tmp_path / "module.py"
    for number in (1, 2):
        file.write_text(f"number = {number}\n")
        os.utime(file, (1, 1))
        assert import_place(str(file)).number == number
    assert list(tmp_path.iterdir()) == [file]


def test_a_file_that_fails_leaves_nothing(tmp_path: Path) -> None:
    """What was loaded before stays; what could not be loaded is not there."""
    file = tmp_path / "failing.py"
    before = set(sys.modules)
    file.write_text("raise ValueError")
    with pytest.raises(ContractNotFound):
        load_contract(f"{file}:contract")
    assert set(sys.modules) == before
    file.write_text(FILE)
    name = load_contract(f"{file}:contract").inputs.__module__
    loaded = sys.modules[name]
    file.write_text("raise ValueError")
    with pytest.raises(ContractNotFound):
        load_contract(f"{file}:contract")
    assert sys.modules[name] is loaded
    sys.modules.pop("failing")


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


def test_a_contract_that_nobody_can_be_shown(tmp_path: Path) -> None:
    """What is served can be shown and tried; an old contract can be compared all the same."""
    file = tmp_path / "coded.py"
    file.write_text(FILE.replace("text: bool", "text: Annotated[str, Field(pattern='^a')]"))
    file.write_text("from typing import Annotated\nfrom pydantic import Field\n" + file.read_text())
    with pytest.raises(ContractInvalid, match=r"mine: text cannot be sampled: .* an example"):
        load_contracts([f"{file}:contract"])
    assert load_contract(f"{file}:contract").name == "mine"


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


def test_two_names_that_are_one_in_programs() -> None:
    """Clients' functions are named for the contracts, and no hyphen tells digits apart there."""
    with pytest.raises(ContractsOverlap, match="price-2 and price2 are both Price2 in the OpenAPI"):
        check_apart([named("price2", "/p/{a}"), named("price-2", "/q/{a}")])
    check_apart([named("price2", "/p/{a}"), named("price-b2", "/q/{a}")])
