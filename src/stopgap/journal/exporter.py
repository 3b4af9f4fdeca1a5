"""The exporter: a process that reads the journal and writes an export to its standard output.

A thread that writes CSV takes six in seven predictions from the worker it runs in (from 47,000 to
7,000 a second), so it never runs there. This process has a processor when nobody else wants it.
"""

import gc
import json
import logging
import os
import sys
import threading
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Self

from stopgap.clock import SystemClock
from stopgap.errors import StopgapError
from stopgap.journal.export import Form, write
from stopgap.journal.filters import EVERYTHING, Condition, Filters
from stopgap.journal.journal import Journal
from stopgap.storage.database import open_database
from stopgap.telemetry.logs import JsonLines

logger = logging.getLogger(__name__)

START = """
import contextlib, os, sys
os.nice(19)
with contextlib.suppress(AttributeError, OSError):
    os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))
sys.path.insert(0, sys.argv[1])
from stopgap.journal.exporter import main
main()
"""
"""Everybody else goes first, from before the imports on, which take half a second. Only Linux has
SCHED_IDLE."""


@dataclass(frozen=True, kw_only=True)
class Order:
    """What is to be exported, and from where."""

    database_url: str
    form: Form
    filters: Filters = EVERYTHING

    def line(self) -> bytes:
        """Write it on a line, for a pipe: the URL may hold a password, which no argument should."""
        return json.dumps(asdict(self), default=datetime.isoformat).encode() + b"\n"

    @classmethod
    def read(cls, line: bytes) -> Self:
        """Read it again."""
        found: dict[str, Any] = json.loads(line)
        return cls(**found | {"filters": _filters(found["filters"])})


def _filters(found: Mapping[str, Any]) -> Filters:
    moments = (found[name] and datetime.fromisoformat(found[name]) for name in ("since", "until"))
    since, until = moments
    conditions = tuple(_condition(each) for each in found["conditions"])
    return Filters(**{**found, "since": since, "until": until, "conditions": conditions})


def _condition(found: Mapping[str, Any]) -> Condition:
    aliases = tuple((contract, name) for contract, name in found["aliases"])
    return Condition(**{**found, "aliases": aliases, "others": tuple(found["others"])})


def command() -> Sequence[str]:
    """Tell how to start one, wherever Stopgap is; `-P` keeps out what lies beside it."""
    return [sys.executable, "-P", "-c", START, str(Path(__file__).parents[2])]


def main() -> None:
    """Be the exporter: the order comes in on standard input, whose end is this process's."""
    with open(sys.stdin.fileno(), "rb", buffering=0, closefd=False) as unbuffered:
        order = Order.read(unbuffered.readline())
    threading.Thread(target=_end_with_input, daemon=True).start()
    try:
        _export(order)
    except StopgapError as error:
        told = logging.StreamHandler()  # standard output is the export's
        told.setFormatter(JsonLines())
        logger.addHandler(told)
        logger.warning("an export has ended early: %s", error)
        sys.exit(os.EX_UNAVAILABLE)
    gc.freeze()  # else Python looks through all of it before it ends, and readers wait 0.1 s


def _export(order: Order) -> None:
    with (
        open(sys.stdout.fileno(), "w", encoding="utf-8", newline="", closefd=False) as file,
        closing(Journal(open_database(order.database_url), SystemClock())) as journal,
    ):
        fields = journal.fields(order.filters.contract)
        write(order.form, journal.export(order.filters), fields, file)


def _end_with_input() -> None:
    """End when whoever ordered is gone."""
    os.read(sys.stdin.fileno(), 1)  # by itself: a buffer's lock would be in the way of a good end
    os._exit(os.EX_UNAVAILABLE)
