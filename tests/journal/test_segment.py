"""A segment: what was appended whole is read, whatever happened to the rest."""

import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.journal.records import encode, no_damage, record, records

from stopgap.clock import RandomIds
from stopgap.journal import segment
from stopgap.journal.record import Record
from stopgap.journal.segment import HEAD, append, begin, claim, read, segments

SIX = records(6)


def write(folder: Path, some: list[Record]) -> Path:
    """Write a segment whose writer is gone."""
    path, descriptor = begin(folder, RandomIds())
    for each in some:
        append(descriptor, encode(each))
    os.close(descriptor)
    return path


def ids(path: Path, offset: int = 0) -> list[str]:
    """Read the ids from an offset on."""
    return [each.id for _, each in read(path, offset)]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a segment of six records."""
    return write(tmp_path_factory.mktemp("whole"), SIX)


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give a path for broken segments."""
    return tmp_path_factory.mktemp("broken") / "a.spool"


def test_what_is_appended_is_read(whole: Path) -> None:
    """Records are read in the order in which they were appended."""
    assert [each for _, each in read(whole)] == SIX


def test_reading_goes_on_where_it_ended(whole: Path) -> None:
    """From the offset that came with a record, the next one is read."""
    for number, (offset, _) in enumerate(read(whole)):
        assert ids(whole, offset) == [each.id for each in SIX[number + 1 :]]


def test_a_lost_end_is_no_trouble(whole: Path, broken: Path) -> None:
    """A segment that a power cut has shortened, below where reading had come to, is at its end."""
    ends = [end for end, _ in read(whole)]
    broken.write_bytes(whole.read_bytes()[: ends[1]])
    assert list(read(broken, ends[2], damaged=no_damage)) == []


def test_a_tail_is_passed_over_in_silence(whole: Path, broken: Path) -> None:
    """Cut at any byte, a segment gives every record that is whole, and no word of the rest."""
    content = whole.read_bytes()
    ends = [end for end, _ in read(whole)]
    for size in range(len(content)):
        broken.write_bytes(content[:size])
        found = list(read(broken, damaged=no_damage))
        assert len(found) == sum(end <= size for end in ends)


@given(st.data())
def test_damage_costs_only_what_it_hits(whole: Path, broken: Path, data: st.DataObject) -> None:
    """Bytes overwritten anywhere cost the records that they lie in, and where that is is told."""
    content = bytearray(whole.read_bytes())
    ends = [end for end, _ in read(whole)]
    start = data.draw(st.integers(0, len(content) - 1))
    noise = data.draw(st.binary(min_size=1, max_size=300))
    content[start : start + len(noise)] = noise[: len(content) - start]
    broken.write_bytes(content)
    hit = [
        number
        for number, end in enumerate(ends)
        if content[end - 8 - len(encode(SIX[number])) : end]
        != whole.read_bytes()[end - 8 - len(encode(SIX[number])) : end]
    ]
    told: list[tuple[int, int]] = []
    found = [each for _, each in read(broken, damaged=lambda *place: told.append(place))]
    assert found == [each for number, each in enumerate(SIX) if number not in hit]
    assert bool(told) == bool(hit and hit[-1] != 5)  # at the end, damage cannot be told from a tail


def test_zeros_are_a_tail(whole: Path, broken: Path) -> None:
    """A tail of zeros, as a power cut leaves it, is no record."""
    broken.write_bytes(whole.read_bytes() + bytes(10_000))
    assert list(read(broken, damaged=no_damage)) == list(read(whole))


@pytest.mark.parametrize("size", [2**20 - 8, 2**20, 3 * 2**20])
def test_large_records_are_read(tmp_path: Path, size: int) -> None:
    """A record may be larger than what is read at a time, or end where that does."""
    large = record(inputs=b'{"text":"%b"}' % (b"x" * size))
    path = write(tmp_path, [SIX[0], large, SIX[1]])
    assert [each for _, each in read(path)] == [SIX[0], large, SIX[1]]


def test_a_client_cannot_forge_a_record(tmp_path: Path) -> None:
    """Inputs that look like a record are not taken for one, even where the real one is damaged."""
    inner = encode(record(id="forged")).replace(b"\n", b" ")
    forged = record(inputs=b'{"a":%b,"b":[%b]}' % (inner, inner))
    path = write(tmp_path, [SIX[0], forged, SIX[1]])
    path.write_bytes(path.read_bytes().replace(forged.id.encode(), b"?" * len(forged.id)))
    assert ids(path) == [SIX[0].id, SIX[1].id]


def test_what_is_whole_but_no_record_is_told(tmp_path: Path) -> None:
    """Bytes that arrived as they were sent, and are no record, are told and passed over."""
    path, descriptor = begin(tmp_path, RandomIds())
    append(descriptor, encode(SIX[0]))
    append(descriptor, b"no record")
    append(descriptor, encode(SIX[1]))
    told: list[int] = []
    found = [each for _, each in read(path, damaged=lambda start, end: told.append(end - start))]
    assert found == SIX[:2]
    assert told == [HEAD.size + len(b"no record")]


def test_what_is_longer_than_any_record_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A frame that says more bytes than a record may have is damage, even if it is whole."""
    long = record(inputs=b'{"text":"%b"}' % (b"x" * 2_000))
    path = write(tmp_path, [SIX[0], long, SIX[1]])
    monkeypatch.setattr(segment, "BODY_MAX", 1_000)  # a file of 256 MiB takes too long
    told: list[int] = []
    found = [each for _, each in read(path, damaged=lambda start, end: told.append(end - start))]
    assert found == SIX[:2]
    assert told == [HEAD.size + len(encode(long))]


def test_a_writer_holds_its_segment(tmp_path: Path) -> None:
    """Nobody else gets a segment's lock as long as its writer has it open."""
    path, descriptor = begin(tmp_path, RandomIds())
    with path.open("rb") as other:
        assert not claim(other.fileno())
        os.close(descriptor)
        assert claim(other.fileno())


def test_segments_are_listed_by_age(tmp_path: Path) -> None:
    """The oldest segment comes first, and nothing else is one."""
    (tmp_path / "drainer.lock").touch()
    made = []
    for name in ("01a", "01b", "02"):
        made.append(tmp_path / f"{name}.spool")
        made[-1].touch()
    assert segments(tmp_path) == made
    assert segments(tmp_path / "nowhere") == []


def test_segments_are_for_their_user_alone(whole: Path) -> None:
    """Nobody else on the machine may read what a client has asked."""
    assert whole.stat().st_mode & 0o777 == 0o600
