"""Bad input: the documented status, the one error shape, every field at fault named.

The server that all of it was sent to must still run in the end, and have logged no error.
"""

import json
from collections.abc import Collection

import pytest
from tests.acceptance.client import BOUNDARY, Client
from tests.acceptance.predictions import INPUTS, QUERY, TEXTS
from tests.acceptance.problem_shape import assert_explained, assert_problem

FORM = "application/x-www-form-urlencoded"
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"
SELLERS, MONTH, VISITORS = INPUTS
ALL = (SELLERS, MONTH, VISITORS)
TOO_LARGE = 2**53


def part(disposition: bytes, content: bytes = b"x") -> bytes:
    """Write a multipart form of one part."""
    opening = b"--%b\r\nContent-Disposition: %b\r\n\r\n" % (BOUNDARY.encode(), disposition)
    return opening + content + b"\r\n--%b--\r\n" % BOUNDARY.encode()


UNREADABLE = {
    "word": "abc",
    "negative": "-5",
    "signed": "+5",
    "exponent": "1e3",
    "underscore": "1_000",
    "newline": "5%0A",
    "other digits": "%D9%A1%D9%A2",
    "wide digits": "%EF%BC%95",
    "ten to the thirty": "1" + "0" * 30,
    "point": "5.0",
    "space": "%205",
    "hexadecimal": "0x10",
    "NUL": "%00",
    "digit and NUL": "5%00",
    "slash": "5%2F6",
    "not UTF-8": "%FF",
    "dots": "..",
    "written dots": "%2e%2e",
    "percent alone": "%",
    "percent of nothing": "5%zz",
    "markup": "%3Cscript%3E",
}
"""What is no integer, as it would stand in an address."""


@pytest.mark.parametrize("written", UNREADABLE.values(), ids=UNREADABLE)
@pytest.mark.parametrize("field", [SELLERS, VISITORS])
def test_no_integer(client: Client, field: str, written: str) -> None:
    """What is no integer is told so, in the path, the query and a form alike."""
    values = TEXTS | {field: written}
    query = "&".join(f"{name}={value}" for name, value in values.items())
    path = "/predict/" + "/".join(values.values())
    for answer in (
        client.get(path),
        client.get(f"/predict?{query}"),
        client.post("/predict", query.encode(), FORM),
    ):
        assert_explained(client, assert_problem(answer, 400, [field]))


@pytest.mark.parametrize(
    ("target", "status", "fields"),
    [
        (f"/predict/{TOO_LARGE}/january/100", 422, [SELLERS]),
        (f"/predict/5/january/{TOO_LARGE}", 422, [VISITORS]),
        (f"/predict/{TOO_LARGE}/monday/{TOO_LARGE}", 422, ALL),
        ("/predict/abc/january/xyz", 400, [SELLERS, VISITORS]),
        ("/predict/abc/monday/100", 400, [SELLERS, MONTH]),
        ("/predict/5/monday/100", 422, [MONTH]),
        ("/predict/5/%00/100", 422, [MONTH]),
        ("/predict/5/jan%2Fuary/100", 422, [MONTH]),
        ("/predict/5/%FF/100", 400, [MONTH]),
        ("/predict/5/../100", 422, [MONTH]),
        ("/predict/5/%2e%2e/100", 422, [MONTH]),
        ("/predict//january/100", 400, [SELLERS]),
        ("/predict/5//100", 400, [MONTH]),
        ("/predict/5/january/", 400, [VISITORS]),
        ("/predict///", 400, ALL),
        ("/predict/5/january", 400, [VISITORS]),
        ("/predict/5", 400, [MONTH, VISITORS]),
        ("/predict/", 400, ALL),
        ("/predict", 400, ALL),
        ("/predict/5/january/100/7", 400, []),
        ("/predict/5/january/100//", 400, []),
        ("/predict/january/100/5", 422, [SELLERS, MONTH]),
        ("/predict/5/january/100?x=1", 422, ["x"]),
        ("/predict/5/january/100?month=may", 400, [MONTH]),
        ("/predict/5/january/100?seller_avaible=5", 400, [SELLERS]),
        ("/predict?seller_available=5&month=january", 400, [VISITORS]),
        (f"/predict?{QUERY}&month=may", 400, [MONTH]),
        (f"/predict?{QUERY}&seller_avaible=5", 400, [SELLERS]),
        (f"/predict?{QUERY}&x=1", 422, ["x"]),
        (f"/predict?{QUERY}&x=1&y=2", 422, ["x", "y"]),
        (f"/predict?{QUERY}&=1", 422, [""]),
        (f"/predict?{QUERY}".replace("january", "%FF"), 400, [MONTH]),
        (f"/predict?{QUERY}".replace("january", ""), 400, [MONTH]),
        (f"/predict?{QUERY}".replace("month=january", "month"), 400, [MONTH]),
        (f"/predict?{QUERY}" + "&month=may" * 200, 400, []),
    ],
)
def test_address(client: Client, target: str, status: int, fields: Collection[str]) -> None:
    """A bad value in an address is never a page that is not found."""
    assert_explained(client, assert_problem(client.get(target), status, fields))


