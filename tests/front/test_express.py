"""The express lane knows nothing that Flask's views do not know: the answers of both are one."""

import json
from collections.abc import Iterator
from urllib.parse import unquote

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, model_validator
from tests.front.two_doors import House, Stay, two_doors

from stopgap.contracts.contract import Contract
from stopgap.front.asgi import Scope
from stopgap.front.matching import Matcher

HOUSES = ["instant", "awaited", "instant, closed", "awaited, closed"]


@pytest.fixture(scope="module", params=HOUSES)
def house(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[House]:
    """Give an application behind two doors.

    Its models answer at once, or are awaited; its predictions are open, or for who is signed in.
    """
    folder, kind = tmp_path_factory.mktemp("data"), request.param
    with two_doors(folder, awaited="awaited" in kind, closed="closed" in kind) as built:
        yield built


WORDS = st.sampled_from(
    ["5", "05", "0", "-1", "28", "29", "9007199254740991", "9007199254740992", "1e3", "5.0", "true"]
    + ["True", "false", "january", "JAN", "mrt", "août", "ao%C3%BBt", "jui", "12", "13", "", "%20"]
    + [
        "single",
        "Double",
        "double",
        "..",
        "a%2Fb",
        "%FF",
        "5%0A",
        "\u0661",
        "+5",
        "5;",
        "5?",
        "x" * 50,
    ]
)
NAMES = st.sampled_from(
    ["seller_available", "seller_avaible", "month", "customer_visiting_website", "nights", "late"]
    + ["room", "other", "", "%6Donth"]
)
FIXED = st.sampled_from(
    ["/predict", "/stay", "/status", "/predicted", "/", "//predict", "/PREDICT"]
)
PLAIN = st.sampled_from(
    ["/predict/5/january/100", "/predict/0/MAR/9007199254740991", "/stay/true/-3", "/stay/false/7"]
    + ["/status", "/status/", "/predict/january/100/5"]
)
PATHS = PLAIN | st.builds(
    lambda fixed, words, end: "/".join([fixed, *words]) + end,
    FIXED,
    st.lists(WORDS, max_size=4),
    st.sampled_from(["", "", "/"]),
)
QUERIES = st.just("") | st.lists(st.tuples(NAMES, WORDS), max_size=5).map(
    lambda pairs: "&".join(f"{name}={word}" for name, word in pairs)
)
FULL_QUERIES = st.tuples(WORDS, WORDS, WORDS).map(
    lambda w: f"seller_available={w[0]}&month={w[1]}&customer_visiting_website={w[2]}"
)
VALUES = st.integers(-5, 2**53 + 1) | st.booleans() | WORDS | st.floats() | st.none()
BODIES = (
    st.binary(max_size=20)
    | st.dictionaries(NAMES, VALUES, max_size=4).map(lambda value: json.dumps(value).encode())
    | st.builds(
        lambda sellers, month, visits: json.dumps(
            {"seller_available": sellers, "month": month, "customer_visiting_website": visits}
        ).encode(),
        VALUES,
        WORDS | st.integers(0, 13),
        VALUES,
    )
)
EXTRA = st.lists(
    st.sampled_from(
        [(b"origin", b"http://here"), (b"origin", b"http://there"), (b"accept", b"text/html")]
        + [(b"accept", b"text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2")]
        + [(b"accept", b"application/problem+json, text/html;q=0.5")]
        + [(b"sec-fetch-site", b"cross-site"), (b"sec-fetch-site", b"same-origin")]
        + [(b"x-request-id", b"mine"), (b"range", b"bytes=0-1"), (b"accept", b"application/json")]
        + [(b"expect", b"100-continue"), (b"x_forwarded_proto", b"https"), (b"cookie", b"a=b")]
    ),
    max_size=2,
)
CHUNKED = (b"transfer-encoding", b"chunked")
TYPES = st.sampled_from(
    [b"application/json", b"application/json; charset=utf-8", b"text/plain", b""]
    + [b"application/x-www-form-urlencoded", b"application/vnd.x+json"]
)


def scope_of(method: str, path: str, query: str, headers: list[tuple[bytes, bytes]]) -> Scope:
    """Make the scope that the server makes of such a request."""
    raw = path.encode("latin-1", "replace")
    return {
        "type": "http",
        "method": method,
        "scheme": "http",
        "http_version": "1.1",
        "path": unquote(raw.decode("latin-1"), errors="replace"),
        "raw_path": raw,
        "query_string": query.encode("utf-8"),
        "root_path": "",
        "headers": [(b"host", b"here"), *headers],
        "client": ("127.0.0.1", 40_000),
        "server": ("127.0.0.1", 5000),
    }


def assert_equal(house: House, scope: Scope, body: bytes) -> None:
    """Hold the two doors' answers, and the records that they leave, against each other."""
    slow = house.ask(house.without, scope, body)
    assert house.ask(house.with_lane, scope, body) == slow


TWO_TYPES = [(b"content-type", b"application/json"), (b"content-type", b"text/plain")]

LAWFUL = settings(
    max_examples=1_500, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@given(
    method=st.sampled_from(["GET", "GET", "GET", "GET", "HEAD", "POST", "OPTIONS", "PUT"]),
    path=PATHS,
    query=QUERIES | FULL_QUERIES,
    who=st.integers(0, 12),
    extra=EXTRA,
)
@LAWFUL
def test_without_a_body(
    house: House, method: str, path: str, query: str, who: int, extra: list[tuple[bytes, bytes]]
) -> None:
    """Any request without a body gets the same answer, and leaves the same record, either way."""
    headers = [*house.identities[who % len(house.identities)], *extra]
    assert_equal(house, scope_of(method, path, query, headers), b"")


@given(
    path=st.sampled_from(["/predict", "/stay", "/predict/", "/predict/5/january/100", "/login"]),
    query=st.just("") | QUERIES,
    body=BODIES,
    media_type=TYPES,
    chunked=st.booleans(),
    who=st.integers(0, 12),
    extra=EXTRA,
)
@LAWFUL
def test_with_a_body(
    house: House,
    path: str,
    query: str,
    body: bytes,
    media_type: bytes,
    *,
    chunked: bool,
    who: int,
    extra: list[tuple[bytes, bytes]],
) -> None:
    """Any body gets the same answer, and leaves the same record, either way."""
    given_type = [(b"content-type", media_type)] if media_type else []
    length = CHUNKED if chunked else (b"content-length", str(len(body)).encode())
    headers = [*house.identities[who % len(house.identities)], *extra, *given_type, length]
    if path != "/login":
        assert_equal(house, scope_of("POST", path, query, headers), body)


@pytest.mark.parametrize("types", [TWO_TYPES, TWO_TYPES[::-1]])
def test_a_type_that_is_sent_twice(house: House, types: list[tuple[bytes, bytes]]) -> None:
    """A body whose type is told in two ways is not read as the one that suits."""
    body = b'{"seller_available": 5, "month": "may", "customer_visiting_website": 7}'
    length = (b"content-length", b"%d" % len(body))
    assert_equal(house, scope_of("POST", "/predict", "", [*types, length]), body)


@pytest.mark.parametrize("path", ["/predict/5/january/100", "/stay/true/-3", "/status"])
@pytest.mark.parametrize(
    "told", [CHUNKED, *((b"content-length", each) for each in (b"0", b"2", b"99999999"))]
)
def test_a_body_where_none_belongs(house: House, path: str, told: tuple[bytes, bytes]) -> None:
    """A body that comes with a GET is bounded as any other."""
    assert_equal(house, scope_of("GET", path, "", [told]), b"{}")


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/predict/5/january/100", b""),
        (
            "POST",
            "/predict",
            b'{"seller_available": 5, "month": "may", "customer_visiting_website": 7}',
        ),
    ],
    ids=["path", "JSON"],
)
def test_a_caller_is_looked_up_once(house: House, method: str, path: str, body: bytes) -> None:
    """Of a crowd with one cookie a single request has the caller looked up; all take the lane."""
    ((_, session),) = house.identities[2]
    cookie = b"theme=%s; %s" % (method.encode(), session)  # of nobody else
    headers = [(b"cookie", cookie), (b"content-type", b"application/json")]
    asked = scope_of(method, path, "", [*headers, (b"content-length", b"%d" % len(body))])
    calls, looked_up = house.app.calls, house.app.looked_up
    statuses = house.ask_at_once(16, asked, body)
    assert (house.app.calls, house.app.looked_up) == (calls, looked_up + 1)
    # the model that is awaited fails for some inputs, by then in the same way for all
    assert len(set(statuses)) == 1


