"""ONNX models: fed by name or as one matrix, and never with anything outside of their file."""

from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Literal

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper
from pydantic import BaseModel, Field
from tests.models.trained import Trained

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelUnloadable
from stopgap.models.kinds import load_model
from stopgap.models.loaded import found_of
from stopgap.models.onnx_file import refuse_unsafe

FLOAT, INT64, STRING, BOOL = (
    TensorProto.FLOAT,
    TensorProto.INT64,
    TensorProto.STRING,
    TensorProto.BOOL,
)


class Parcel(BaseModel):
    """One input of each kind that can be fed."""

    weight: Annotated[float, Field(ge=0, le=30)]
    pieces: Annotated[int, Field(ge=0, le=9)]
    service: Literal["standard", "express", "night"]
    fragile: bool


class Fate(BaseModel):
    """An output of several fields."""

    days: Annotated[float, Field(ge=0, le=100)]
    late: bool


def promised(output: object) -> Contract:
    """Promise some output for a parcel."""
    return Contract(name="parcel", version="1", path="/parcel", inputs=Parcel, output=output)


NUMBER = Annotated[float, Field(ge=0, le=100)]
ROWS = [
    Row.of(Parcel(weight=2.5, pieces=3, service="express", fragile=True)),
    Row.of(Parcel(weight=1, pieces=0, service="standard", fragile=False)),
    Row.of(Parcel(weight=0, pieces=9, service="night", fragile=True)),
]
Value = tuple[str, int, Sequence[int | str | None]]


def saved(
    folder: Path, inputs: Sequence[Value], outputs: Sequence[Value], *nodes: onnx.NodeProto
) -> str:
    """Save a model of some nodes; tell its URI."""
    graph = helper.make_graph(
        list(nodes),
        "graph",
        [helper.make_tensor_value_info(*each) for each in inputs],
        [helper.make_tensor_value_info(*each) for each in outputs],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 21)], ir_version=10)
    path = folder / "model.onnx"
    onnx.save(model, path)
    return f"onnx:{path}"


def answers(uri: str, output: object = NUMBER) -> list[Any]:
    """Ask a model for each row, together."""
    return list(load_model(uri, promised(output), None).predict(ROWS))


def summing(folder: Path, rows: str | int = "n", columns: int = 4, sort: int = FLOAT) -> str:
    """Save a model that adds up a matrix's columns, each ten times the one before."""
    powers = numpy_helper.from_array(np.array([[1], [10], [100], [1000]][:columns], np.float32))
    nodes = [
        helper.make_node("Constant", [], ["powers"], value=powers),
        helper.make_node("Cast", ["all"], ["numbers"], to=FLOAT),
        helper.make_node("MatMul", ["numbers", "powers"], ["sum"]),
    ]
    return saved(folder, [("all", sort, [rows, columns])], [("sum", FLOAT, [rows, 1])], *nodes)


def test_a_matrix_has_the_contracts_order(tmp_path: Path) -> None:
    """Columns are the fields in their order; a choice is its place in the list, yes is 1."""
    assert answers(summing(tmp_path)) == [2.5 + 30 + 100 + 1000, 1, 90 + 200 + 1000]


def test_a_model_of_one_row_is_asked_row_by_row(tmp_path: Path) -> None:
    """A model whose batch is fixed at one row answers batches all the same."""
    assert answers(summing(tmp_path, rows=1)) == [1132.5, 1, 1290]


def test_a_model_of_four_rows_is_refused(tmp_path: Path) -> None:
    """A model whose batch is fixed at another number would answer nobody who comes alone."""
    with pytest.raises(ModelUnloadable, match="takes 4 rows in every call"):
        answers(summing(tmp_path, rows=4))


def test_names_are_fed_by_name(tmp_path: Path) -> None:
    """Inputs named after fields get theirs, in any order, typed as they ask, and no others."""
    uri = saved(
        tmp_path,
        [("fragile", BOOL, ["n", 1]), ("pieces", INT64, ["n"])],
        [("out", FLOAT, ["n"])],
        helper.make_node("Cast", ["pieces"], ["p"], to=FLOAT),
        helper.make_node("Cast", ["fragile"], ["f"], to=FLOAT),
        helper.make_node("Squeeze", ["f"], ["g"]),
        helper.make_node("Add", ["p", "g"], ["out"]),
    )
    assert answers(uri) == [4, 0, 10]