@pytest.mark.parametrize("written", ['"5"', "true", "null", "5.5", "1e-3", "[5]", '{"a": 1}', '""'])
def test_no_json_integer(client: Client, written: str) -> None:
    """In JSON an integer is a number: no text, truth, nothing, fraction, list or object."""
    body = json.dumps(INPUTS).replace(": 5,", f": {written},").encode()
    answer = client.post("/predict", body, "application/json")
    assert_explained(client, assert_problem(answer, 400, [SELLERS]))


@pytest.mark.parametrize("number", ["-5", "9007199254740992", "1" + "0" * 30, "1e30", "9" * 4000])
def test_a_json_integer_out_of_range(client: Client, number: str) -> None:
    """A JSON integer that is below 0 or above 2^53 - 1 can be read, but is not allowed."""
    body = json.dumps(INPUTS).replace(": 5,", f": {number},").encode()
    answer = client.post("/predict", body, "application/json")
    assert_explained(client, assert_problem(answer, 422, [SELLERS]))


@pytest.mark.parametrize(
    ("inputs", "status", "fields"),
    [
        (INPUTS | {MONTH: "monday"}, 422, [MONTH]),
        (INPUTS | {MONTH: 13}, 422, [MONTH]),
        (INPUTS | {MONTH: True}, 422, [MONTH]),
        (INPUTS | {MONTH: None}, 422, [MONTH]),
        (INPUTS | {MONTH: ["january"]}, 422, [MONTH]),
        (INPUTS | {"x": 1}, 422, ["x"]),
        (INPUTS | {"x": {"y": [1, 2]}}, 422, ["x"]),
        (INPUTS | {"seller_avaible": 5}, 400, [SELLERS]),
        ({MONTH: "january", VISITORS: 100}, 400, [SELLERS]),
        (
            {MONTH: "january", VISITORS: 100, "Seller_Available": 5},
            400,
            [SELLERS, "Seller_Available"],
        ),
        ({SELLERS: "5", VISITORS: -1, "x": 1}, 400, [*ALL, "x"]),
        ({}, 400, ALL),
    ],
)
def test_json_values(
    client: Client, inputs: dict[str, object], status: int, fields: Collection[str]
) -> None:
    """Every field of a JSON object that is at fault is named."""
    assert_problem(client.post_json("/predict", inputs), status, fields)


BAD_JSON = {
    "cut short": b'{"seller_available":',
    "a name twice": b'{"month": 1, "seller_available": 5, "month": 2}',
    "the same twice": b'{"a": 1, "a": 1}',
    "twice, written otherwise": b'{"a": 1, "\\u0061": 1}',
    "twice, inside": b'{"a": {"b": 1, "b": 2}}',
    "brackets": b"[" * 20_000,
    "braces": b'{"a":' * 20_000,
    "a list": b"[1, 2]",
    "a text": b'"january"',
    "a number": b"5",
    "null": b"null",
    "nothing": b"",
    "blanks": b"  ",
    "NaN": b'{"seller_available": NaN}',
    "Infinity": b'{"seller_available": -Infinity}',
    "half a pair": b'{"month": "\\ud800"}',
    "half a pair, inside": b'{"month": ["\\ud800"]}',
    "half a pair as a name": b'{"\\ud800": 1}',
    "not UTF-8": b'{"month": "\xff"}',
    "UTF-16": '{"month": 1}'.encode("utf-16"),
    "a control character": b'{"month": "\n"}',
    "a comma too many": b'{"month": 1,}',
    "two values": b"{} {}",
    "a very long number": b'{"seller_available": ' + b"9" * 100_000 + b"}",
    "single quotes": b"{'month': 1}",
}


@pytest.mark.parametrize("body", BAD_JSON.values(), ids=BAD_JSON)
@pytest.mark.parametrize("target", ["/predict", "/login"])
def test_bad_json(client: Client, target: str, body: bytes) -> None:
    """What is not one JSON object with each name given once is refused as a whole."""
    document = assert_problem(client.post(target, body, "application/json"), 400)
    assert_explained(client, document)
    assert "sys." not in document["detail"]


