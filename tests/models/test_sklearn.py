"""scikit-learn models: skops files alone, of scikit-learn's own types alone."""

import pickle
import re
import sys
import zipfile
from pathlib import Path
from typing import Annotated, Literal

import joblib
import pandas as pd
import pytest
import sklearn
import skops.io
from pydantic import BaseModel, Field
from sklearn.compose import make_column_transformer
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.ensemble import RandomForestRegressor
from sklearn.feature_extraction.text import (
    CountVectorizer,
    HashingVectorizer,
    TfidfVectorizer,
)
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelUnloadable
from stopgap.models.kinds import load_model
from stopgap.models.loaded import Loaded, found_of
from stopgap.models.sklearn import LABELS, _is_own_class


class Point(BaseModel):
    """Inputs: two numbers."""

    x: Annotated[float, Field(ge=0, le=1)]
    y: Annotated[float, Field(ge=0, le=1)]


class Pair(BaseModel):
    """Outputs: two numbers."""

    total: Annotated[float, Field(ge=0, le=2)]
    double: Annotated[float, Field(ge=0, le=2)]


def promised(output: object) -> Contract:
    """Promise some output for a point."""
    return Contract(name="point", version="1", path="/point/{x}/{y}", inputs=Point, output=output)


DATA = pd.DataFrame({"x": [0.0, 0.5, 1.0, 0.3], "y": [0.0, 1.0, 0.5, 0.2]})
ASKED = [Row.of(Point(x=0.25, y=0.5)), Row.of(Point(x=1, y=1))]


def kept(model: object, folder: Path) -> str:
    """Keep a model with skops; tell its URI."""
    path = folder / "model.skops"
    skops.io.dump(model, path)
    return f"sklearn:{path}"


def test_fields_are_columns_in_the_contracts_order(tmp_path: Path) -> None:
    """The model is fed by the fields' names; scikit-learn itself would refuse another order."""
    model = LinearRegression().fit(DATA, DATA.x + 0.5 * DATA.y)
    found = load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)
    assert list(found) == pytest.approx([0.5, 1.5])


@pytest.mark.parametrize(("columns", "answers"), [(["y", "x"], [0.5, 1.5]), (["y"], [0.25, 0.5])])
def test_columns_are_those_of_its_fit(
    tmp_path: Path, columns: list[str], answers: list[float]
) -> None:
    """One that was fitted with the fields in another order, or with some, is fed as it was then."""
    model = LinearRegression().fit(DATA[columns], (DATA.x if "x" in columns else 0) + 0.5 * DATA.y)
    found = load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)
    assert list(found) == pytest.approx(answers)


def test_one_that_was_fitted_on_an_array_gets_one(tmp_path: Path) -> None:
    """An estimator that knows no names is given none, about which it would warn at each call."""
    model = make_pipeline(StandardScaler(), LinearRegression())
    model.fit(DATA.to_numpy(), DATA.x + 0.5 * DATA.y)
    found = load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)
    assert list(found) == pytest.approx([0.5, 1.5])


@pytest.mark.parametrize("first", ["passthrough", "columns"])
def test_a_step_that_takes_names_gets_them(tmp_path: Path, first: str) -> None:
    """A pipeline whose step chooses columns by their names is fed by names, wherever it stands."""
    chosen = make_column_transformer((StandardScaler(), ["x"]), remainder="passthrough")
    steps = [chosen] if first == "columns" else ["passthrough", chosen]
    model = make_pipeline(*steps, LinearRegression()).fit(DATA, DATA.x + 0.5 * DATA.y)
    found = load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)
    assert list(found) == pytest.approx([0.5, 1.5])


class Review(BaseModel):
    """Inputs: a text, and more."""

    stars: Annotated[int, Field(ge=1, le=5)] = 5
    text: Annotated[str, Field(max_length=99)]


class Letter(BaseModel):
    """Inputs: two texts."""

    subject: Annotated[str, Field(max_length=99)]
    text: Annotated[str, Field(max_length=99)]


TEXTS = pd.Series(["lovely place", "awful smell"] * 10)
MOODS = ["good", "bad"] * 10


