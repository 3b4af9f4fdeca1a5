"""Finding the contract that a setting names: `package.module:attribute` or `file.py:attribute`."""

import hashlib
import importlib
import importlib.util
import random
import sys
from collections.abc import Mapping, Sequence
from importlib.machinery import SourceFileLoader
from pathlib import Path
from traceback import extract_tb
from types import ModuleType
from typing import Any

from stopgap.contracts.contract import Contract, segments_of
from stopgap.contracts.soundness import check_sound
from stopgap.errors import StartRefused, StopgapError

PLATFORM = frozenset(
    {"console", "docs", "health", "images", "login", "logout", "metrics", "openapi.json"}
    | {"problems", "static", "status"}
)
"""First parts of paths that are the platform's own."""

MARK = "@"
"""Between the name of a file and what stands for its folders."""


class ContractNotFound(StartRefused):
    """No contract is where the setting or the command line says that one is."""


class ContractsOverlap(StartRefused):
    """Two contracts, or a contract and the platform, claim the same paths or the same name."""


def load_contracts(places: Sequence[str]) -> tuple[Contract, ...]:
    """Import the named contracts, to be served.

    Raises:
        ContractNotFound: one is not there, or is no contract.
        ContractInvalid: no inputs of one can be drawn, or an example in it is refused.
        ContractsOverlap: they cannot be served side by side.
    """
    contracts = tuple(load_contract(place) for place in places)
    check_apart(contracts)
    source = random.Random(0)  # noqa: S311  # any inputs will do
    for contract in contracts:
        check_sound(contract, source)
    return contracts


def load_contract(place: str) -> Contract:
    """Import one contract.

    Raises:
        ContractNotFound: it is not there, or is no contract.
    """
    module_name, _, attribute = place.rpartition(":")
    if not module_name or not attribute.isidentifier():
        raise ContractNotFound(
            f"{place!r} is not written as module:attribute or file.py:attribute."
        )
    found = getattr(_module(module_name, place), attribute, None)
    if not isinstance(found, Contract):
        raise ContractNotFound(f"{module_name} has no contract called {attribute}.")
    return found


def _module(name: str, place: str) -> ModuleType:
    try:
        return import_place(name)
    except StopgapError:
        raise
    except (ImportError, OSError, SyntaxError) as error:
        raise ContractNotFound(f"{place!r} cannot be imported: {error}.") from error
    except (Exception, SystemExit) as error:  # its own code may raise anything
        raise ContractNotFound(f"{place!r} cannot be imported: {raised(error, name)}.") from error


def raised(error: BaseException, place: str) -> str:
    """Say what an author's code has raised, and in which line, if that is in the file itself."""
    path = str(Path(place).resolve())
    lines = [each.lineno for each in extract_tb(error.__traceback__) if each.filename == path]
    at = f" (line {lines[-1]})" if lines else ""
    return f"{type(error).__name__}: {error}".removesuffix(": ") + at


class AsItIs(SourceFileLoader):
    """Reads a file's source each time, and keeps no bytecode beside it.

    Python takes kept bytecode for the source's if size and second of its last change are the same;
    a deployment may set that moment, and what was verified is the source.
    """

    def path_stats(self, path: str) -> Mapping[str, Any]:
        """Tell nothing that bytecode could be held against."""
        raise OSError(path)


def import_place(name: str) -> ModuleType:
    """Import `package.module`, or `file.py` as a module of its own.

    A file's module is known by its whole path, so that two files of one name are two modules; what
    is imported later finds the first of them by its plain name, unless another module has that.

    Raises:
        ImportError, OSError, SyntaxError: it is not there, or is no Python.
        Exception, SystemExit: whatever its own code raises.
    """
    if not name.endswith(".py"):
        return _installed_or_here(name)
    path = Path(name).resolve()
    plain = path.stem.replace(".", "_")  # a point would make it a part of a package
    own_name = f"{plain}{MARK}{hashlib.sha256(bytes(path)).hexdigest()[:16]}"
    loader = AsItIs(own_name, str(path))
    spec = importlib.util.spec_from_file_location(own_name, path, loader=loader)
    if spec is None or spec.loader is None:
        raise ImportError(f"{name} cannot be read as Python")
    module = importlib.util.module_from_spec(spec)
    before = sys.modules.get(own_name)
    sys.modules[own_name] = module  # annotations, dataclasses and pickles look there
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[own_name]
        if before:
            sys.modules[own_name] = before
        raise
    if plain not in sys.modules and importlib.util.find_spec(plain) is None:
        sys.modules[plain] = module
    return module


def plain_name(module: ModuleType) -> str:
    """Name a module as people do: a file by its name without the folders."""
    return module.__name__.partition(MARK)[0]


def _installed_or_here(name: str) -> ModuleType:
    """Import a module, also from the folder that the command is run in, as `python -m` does."""
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)
    return importlib.import_module(name)


def check_apart(contracts: Sequence[Contract]) -> None:
    """Hold the contracts' paths and names against each other and the platform's.

    Raises:
        ContractsOverlap: they cannot be served side by side.
    """
    for number, contract in enumerate(contracts):
        if contract.segments[0] in PLATFORM:
            raise ContractsOverlap(f"{contract.name}: /{contract.segments[0]} is the platform's.")
        for other in contracts[:number]:
            if contract.name == other.name:
                raise ContractsOverlap(f"Two contracts are called {contract.name}.")
            if contract.identifier == other.identifier:
                raise ContractsOverlap(
                    f"{contract.name} and {other.name} are both {contract.identifier} in the "
                    "OpenAPI document, where operations have names of their own; rename one."
                )
            if _begins(contract, other) or _begins(other, contract):
                raise ContractsOverlap(
                    f"{contract.name} ({contract.path}) and {other.name} ({other.path}) overlap."
                )


def _begins(one: Contract, other: Contract) -> bool:
    beginning = segments_of(one.prefix)
    return other.segments[: len(beginning)] == beginning
