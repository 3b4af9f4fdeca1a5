"""One JSON object is read strictly, and whatever else arrives is refused."""

import pytest

from stopgap.contracts.json_object import THINGS_MAX, JsonMalformed, read_json_object

NO_OBJECTS: dict[str, bytes] = {
    "empty": b"",
    "broken": b'{"month": ',
    "trailing": b"{} {}",
    "list": b"[1]",
    "text": b'"january"',
    "number": b"5",
    "nothing": b"null",
    "many brackets": b"[" * 20_000,
    "many objects": b'{"a":' * 20_000,
    "many empty objects": b'{"a": [' + b"{}," * 20_000 + b"0]}",
    "many members": b'{"a": 0, ' + b",".join(b'"%d": 0' % n for n in range(20_000)) + b"}",
    "closed brackets": b'{"month": ' + b"[" * 200_000 + b"]" * 200_000 + b"}",
    "NaN": b'{"seller_available": NaN}',
    "Infinity": b'{"seller_available": -Infinity}',
    "duplicate": b'{"month": "may", "month": "may"}',
    "duplicate, escaped": b'{"month": "may", "mont\\u0068": "may"}',
    "duplicate inside": b'{"x": {"a": 1, "a": 2}}',
    "half a pair": b'{"month": "\\ud800"}',
    "half a pair as a name": b'{"\\udc00": 1}',
    "no UTF-8": b'{"month": "\xff"}',
    "UTF-16": '{"month": "may"}'.encode("utf-16"),
    "a mark before": b'\xef\xbb\xbf{"month": "may"}',
    "too many digits": b'{"seller_available": ' + b"9" * 5_000 + b"}",
    "single quotes": b"{'month': 'may'}",
    "comment": b'{"month": "may" /* 5 */}',
}


def test_a_name_given_twice_among_very_many() -> None:
    """Which name it was is found in one pass; with a look at all for each, this took minutes."""
    names = [f'"{number}":0' for number in range(THINGS_MAX - 2)]
    body = f"{{{','.join([*names, names[-1]])}}}".encode()
    with pytest.raises(JsonMalformed, match=f"'{THINGS_MAX - 3}' is given twice"):
        read_json_object(body)


def test_as_many_objects_and_members_as_may_be() -> None:
    """They are counted through all objects of a body; one more than may be is refused."""
    half = THINGS_MAX // 2 - 1
    most = b'{"a": [%b]}' % b",".join([b'{"b": 0}'] * half)
    assert len(read_json_object(most)["a"]) == half
    with pytest.raises(JsonMalformed, match="more than 10,000 objects and members"):
        read_json_object(most.replace(b"0}]", b'0, "c": 0}]'))


@pytest.mark.parametrize("body", NO_OBJECTS.values(), ids=NO_OBJECTS.keys())
def test_what_is_no_json_object(body: bytes) -> None:
    """A body is one JSON object with each name given once; the answer says why it is none."""
    with pytest.raises(JsonMalformed) as refusal:
        read_json_object(body)
    assert refusal.value.detail.startswith("The body")
    assert "sys." not in refusal.value.detail
    assert "utf-8-sig" not in refusal.value.detail  # which is advice to Python's own callers
