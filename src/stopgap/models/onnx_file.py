"""ONNX files, read as far as needed to refuse one that would have other files read.

A tensor of an ONNX model may lie outside of it: under a path, which may be any on this machine, or
at an address in memory. Such a model is refused before ONNX Runtime sees it. The file is a protobuf
message; of its schema (onnx.proto) only the ways down to its tensors matter here.
"""

from collections.abc import Iterator

from stopgap.models.failures import ModelUnloadable

TENSOR = "tensor"
EXTERNAL = frozenset((13, 14))
"""A tensor's fields `external_data` and `data_location`."""

WAYS: dict[str, dict[int, str]] = {
    "model": {7: "graph", 20: "training", 25: "function"},
    "graph": {1: "node", 5: TENSOR, 15: "sparse"},
    "node": {5: "attribute"},
    "attribute": {5: TENSOR, 6: "graph", 10: TENSOR, 11: "graph", 22: "sparse", 23: "sparse"},
    "sparse": {1: TENSOR, 2: TENSOR},
    "training": {1: "graph", 2: "graph"},
    "function": {7: "node", 11: "attribute"},
}
"""Message -> its fields that lead to a tensor -> the message that each holds."""

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5
"""Protobuf's wire types, without the groups that ONNX never had."""

VARINT_MAX = 10  # bytes

KEY_MAX = 2**32
"""A field's number and wire type have 32 bits. Of more, readers of protobuf differ in what they
drop, so that what is looked through here would not be what ONNX Runtime reads."""

KEY_BYTES = 5
LENGTH_MAX = 2**31

ORT_MARK = slice(4, 8)
"""Where ONNX Runtime's own format, which it would read as well, says what it is."""


class _Broken(Exception):
    """It is no protobuf message."""


def refuse_unsafe(content: bytes) -> None:
    """Look through a model's file.

    Raises:
        ModelUnloadable: it is no ONNX file, or points outside of itself.
    """
    if content[ORT_MARK] == b"ORTM":
        raise ModelUnloadable("It is in ONNX Runtime's own format; hand in the .onnx file instead.")
    try:
        external = _points_outside(memoryview(content))
    except _Broken as error:
        raise ModelUnloadable("It is no ONNX file.") from error
    if external:
        raise ModelUnloadable(
            "Its tensors lie in other files, which are never read; save it as one file: "
            "onnx.save(onnx.load('model.onnx'), 'whole.onnx')"
        )


def _points_outside(content: memoryview) -> bool:
    pending = [("model", content)]
    graphs = 0
    while pending:
        message, body = pending.pop()
        graphs += message == "graph"
        ways = WAYS.get(message, {})
        for field, value in _fields(body):
            if message == TENSOR and field in EXTERNAL:
                return True
            if field in ways and value is not None:
                pending.append((ways[field], value))
    if not graphs:
        raise _Broken
    return False


def _fields(body: memoryview) -> Iterator[tuple[int, memoryview | None]]:
    """Go through a message: number of each field, and its bytes if it has a length."""
    place, end = 0, len(body)
    while place < end:
        began = place
        key, place = _varint(body, place)
        if key >= KEY_MAX or place - began > KEY_BYTES:
            raise _Broken
        field, wire = key >> 3, key & 7
        value = None
        if wire == BYTES:
            length, place = _varint(body, place)
            if length >= LENGTH_MAX:
                raise _Broken
            value = body[place : place + length]
            place += length
        elif wire == VARINT:
            _, place = _varint(body, place)
        elif wire in {FIXED32, FIXED64}:
            place += 4 if wire == FIXED32 else 8
        else:
            raise _Broken
        if place > end:
            raise _Broken
        yield field, value


def _varint(body: memoryview, place: int) -> tuple[int, int]:
    value = 0
    for shift, byte in enumerate(body[place : place + VARINT_MAX]):
        value |= (byte & 0x7F) << (7 * shift)
        if byte < 0x80:  # noqa: PLR2004  # the highest bit says whether more follows
            return value, place + shift + 1
    raise _Broken
