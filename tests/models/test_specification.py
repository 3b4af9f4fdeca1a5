"""A specification is plain data, within its ranges, and survives being written down."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.models.specification import MEMORY_MIN, Specification, SpecificationInvalid

specifications = st.builds(
    Specification,
    uri=st.sampled_from(["python:m:a", "python:folder/file.py:a", "onnx:m.onnx", "x+y:z"]),
    bring=st.sampled_from(["exact", "round", "clip"]),
    deadline=st.floats(0, 60, exclude_min=True),
    load_timeout=st.floats(0, 600, exclude_min=True),
    memory=st.integers(MEMORY_MIN),
    batch=st.integers(1, 4096),
    artifact=st.none() | st.just("0a" * 32),
)


@given(specification=specifications)
def test_survives_json(specification: Specification) -> None:
    """What is written as JSON is read back as the same."""
    assert Specification.of(json.loads(json.dumps(specification.document()))) == specification


def test_defaults() -> None:
    """A URI is enough; and the kind is its scheme, whatever follows."""
    specification = Specification.of({"uri": "python:file.py:Model"})
    assert specification == Specification(uri="python:file.py:Model")
    assert specification.load_timeout == 60
    assert (specification.kind, specification.reference) == ("python", "file.py:Model")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("uri", "model.onnx"),
        ("uri", "onnx:"),
        ("uri", ":model"),
        ("uri", "ONNX:model"),
        ("uri", None),
        ("bring", "force"),
        ("deadline", 0),
        ("deadline", 61),
        ("deadline", float("nan")),
        ("deadline", float("inf")),
        ("deadline", "1"),
        ("load_timeout", 0),
        ("load_timeout", 601),
        ("load_timeout", float("nan")),
        ("load_timeout", "60"),
        ("memory", 1024),
        ("memory", 1e9),
        ("batch", 0),
        ("batch", True),
        ("batch", 5000),
        ("python", ""),
        ("python", 3),
        ("in_process", 1),
        ("artifact", "abc"),
        ("artifact", "../" * 21 + "a"),
        ("colour", "red"),
    ],
)
def test_refuses_what_cannot_be(field: str, value: Any) -> None:
    """A value out of its range, of another type or unknown is refused by its name."""
    with pytest.raises(SpecificationInvalid, match=field):
        Specification.of({"uri": "onnx:model.onnx", field: value})


def test_refuses_another_python_in_this_process() -> None:
    """Another Python cannot run in this process."""
    with pytest.raises(SpecificationInvalid, match="in_process"):
        Specification(uri="python:m:a", in_process=True, python="/usr/bin/python3")


def test_needs_a_uri() -> None:
    """Without a URI there is no model."""
    with pytest.raises(SpecificationInvalid, match="uri"):
        Specification.of({})
