"""Where traces are sent is opened by its setting."""

import sys

import pytest

from stopgap.telemetry.collectors import TracesUnusable, open_collector


def test_a_library_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is told with the command that installs it."""
    monkeypatch.delitem(sys.modules, "stopgap.telemetry.opentelemetry", raising=False)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)
    with pytest.raises(TracesUnusable, match="pip install opentelemetry-exporter"):
        open_collector("http://127.0.0.1:9/v1/traces", "1.0")
