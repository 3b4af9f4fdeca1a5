"""Collectors: where traces are sent, as the setting says it."""

import importlib
import sys

from stopgap.errors import StartRefused
from stopgap.telemetry.trace_queue import Collector


class TracesUnusable(StartRefused):
    """STOPGAP_TRACES asks for traces, but the library that sends them is not installed."""


def open_collector(url: str, version: str) -> Collector:
    """Open where traces are sent; nothing is sent yet.

    Args:
        url: Where a collector takes OTLP over HTTP: `http://collector:4318/v1/traces`.
        version: Our own.

    Raises:
        TracesUnusable: the library for it is missing.
    """
    try:
        found = importlib.import_module("stopgap.telemetry.opentelemetry")
    except ModuleNotFoundError as error:
        needed = f"{sys.executable} -m pip install opentelemetry-exporter-otlp-proto-http"
        raise TracesUnusable(f"{error.name} is not installed: {needed}") from error
    collector: Collector = found.OtlpCollector(url, version)
    return collector
