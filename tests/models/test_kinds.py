"""Each kind of model answers alike, others can add theirs, and what is missing is told."""

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.models.trained import Trained, rows

from stopgap.contracts.madcompany import contract
from stopgap.models.answering import Answering, decoded
from stopgap.models.failures import ModelRaised, ModelUnloadable
from stopgap.models.kinds import ModelKindUnknown, find_kind, load_model
from stopgap.models.loaded import found_of
from stopgap.releases.verification.report import SAID_MAX


@pytest.mark.parametrize("form", ["python", "onnx", "sklearn"])
def test_the_same_model_gives_the_same_answers(trained: Trained, form: str) -> None:
    """One pipeline answers alike through each kind; ONNX within the precision of its floats."""
    places = {"python": trained.python, "onnx": trained.onnx, "sklearn": trained.skops}
    uri = f"{form}:{places[form]}" + (":Model" if form == "python" else "")
    model = load_model(uri, contract, None)
    asked = rows(300)
    own = load_model(f"sklearn:{trained.skops}", contract, None).predict(asked)
    answers = [float(each) for each in model.predict(asked)]
    assert len(set(answers)) > 100
    assert np.allclose(answers, list(own), rtol=1e-6)
    alone = [float(model.predict([row])[0]) for row in asked[:20]]
    assert np.allclose(alone, answers[:20], rtol=1e-6)


def test_a_function_of_one_row_is_a_model(trained: Trained) -> None:
    """A plain function is asked once for each row, and what was seen of its module is told."""
    model = load_model(f"python:{trained.python}:one", contract, None)
    asked = rows(2)
    batch = load_model(f"python:{trained.python}:Model", contract, None)
    assert np.allclose(model.predict(asked), batch.predict(asked))
    found = found_of(model, "python:x:one", None)
    assert (found["module"], found["version"]) == ("sales_model", "1.2.3")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ("async def answer(row): return 1", "asynchronous"),
        ("class answer:\n    async def predict(self, rows): return []", "asynchronous"),
        ("answer = 3", "cannot be called"),
        ("import no_such_library", "no_such_library"),
        ("another = print", "There is no answer in .*module.py"),
        ("import sys\nsys.exit()", r"cannot be imported: SystemExit \(line 2\)$"),
        ("\nraise SystemError('odd')", r"cannot be imported: SystemError: odd \(line 2\)$"),
        (
            "class answer:\n    def __init__(self): self.x = {}['y']",
            r"cannot be made: KeyError: 'y' \(line 2\)$",
        ),
        ("answer =", "SyntaxError"),
    ],
)
def test_python_that_is_no_model(tmp_path: Path, body: str, reason: str) -> None:
    """What is no model, or cannot be imported or made, is refused with the reason and its line."""
    file = tmp_path / "module.py"
    file.write_text(body)
    with pytest.raises(ModelUnloadable, match=reason):
        load_model(f"python:{file}:answer", contract, None)


@pytest.mark.parametrize(
    ("body", "hint"),
    [
        ("def answer(rows): return [row.month for row in rows]", "one row at a time: `row.name`"),
        ("def answer(rows): return [1] * len(rows)", "for batches, an object has `predict`"),
        ("def answer(row): return row['month']", "one row at a time: `row.name`"),
        (
            (
                "class Fitted:\n    def fit(self): pass\n"
                "    def predict(self, table): raise ValueError(f'no table: {table * 50}')\n"
                "answer = Fitted()"
            ),
            "pandas.DataFrame([row.model_dump() for row in rows])",
        ),
        ("def answer(row): return row.no_such", None),
        ("def answer(row): raise ValueError('not subscriptable')", None),
    ],
)
def test_usual_mistakes_are_told_with_a_hint(tmp_path: Path, body: str, hint: str | None) -> None:
    """Who takes a row for a list, or a list for a table, is told what comes."""
    (tmp_path / "module.py").write_text(body)
    model = load_model(f"python:{tmp_path / 'module.py'}:answer", contract, None)
    (failure,) = decoded(Answering(model, lambda: 0.0).once(rows(1)), 1)
    assert isinstance(failure, ModelRaised)
    assert (hint in failure.reason) if hint else ("(A " not in failure.reason)
    assert len(failure.reason) < SAID_MAX