def mood(inputs: type[BaseModel]) -> Contract:
    """Promise a mood."""
    output = Literal["good", "bad"]
    return Contract(name="mood", version="1", path="/mood", inputs=inputs, output=output)


@pytest.mark.parametrize("vectorizer", [TfidfVectorizer(), HashingVectorizer(n_features=64)])
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_vectorizer_gets_the_texts(tmp_path: Path, vectorizer: object, *, wrapped: bool) -> None:
    """A pipeline that begins with one gets the contract's text; a DataFrame would be its names."""
    pipeline = make_pipeline("passthrough", vectorizer, LogisticRegression())
    model = GridSearchCV(pipeline, {}, cv=2) if wrapped else pipeline
    uri = kept(model.fit(TEXTS, MOODS), tmp_path)
    asked = [Row.of(Review(text=text)) for text in ("awful smell", "lovely place", "lovely place")]
    found = load_model(uri, mood(Review), None).predict(asked)
    assert list(found) == ["bad", "good", "good"]


@pytest.mark.parametrize(("inputs", "field"), [(Letter, "subject"), (Point, "x")])
def test_a_vectorizer_is_to_know_its_text(
    tmp_path: Path, inputs: type[BaseModel], field: str
) -> None:
    """Where the contract has several texts, or none, its author has to say which field it reads."""
    model = make_pipeline(CountVectorizer(), LogisticRegression()).fit(TEXTS, MOODS)
    words = re.escape(f'ColumnTransformer([("{field}", vectorizer, "{field}")])')
    with pytest.raises(ModelUnloadable, match=words):
        load_model(kept(model, tmp_path), mood(inputs), None)


def test_a_vectorizer_of_a_named_column_gets_columns(tmp_path: Path) -> None:
    """A pipeline that says which text it reads is fed by names, like every other."""
    letters = pd.DataFrame({"text": TEXTS, "subject": "awful awful"})
    chosen = make_column_transformer((TfidfVectorizer(), "text"))
    model = make_pipeline(chosen, LogisticRegression()).fit(letters, MOODS)
    asked = [Row.of(Letter(subject="awful", text=text)) for text in ("lovely", "awful")]
    found = load_model(kept(model, tmp_path), mood(Letter), None).predict(asked)
    assert list(found) == ["good", "bad"]


def float_() -> object:
    """Promise a number."""
    return Annotated[float, Field(ge=0, le=2)]


def test_objects_come_from_columns(tmp_path: Path) -> None:
    """An output of several fields comes from a model of as many columns, in their order."""
    targets = pd.DataFrame({"total": DATA.x + DATA.y, "double": 2 * DATA.x})
    model = LinearRegression().fit(DATA, targets)
    first, second = load_model(kept(model, tmp_path), promised(Pair), None).predict(ASKED)
    assert first == pytest.approx({"total": 0.75, "double": 0.5})
    assert second == pytest.approx({"total": 2, "double": 2})


def test_an_object_of_too_few_columns(tmp_path: Path) -> None:
    """A model that gives one column for two fields is told so, in the words of its author."""
    model = load_model(kept(LinearRegression().fit(DATA, DATA.x), tmp_path), promised(Pair), None)
    with pytest.raises(ValueError, match=re.escape("an output of shape (2,) for 2 fields")):
        model.predict(ASKED)


def test_choices_are_texts(tmp_path: Path) -> None:
    """A classifier answers with its classes."""
    model = DummyClassifier().fit(DATA, ["north", "north", "south", "north"])
    contract = promised(Literal["north", "south"])
    assert list(load_model(kept(model, tmp_path), contract, None).predict(ASKED)) == ["north"] * 2


class Fate(BaseModel):
    """Outputs of different kinds."""

    days: Annotated[float, Field(ge=0, le=100)]
    late: bool
    side: Literal["north", "south"]


def test_objects_of_several_kinds_come_from_numbers(tmp_path: Path) -> None:
    """Where a matrix has numbers alone, a choice is its place in the list, and 1 and 0 booleans."""
    targets = pd.DataFrame({"days": [7.5] * 4, "late": [1] * 4, "side": [1] * 4})
    model = DummyRegressor().fit(DATA, targets)
    found = load_model(kept(model, tmp_path), promised(Fate), None).predict(ASKED)
    assert found == [{"days": 7.5, "late": True, "side": "south"}] * 2
    assert found[0]["late"] is True