def test_texts_are_fed_as_texts(tmp_path: Path) -> None:
    """An input of texts gets a choice's text, and what comes back as a text is one."""
    uri = saved(
        tmp_path,
        [("service", STRING, ["n", 1])],
        [("same", STRING, ["n", 1])],
        helper.make_node("Identity", ["service"], ["same"]),
    )
    found = answers(uri, Literal["standard", "express", "night"])
    assert found == ["express", "standard", "night"]


def test_a_choice_comes_back_by_its_place(tmp_path: Path) -> None:
    """A number for a choice is its place in the list; one that has no place is left as it is."""
    uri = saved(
        tmp_path,
        [("pieces", INT64, ["n", 1])],
        [("place", INT64, ["n", 1])],
        helper.make_node("Identity", ["pieces"], ["place"]),
    )
    assert answers(uri, Literal["a", "b", "c", "d"]) == ["d", "a", 9]
    assert answers(uri, bool) == [3, False, 9]


@pytest.mark.parametrize("named", [True, False], ids=["names", "columns"])
def test_objects(tmp_path: Path, named: bool) -> None:
    """An object comes from outputs that are named after its fields, or else from columns."""
    if named:
        outputs: list[Value] = [("days", FLOAT, ["n", 1]), ("late", BOOL, ["n", 1])]
        inputs: list[Value] = [("weight", FLOAT, ["n", 1]), ("fragile", BOOL, ["n", 1])]
        nodes = [
            helper.make_node("Identity", ["weight"], ["days"]),
            helper.make_node("Identity", ["fragile"], ["late"]),
        ]
    else:
        outputs = [("both", FLOAT, ["n", 2])]
        inputs = [("weight", FLOAT, ["n", 1]), ("fragile", FLOAT, ["n", 1])]
        nodes = [helper.make_node("Concat", ["weight", "fragile"], ["both"], axis=1)]
    found = answers(saved(tmp_path, inputs, outputs, *nodes), Fate)
    assert found[0] == {"days": 2.5, "late": True}
    assert found[1] == {"days": 1.0, "late": False}
    assert [type(each["late"]) for each in found] == [bool, bool, bool]


def test_outputs_that_are_not_read_are_told(tmp_path: Path) -> None:
    """A classifier has its label first: who is promised a probability is told what is read."""
    inputs: list[Value] = [("weight", FLOAT, ["n", 1]), ("fragile", BOOL, ["n", 1])]
    outputs: list[Value] = [("days", FLOAT, ["n", 1]), ("late", BOOL, ["n", 1])]
    nodes = [
        helper.make_node("Identity", ["weight"], ["days"]),
        helper.make_node("Identity", ["fragile"], ["late"]),
    ]
    uri = saved(tmp_path, inputs, outputs, *nodes)

    def note(uri: str, output: object) -> str | None:
        found: str | None = found_of(load_model(uri, promised(output), None), uri, None)["note"]
        return found

    assert note(uri, NUMBER) == "of its outputs the first is read, days, and not late"
    assert note(uri, Fate) is None
    assert note(saved(tmp_path, inputs, outputs[:1], *nodes), NUMBER) is None


@pytest.mark.parametrize(
    ("inputs", "reason"),
    [
        ([("all", FLOAT, ["n", 3])], "has 3 columns; the contract has 4: weight, pieces"),
        ([("all", STRING, ["n", 4])], "one of numbers"),
        ([("all", FLOAT, ["n", 4, 4])], "must be among weight, pieces, service, fragile"),
        ([("weight", FLOAT, ["n", 1]), ("size", FLOAT, ["n", 1])], "Its inputs are weight, size"),
        ([("weight", INT64, ["n", 1])], "weight is a number"),
        ([("weight", STRING, ["n", 1])], "weight is a number"),
        ([("weight", FLOAT, ["n", 7])], "not one value a row"),
        ([("weight", TensorProto.COMPLEX64, ["n", 1])], "complex64"),
    ],
)
def test_what_cannot_be_fed_is_refused(tmp_path: Path, inputs: list[Value], reason: str) -> None:
    """A model whose inputs do not fit the contract is refused, with both sides of the matter."""
    name, sort, shape = inputs[0]
    nodes = [helper.make_node("Identity", [name], ["out"])]
    uri = saved(tmp_path, inputs, [("out", sort, shape)], *nodes)
    with pytest.raises(ModelUnloadable, match=reason):
        answers(uri)


