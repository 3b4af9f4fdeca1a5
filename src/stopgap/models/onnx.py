"""ONNX models, run by ONNX Runtime: `onnx:model.onnx`.

What it is fed:

- If each of its inputs is named after a field of the contract, each gets that field's values; a
  field that it does not take is left out.
- Otherwise it must have one input, a matrix of numbers: a row for each request, a column for each
  field, in the contract's order.

A choice is fed as its text where the input takes texts, and as its place in the contract's list,
counted from 0, where it takes numbers; yes and no as 1 and 0. A choice that it answers with a
number is read the same way.

What it answers: the first output, one value a row. Where the contract's output is an object, the
outputs that are named after its fields, or else the columns of the first, in the contract's order.
"""

import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelUnloadable
from stopgap.models.onnx_file import refuse_unsafe
from stopgap.models.reading import read, records

TYPES: dict[str, type[np.generic]] = {
    "tensor(float)": np.float32,
    "tensor(double)": np.float64,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
    "tensor(bool)": np.bool_,
    "tensor(string)": np.object_,
}
"""What an input may take."""

WHOLE = (np.int64, np.int32)

THREADS = 1
"""Of one session. Batches use the other cores better: every worker has a process of its own."""

COLUMN = (-1, 1)
"""The shape of one field's values, however many rows there are."""

ERRORS_ONLY = 3
"""A level of ONNX Runtime's log."""

Read = Callable[[Any], Any]


class OnnxModel:
    """One session, asked with as many rows as there are, or one by one where it takes no more."""

    def __init__(self, session: ort.InferenceSession, contract: Contract) -> None:
        self._session = session
        self._inputs = session.get_inputs()
        self._one_by_one = 1 in _fixed_batches(self._inputs)
        self._feed = _feed(self._inputs, contract)
        names = [output.name for output in session.get_outputs()]
        self._names, self._read = _reading(contract.output_kind, names)
        self.note = _note(self._names, names)

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row."""
        values = json.loads(b"[" + b",".join([row.json for row in rows]) + b"]")
        if self._one_by_one:
            return [output for value in values for output in self._run([value])]
        return self._run(values)

    def _run(self, values: list[dict[str, Any]]) -> list[Any]:
        outputs: Sequence[Any] = self._session.run(self._names, self._feed(values))
        found: list[Any] = self._read(outputs)
        return found


def load(reference: str, contract: Contract, path: Path) -> OnnxModel:
    """Load a model whose tensors are all in its file.

    Raises:
        ModelUnloadable: it is no such file, or cannot be fed by this contract.
    """
    content = path.read_bytes()
    try:
        refuse_unsafe(content)
    except ModelUnloadable as error:
        raise ModelUnloadable(f"{reference}: {error.detail}") from error
    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = THREADS
    options.log_severity_level = ERRORS_ONLY
    try:
        session = ort.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its errors have no base but this
        line = str(error).strip().partition("\n")[0]
        raise ModelUnloadable(f"{reference}: ONNX Runtime cannot load it: {line}") from error
    return OnnxModel(session, contract)


def _fixed_batches(inputs: Sequence[Any]) -> set[int]:
    """Tell how many rows a model takes in a call, no more and no less.

    Raises:
        ModelUnloadable: it is not one, nor any number.
    """
    fixed = {each.shape[0] for each in inputs if each.shape and isinstance(each.shape[0], int)}
    if not fixed <= {1}:
        raise ModelUnloadable(
            f"It takes {max(fixed)} rows in every call, no more and no less: export it for any "
            "number of rows (a dynamic first axis), or for one."
        )
    return fixed


Feed = Callable[[list[dict[str, Any]]], dict[str, Any]]


def _feed(inputs: Sequence[Any], contract: Contract) -> Feed:
    """Decide how a model is fed; see the module's docstring."""
    fields = {field.name: field for field in contract.fields}
    if all(each.name in fields for each in inputs):
        return _by_name([(each, fields[each.name]) for each in inputs])
    if len(inputs) == 1 and len(inputs[0].shape or []) == len(COLUMN):
        return _matrix(inputs[0], list(contract.fields))
    theirs, ours = ", ".join(each.name for each in inputs), ", ".join(fields)
    raise ModelUnloadable(
        f"Its inputs are {theirs}; they must be among {ours}, or one matrix with these columns."
    )