@pytest.mark.parametrize("beside", ["features.py", "features/scaling.py"])
def test_what_lies_beside_a_file(tmp_path: Path, beside: str) -> None:
    """A file cannot import its neighbour, but a module in the server's folder can: that is told."""
    neighbour = tmp_path / beside
    neighbour.parent.mkdir(exist_ok=True)
    neighbour.write_text("price = 3000")
    module = beside.removesuffix(".py").replace("/", ".")
    (tmp_path / "top.py").write_text(f"from {module} import price\ndef answer(row): return price")
    words = r"features(\.py)? lies beside it.*hand it in as python:top:answer$"
    with pytest.raises(ModelUnloadable, match=words):
        load_model(f"python:{tmp_path / 'top.py'}:answer", contract, None)
    code = (
        "from stopgap.contracts.madcompany import contract\n"
        "from stopgap.models.kinds import load_model\n"
        "print(load_model('python:top:answer', contract, None).module.price)"
    )
    command, paths = [sys.executable, "-c", code], ":".join(sys.path)
    result = subprocess.run(
        command, env={"PYTHONPATH": paths}, cwd=tmp_path, capture_output=True, check=True
    )
    assert result.stdout == b"3000\n"


def test_an_unknown_kind_is_told_the_known_ones() -> None:
    """A scheme that nobody knows is an error that lists those that are known."""
    with pytest.raises(ModelKindUnknown, match=r"'pmml'.*onnx, python, sklearn\.$"):
        find_kind("pmml:model.xml")
    with pytest.raises(ModelKindUnknown, match=r"Perhaps python:sales\.py:Model is meant\.$"):
        find_kind("sales.py:Model")


def test_which_kinds_are_files() -> None:
    """A kind whose models are files says so."""
    facts = {name: find_kind(f"{name}:x") for name in ("python", "onnx", "sklearn")}
    assert [name for name, kind in facts.items() if kind.is_file] == ["onnx", "sklearn"]
    assert all(kind.name == name for name, kind in facts.items())


ADDED = """
class Constant:
    name, is_file = "constant", False

    def load(self, reference, contract, path):
        return self.Model(int(reference))

    class Model:
        def __init__(self, value):
            self.value = value

        def predict(self, rows):
            return [self.value] * len(rows)

kind = Constant()
"""

ASK = """
from stopgap.contracts.madcompany import contract
from stopgap.models.kinds import load_model, find_kind
print(load_model("constant:7", contract, None).predict([1, 2]), find_kind("python:x").name)
try:
    find_kind("broken:x")
except Exception as error:
    print(type(error).__name__, error.detail)
"""


def test_others_add_kinds(tmp_path: Path) -> None:
    """A kind of somebody else's is one module and one line of an entry point."""
    (tmp_path / "added.py").write_text(ADDED)
    folder = tmp_path / "added-1.0.dist-info"
    folder.mkdir()
    (folder / "METADATA").write_text("Metadata-Version: 2.1\nName: added\nVersion: 1.0\n")
    (folder / "entry_points.txt").write_text(
        "[stopgap.models]\nconstant = added:kind\nbroken = no_such:kind\npython = added:kind\n"
    )
    paths = ":".join([str(tmp_path), *sys.path])
    said = subprocess.run(
        [sys.executable, "-c", ASK],
        env={"PYTHONPATH": paths},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stderr == ""
    lines = said.stdout.splitlines()
    assert lines[0] == "[7, 7] python"
    assert "no_such:kind" in lines[1]


PYPROJECT = Path(__file__).parents[2] / "pyproject.toml"

HIDE = """
import sys
sys.modules[{name!r}] = None  # as if it were not installed
from pathlib import Path
from stopgap.contracts.madcompany import contract
from stopgap.models.kinds import load_model
try:
    load_model({uri!r}, contract, Path(__file__ if "__file__" in globals() else sys.executable))
except Exception as error:
    print(error.detail)
"""


@pytest.mark.parametrize(
    ("name", "uri", "kind"),
    [("onnxruntime", "onnx:m.onnx", "onnx"), ("skops", "sklearn:m.skops", "sklearn")],
)
def test_a_missing_library_is_told(name: str, uri: str, kind: str) -> None:
    """Without the library of a kind its models are refused, with the command for its own Python."""
    said = subprocess.run(
        [sys.executable, "-c", HIDE.format(name=name, uri=uri)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert name in said.stdout
    needed = tomllib.loads(PYPROJECT.read_text())["project"]["optional-dependencies"][kind]
    libraries = " ".join(each.partition("~")[0] for each in needed)
    assert f"{sys.executable} -m pip install {libraries}\n" in said.stdout


def test_no_library_is_imported_before_it_is_needed() -> None:
    """A server without real models imports none of their libraries."""
    script = (
        "import sys, stopgap.models.slot, stopgap.models.child\n"
        "print(sorted({'numpy', 'onnxruntime', 'pandas', 'sklearn', 'skops', 'sqlalchemy', 'flask'}"
        " & set(sys.modules)))"
    )
    command: list[Any] = [sys.executable, "-c", script]
    said = subprocess.run(
        command,
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "[]\n"