def external(folder: Path, place: str) -> str:
    """Save a model with a tensor that is outside of its file; somewhere in it, as `place` says."""
    tensor = numpy_helper.from_array(np.zeros(4, np.float32), "outside")
    tensor.ClearField("raw_data")
    tensor.data_location = TensorProto.EXTERNAL
    for key, value in (("location", "../../etc/passwd"), ("length", "16")):
        entry = tensor.external_data.add()
        entry.key, entry.value = key, value
    constant = helper.make_node("Constant", [], ["constant"], value=tensor)
    inner = helper.make_graph([constant], "inner", [], [])
    graph = helper.make_graph([], "graph", [], [])
    model = helper.make_model(graph)
    if place == "initializer":
        model.graph.initializer.append(tensor)
    elif place == "sparse":
        sparse = model.graph.sparse_initializer.add()
        sparse.values.CopyFrom(tensor)
    elif place == "constant":
        model.graph.node.append(constant)
    elif place == "branch":
        model.graph.node.append(helper.make_node("If", ["x"], ["y"], then_branch=inner))
    elif place == "function":
        function = helper.make_function("own", "f", [], ["constant"], [constant], [])
        model.functions.append(function)
    else:
        model.training_info.add().algorithm.CopyFrom(inner)
    path = folder / "model.onnx"
    path.write_bytes(model.SerializeToString())
    return f"onnx:{path}"


@pytest.mark.parametrize(
    "place", ["initializer", "sparse", "constant", "branch", "function", "training"]
)
def test_tensors_outside_are_refused(tmp_path: Path, place: str) -> None:
    """Wherever in a model a tensor is that lies in another file, the model is refused."""
    with pytest.raises(ModelUnloadable, match=r"other files, which are never read.*one file"):
        answers(external(tmp_path, place))


def holding(key: bytes, content: bytes) -> bytes:
    """Write a field of a protobuf message, shorter than 128 bytes."""
    return key + bytes([len(content)]) + content


@pytest.mark.parametrize(
    "key",
    [b"\x6a", b"\xea\x80\x80\x80\x10", b"\xea\x80\x80\x80\x80\x00", b"\xea\x80\x80\x80\x80\x01"],
    ids=["plain", "33 bits", "six bytes", "36 bits"],
)
def test_a_field_is_what_the_runtime_takes_it_for(key: bytes) -> None:
    """No way to write a field's number hides from us what ONNX Runtime would find."""
    outside = holding(key, holding(b"\x0a", b"location") + holding(b"\x12", b"secret"))
    model = holding(b"\x3a", holding(b"\x2a", outside))
    with pytest.raises(ModelUnloadable, match="other files" if key == b"\x6a" else "no ONNX file"):
        refuse_unsafe(model)


@pytest.mark.parametrize(
    "content",
    [b"", b"\x80\x04garbage", b"\x00" * 64, b"{}", b"\x3a\xff\xff\xff\xff\x0f", b"\x0b" * 99],
    ids=["empty", "pickle", "zeros", "json", "too-long", "groups"],
)
def test_other_files_are_refused(tmp_path: Path, content: bytes) -> None:
    """A file of another format, by the right name, is refused in one clear line."""
    path = tmp_path / "model.onnx"
    path.write_bytes(content)
    with pytest.raises(ModelUnloadable, match="no ONNX file"):
        answers(f"onnx:{path}")


def test_half_a_file_is_refused(tmp_path: Path, trained: Trained) -> None:
    """A model that was uploaded half is refused, wherever it was cut."""
    whole = trained.onnx.read_bytes()
    refuse_unsafe(whole)
    path = tmp_path / "half.onnx"
    for share in (0.1, 0.5, 0.9, 0.99):
        path.write_bytes(whole[: int(len(whole) * share)])
        with pytest.raises(ModelUnloadable):
            answers(f"onnx:{path}")


def test_the_runtimes_own_format_is_refused(tmp_path: Path) -> None:
    """ONNX Runtime would read a format of its own, which is not looked through: it is refused."""
    path = tmp_path / "model.onnx"
    path.write_bytes(b"\x18\x00\x00\x00ORTM" + b"\x00" * 64)
    with pytest.raises(ModelUnloadable, match="own format"):
        answers(f"onnx:{path}")


def test_a_model_that_the_runtime_refuses(tmp_path: Path) -> None:
    """What is wrong with a model in the runtime's eyes is told in its words, one line of them."""
    node = helper.make_node("NoSuchOperator", ["weight"], ["out"])
    uri = saved(tmp_path, [("weight", FLOAT, ["n", 1])], [("out", FLOAT, ["n", 1])], node)
    with pytest.raises(ModelUnloadable, match="NoSuchOperator") as refused:
        answers(uri)
    assert "\n" not in refused.value.detail
