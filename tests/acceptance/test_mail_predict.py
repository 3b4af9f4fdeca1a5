"""The mail's predictions, byte for byte, in every way to ask for one."""

from pathlib import Path
from urllib.parse import quote

import pytest
from tests.acceptance.client import Client
from tests.acceptance.predictions import INPUTS, MONTHS, QUERY, TEXTS, assert_prediction
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.server import SECRET, Server, running


@pytest.mark.parametrize(
    "target",
    [
        "/predict/5/january/100",
        "/predict/5/january/100/",
        "/predict/0/1/9007199254740991",
        "/predict/05/January/0100",
        "/predict/%35/januar%79/100",
        f"/predict?{QUERY}",
        f"/predict/?{QUERY}",
        "/predict?seller_avaible=5&month=january&customer_visiting_website=100",
        "/predict?month=d%C3%A9c&customer_visiting_website=0&seller_available=9007199254740991",
    ],
)
def test_get(client: Client, target: str) -> None:
    """The path form and the query form answer the bare integer."""
    assert_prediction(client.get(target))


def test_head(client: Client) -> None:
    """`HEAD` is answered as `GET`, without the body."""
    answer = client.send("HEAD", "/predict/5/january/100")
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == "4"


@pytest.mark.parametrize("target", ["/predict", "/predict/"])
@pytest.mark.parametrize(
    "inputs",
    [
        INPUTS,
        {"seller_avaible": 5, "month": "january", "customer_visiting_website": 100},
        INPUTS | {"month": 1},
        INPUTS | {"seller_available": 5.0, "month": 1.0},
        INPUTS | {"month": "1"},
        INPUTS | {"month": "Février"},
    ],
)
def test_post_json(client: Client, target: str, inputs: dict[str, object]) -> None:
    """A JSON object answers the bare integer."""
    assert_prediction(client.post_json(target, inputs))
    assert_prediction(client.post_json(target, inputs, content_type="application/json; charset=x"))


@pytest.mark.parametrize("sellers", ["seller_available", "seller_avaible"])
def test_post_form(client: Client, sellers: str) -> None:
    """A form, a multipart form and JSON that says it is a form answer the bare integer."""
    texts = {sellers: "5", "month": "janvier", "customer_visiting_website": "100"}
    assert_prediction(client.post_form("/predict", texts))
    assert_prediction(client.post_multipart("/predict", texts))
    form = "application/x-www-form-urlencoded"
    assert_prediction(client.post_json("/predict", INPUTS, content_type=form))


def test_post_splits_between_query_and_body(client: Client) -> None:
    """A value may stand in the query and another in the body."""
    rest = {"month": "january", "customer_visiting_website": 100}
    assert_prediction(client.post_json("/predict?seller_available=5", rest))


@pytest.mark.parametrize("month", MONTHS)
def test_months(client: Client, month: str) -> None:
    """A month is read in four languages, in full or by three letters, in any case, or 1 to 12."""
    for written in MONTHS[month].split():
        assert_prediction(client.get(f"/predict/5/{quote(written)}/100"))
        assert_prediction(client.get(f"/predict?{QUERY.replace('january', quote(written))}"))
        assert_prediction(client.post_json("/predict", INPUTS | {"month": written}))
        assert_prediction(client.post_form("/predict", TEXTS | {"month": written}))


@pytest.mark.parametrize("month", ["jui", "janu", "0", "13", "001", "monday", "jan.", "1.0"])
def test_no_months(client: Client, month: str) -> None:
    """Anything else is no month; `jui` begins two."""
    assert_problem(client.get(f"/predict/5/{month}/100"), 422, ["month"])


def test_answers_vary(client: Client) -> None:
    """The stand-in draws anew for every request."""
    answers = {assert_prediction(client.get("/predict/5/january/100")) for _ in range(30)}
    assert len(answers) > 15


def test_the_mails_other_order(client: Client) -> None:
    """Who writes the arguments in the mail's other order is told the right address."""
    document = assert_problem(client.get("/predict/january/100/5"), 422)
    assert "/predict/5/january/100" in document["detail"]


def test_predictions_can_be_closed(tmp_path: Path) -> None:
    """A setting closes predictions to who has no session; a guest's session is one."""
    closed = {"STOPGAP_PREDICTIONS": "signed-in", "STOPGAP_SECRET": SECRET}
    with running(tmp_path, closed) as server:
        client = server.client()
        for target in ("/predict/5/january/100", f"/predict?{QUERY}"):
            assert_problem(client.get(target), 401)
        assert_problem(client.post_json("/predict", INPUTS), 401)
        for name, password in (("orhan", "12345"), ("ann", "abc")):
            client.sign_in(name, password)
            assert_prediction(client.get("/predict/5/january/100"))


def test_predictions_are_open_in_production(production: Server) -> None:
    """Predictions are open, as in the mail, in production too."""
    assert_prediction(production.client().get("/predict/5/january/100"))


def test_a_key_that_is_none(client: Client) -> None:
    """A key that is unknown is refused even where none is needed, so that a typo is noticed."""
    headers = {"authorization": "Bearer sk_unknown"}
    assert_problem(client.get("/predict/5/january/100", **headers), 401)
