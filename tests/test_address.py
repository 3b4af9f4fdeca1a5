"""Whose address counts, when proxies stand between, and what counts as one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.address import address_behind, network_of
from stopgap.settings import read_settings

PROXIES = read_settings({"STOPGAP_TRUSTED_PROXIES": "10.0.0.0/8, 2001:db8::/32"}).trusted_proxies


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "198.51.100.1, 192.0.2.1", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1, 10.0.0.2", "192.0.2.1"),
        ("10.0.0.1", "10.0.0.2, 10.0.0.3", "10.0.0.2"),  # nobody else: the farthest of them
        ("::ffff:10.0.0.1", "192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "192.0.2.1", "192.0.2.1"),
        ("192.0.2.9", "192.0.2.1", "192.0.2.9"),
        ("10.0.0.1", "192.0.2.1:4711", "192.0.2.1"),
        ("10.0.0.1", "192.0.2.1:4711, 10.0.0.2:80", "192.0.2.1"),
        ("10.0.0.1", "[2001:db9::1]:443", "2001:db9::1"),
        ("10.0.0.1", "[2001:db9::1]", "2001:db9::1"),
        ("10.0.0.1", "2001:db9::1", "2001:db9::1"),
        ("10.0.0.1", "[]:443", "10.0.0.1"),
        ("10.0.0.1", "192.0.2.1:http", "10.0.0.1"),
        ("10.0.0.1", "nonsense", "10.0.0.1"),
        ("", "192.0.2.1", ""),
    ],
)
def test_the_first_who_is_not_trusted(peer: str, forwarded: str, client: str) -> None:
    """The client is the last in the list whom nobody trusts; what others claim is not believed."""
    assert address_behind(peer, forwarded, PROXIES) == client


def test_nobody_is_trusted() -> None:
    """Without trusted proxies the peer is the client."""
    assert address_behind("10.0.0.1", "192.0.2.1", ()) == "10.0.0.1"


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("", "unix:", False),
    ],
)
def test_what_counts_as_one_address(one: str, other: str, same: bool) -> None:  # of a table
    """IPv4 addresses count one by one, IPv6 addresses by their /64."""
    assert (network_of(one) == network_of(other)) is same


@given(st.text() | st.ip_addresses().map(str))
def test_any_address_counts_as_something(address: str) -> None:
    """Nothing that a server calls an address makes an error."""
    assert isinstance(network_of(address), str)
