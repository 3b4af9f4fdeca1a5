"""A second contract of another shape, served next to MadCompany's by one command."""

import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.client import Answer, Client
from tests.acceptance.forms import forms
from tests.acceptance.predictions import assert_prediction
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.server import ML_SERVER, ROOT, STOPGAP, Server, environment, running

MADCOMPANY = "stopgap.contracts.madcompany:contract"
DELIVERY = f"{ROOT / 'examples' / 'delivery.py'}:contract"
BOTH = ("--contract", MADCOMPANY, "--contract", DELIVERY)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server of two contracts."""
    with running(tmp_path_factory.mktemp("two"), command=(*ML_SERVER, *BOTH)) as running_one:
        yield running_one


@pytest.fixture
def client(server: Server) -> Client:
    """Make a program that nobody has signed in yet."""
    return server.client()


def assert_delivery(answer: Answer) -> dict[str, Any]:
    """Hold an answer against the parcel's promise."""
    assert answer.status == 200, answer.body
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Stopgap-Release") == "stand-in"
    delivery: dict[str, Any] = answer.json()
    assert set(delivery) == {"days", "carrier"}
    assert isinstance(delivery["days"], float)
    assert 0.5 <= delivery["days"] <= 14
    assert delivery["carrier"] in {"north", "south"}
    return delivery


def test_the_example_is_short() -> None:
    """The second contract takes at most twenty lines."""
    assert len((ROOT / "examples" / "delivery.py").read_text().splitlines()) <= 20


def test_the_first_contract_is_still_there(client: Client) -> None:
    """MadCompany's predictions are not disturbed by a neighbour."""
    assert_prediction(client.get("/predict/5/january/100"))


@pytest.mark.parametrize(
    "target",
    [
        "/delivery/2.5/express",
        "/delivery/30/standard/",
        "/delivery/1e-3/standard",
        "/delivery?weight_kg=2.5&service=express",
        "/delivery?weight_kg=0.001",
    ],
)
def test_get(client: Client, target: str) -> None:
    """The second contract has its path and its query; a default need not be given."""
    assert_delivery(client.get(target))


def test_post(client: Client) -> None:
    """The second contract takes JSON and forms; in JSON a whole number is a number too."""
    for weight in (2.5, 2, 30):
        assert_delivery(client.post_json("/delivery", {"weight_kg": weight, "service": "express"}))
    assert_delivery(client.post_json("/delivery", {"weight_kg": 2.5}))
    assert_delivery(client.post_form("/delivery", {"weight_kg": "2.5", "service": "standard"}))
    assert_delivery(client.post_multipart("/delivery", {"weight_kg": "2.5"}))


def test_answers_vary(client: Client) -> None:
    """The stand-in draws each part of an object anew."""
    found = [assert_delivery(client.get("/delivery/2.5/express")) for _ in range(30)]
    assert len({each["days"] for each in found}) > 20
    assert {each["carrier"] for each in found} == {"north", "south"}


@pytest.mark.parametrize(
    ("target", "status", "fields"),
    [
        ("/delivery/heavy/express", 400, ["weight_kg"]),
        ("/delivery/0/express", 422, ["weight_kg"]),
        ("/delivery/-1/express", 422, ["weight_kg"]),
        ("/delivery/30.001/express", 422, ["weight_kg"]),
        ("/delivery/1e999/express", 422, ["weight_kg"]),
        ("/delivery/nan/express", 400, ["weight_kg"]),
        ("/delivery/inf/express", 400, ["weight_kg"]),
        ("/delivery/2,5/express", 400, ["weight_kg"]),
        ("/delivery/2.5/slow", 422, ["service"]),
        ("/delivery/heavy/slow", 400, ["weight_kg", "service"]),
        ("/delivery", 400, ["weight_kg"]),
        ("/delivery?service=express", 400, ["weight_kg"]),
        ("/delivery/2.5/express?colour=red", 422, ["colour"]),
    ],
)
def test_bad_input(client: Client, target: str, status: int, fields: list[str]) -> None:
    """The second contract's bad input is refused as the first one's is."""
    assert_problem(client.get(target), status, fields)


@pytest.mark.parametrize("weight", ["2.5", True, None, [2.5]])
def test_bad_json(client: Client, weight: object) -> None:
    """In JSON a number is a number."""
    assert_problem(client.post_json("/delivery", {"weight_kg": weight}), 400, ["weight_kg"])


def test_the_page_has_both_forms(client: Client) -> None:
    """The first page has a form for each contract, made from it."""
    client.sign_in("ann", "abc")
    found = forms(client.get("/").text)
    assert found["/delivery"].fields == {"weight_kg": "2.5", "service": "standard"}
    assert "/predict" in found


def test_the_document_has_both(client: Client) -> None:
    """The OpenAPI document describes both contracts."""
    paths = client.get("/openapi.json").json()["paths"]
    assert {
        "/predict",
        "/predict/{seller_available}/{month}/{customer_visiting_website}",
        "/delivery",
        "/delivery/{weight_kg}/{service}",
    } <= set(paths)


def test_both_pass_the_check(server: Server) -> None:
    """`contract check` finds both promises kept."""
    checked = subprocess.run(
        [*STOPGAP, "contract", "check", server.url, *BOTH],
        env=environment(),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize("second", ["x.py:contract", "nonsense", DELIVERY, "stopgap.clock:Ids"])
def test_contracts_that_cannot_be_served(second: str, tmp_path: Path) -> None:
    """A contract that is not there, is none, or overlaps another stops the start."""
    refused = subprocess.run(
        [*ML_SERVER, "--contract", DELIVERY, "--contract", second],
        env=environment(STOPGAP_DATA=str(tmp_path / "data")),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert refused.returncode not in {0, 1}
    assert refused.stderr.startswith("stopgap: ")
    assert refused.stderr.count("\n") == 1
    assert not (tmp_path / "data").exists()


def test_a_command_about_one_leaves_the_other_known(server: Server) -> None:
    """What a worker goes by while the database is away is not another command's to write."""
    kept = (server.data / "releases.json").read_bytes()
    subprocess.run(
        [*STOPGAP, "release", "list"],
        env=environment(STOPGAP_DATA=str(server.data)),
        check=True,
        capture_output=True,
    )
    assert (server.data / "releases.json").read_bytes() == kept
    assert b"delivery-time" in kept