@pytest.mark.parametrize(("output", "plain"), [(bool, True), (Literal["north", "south"], "south")])
def test_labels_that_are_numbers(tmp_path: Path, output: object, plain: object) -> None:
    """A classifier of 0 and 1 answers a boolean, or a choice by its place in the list."""
    model = DummyClassifier().fit(DATA, [1, 1, 0, 1])
    found = load_model(kept(model, tmp_path), promised(output), None).predict(ASKED)
    assert found == [plain] * 2


class Single(BaseModel):
    """An output of one field."""

    total: Annotated[float, Field(ge=0, le=2)]


def test_an_object_of_one_field_is_one_value_a_row(tmp_path: Path) -> None:
    """A model of one column gives one value a row, which is the field's."""
    model = DummyRegressor().fit(DATA, [1.5] * 4)
    found = load_model(kept(model, tmp_path), promised(Single), None).predict(ASKED)
    assert found == [{"total": 1.5}] * 2


class Judged(BaseModel):
    """Outputs: a choice, and a number."""

    side: Literal["north", "south"]
    sure: Annotated[float, Field(ge=0, le=1)]


@pytest.mark.parametrize(
    ("output", "told"),
    [
        (Annotated[float, Field(ge=0, le=1)], True),
        (Judged, True),
        (Annotated[int, Field(ge=0, le=9)], False),
        (bool, False),
        (Literal["north", "south"], False),
    ],
)
def test_labels_for_a_number_are_told(tmp_path: Path, output: object, told: bool) -> None:
    """Labels 0 and 1 keep the promise of a probability, and are none: that is said."""
    model = make_pipeline(StandardScaler(), LogisticRegression()).fit(DATA, [0, 0, 1, 0])
    found = found_of(load_model(kept(model, tmp_path), promised(output), None), "sklearn:x", None)
    assert found["note"] == (LABELS if told else None)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_notes_are_told_together(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """One note hides no other, and none is cut short."""
    model = LogisticRegression().fit(DATA, [0, 0, 1, 0])
    loaded = load_model(kept_with("1.2.3", model, tmp_path, monkeypatch), promised(float_()), None)
    found = Loaded.of(found_of(loaded, "sklearn:x", None), 0.0)
    assert found.note is not None
    assert found.note.startswith("kept with scikit-learn 1.2.3")
    assert found.note.endswith(f"; {LABELS}")


def test_trees_are_trusted(tmp_path: Path) -> None:
    """What scikit-learn's own models are made of is trusted, compiled parts too."""
    model = RandomForestRegressor(3, random_state=0).fit(DATA, DATA.x)
    assert len(load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)) == 2


def test_imputers_are_trusted(tmp_path: Path) -> None:
    """What skops asks about for nothing but a dtype is loaded."""
    model = make_pipeline(SimpleImputer(), LinearRegression()).fit(DATA, DATA.x)
    assert len(load_model(kept(model, tmp_path), promised(float_()), None).predict(ASKED)) == 2


