"""Serving: what a person is told at the start."""

import pytest

from stopgap.cli.serve import invitation
from stopgap.settings import Settings


@pytest.mark.parametrize(
    ("host", "link"),
    [
        ("127.0.0.1", "http://localhost:5000/"),
        ("::", "http://localhost:5000/"),
        ("192.0.2.1", "http://192.0.2.1:5000/"),
        ("fd00::2", "http://[fd00::2]:5000/"),
    ],
)
def test_the_link(host: str, link: str) -> None:
    """What a browser is pointed at is an address that it can read."""
    assert f"Open {link} " in invitation(Settings(host=host), 5000)