@pytest.mark.parametrize(
    ("path", "query"),
    [
        ("/predict/5/january/100", ""),
        ("/predict/0/AUG/900719925474099", ""),
        ("/predict", "seller_avaible=5&month=mrt&customer_visiting_website=7"),
        ("/stay", "late=true&nights=7"),
        ("/pipes", "count=2"),
        ("/status", ""),
    ],
)
def test_plain_requests_take_a_lane(house: House, path: str, query: str) -> None:
    """What nearly everybody sends is answered without Flask."""
    scope = scope_of("GET", path, query, [])
    if house.closed and path != "/status":
        assert house.lane.answer(scope) is None
        assert house.waiting.recognise(scope) is None
    elif house.awaited and path != "/status":
        assert house.lane.answer(scope) is None
        assert house.waiting.recognise(scope) is not None
    else:
        assert house.lane.answer(scope) is not None
        assert house.waiting.recognise(scope) is None
    house.records.take()


def test_a_name_of_any_letters(house: House) -> None:
    """Quotes and percent signs in a field's name are answered, and recorded, by both alike."""
    assert_equal(house, scope_of("GET", "/pipes", "count=2", []), b"")


@pytest.mark.parametrize(
    ("accept", "taken"),
    [("*/*", True), ("application/json, text/html;q=0.5", True), ("text/html", False)]
    + [("TEXT/HTML,application/xhtml+xml,*/*;q=0.8", False)]
    + [("text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2", True)]
    + [("application/problem+json, text/html;q=0.5", True)],
)
def test_who_asks_for_a_page_does_not_wait_twice(house: House, accept: str, *, taken: bool) -> None:
    """An error as a page is told by Flask alone, which else would ask a late model once more."""
    scope = scope_of("GET", "/predict/5/january/100", "", [(b"accept", accept.encode())])
    expected = taken and house.awaited and not house.closed  # where nobody has signed in
    assert (house.waiting.recognise(scope) is not None) is expected