def kept_with(version: str, model: object, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Keep a model as another scikit-learn would, by its own word."""
    with monkeypatch.context() as patch:
        patch.setattr("sklearn.base.__version__", version)
        return kept(model, folder)


@pytest.mark.filterwarnings("ignore::sklearn.exceptions.InconsistentVersionWarning")
def test_another_version_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An estimator that another scikit-learn has kept is loaded, with a word about it."""
    model = make_pipeline(StandardScaler(), LinearRegression()).fit(DATA, DATA.x)
    loaded = load_model(kept_with("1.2.3", model, tmp_path, monkeypatch), promised(float_()), None)
    assert found_of(loaded, "sklearn:x", None)["note"].startswith(
        f"kept with scikit-learn 1.2.3, and this is {sklearn.__version__}"
    )
    loaded = load_model(kept(model, tmp_path), promised(float_()), None)
    assert found_of(loaded, "sklearn:x", None)["note"] is None


def test_a_type_that_another_version_has(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What is refused may be another scikit-learn's own, so its version is told."""
    odd = FunctionTransformer(func=pickle.loads)
    with pytest.raises(ModelUnloadable, match=r"kept with scikit-learn 1\.2\.3.*--python"):
        load_model(kept_with("1.2.3", odd, tmp_path, monkeypatch), promised(float_()), None)


class OwnRegressor(LinearRegression):  # type: ignore[misc]  # without types
    """Somebody's own type."""


@pytest.mark.parametrize(
    ("model", "named"),
    [
        (OwnRegressor().fit(DATA, DATA.x), "OwnRegressor"),
        (FunctionTransformer(func=pickle.loads), "loads"),
        (FunctionTransformer(func=zipfile.ZipFile), "ZipFile"),
    ],
    ids=["own", "function", "class"],
)
def test_other_types_are_refused_by_name(tmp_path: Path, model: object, named: str) -> None:
    """A type or function that is not scikit-learn's is never made, and is named."""
    with pytest.raises(ModelUnloadable, match=f"{named}.*python:module:attribute"):
        load_model(kept(model, tmp_path), promised(float_()), None)


class Bomb:
    """A pickle that leaves a trace when it is read."""

    def __init__(self, trace: Path) -> None:
        self.trace = trace

    def __reduce__(self) -> tuple[object, ...]:
        return (Path.touch, (self.trace,))


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "model.skops"])
def test_pickles_are_refused_unread(tmp_path: Path, name: str) -> None:
    """A pickle by any name is refused without being read, with the command that converts it."""
    path, trace = tmp_path / name, tmp_path / "trace"
    path.write_bytes(pickle.dumps(Bomb(trace)))
    with pytest.raises(ModelUnloadable, match=r"joblib.load\(.*skops.io.dump|skops.io.dump"):
        load_model(f"sklearn:{path}", promised(float_()), None)
    assert not trace.exists()


def test_compressed_joblib_is_refused(tmp_path: Path) -> None:
    """A compressed pickle is none the better."""
    path = tmp_path / "model.joblib"
    joblib.dump(LinearRegression(), path, compress=3)
    with pytest.raises(ModelUnloadable, match="is a pickle"):
        load_model(f"sklearn:{path}", promised(float_()), None)


def test_what_is_no_model_is_refused(tmp_path: Path) -> None:
    """Half a file, another zip, and what cannot predict are refused."""
    whole = Path(kept(LinearRegression(), tmp_path).removeprefix("sklearn:")).read_bytes()
    path = tmp_path / "other.skops"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(ModelUnloadable, match="no skops file"):
        load_model(f"sklearn:{path}", promised(float_()), None)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "no model")
    with pytest.raises(ModelUnloadable, match="cannot be loaded by skops"):
        load_model(f"sklearn:{path}", promised(float_()), None)
    with pytest.raises(ModelUnloadable, match="StandardScaler, which cannot predict"):
        load_model(kept(StandardScaler(), tmp_path), promised(float_()), None)


def test_a_class_that_scikit_learn_has_only_imported(tmp_path: Path) -> None:
    """Another's class is not trusted for lying in a module of scikit-learn as well."""
    path = Path(kept(FunctionTransformer(func=zipfile.ZipFile), tmp_path).removeprefix("sklearn:"))
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    schema = re.sub(rb'"zipfile[^"]*"', b'"sklearn.datasets._openml"', members["schema.json"])
    members["schema.json"] = schema.replace(b'"ZipFile"', b'"TemporaryDirectory"')
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    with pytest.raises(ModelUnloadable, match=r"TemporaryDirectory.*python:module:attribute"):
        load_model(f"sklearn:{path}", promised(float_()), None)


def test_no_module_is_imported_that_a_file_names() -> None:
    """What a file says it holds is looked for in scikit-learn alone: an import runs code."""
    sys.modules.pop("this", None)
    assert not _is_own_class("this.s")
    assert "this" not in sys.modules


def test_functions_of_its_own_are_not_trusted() -> None:
    """Scikit-learn's functions are none of its classes: some read files, or fetch them."""
    assert _is_own_class("sklearn.linear_model._base.LinearRegression")
    assert not _is_own_class("sklearn.datasets._base.load_files")
