"""What is told of a model that was loaded."""

import sys
from types import ModuleType

import pytest

from stopgap.models.loaded import found_of
from stopgap.models.python import RowModel


class Coy(ModuleType):
    """A library that makes its version up when asked, and warns that it will do so no longer."""

    def __getattr__(self, name: str) -> str:
        """Warn, which is an error here."""
        raise DeprecationWarning(name)


def test_a_library_that_makes_its_version_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Versions are read where they are written; a library is not asked for what it warns about."""
    monkeypatch.setitem(sys.modules, "coy", Coy("coy"))
    author = ModuleType("author")
    author.__dict__["__version__"] = "1.2"
    found = found_of(RowModel(author, lambda row: row), "python:author:model", None)
    assert (found["module"], found["version"]) == ("author", "1.2")
    assert "coy" not in found["packages"]
    assert "pydantic" in found["packages"]
