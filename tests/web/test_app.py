"""The Flask application by itself: every route, without door, event loop or port."""

import gzip
import ipaddress
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from pathlib import Path
from typing import Literal

import pytest
from flask import Flask
from flask.testing import FlaskClient
from tests.pictures import noise, packed, png

from stopgap.request_notes import ARRIVED, COUNTED, LOOKUP_ERROR
from stopgap.settings import Settings
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.web.bodies import FORM
from stopgap.web.current import NAME
from stopgap.wiring.application import create_app


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    """Build the demo's application."""
    app = create_app(Settings(data=tmp_path, stand_in="stable"))
    yield app
    app.extensions[NAME].close()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """Call the application directly."""
    return app.test_client()


def test_predictions_without_the_door(client: FlaskClient) -> None:
    """Path, query, JSON and form give the same answer to the same inputs."""
    values = {"seller_available": 5, "month": "january", "customer_visiting_website": 100}
    answers = {
        client.get("/predict/5/january/100").text,
        client.get("/predict", query_string=values).text,
        client.post("/predict", json=values).text,
        client.post("/predict", data=values).text,
    }
    assert len(answers) == 1
    assert 2000 <= int(answers.pop()) <= 5000


def test_the_raw_path_counts(client: FlaskClient) -> None:
    """An encoded slash is part of a value, here as behind the door."""
    response = client.get("/predict/5%2F1/january/100")
    assert response.status_code == 400
    assert response.json is not None
    assert [fault["field"] for fault in response.json["errors"]] == ["seller_available"]


@pytest.mark.parametrize("slashes", ["//", "///"])
def test_slashes_at_the_beginning_are_one(client: FlaskClient, slashes: str) -> None:
    """A base URL that ends in a slash, with a path behind it, is the same address."""
    address = f"{slashes}predict/5/january/100"
    response = client.get("/predict/5/january/100", environ_overrides={"RAW_URI": address})
    assert response.status_code == 200
    assert response.data == client.get("/predict/5/january/100").data


@pytest.mark.parametrize(
    ("boundary", "body"),
    [
        ("B", b'--B\r\nContent-Disposition: form-data; name="month"\r\n\r\nmay\r\n'),
        ("", b'--B\r\nContent-Disposition: form-data; name="month"\r\n\r\nmay\r\n--B--\r\n'),
        ("B", b"--B\r\n\r\nmay\r\n--B--\r\n"),
    ],
    ids=["cut off", "no boundary", "no name"],
)
@pytest.mark.parametrize("path", ["/predict", "/login", "/images"])
def test_half_a_form_is_none(client: FlaskClient, path: str, boundary: str, body: bytes) -> None:
    """What a form has lost is not taken for what was never sent."""
    media_type = f"multipart/form-data; boundary={boundary}" if boundary else "multipart/form-data"
    response = client.post(path, data=body, content_type=media_type)
    assert response.status_code == 400
    assert response.json is not None
    assert response.json["type"] == "/problems/body-malformed"


@pytest.mark.parametrize(
    "header",
    [("Range", "bytes=0-1"), ("Range", "lines=1-2"), ("Range", "bytes=0-1,4-5"), ("If-Match", "x")],
)
@pytest.mark.parametrize("path", ["/static/console.css", "/status"])
def test_nothing_is_sent_in_parts(client: FlaskClient, path: str, header: tuple[str, str]) -> None:
    """Whoever asks for some bytes gets all of them, as may be (RFC 9110, 14.2), and is told so."""
    with client.get(path) as whole, client.get(path, headers=[header]) as answer:
        assert (answer.status_code, answer.data) == (200, whole.data)
        assert "Accept-Ranges" not in answer.headers


@pytest.mark.parametrize("path", ["/predict", "/login", "/images"])
def test_a_packed_body_is_not_read(client: FlaskClient, path: str) -> None:
    """A body that says that it is packed is refused for that, not for what it then looks like."""
    packed = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
    answer = client.post(path, data=gzip.compress(b"{}"), headers=packed)
    assert answer.status_code == 415
    assert "'gzip'" in answer.text
    answer = client.post(path, data=b"[]", headers=packed | {"Content-Encoding": "Identity"})
    assert "packed" not in answer.text