@pytest.mark.parametrize("target", ["/predict", "/login"])
@pytest.mark.parametrize(
    ("media_type", "body", "status"),
    [
        ("text/plain", b"seller_available=5", 415),
        ("application/xml", b"<a/>", 415),
        ("application/octet-stream", b"\0\1\2", 415),
        ("image/png", b"\x89PNG", 415),
        ("", b"seller_available=5", 415),
        ("nonsense", b"{}", 415),
        ("application/json;;;=", b"{", 400),
        (FORM, b'{"a"', 400),
        (FORM, b"", 400),
        (FORM, b"&&&==", 400),
        (FORM, b"a=1&" * 200, 400),
        ("multipart/form-data", b"--x", 400),
        (MULTIPART, part(b"form-data"), 400),
        (MULTIPART, part(b'form-data; name="month"', b"ao\xfbt"), 400),
        (MULTIPART, part(b'form-data; name="month"; filename="may"', b"may"), 400),
        (MULTIPART, part(b'form-data; name="month"', b"x" * 600_000), 413),
        (MULTIPART, b"", 400),
        (MULTIPART, b"--" + BOUNDARY.encode(), 400),
        (MULTIPART, b"no boundary at all", 400),
        (MULTIPART, f"--{BOUNDARY}\r\n\r\nx\r\n--{BOUNDARY}--\r\n".encode(), 400),
    ],
)
def test_bodies(client: Client, target: str, media_type: str, body: bytes, status: int) -> None:
    """A body that is not what it says, or says that it is something else, is refused."""
    assert_explained(client, assert_problem(client.post(target, body, media_type), status))


def test_a_body_without_a_type(client: Client) -> None:
    """A body that does not say what it is is refused; without a body, the values are missing."""
    assert_problem(client.send("POST", "/predict", b"{}"), 415)
    assert_problem(client.send("POST", "/predict", b""), 400, ALL)
    assert_problem(client.send("POST", "/predict"), 400, ALL)


@pytest.mark.parametrize(
    ("body", "status", "fields"),
    [
        (QUERY + "&month=may", 400, [MONTH]),
        (QUERY + "&x=1", 422, ["x"]),
        (QUERY.replace("january", "%FF"), 400, [MONTH]),
        (QUERY.replace("january", "monday"), 422, [MONTH]),
        (QUERY.replace("=5", "="), 400, [SELLERS]),
        ("month=january", 400, [SELLERS, VISITORS]),
    ],
)
def test_forms(client: Client, body: str, status: int, fields: Collection[str]) -> None:
    """A form's values are held as a query's are."""
    assert_problem(client.post("/predict", body.encode(), FORM), status, fields)


@pytest.mark.parametrize(
    ("values", "status", "fields"),
    [
        ({"username": "ann"}, 400, ["password"]),
        ({"password": "hunter22"}, 400, ["username"]),
        ({}, 400, ["username", "password"]),
        ({"username": "", "password": ""}, 400, ["username", "password"]),
        ({"username": "ann", "password": 31337}, 400, ["password"]),
        ({"username": None, "password": ["hunter22"]}, 400, ["username", "password"]),
        ({"username": "ann", "user": "bob", "password": "hunter22"}, 400, ["username"]),
        ({"username": "ann", "password": "hunter22", "pass": "x"}, 400, ["password"]),
        ({"username": "a\0b", "password": "hunter22"}, 422, None),
        ({"username": "a\nb", "password": "hunter22"}, 422, None),
        ({"username": "   ", "password": "hunter22"}, 422, None),
        ({"username": "a" * 151, "password": "hunter22"}, 422, None),
    ],
)
def test_login(
    client: Client, values: dict[str, object], status: int, fields: Collection[str] | None
) -> None:
    """A login that cannot be one is told why, and no password is repeated."""
    answer = client.post_json("/login", values)
    assert_explained(client, assert_problem(answer, status, fields))
    assert "hunter22" not in answer.text
    assert "31337" not in answer.text
    assert answer.header("Set-Cookie") is None


@pytest.mark.parametrize(
    ("method", "target", "allowed"),
    [
        ("POST", "/status", "GET, HEAD, OPTIONS"),
        ("DELETE", "/predict", "GET, HEAD, OPTIONS, POST"),
        ("PUT", "/login", "GET, HEAD, OPTIONS, POST"),
        ("PATCH", "/images", "GET, HEAD, OPTIONS, POST"),
        ("POST", "/predict/5/january/100", "GET, HEAD, OPTIONS"),
        ("PUT", "/predict/abc", "GET, HEAD, OPTIONS"),
        ("POST", "/images/x.png", "DELETE, GET, HEAD, OPTIONS"),
        ("GET", "/logout", "OPTIONS, POST"),
        ("POST", "/", "GET, HEAD, OPTIONS"),
        ("BREW", "/status", "GET, HEAD, OPTIONS"),
        ("TRACE", "/status", "GET, HEAD, OPTIONS"),
    ],
)
def test_wrong_method(client: Client, method: str, target: str, allowed: str) -> None:
    """A method that an address does not take is refused with those that it takes."""
    answer = client.send(method, target, b"")
    assert_explained(client, assert_problem(answer, 405))
    assert answer.header("Allow") == allowed


@pytest.mark.parametrize(
    "target",
    [
        "/nothing",
        "/predictions",
        "/Status",
        "/status/x",
        "/static/none.css",
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/problems/none",
        "/problems/",
        "/%00",
        "/%FF",
        "/..",
        "/../status",
        "/.env",
    ],
)
def test_unknown_page(client: Client, target: str) -> None:
    """What is not there is not found."""
    assert_explained(client, assert_problem(client.get(target), 404))
