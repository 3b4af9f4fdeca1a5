"""Presence: what a model needs and is not here is named, and nothing of the model is run."""

import sys
from pathlib import Path

import pytest

from stopgap.models.failures import ModelUnloadable
from stopgap.models.loaded import file_hash
from stopgap.models.presence import check_present
from stopgap.models.specification import Specification

RAISES = "raise RuntimeError('it was run')\n"


def specification(uri: str, **told: object) -> Specification:
    """Say what is to be here."""
    return Specification.of({"uri": uri, **told})


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Write a model that says so if it is run."""
    file = tmp_path / "model.py"
    file.write_text(RAISES)
    return file


@pytest.mark.parametrize("uri", ["onnx:a.onnx", "sklearn:a.skops", "python:json:loads"])
def test_what_is_installed(uri: str) -> None:
    """A kind whose libraries are installed is here, and so is a module."""
    check_present(specification(uri))


def test_code_is_found_and_not_run(model: Path) -> None:
    """A Python file is here whatever it does, for another Python too, and is what was verified."""
    uri = f"python:{model}:predict"
    check_present(specification(uri, file_hash=file_hash(model)))
    check_present(specification(uri, python=sys.executable))


def test_a_module_beside_us(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module in the folder of the command is found, as it is when it is loaded."""
    monkeypatch.chdir(model.parent)
    monkeypatch.delitem(sys.modules, "model", raising=False)  # some other test's
    check_present(specification("python:model:predict"))
    assert "model" not in sys.modules


@pytest.mark.parametrize(
    ("uri", "told", "reason"),
    [
        ("nothing:x", {}, "A model of the kind 'nothing' is not known here"),
        ("python:/no/such/file.py:predict", {}, "There is no file /no/such/file.py."),
        ("python:no_such_package.model:predict", {}, "There is no module 'no_such_package'."),
        ("python:predict", {}, "There is no module ''."),
        ("python:x:y", {"python": "/no/such/python"}, "/no/such/python is no program here."),
        ("python:/no/such/file.py:y", {"python": sys.executable}, "There is no file"),
    ],
)
def test_what_is_missing(uri: str, told: dict[str, object], reason: str) -> None:
    """What is missing is named."""
    with pytest.raises(ModelUnloadable, match=reason):
        check_present(specification(uri, **told))


def test_another_python_may_have_what_we_have_not() -> None:
    """What another Python has installed is not known, so nothing is said against it."""
    check_present(specification("python:no_such_package:predict", python=sys.executable))
    check_present(specification("nothing:x", python=sys.executable))


def test_a_library_that_is_not_installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """How to install it is said."""
    monkeypatch.setitem(sys.modules, "stopgap.models.onnx", None)
    with pytest.raises(ModelUnloadable, match="pip install numpy onnxruntime"):
        check_present(specification("onnx:a.onnx"))


def test_a_file_that_was_changed(model: Path) -> None:
    """A Python file that is another than was verified is not what is to answer."""
    verified = file_hash(model)
    model.write_text("def predict(row): return 2000\n")
    with pytest.raises(ModelUnloadable, match="has been changed since it was verified"):
        check_present(specification(f"python:{model}:predict", file_hash=verified))
