"""Logs: one JSON line an event, to standard output."""

import json
import logging
import sys
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
"""What every log record has; anything else was handed in as `extra`."""


class JsonLines(logging.Formatter):
    """Writes a record as one line of JSON; what was handed in as `extra` becomes its fields."""

    def format(self, record: logging.LogRecord) -> str:
        """Write one line."""
        moment = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        line: dict[str, object] = {
            "time": moment,
            "level": record.levelname.lower(),
            "logger": record.name,
            "event": record.getMessage(),
        }
        line |= {key: value for key, value in vars(record).items() if key not in OWN}
        if record.exc_info:
            line["exception"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(line, default=str)


class Seldom:
    """Tells when to log again what may happen with every request, and would drown all else.

    Args:
        monotonic: Tells seconds.
        seconds: Between two lines, at least.
    """

    def __init__(self, monotonic: Callable[[], float], seconds: float = 1.0) -> None:
        self._monotonic = monotonic
        self._seconds = seconds
        self._next = float("-inf")

    @property
    def is_due(self) -> bool:
        """Whether it is time for another line; whoever asks is to write it."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


def log_to_stdout(level: str) -> None:
    """Send this process's log lines to standard output, as JSON."""
    handler = logging.StreamHandler(sys.stdout)
    handler.setFormatter(JsonLines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    logging.captureWarnings(capture=True)
