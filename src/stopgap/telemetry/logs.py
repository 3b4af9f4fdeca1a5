"""Logs: one JSON line an event, to standard output."""

import json
import logging
import traceback
from collections.abc import Callable
from datetime import UTC, datetime

from stopgap.telemetry.outlet import standard_output

OWN = frozenset(vars(logging.makeLogRecord({}))) | {"message", "taskName"}
"""What every log record has; anything else was handed in as `extra`."""

LAST_SECONDS = 0.5
"""For what is still to be written when a process ends."""


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

    def take_turn(self) -> bool:
        """Tell whether it is time for another line, which whoever asks then writes."""
        now = self._monotonic()
        if now < self._next:
            return False
        self._next = now + self._seconds
        return True


class Outage:
    """Tells when something begins to fail, and when it is over: what lasts is logged once.

    Args:
        successes: In a row, after which it is over; more where it may fail every other time.
    """

    def __init__(self, successes: int = 1) -> None:
        self._successes = successes
        self._missing = 0  # successes, until it is over; 0: it is

    def failed(self) -> bool:
        """Note a failure; tell whether it is the first one."""
        first, self._missing = not self._missing, self._successes
        return first

    def recovered(self) -> bool:
        """Note a success; tell whether what has failed before is over with it."""
        over, self._missing = self._missing == 1, max(0, self._missing - 1)
        return over


class StandardOutput(logging.Handler):
    """Hands each record to this process's outlet, as a line of JSON."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self._outlet = standard_output()

    def emit(self, record: logging.LogRecord) -> None:
        """Have a record written soon."""
        try:
            self._outlet.put(f"{self.format(record)}\n".encode())
        except Exception:  # noqa: BLE001  # as every handler of the standard library does
            self.handleError(record)

    def flush(self) -> None:
        """Wait until all is written, but not for a reader that has stopped reading."""
        self._outlet.settle(LAST_SECONDS)


def log_to_stdout(level: str) -> None:
    """Send this process's log lines to standard output, as JSON.

    Debugging is of Stopgap alone: Pillow would tell what an upload's metadata say, and urllib3 the
    query of an address.
    """
    least = logging.getLevelNamesMapping()[level.upper()]
    root = logging.getLogger()
    root.handlers[:] = [StandardOutput()]
    root.setLevel(max(least, logging.INFO))
    logging.getLogger("stopgap").setLevel(least)
    logging.captureWarnings(capture=True)


def write_last_lines() -> None:
    """Write what is left before the process ends."""
    for handler in logging.getLogger().handlers:
        handler.flush()