def test_a_known_caller_takes_a_lane(house: House) -> None:
    """Who asked a moment ago takes a lane, and stands in the record; who did not, does not."""
    for who in (1, 2, 6):
        scope = scope_of("GET", "/predict/5/january/100", "", house.identities[who])
        house.ask(house.without, scope, b"")
        if house.awaited:
            request = house.waiting.recognise(scope)
            assert request is not None
            assert request.caller is not None
        else:
            assert house.lane.answer(scope) is not None
            assert house.records.take()[0][3] is not None
    house.records.take()


def test_a_proxys_own_credential_is_passed_over(house: House) -> None:
    """What a proxy asks for before it lets somebody through tells us nothing of who asks."""
    for who in (1, 2):
        headers = [*house.identities[who], (b"authorization", b"Basic eDp5")]
        scope = scope_of("GET", "/predict/5/january/100", "", headers)
        house.ask(house.without, scope, b"")
        lane = house.waiting.recognise(scope) if house.awaited else house.lane.answer(scope)
        assert lane is not None
    house.records.take()


def test_the_same_text_in_another_header(house: House) -> None:
    """A key is none in a cookie, and a cookie none where keys are; neither counts for the other."""
    cookie, key = (house.identities[who][0][1] for who in (2, 6))
    for name, value in ((b"cookie", cookie), (b"cookie", key), (b"authorization", key)) * 2:
        headers = [(name, value)]
        assert_equal(house, scope_of("GET", "/predict/5/january/100", "", headers), b"")
        headers = [({b"cookie": b"authorization", b"authorization": b"cookie"}[name], value)]
        assert_equal(house, scope_of("GET", "/predict/5/january/100", "", headers), b"")


def test_who_is_somebody_twice(house: House) -> None:
    """Who shows a cookie and a key of two callers, both known, is whom Flask takes them for."""
    guest, key = house.identities[1], house.identities[6]
    for headers in (guest, key, [*guest, *key], [*key, *guest]):
        assert_equal(house, scope_of("GET", "/predict/5/january/100", "", headers), b"")


@pytest.mark.parametrize(("method", "path"), [("GET", "/predict/5/may/7"), ("POST", "/predict")])
def test_what_nobody_foresaw(
    house: House,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    path: str,
) -> None:
    """It is told in the shape of every error, whoever answers, and logged under the same id."""
    body = b'{"seller_available": 5, "month": "may", "customer_visiting_website": 7}'
    told = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
    asked = scope_of(method, path, "", [*house.identities[2], *told])
    house.ask(house.with_lane, asked, body)
    monkeypatch.setattr(house.records, "broken", True)
    start, content = house.loop.run_until_complete(house.sent(house.with_lane, asked, body))
    document = json.loads(content["body"])
    assert (start["status"], document["type"]) == (500, "/problems/internal-fault")
    (failed,) = [each for each in caplog.records if each.getMessage() == "request failed"]
    assert vars(failed)["request_id"] == document["request_id"]


class Fussy(BaseModel):
    """Inputs whose author has made a mistake."""

    parts: int

    @model_validator(mode="after")
    def divide(self) -> "Fussy":
        """Fail where nobody thought of it."""
        assert 1 / self.parts
        return self


def test_an_authors_own_mistake_is_told_by_flask() -> None:
    """Whatever a contract's validator raises, a body is not plain then, and nothing else."""
    fussy = Contract(name="f", version="1.0.0", path="/f/{parts}", inputs=Fussy, output=Stay)
    matcher = Matcher(fussy, by_path=1, by_query=2, by_json=3)
    asked = scope_of("POST", "/f", "", [])
    assert matcher.match_json(asked, b'{"parts": 2}') is not None
    assert matcher.match_json(asked, b'{"parts": 0}') is None
