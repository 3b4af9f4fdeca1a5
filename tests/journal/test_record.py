"""The record of one answer, and the bytes that it is kept in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.records import compact_json, encode, record

from stopgap.journal.record import MARK, Record, RecordUnreadable, decode

ANY = st.builds(
    Record,
    id=st.uuids().map(str),
    at=st.integers(),
    contract=st.text(),
    fingerprint=st.text(),
    release=st.text(),
    caller=st.none() | st.text(),
    inputs=compact_json(),
    output=compact_json(),
    micros=st.integers(),
)


@given(ANY)
def test_a_record_comes_back_as_it_was(one: Record) -> None:
    """Whatever a record holds comes back equal, inputs and output to the byte."""
    assert decode(encode(one)) == one


@given(ANY)
def test_a_record_begins_with_its_mark(one: Record) -> None:
    """Every record begins with the bytes by which it is found after damage."""
    assert encode(one).startswith(MARK)


def test_lines_are_json() -> None:
    """A record's bytes are three lines of JSON, for who has nothing but a spool and `jq`."""
    head, inputs, output = map(json.loads, encode(record(caller="ada")).splitlines())
    assert head["caller"] == "ada"
    assert inputs["month"] == "january"
    assert output == 3141


def test_a_newer_record_is_read() -> None:
    """What a newer Stopgap has added to a record is passed over after a way back."""
    one = record()
    assert decode(encode(one).replace(b'"at":', b'"mood":"good","at":', 1)) == one


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}\n{}\n1",
        b'{"id":"a"}\n{}\n1',
        b"[]\n{}\n1",
        b'"id"\n{}\n1',
        b"{\n{}\n1",
        b"\xff\n{}\n1",
        b"{}\n1",
        encode(record()) + b"\n",
        encode(record())[:-5],
    ],
)
def test_what_is_no_record_is_said_to_be_none(body: bytes) -> None:
    """Bytes that are no record are refused in words of our own."""
    with pytest.raises(RecordUnreadable):
        decode(body)


@given(st.binary())
def test_no_bytes_make_a_traceback(body: bytes) -> None:
    """Reading any bytes as a record gives one, or the refusal."""
    try:
        decode(body)
    except RecordUnreadable as error:
        assert "cannot be read" in error.detail  # noqa: PT017  # both ways are right
