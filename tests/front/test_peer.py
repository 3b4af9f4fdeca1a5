"""From where a request comes, as the door sees it."""

from tests.front.requests import scope

from stopgap.front.peer import address_of
from stopgap.settings import read_settings

TRUSTED = read_settings({"STOPGAP_TRUSTED_PROXIES": "192.0.2.1"}).trusted_proxies


def test_several_headers_are_one_list() -> None:
    """A proxy may add a header of its own instead of going on with the one that is there."""
    sent = ((b"x-forwarded-for", b"1.2.3.4"), (b"x-forwarded-for", b"198.51.100.7"))
    assert address_of(scope("/", *sent), TRUSTED) == "198.51.100.7"
    assert address_of(scope("/", *sent), ()) == "192.0.2.1"


def test_a_peer_that_is_not_known() -> None:
    """Behind a socket of the system's own there is no address, and nobody is believed."""
    sent = ((b"x-forwarded-for", b"198.51.100.7"),)
    assert address_of(scope("/", *sent, client=None), TRUSTED) == ""
