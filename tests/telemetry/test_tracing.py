"""Tracing: what a caller says of its trace, and what is noted of a request."""

import asyncio
from itertools import count

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.front.loops import in_a_loop

from stopgap.telemetry.tracing import (
    Remote,
    Span,
    Trace,
    current,
    note,
    read_traceparent,
    step,
)

TRACE, PARENT = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
HERS = Remote(int(TRACE, 16), int(PARENT, 16), sampled=True)


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f"00-{TRACE}-{PARENT}-01", HERS),
        (f"00-{TRACE}-{PARENT}-00", HERS._replace(sampled=False)),
        (f"00-{TRACE}-{PARENT}-02", HERS._replace(sampled=False)),
        (f"00-{TRACE}-{PARENT}-03", HERS),
        (f"cc-{TRACE}-{PARENT}-01-what-the-future-will-be-like", HERS),
        (f"cc-{TRACE}-{PARENT}-01.what-the-future-will-not-be-like", None),
        (f"00-{TRACE}-{PARENT}-01-more", None),
        (f"ff-{TRACE}-{PARENT}-01", None),
        (f"00-{'0' * 32}-{PARENT}-01", None),
        (f"00-{TRACE}-{'0' * 16}-01", None),
        (f"00-{TRACE.upper()}-{PARENT}-01", None),
        (f"00-{TRACE}-{PARENT}-01\n", None),
        (f"00-{TRACE}-{PARENT}", None),
        (f"00-{TRACE[1:]}-{PARENT}-01", None),
        ("", None),
    ],
)
def test_a_header_is_read(header: str, expected: Remote | None) -> None:
    """It is read as W3C Trace Context says (section 3.2), and left where it does not say so."""
    assert read_traceparent(header.encode()) == expected


@given(st.binary(max_size=200))
def test_no_header_is_a_fault(header: bytes) -> None:
    """Whatever is sent, there is a span of the caller's, or none."""
    found = read_traceparent(header)
    assert found is None or (found.trace_id and found.span_id)


def trace() -> Trace:
    """Begin a trace whose clock goes on by one each time."""
    return Trace(None, count(1).__next__)


def told(span: Span) -> tuple[str, int, int]:
    """Tell when a span was."""
    return span.name, span.began, span.ended


def test_steps_are_parts_of_what_is_under_way() -> None:
    """Each has its beginning and its end, and stands below the one that was open then."""
    found = trace()
    with found.span("request", {"a": 1}) as request:
        with step("first", {"b": "x"}) as first:
            note("half")
        with step("second"), step("third"):
            pass
    assert current() is None
    assert [told(span) for span in found.spans] == [
        ("request", 1, 9),
        ("first", 2, 4),
        ("second", 5, 8),
        ("third", 6, 7),
    ]
    assert [span.parent for span in found.spans] == [None, request, request, found.spans[2]]
    assert first is found.spans[1]
    assert (first.attributes, request.attributes) == ({"b": "x"}, {"a": 1})
    assert [(event.name, event.at) for event in first.events] == [("half", 3)]


def test_what_fails_says_by_what() -> None:
    """An exception is named by its kind, and goes on; its words may be somebody's secret."""
    found = trace()
    with pytest.raises(ValueError, match="secret"), found.span("request", {}), step("part"):
        raise ValueError("secret")
    assert [span.error for span in found.spans] == ["ValueError", "ValueError"]


def test_without_a_trace_nothing_is_noted() -> None:
    """Where no request is traced, steps cost next to nothing, and leave nothing behind."""
    with step("first", {"b": "x"}) as first:
        note("half")
        assert current() is None
    assert first is None


@in_a_loop
async def test_requests_do_not_see_each_other() -> None:
    """What one notes while another is under way, on the same event loop, is its own."""

    async def serve(found: Trace) -> None:
        with found.span("request", {}):
            for _ in range(5):
                with step("part"):
                    await asyncio.sleep(0)

    traces = [trace() for _ in range(3)]
    await asyncio.gather(*map(serve, traces))
    assert [len(each.spans) for each in traces] == [6] * 3
    assert all(each.spans[1].parent is each.spans[0] for each in traces)
