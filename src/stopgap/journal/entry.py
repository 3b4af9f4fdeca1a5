"""An entry of the journal: a record where it lies, with what came of it."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from stopgap.journal.record import Record
from stopgap.storage.columns import EPOCH, MICROSECOND


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One answer in the journal."""

    position: int  # where the next page begins, if this is the last of one
    record: Record
    actual: bytes | None  # what really came of it, as JSON; None: nobody has told

    @property
    def at(self) -> datetime:
        """The moment at which the request was taken up: the answer came `micros` later."""
        return EPOCH + self.record.at * MICROSECOND

    def facts(self) -> dict[str, Any]:
        """Tell all of it, under the names that people and programs read."""
        record = self.record
        return {
            "request_id": record.id,
            "at": self.at.isoformat(timespec="microseconds"),
            "contract": record.contract,
            "fingerprint": record.fingerprint,
            "release": record.release,
            "caller": record.caller,
            "inputs": _read(record.inputs),
            "output": _read(record.output),
            "micros": record.micros,
            "actual": None if self.actual is None else _read(self.actual),
        }


def _read(text: bytes) -> Any:
    """Read JSON; what is none is shown as it is, so that one such record hides no others."""
    try:
        return json.loads(text)
    except ValueError:
        return text.decode(errors="replace")
