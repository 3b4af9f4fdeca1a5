"""What a model prints is in the log, cut to measure."""

import asyncio
import logging
import os

import pytest
from tests.front.loops import in_a_loop

from stopgap.models.output_capture import KEPT, LINE_MAX, LINES, REST, OutputCapture


def said(caplog: pytest.LogCaptureFixture) -> list[str]:
    """List the lines that were logged."""
    return [each.__dict__["line"] for each in caplog.records if "line" in each.__dict__]


@in_a_loop
async def test_lines_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    """Each line is an event with the model's name; one without an end is logged at the end."""
    caplog.set_level(logging.INFO)
    reading, writing = os.pipe()
    output = OutputCapture(asyncio.get_running_loop(), "python:m:a", reading)
    os.write(writing, b"first\nsec")
    await asyncio.sleep(REST * 2)
    os.write(writing, "ond\nthird ü\xff".encode("latin-1"))
    await asyncio.sleep(REST * 2)
    os.close(writing)
    output.close()
    assert said(caplog) == ["first", "second", "third \ufffd\ufffd"]
    assert {each.__dict__["model"] for each in caplog.records} == {"python:m:a"}
    assert output.last.endswith("third \ufffd\ufffd")


@in_a_loop
async def test_a_flood_is_cut(caplog: pytest.LogCaptureFixture) -> None:
    """Of many lines a few are logged and the others counted; a line has its greatest length."""
    caplog.set_level(logging.INFO)
    reading, writing = os.pipe()
    output = OutputCapture(asyncio.get_running_loop(), "m", reading)
    os.write(writing, b"x" * 5_000 + b"\n" + b"line\n" * 10_000)
    await asyncio.sleep(REST * 4)
    os.close(writing)
    output.close()
    lines = said(caplog)
    assert max(map(len, lines)) == LINE_MAX
    assert len(lines) <= LINES * 3
    assert any("lines" in each.__dict__ for each in caplog.records)
    assert len(output.last.splitlines()) <= KEPT


@in_a_loop
async def test_a_line_without_an_end() -> None:
    """However long a model prints on without ending a line, little of it is kept."""
    reading, writing = os.pipe()
    output = OutputCapture(asyncio.get_running_loop(), "m", reading)
    for _ in range(5):
        os.write(writing, b"x" * 60_000)
        await asyncio.sleep(REST * 1.5)
    assert len(output._begun) <= 4 * LINE_MAX
    os.close(writing)
    output.close()


@in_a_loop
async def test_one_that_is_held_up() -> None:
    """Who prints more than is read is held up, until all is read; a few lines hold up nobody."""
    reading, writing = os.pipe()
    output = OutputCapture(asyncio.get_running_loop(), "m", reading)
    os.write(writing, b"a line\n" * 1_000)
    await asyncio.sleep(REST * 2)
    assert not output.holds_up
    os.write(writing, b"x" * 60_000)
    await asyncio.sleep(REST * 2)
    assert output.holds_up
    await asyncio.sleep(REST * 6)
    assert not output.holds_up
    os.close(writing)
    output.close()