def test_a_file_name_that_is_no_utf8(client: FlaskClient) -> None:
    """A form whose file has a name in another encoding is told that, for it is whole."""
    head = b'--B\r\nContent-Disposition: form-data; name="image"; filename="\xe9.png"\r\n\r\n'
    body = head + png() + b"\r\n--B--\r\n"
    answer = client.post("/images", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 400
    assert "UTF-8" in answer.text


def test_a_file_without_a_name(client: FlaskClient) -> None:
    """A file that came as a text, for want of a filename, is told so; it is not called missing."""
    head = b'--B\r\nContent-Disposition: form-data; name="image"\r\nContent-Type: image/png\r\n\r\n'
    body = head + png() + b"\r\n--B--\r\n"
    answer = client.post("/images", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 400
    assert answer.json is not None
    told = "was sent as text; give its part a filename"
    assert answer.json["errors"] == [{"field": "image", "message": told}]
    body = head + bytes(600_000) + b"\r\n--B--\r\n"
    answer = client.post("/images", data=body, content_type="multipart/form-data; boundary=B")
    assert answer.status_code == 413
    assert "a file's part needs a filename" in answer.text


def test_a_large_file_in_a_form_needs_no_room_on_the_disk(
    client: FlaskClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A body that has come in whole finds its file no second room where temporary files are."""
    content = packed(noise("RGB", (500, 400)), "PNG")
    assert len(content) > 500 * 1024
    head = b'--B\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
    body = head + content + b"\r\n--B--\r\n"
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))
    answer = client.post(
        "/images",
        input_stream=BytesIO(body),
        content_type="multipart/form-data; boundary=B",
        headers={"Content-Length": str(len(body))},
    )
    assert answer.status_code == 201


@pytest.mark.parametrize("name", ["account", "user", "session"])
def test_an_upload_with_fields_of_its_own(client: FlaskClient, name: str) -> None:
    """What else a client's program sends beside an image is its own affair."""
    form = {name: "x", "image": (BytesIO(png()), "a.png")}
    assert client.post("/images", data=form).status_code == 201


def test_a_login_that_is_no_utf8(client: FlaskClient) -> None:
    """A form's name in another encoding is told so, without advice about JSON."""
    answer = client.post("/login", data=b"username=J%FCrgen&password=x", content_type=FORM)
    assert answer.status_code == 400
    assert answer.json is not None
    assert answer.json["errors"] == [{"field": "username", "message": "must be a text in UTF-8"}]


def test_a_token_for_the_metrics(tmp_path: Path) -> None:
    """It is sent as a bearer token, whatever the capitals of that word, and in no other way."""
    app = create_app(Settings(data=tmp_path, metrics_token="of the day"))
    client = app.test_client()
    for sent, status in (
        ("Bearer of the day", 200),
        ("bearer  of the day", 200),
        ("Bearer\tof the day", 200),
        ("of the day", 401),
        ("Basic of the day", 401),
        ("Bearer of the night", 401),
        ("Bearer", 401),
        ("", 401),
    ):
        answer = client.get("/metrics", headers={"Authorization": sent})
        assert answer.status_code == status, sent
    app.extensions[NAME].close()


def test_a_token_that_is_no_ascii(tmp_path: Path) -> None:
    """It is sent in UTF-8, whose bytes WSGI takes for one character each."""
    app = create_app(Settings(data=tmp_path, metrics_token="été"))
    sent = "Bearer été".encode().decode("latin-1")
    assert app.test_client().get("/metrics", headers={"Authorization": sent}).status_code == 200
    app.extensions[NAME].close()


def test_every_cookie_is_as_secure(tmp_path: Path) -> None:
    """Where cookies are always to be Secure, all of them are."""
    app = create_app(Settings(data=tmp_path, secure_cookies=True))
    client = app.test_client()
    answers = [
        client.post("/login", data={"username": "orhan", "password": "12345"}),
        client.post("/console/appearance", data={"theme": "dark"}),
        client.post("/console/account/sessions/end-others"),
    ]
    cookies = [each for answer in answers for each in answer.headers.getlist("Set-Cookie")]
    assert {each.partition("=")[0] for each in cookies} >= {"stopgap_session", "stopgap_theme"}
    assert all("Secure" in each.split("; ") for each in cookies)
    app.extensions[NAME].close()


def test_a_raw_body_that_is_called_a_form(client: FlaskClient) -> None:
    """What curl calls a form, unless it is told otherwise, may be an image all the same."""
    response = client.post("/images", data=png(), content_type="application/x-www-form-urlencoded")
    assert response.status_code == 201


@pytest.mark.parametrize("path", ["/predict", "/login"])
def test_a_form_is_counted_before_it_is_split(client: FlaskClient, path: str) -> None:
    """A megabyte of values is refused for their number, before any of them is read."""
    began = time.process_time()
    response = client.post(path, data="&".join("a" * 524_288), content_type=FORM)
    assert time.process_time() - began < 1
    assert response.status_code == 400
    assert "may bring 100 values; this one has 524288" in response.text


@pytest.mark.parametrize(("path", "status"), [("/images", 415), ("/console/appearance", 303)])
def test_a_form_of_many_values_is_not_split(client: FlaskClient, path: str, status: int) -> None:
    """Megabytes of values, where no page has so many, cost no seconds."""
    began = time.process_time()
    response = client.post(path, data="&".join("a" * 2_000_000), content_type=FORM)
    assert time.process_time() - began < 1
    assert response.status_code == status


def test_the_wait_for_a_thread_counts(app: Flask, client: FlaskClient) -> None:
    """A request's duration begins where the door says that it had arrived."""
    an_hour_ago = time.perf_counter() - 3_600
    client.get("/status", environ_overrides={ARRIVED: an_hour_ago})
    line = app.extensions[NAME].metrics._times["stopgap_requests_total", "/status", "GET", "200"]
    assert 3_600 <= line.counts()[-1] / 1_000_000 < 3_700


def test_a_fault_of_ours_is_told_without_its_words(app: Flask, client: FlaskClient) -> None:
    """What nobody foresaw is a 500 in our shape; only the log knows more."""

    @app.get("/broken")
    def broken() -> str:
        raise RuntimeError("the secret is swordfish")

    response = client.get("/broken")
    assert response.status_code == 500
    assert response.mimetype == "application/problem+json"
    assert "swordfish" not in response.text


@pytest.mark.parametrize("path", ["/", "/status", "/nope", "/predict/x", "/static/console.css"])
def test_every_answer_is_guarded(client: FlaskClient, path: str) -> None:
    """Pages, answers, errors and files are what they say they are, and carry a request id."""
    with client.get(path) as response:
        headers = response.headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert len(headers["X-Request-Id"]) == 36


@pytest.mark.parametrize(
    "path",
    ["/", "/nope", "/docs", "/problems/page-not-found", "/console/predict", "/console/images"],
)
def test_every_page_is_guarded(client: FlaskClient, path: str) -> None:
    """No page can be framed, and none runs or loads what is not this server's."""
    policy = client.get(path, headers={"Accept": "text/html"}).headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy


def test_a_second_login_ends_the_first_session(client: FlaskClient) -> None:
    """A browser that signs in again leaves no session behind."""
    client.post("/login", json={"username": "a", "password": "b"})
    first = client.get_cookie("stopgap_session")
    client.post("/login", json={"username": "a", "password": "b"})
    assert first is not None
    client.set_cookie("stopgap_session", first.value)
    assert client.get("/images").status_code == 401


def test_closed_predictions_need_a_session(tmp_path: Path) -> None:
    """Where predictions are closed, a session or a key opens them."""
    app = create_app(Settings(data=tmp_path, predictions="signed-in"))
    client = app.test_client()
    assert client.get("/predict/5/january/100").status_code == 401
    client.post("/login", json={"username": "orhan", "password": "12345"})
    assert client.get("/predict/5/january/100").status_code == 200
    app.extensions[NAME].close()


def test_the_document_is_yaml_too(tmp_path: Path) -> None:
    """Many tools read it as that, which has no surrogate pairs."""
    place = tmp_path / "smile.py"
    place.write_text(
        "from typing import Annotated\n"
        "from pydantic import BaseModel, Field\n"
        "from stopgap import Contract\n"
        "class Smile(BaseModel):\n"
        "    face: Annotated[str, Field(examples=['\U0001f600'], max_length=9)]\n"
        "contract = Contract(\n"
        "    name='smile', version='1', path='/smile/{face}', inputs=Smile, output=bool\n"
        ")\n"
    )
    app = create_app(Settings(data=tmp_path / "data", contracts=(f"{place}:contract",)))
    told = app.test_client().get("/openapi.json")
    assert (told.mimetype, "\U0001f600" in told.text) == ("application/json", True)
    app.extensions[NAME].close()


def test_the_document_says_who_may_do_what(tmp_path: Path) -> None:
    """What needs a session or key on this server is said to need one."""
    for closed in (False, True):
        settings = Settings(
            data=tmp_path, predictions="signed-in" if closed else "open", guests=not closed
        )
        app = create_app(settings)
        client = app.test_client()
        document = client.get("/openapi.json").json
        assert document is not None
        for path, method in (("/predict", "get"), ("/predict", "post"), ("/images", "post")):
            assert ({} in document["paths"][path][method]["security"]) is not closed
        assert client.get("/docs").text.count("Open to all.") == (1 if closed else 5)
        app.extensions[NAME].close()


def test_an_input_with_a_name_of_ours(tmp_path: Path) -> None:
    """An input may be called as anything in the code is; also where it stands in the path."""
    contract = tmp_path / "plan.py"
    contract.write_text(PLAN)
    app = create_app(Settings(data=tmp_path, contracts=(f"{contract}:contract",)))
    client = app.test_client()
    assert client.get("/plan/monthly/3").status_code == 200
    assert client.get("/plan/monthly/999").status_code == 422
    assert client.get("/plan/weekly/3", headers={"Accept": "text/html"}).status_code == 422
    app.extensions[NAME].close()


PLAN = """
from typing import Annotated, Literal
from pydantic import BaseModel, Field
from stopgap.contracts.contract import Contract

class Plan(BaseModel):
    contract: Literal["monthly", "yearly"]
    tenure: Annotated[int, Field(ge=0, le=72)]

contract = Contract(
    name="plan", version="1", path="/plan/{contract}/{tenure}", inputs=Plan, output=bool
)
"""


def test_a_slash_alone_is_a_value(tmp_path: Path) -> None:
    """An encoded slash is a path's value, and no end of the prefix, which takes a query."""
    contract = tmp_path / "sign.py"
    contract.write_text(SIGN)
    app = create_app(Settings(data=tmp_path, contracts=(f"{contract}:contract",)))
    client = app.test_client()
    for address in ("/sign/%2F", "/sign/%2F/", "/sign?sign=/", "/sign/?sign=%2F"):
        assert client.get(address).status_code == 200
    refused = client.get("/sign/%2F?sign=-")
    assert refused.status_code == 400
    assert refused.json is not None
    assert [fault["message"] for fault in refused.json["errors"]] == ["is given more than once"]
    app.extensions[NAME].close()


SIGN = """
from typing import Literal
from pydantic import BaseModel
from stopgap.contracts.contract import Contract

class Term(BaseModel):
    sign: Literal["/", "+", "-"]

contract = Contract(name="sign", version="1", path="/sign/{sign}", inputs=Term, output=bool)
"""


def test_what_the_door_has_counted_is_counted_once(tmp_path: Path) -> None:
    """A prediction that the door has counted is not counted by the view once more."""
    app = create_app(Settings(data=tmp_path, prediction_limit="2/day"))
    client = app.test_client()
    for counted, statuses in ((True, [200, 200, 200]), (False, [200, 200, 429])):
        asked = [
            client.get("/predict/5/january/100", environ_overrides={COUNTED: counted})
            for _ in statuses
        ]
        assert [answer.status_code for answer in asked] == statuses
    app.extensions[NAME].close()


@pytest.mark.parametrize("predictions", ["open", "signed-in"])
def test_who_may_not_predict_is_counted_too(
    tmp_path: Path, predictions: Literal["open", "signed-in"]
) -> None:
    """Keys that are none have a limit, an address's, and take nothing of what a right one has."""
    chosen = Settings(data=tmp_path, prediction_limit="3/day", predictions=predictions)
    app = create_app(chosen)
    client = app.test_client()

    def asked(*keys: str | None) -> list[int]:
        headers = [{"Authorization": f"Bearer {key}"} if key else {} for key in keys]
        return [client.get("/predict/5/may/1", headers=each).status_code for each in headers]

    with closing(app.extensions[NAME]) as parts:
        _, right = parts.keys.create("orhan")
        made_up = [f"sk_{number:016x}_{number:064x}" for number in range(4)]
        assert asked(*made_up, "none", None) == [401, 401, 401, 429, 429, 429]
        page = client.get("/console/predict?month=may", headers={"Authorization": "Bearer none"})
        assert page.status_code == 429
        assert asked(*[right] * 4) == [200, 200, 200, 429]


@pytest.mark.parametrize(("proto", "secure"), [("https", True), ("http", False)])
def test_cookies_behind_https(tmp_path: Path, proto: str, *, secure: bool) -> None:
    """A session's cookie is Secure where a trusted proxy says that the browser speaks HTTPS."""
    trusted = (ipaddress.ip_network("127.0.0.1"),)
    app = create_app(Settings(data=tmp_path, trusted_proxies=trusted))
    answer = app.test_client().post(
        "/login",
        data={"username": "orhan", "password": "12345"},
        headers={"X-Forwarded-Proto": proto},
    )
    assert ("Secure" in answer.headers["Set-Cookie"].split("; ")) is secure
    app.extensions[NAME].close()


@pytest.mark.parametrize("host", ["a..b", "..", "x" * 64 + ".example", "ml_server:5000", "é", ""])
def test_a_name_that_is_none(client: FlaskClient, host: str) -> None:
    """Whatever a client calls this server, the same is answered, and nothing breaks."""
    headers = {"Host": host.encode().decode("latin-1"), "Accept": "text/html"}
    assert client.get("/", headers=headers).status_code == 200
    assert client.get("/nothing", headers=headers).status_code == 404
    assert client.get("/predict/5/may/1", headers=headers).status_code == 200


def test_pages_name_this_server_as_the_visitor_does(client: FlaskClient) -> None:
    """Also where it is called by what is no name of the internet, as a container may be."""
    page = client.get("/", headers={"Host": "ml_server:5000", "Accept": "text/html"}).text
    assert "http://ml_server:5000/" in page


def test_a_page_under_a_name_that_somebody_owns(client: FlaskClient) -> None:
    """A page whose name leads here by now signs nobody in at a demo of this machine alone."""
    known = {"username": "orhan", "password": "12345"}
    for host, status in (("evil.example:5000", 403), ("localhost:5000", 200)):
        headers = {"Host": host, "Origin": f"http://{host}"}
        answer = client.post("/login", json=known, headers=headers)
        assert answer.status_code == status
        assert ("Set-Cookie" in answer.headers) is (status == 200)


def test_a_caller_whom_the_door_could_not_find(client: FlaskClient) -> None:
    """What was in the way is told as if it had happened here, and nobody is looked up again."""
    failed = {LOOKUP_ERROR: DatabaseUnreachable("database", "it is away")}
    answer = client.get("/predict/5/may/1", environ_overrides=failed)
    assert answer.status_code == 503
    assert answer.json is not None
    assert answer.json["type"] == "/problems/database-unreachable"