def _by_name(pairs: list[tuple[Any, kinds.Field]]) -> Feed:
    columns = [(each.name, _column(each, field), _shape(each)) for each, field in pairs]

    def feed(values: list[dict[str, Any]]) -> dict[str, Any]:
        return {
            name: column([value[name] for value in values]).reshape(shape)
            for name, column, shape in columns
        }

    return feed


def _shape(given: Any) -> tuple[int, ...]:
    """Tell the shape of one field's values: a column, unless the model takes them without one."""
    shape: list[Any] = list(given.shape or [])
    *_, width = [None, *shape[1:]]
    if len(shape) > len(COLUMN) or not (width in {1, None} or isinstance(width, str)):
        raise ModelUnloadable(f"Its input {given.name} takes {shape}, not one value a row.")
    return (-1,) if len(shape) == 1 else COLUMN


def _matrix(given: Any, fields: list[kinds.Field]) -> Feed:
    width = given.shape[1]
    if isinstance(width, int) and width != len(fields):
        names = ", ".join(field.name for field in fields)
        raise ModelUnloadable(
            f"Its matrix {given.name} has {width} columns; the contract has {len(fields)}: {names}."
        )
    if _type(given) is np.object_:
        raise ModelUnloadable(f"Its matrix {given.name} takes texts; one of numbers can be fed.")
    columns = [(field.name, _column(given, field)) for field in fields]

    def feed(values: list[dict[str, Any]]) -> dict[str, Any]:
        parts = [column([value[name] for value in values]) for name, column in columns]
        return {given.name: np.column_stack(parts)}

    return feed


def _type(given: Any) -> type[np.generic]:
    if given.type not in TYPES:
        known = ", ".join(TYPES)
        raise ModelUnloadable(f"Its input {given.name} takes {given.type}; known are {known}.")
    return TYPES[given.type]


def _column(given: Any, field: kinds.Field) -> Callable[[list[Any]], Any]:
    """Make what turns one field's values into an array of the input's type."""
    wanted, kind = _type(given), field.kind
    worded = isinstance(kind, kinds.Choice | kinds.Text)
    fits = worded if wanted is np.object_ else not isinstance(kind, kinds.Text)
    if not fits or (wanted in WHOLE and isinstance(kind, kinds.Number)):
        raise ModelUnloadable(
            f"Its input {given.name} takes {given.type}; {field.name} is {kind.allowed()}."
        )
    if isinstance(kind, kinds.Choice) and wanted is not np.object_:
        places = {value: place for place, value in enumerate(kind.values)}
        return lambda values: np.array([places[value] for value in values], dtype=wanted)
    return lambda values: np.array(values, dtype=wanted)


def _reading(kind: kinds.Kind, names: list[str]) -> tuple[list[str], Read]:
    """Decide which outputs are asked for, and how they become one value a row."""
    if not isinstance(kind, kinds.Object):
        return names[:1], lambda outputs: read(kind, _column_of(outputs[0]))
    fields = [field.name for field in kind.fields]
    if set(fields) <= set(names):
        return fields, lambda outputs: records(kind.fields, [_column_of(each) for each in outputs])

    def columns(outputs: Sequence[Any]) -> list[Any]:
        matrix = np.asarray(outputs[0])
        if matrix.shape[1:] != (len(fields),):
            raise ValueError(f"an output of shape {matrix.shape} for {len(fields)} fields")
        return records(kind.fields, matrix.T.tolist())

    return names[:1], columns


def _note(read: list[str], names: list[str]) -> str | None:
    """Tell which outputs nobody reads, where they are not named after the contract's fields."""
    if read != names[:1] or not (others := names[1:]):
        return None
    return f"of its outputs the first is read, {read[0]}, and not {', '.join(others)}"


def _column_of(output: Any) -> list[Any]:
    """Make one value a row of one output."""
    array = np.asarray(output)
    if array.ndim > 1 and array.shape[1:] != (1,):
        raise ValueError(f"an output of shape {array.shape}, not one value a row")
    values: list[Any] = array.reshape(-1).tolist()
    return values
