"""Recording: on record first, and what becomes of an answer that cannot be."""

import logging
from contextlib import suppress
from pathlib import Path

import pytest
from tests.fakes import FakeClock

from stopgap.clock import RandomIds
from stopgap.contracts.madcompany import contract
from stopgap.journal.record import encoder
from stopgap.journal.segment import read, segments
from stopgap.journal.spool import Spool, SpoolUnwritable
from stopgap.predicting.recording import WELL_SECONDS, Recording
from stopgap.telemetry.metrics import JOURNAL_LOST, Metrics, times

ENCODE = encoder(contract=contract.name, fingerprint=contract.fingerprint, release="7")
REQUEST_ID = "01890a5d-ac96-774b-bcce-b302099a8057"


class Unsteady(FakeClock):
    """A clock whose time of day is set anew whenever it is asked."""

    def __init__(self, step: int) -> None:
        super().__init__()
        self._step = step
        self._wrong = 0

    def microseconds(self) -> int:
        """Tell the time of day."""
        self._wrong += self._step
        return super().microseconds() + self._wrong


def keep(recording: Recording) -> int:
    """Put an answer on record."""
    began, since = recording.now(), recording.monotonic()
    return recording.keep(ENCODE, REQUEST_ID, began, since, "somebody", b"{}", b"3141")


def full(folder: Path) -> Spool:
    """Make a spool that has no room: a file is where its folder would be."""
    folder.touch()
    return Spool(folder, RandomIds())


def test_it_is_there_afterwards(tmp_path: Path) -> None:
    """What was kept is in the spool at once, and took no time that the clock did not tell."""
    spool = Spool(tmp_path, RandomIds())
    assert keep(Recording(spool, strict=True, clock=FakeClock(), metrics=Metrics())) == 0
    ((_, record),) = read(segments(tmp_path)[0])
    assert (record.id, record.caller, record.output) == (REQUEST_ID, "somebody", b"3141")
    spool.close()


@pytest.mark.parametrize("step", [-3_600_000_000, 3_600_000_000])
def test_a_clock_that_is_set(tmp_path: Path, step: int) -> None:
    """An answer took as long as it did, whatever happens to the machine's clock meanwhile."""
    spool = Spool(tmp_path, RandomIds())
    assert keep(Recording(spool, strict=True, clock=Unsteady(step), metrics=Metrics())) == 0
    spool.close()


def test_strict_withholds_what_cannot_be_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Strict: without a record there is no answer, and the log has a line, but not for each."""
    recording = Recording(
        full(tmp_path / "spool"), strict=True, clock=FakeClock(), metrics=Metrics()
    )
    for _ in range(100):
        with pytest.raises(SpoolUnwritable):
            keep(recording)
    (told,) = caplog.records
    assert vars(told)["request_id"] == REQUEST_ID
    assert "answers are withheld" in told.getMessage()
    assert str(tmp_path / "spool") in told.getMessage()  # the operator is told where


def test_available_answers_all_the_same(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Available: each is counted as lost, and the log has a line, but not for each."""
    metrics = Metrics()
    recording = Recording(
        full(tmp_path / "spool"), strict=False, clock=FakeClock(), metrics=metrics
    )
    assert {keep(recording) for _ in range(100)} == {0}
    assert times(metrics.of_all().counts[JOURNAL_LOST,]) == 100
    (told,) = caplog.records
    assert vars(told)["request_id"] == REQUEST_ID
    assert "answers leave without a record" in told.getMessage()


@pytest.mark.parametrize("strict", [True, False])
def test_the_end_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, *, strict: bool) -> None:
    """That answers are put on record again is told once, when none has failed for a second."""
    caplog.set_level(logging.INFO)
    spool, clock = full(tmp_path / "spool"), FakeClock()
    recording = Recording(spool, strict=strict, clock=clock, metrics=Metrics())
    with suppress(SpoolUnwritable):
        keep(recording)
    (tmp_path / "spool").unlink()
    keep(recording)
    assert len(caplog.messages) == 1  # the next one may fail again
    clock.forward(seconds=WELL_SECONDS)
    for _ in range(3):
        keep(recording)
    assert caplog.messages[1:] == ["answers are put on record again"]
    spool.close()
