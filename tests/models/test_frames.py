"""Frames arrive whole, however they were cut on their way, and never longer than they may be."""

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.models.frames import HEAD, LENGTH_MAX, Frame, FrameBroken, Frames, pack, read_frame

frames = st.builds(Frame, st.integers(0, 2**32 - 1), st.integers(0, 255), st.binary(max_size=50))


@given(sent=st.lists(frames, max_size=8), cuts=st.lists(st.integers(1, 40), max_size=60))
def test_pieces_are_put_together(sent: list[Frame], cuts: list[int]) -> None:
    """What is sent is what arrives, in whatever pieces."""
    stream = b"".join(pack(*frame) for frame in sent)
    reader = Frames()
    arrived: list[Frame] = []
    for cut in [*cuts, len(stream)]:
        arrived += reader.feed(stream[:cut])
        stream = stream[cut:]
    assert arrived == sent


@given(sent=st.lists(frames, max_size=5))
def test_the_other_side_reads_the_same(sent: list[Frame]) -> None:
    """A stream is read frame by frame to its end; a torn frame at the end is none."""
    whole = b"".join(pack(*frame) for frame in sent)
    stream = io.BytesIO(whole + pack(1, 1, b"torn")[:-1])
    assert [read_frame(stream) for _ in sent] == sent
    assert read_frame(stream) is None


def test_what_is_too_long_is_not_waited_for() -> None:
    """A head that announces more than may come is refused before any of it is kept."""
    with pytest.raises(FrameBroken):
        list(Frames().feed(HEAD.pack(LENGTH_MAX + 1, 1, 1)))
