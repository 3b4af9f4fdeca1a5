"""Serving: what a person is told at the start, and what a proxy may rely on."""

import pytest

from stopgap.cli.serving.serve import invitation
from stopgap.cli.serving.supervising import HTTP1
from stopgap.settings import Settings

ROUTER_SECONDS = 90
"""For which Heroku's router keeps a connection that nobody uses; most others, 60 at most."""


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
    assert f"Open {link} " in invitation(Settings(host=host), 5000, demo=True)


def test_the_proxy_hangs_up_first() -> None:
    """An idle connection outlives a proxy's patience: else a request meets its end, and is lost."""
    assert HTTP1.header_read_timeout / 1_000 > ROUTER_SECONDS
