"""What another site's page makes a browser send is refused; everything else passes."""

import pytest
from flask import Request
from werkzeug.test import EnvironBuilder

from stopgap.problems import CrossSiteRefused
from stopgap.web.cross_site import refuse_cross_site


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
