"""What another site's page makes a browser send is refused; everything else passes."""

import ipaddress
from functools import partial
from typing import Any

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from stopgap.problems import CrossSiteRefused
from stopgap.settings import Settings
from stopgap.web import cross_site
from stopgap.web.cross_site import refuse_cross_site

refuse_strange_name = partial(cross_site.refuse_strange_name, demo_is_open=lambda: True)


def request(method: str, headers: dict[str, str]) -> Request:
    """Make a request to http://here.example:5000/."""
    builder = EnvironBuilder(
        method=method, headers=headers.items(), base_url="http://here.example:5000/"
    )
    return Request(builder.get_environ())


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Sec-Fetch-Site": "same-origin"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "http://here.example:5000"},
        {"Origin": "https://here.example:5000"},
        {"Host": "ml_server:5000", "Origin": "http://ml_server:5000"},
        {"Host": "here.example:80", "Origin": "http://here.example"},
    ],
)
def test_passes(headers: dict[str, str]) -> None:
    """Programs, people and this site's own pages pass."""
    refuse_cross_site(request("POST", headers))


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Origin": "http://["},
        {"Origin": "http://[::1"},
        {"Sec-Fetch-Site": "nonsense"},
        {"Sec-Fetch-Site": "cross-site", "Origin": "http://here.example:5000"},
        {"Origin": "http://there.example"},
        {"Origin": "http://here.example"},
        {"Origin": "http://here.example:5000.there.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Host": "", "Origin": "null"},
        {"Host": "ml_server:5000", "Origin": "null"},
        {"Host": "ml_server:5000", "Origin": "http://ml.server:5000"},
        {"Host": "a b", "Origin": "http://a b"},
    ],
)
def test_refused(method: str, headers: dict[str, str]) -> None:
    """Another site's pages do not get through, whatever else they claim."""
    with pytest.raises(CrossSiteRefused):
        refuse_cross_site(request(method, headers))


def test_reading_is_allowed() -> None:
    """A link from another site may be followed."""
    refuse_cross_site(request("GET", {"Sec-Fetch-Site": "cross-site"}))


PAGES = ({"Origin": "http://somewhere"}, {"Sec-Fetch-Site": "same-origin"})
"""What a browser says of a page."""

NAMES = ["evil.example:5000", "here", "localhost.example", "127.0.0.1.example", "[::1", "a b", ""]


@pytest.mark.parametrize("host", NAMES)
@pytest.mark.parametrize("headers", PAGES)
@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2", "::1", "localhost"])
def test_a_name_that_somebody_owns(host: str, headers: dict[str, str], address: str) -> None:
    """In a demo of this machine alone, no page changes anything under a name that may move."""
    sent = request("POST", headers | {"Host": host})
    with pytest.raises(CrossSiteRefused, match="STOPGAP_TRUSTED_PROXIES"):
        refuse_strange_name(sent, Settings(host=address))


@pytest.mark.parametrize(
    "host", ["localhost:5000", "LocalHost", "localhost.:5000", "demo.localhost:5000"]
)
@pytest.mark.parametrize("headers", PAGES)
def test_a_name_of_this_machine(host: str, headers: dict[str, str]) -> None:
    """Pages of a demo work under the names that mean this machine everywhere."""
    refuse_strange_name(request("POST", headers | {"Host": host}), Settings())


@pytest.mark.parametrize("host", ["127.0.0.1:5000", "[::1]:5000", "192.0.2.1"])
def test_an_address_is_no_name(host: str) -> None:
    """Pages of a demo work under an address."""
    refuse_strange_name(request("POST", {"Host": host, "Origin": f"http://{host}"}), Settings())


@pytest.mark.parametrize(
    "changed",
    [
        {"host": "0.0.0.0"},  # which other machines reach under any name
        {"host": "192.0.2.1"},
        {"host": "::"},
        {"trusted_proxies": (ipaddress.ip_network("127.0.0.1"),)},
        {"demo_account": False},
    ],
)
def test_a_server_for_others_has_any_name(changed: dict[str, Any]) -> None:
    """Where others reach the server, by a proxy perhaps, or nobody knows a password, it may."""
    sent = request("POST", {"Origin": "http://here.example:5000"})
    refuse_strange_name(sent, Settings(**changed))


def test_a_password_that_is_an_operators() -> None:
    """Once nobody but its owner knows the password of the demo's account, any name will do."""
    sent = request("POST", {"Origin": "http://here.example:5000"})
    cross_site.refuse_strange_name(sent, Settings(), lambda: False)


def test_a_program_and_a_reader_use_any_name() -> None:
    """Programs, and who only reads, are asked for no name."""
    refuse_strange_name(request("POST", {}), Settings())
    refuse_strange_name(request("GET", PAGES[0]), Settings())
