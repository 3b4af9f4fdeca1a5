"""Whose word is believed about where a request comes from."""

import ipaddress

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from stopgap.web.peer import address_of, is_secure

TRUSTED = (ipaddress.ip_network("10.0.0.0/8"), ipaddress.ip_network("fd00::/8"))


def request(peer: str, **headers: str) -> Request:
    """Make a request that came from an address, with X-Forwarded headers."""
    named = {f"X-Forwarded-{name}": value for name, value in headers.items()}
    builder = EnvironBuilder(headers=named.items(), environ_base={"REMOTE_ADDR": peer})
    return Request(builder.get_environ())


@pytest.mark.parametrize(
    ("peer", "forwarded", "address"),
    [
        ("203.0.113.5", "198.51.100.1", "203.0.113.5"),  # nobody's word but a proxy's
        ("10.0.0.1", "198.51.100.1", "198.51.100.1"),
        ("", "198.51.100.1", ""),
    ],
)
def test_address(peer: str, forwarded: str, address: str) -> None:
    """The connection's end and its header are what tells of an address."""
    assert address_of(request(peer, For=forwarded), TRUSTED) == address


@pytest.mark.parametrize(
    ("peer", "proto", "secure"),
    [
        ("203.0.113.5", "https", False),
        ("10.0.0.1", "https", True),
        ("10.0.0.1", "HTTPS", True),
        ("10.0.0.1", "https, http", False),
        ("10.0.0.1", "http", False),
        ("10.0.0.1", "", False),
    ],
)
def test_scheme(peer: str, proto: str, secure: bool) -> None:
    """The scheme is a trusted proxy's word, or the connection's own."""
    assert is_secure(request(peer, Proto=proto), TRUSTED) is secure
