"""A release knows its name, and survives being written down."""

import json

import pytest
from tests.releases.making import release

from stopgap.releases.release import Release, stand_in_release


def test_names() -> None:
    """Clients see a release's number; release 0 is called the stand-in, and no model."""
    assert release(12).name == "12"
    assert stand_in_release("test", "0123456789abcdef", "live").name == "stand-in"


@pytest.mark.parametrize(
    "written", [release(3, "canary", 12.5, "inputs"), stand_in_release("test", "0" * 16, "retired")]
)
def test_written_and_read(written: Release) -> None:
    """A release that went through JSON is the same release."""
    assert Release.of(json.loads(json.dumps(written.document()))) == written
