"""The prediction's page, for any contract."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask.testing import FlaskClient

from stopgap.settings import Settings
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app

DELIVERY = str(Path(__file__).parents[3] / "examples/delivery.py") + ":contract"
MADCOMPANY = "stopgap.contracts.madcompany:contract"


@pytest.fixture
def client(tmp_path: Path) -> Iterator[FlaskClient]:
    """Call an application that serves two contracts, and always answers the same."""
    settings = Settings(data=tmp_path, stand_in="stable", contracts=(MADCOMPANY, DELIVERY))
    app = create_app(settings)
    yield app.test_client()
    app.extensions[NAME].close()


def test_the_same_answer_as_the_api(client: FlaskClient) -> None:
    """The page shows what a program gets, and who gave it."""
    query = "seller_available=5&month=may&customer_visiting_website=7"
    page = client.get(f"/console/predict/madcompany?{query}").text
    assert f"<output>{client.get(f'/predict?{query}').text}</output>" in page
    assert "stand-in (stable)" in page


def test_an_answer_with_members(client: FlaskClient) -> None:
    """An answer that is an object is shown member by member."""
    page = client.get("/console/predict/delivery-time?weight_kg=2.5&service=express").text
    told = client.get("/delivery/2.5/express").json
    assert told
    assert f"<dt>Days</dt><dd><bdi>{told['days']}</bdi></dd>" in page
    assert f"<dt>Carrier</dt><dd><bdi>{told['carrier']}</bdi></dd>" in page


def test_each_contract_has_its_page(client: FlaskClient) -> None:
    """Each contract is a click away from every other; one that is not served is not found."""
    page = client.get("/console/predict").text
    for name in ("madcompany", "delivery-time"):
        assert f'href="/console/predict/{name}"' in page
    assert client.get("/console/predict/nonsense").status_code == 404


def test_other_names_and_values_that_may_be_left_out(client: FlaskClient) -> None:
    """What comes under another name is read; what may be left out, can be."""
    alias = client.get("/console/predict/madcompany?seller_avaible=8&month=1").text
    assert re.search(r'name="seller_available"[^>]* value="8"', alias)
    short = client.get("/console/predict/delivery-time?weight_kg=2.5&service=").text
    assert "Must be" not in short


def test_ids_are_unique(client: FlaskClient) -> None:
    """No two elements of a page share an id, though two contracts may share a field's name."""
    client.post("/login", data={"username": "jane", "password": "a"})
    for path in ("/", "/console/predict", "/docs"):
        ids = re.findall(r' id="([^"]+)"', client.get(path).text)
        assert len(ids) == len(set(ids)), path


@pytest.mark.parametrize(
    "query",
    [
        "month=%3Cscript%3E",
        "month=a&month=b",
        "seller_available=" + "9" * 5_000,
        "&".join(f"x{number}=1" for number in range(200)),
        "%00=%ff&month=%ff",
        "=&=",
    ],
)
def test_whatever_is_asked(client: FlaskClient, query: str) -> None:
    """No query breaks the page, or brings markup of its own; what is wrong is said."""
    answer = client.get(f"/console/predict/madcompany?{query}")
    assert answer.status_code == 200
    assert 'role="alert"' in answer.text
    assert "<script>" not in answer.text
