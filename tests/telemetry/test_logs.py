"""A log line is one line of JSON, whatever is logged."""

import json
import logging
import subprocess
import sys
from pathlib import Path

import pytest
from tests.fakes import FakeClock

from stopgap.telemetry.logs import JsonLines, Outage, Seldom


def line(**record: object) -> dict[str, object]:
    """Format one record and read it back."""
    text = JsonLines().format(logging.makeLogRecord(record))
    assert "\n" not in text
    found: dict[str, object] = json.loads(text)
    return found


def test_a_line_says_when_what_and_how_bad() -> None:
    """A line has its time in UTC, its level, its logger and its event."""
    found = line(name="stopgap.web", levelname="INFO", msg="hello %s", args=("you",), created=0.0)
    assert found == {
        "time": "1970-01-01T00:00:00.000000+00:00",
        "level": "info",
        "logger": "stopgap.web",
        "event": "hello you",
    }


def test_extra_fields_are_fields() -> None:
    """What a caller adds as extra stands in the line under its own name."""
    assert line(msg="x", request_id="r-1")["request_id"] == "r-1"


def test_a_message_cannot_forge_a_line() -> None:
    """A line break in what is logged stays inside its line."""
    assert line(msg="a\n{}")["event"] == "a\n{}"


def test_an_exception_is_told_inside_the_line() -> None:
    """A traceback is one field, not further lines."""
    try:
        int("oops")
    except ValueError:
        found = line(msg="failed", exc_info=sys.exc_info())
    assert "ValueError: invalid literal" in str(found["exception"])


def test_what_comes_often_is_told_seldom() -> None:
    """Of what happens again and again there is a line at once, and another one each second."""
    clock = FakeClock()
    seldom = Seldom(clock.monotonic)
    assert [seldom.take_turn() for _ in range(3)] == [True, False, False]
    clock.forward(seconds=0.9)
    assert not seldom.take_turn()
    clock.forward(seconds=0.2)
    assert [seldom.take_turn() for _ in range(2)] == [True, False]


def test_what_fails_now_and_then_is_one_outage() -> None:
    """It is over after so many successes in a row; each beginning and each end is told once."""
    for successes, told in ((1, ["fails", "over", "fails", "over"]), (3, ["fails", "over"])):
        outage = Outage(successes)
        seen = []
        for good in (True, False, False, True, False, True, True, True, True):
            if good and outage.recovered():
                seen.append("over")
            if not good and outage.failed():
                seen.append("fails")
        assert seen == told


def test_a_field_may_have_any_value() -> None:
    """What is no JSON by itself is written as a text, rather than the line lost."""
    assert line(msg="x", path=Path("/a/b"))["path"] == "/a/b"


SPEAKER = """
import logging, sys, warnings
from stopgap.telemetry.logs import log_to_stdout, write_last_lines

log_to_stdout(sys.argv[1])
for name in ("stopgap.web.faults", "PIL.TiffImagePlugin", "urllib3.connectionpool"):
    for level in (logging.DEBUG, logging.INFO, logging.WARNING, logging.ERROR):
        logging.getLogger(name).log(level, "said")
warnings.warn("old")
write_last_lines()
"""


@pytest.mark.parametrize(
    ("level", "own", "others"),
    [
        ("debug", {"debug", "info", "warning", "error"}, {"info", "warning", "error"}),
        ("info", {"info", "warning", "error"}, {"info", "warning", "error"}),
        ("warning", {"warning", "error"}, {"warning", "error"}),
        ("error", {"error"}, {"error"}),
    ],
)
def test_libraries_do_not_debug(level: str, own: set[str], others: set[str]) -> None:
    """Debugging is Stopgap's alone: its libraries would tell metadata of images, and addresses."""
    told = subprocess.run(
        [sys.executable, "-c", SPEAKER, level], capture_output=True, text=True, check=True
    )
    said: dict[str, set[str]] = {}
    for found in map(json.loads, told.stdout.splitlines()):
        said.setdefault(found["logger"], set()).add(found["level"])
    warned = said.pop("py.warnings", set())
    libraries = {"PIL.TiffImagePlugin": others, "urllib3.connectionpool": others}
    assert said == {"stopgap.web.faults": own, **libraries}
    assert warned == others & {"warning"}
