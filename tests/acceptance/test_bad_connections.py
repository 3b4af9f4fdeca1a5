"""What arrives broken, late, in pieces or too large, byte by byte on the wire."""

import socket
import time
from collections.abc import Iterator
from contextlib import suppress

import pytest
from tests.acceptance.client import BOUNDARY, Answer, Client, exchange, head, read_answer
from tests.acceptance.predictions import INPUTS, QUERY, assert_prediction
from tests.acceptance.problem_shape import assert_explained, assert_problem
from tests.acceptance.server import Server, running
from tests.pictures import foreign, frame_bomb, jpeg, pixel_bomb, png

pytestmark = pytest.mark.alone

JSON = b'{"seller_available": 5, "month": "january", "customer_visiting_website": 100}'
ELEVEN_MIB = 11 * 1024 * 1024
HOST = {"Host": "localhost"}
POST_JSON = HOST | {"Content-Type": "application/json", "Connection": "close"}


@pytest.fixture(scope="module")
def hasty(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Run a server that waits for a body for a second only."""
    with running(tmp_path_factory.mktemp("hasty"), {"STOPGAP_BODY_SECONDS": "1"}) as server:
        yield server


def chunked(body: bytes, size: int) -> bytes:
    """Write a body in chunks."""
    pieces = [body[at : at + size] for at in range(0, len(body), size)]
    written = [f"{len(piece):x}\r\n".encode() + piece + b"\r\n" for piece in pieces]
    return b"".join([*written, b"0\r\n\r\n"])


def send_chunked(server: Server, target: str, body: bytes, media_type: str, size: int) -> Answer:
    """Send a body in chunks."""
    headers = POST_JSON | {"Content-Type": media_type, "Transfer-Encoding": "chunked"}
    request = head("POST", target, headers) + chunked(body, size)
    return exchange(server.port, request, method="POST")


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_a_chunked_body(demo: Server, size: int) -> None:
    """A body in chunks is read as one that came whole."""
    assert_prediction(send_chunked(demo, "/predict", JSON, "application/json", size))
    form = "application/x-www-form-urlencoded"
    assert_prediction(send_chunked(demo, "/predict", QUERY.encode(), form, size))
    assert send_chunked(demo, "/images", png(), "image/png", size).status == 201


def test_a_chunked_body_that_breaks_off(demo: Server) -> None:
    """A chunk that is no chunk is refused, by the HTTP server itself or by us."""
    headers = POST_JSON | {"Transfer-Encoding": "chunked"}
    answer = exchange(demo.port, head("POST", "/predict", headers) + b"zz\r\n{}\r\n0\r\n\r\n")
    assert 400 <= answer.status < 500


def test_a_short_body_left_open(hasty: Server) -> None:
    """Who announces more than comes, and waits, is told so when the time is over."""
    headers = POST_JSON | {"Content-Length": "1000"}
    began = time.monotonic()
    answer = exchange(hasty.port, head("POST", "/predict", headers) + JSON)
    assert 0.9 < time.monotonic() - began < 3
    assert_explained(hasty.client(), assert_problem(answer, 408))


def test_a_short_body_half_closed(hasty: Server) -> None:
    """Who announces more than comes, and stops sending, is refused, or nobody is there to tell."""
    headers = POST_JSON | {"Content-Length": "1000"}
    request = head("POST", "/predict", headers) + JSON
    try:
        answer = exchange(hasty.port, request, half_close=True)
    except ConnectionError:
        return  # the HTTP server takes it for a client that has gone
    assert answer.status in {400, 408}


def test_a_body_that_drips(hasty: Server) -> None:
    """A byte from time to time does not lengthen the time that a body may take."""
    headers = POST_JSON | {"Content-Length": "1000"}
    began = time.monotonic()
    with socket.create_connection(("127.0.0.1", hasty.port), timeout=10) as connection:
        connection.sendall(head("POST", "/predict", headers))
        connection.settimeout(0.2)
        while time.monotonic() - began < 5:
            connection.sendall(b" ")
            try:
                assert connection.recv(1, socket.MSG_PEEK)
                break
            except TimeoutError:
                continue
        connection.settimeout(10)
        assert_problem(read_answer(connection), 408)
    assert time.monotonic() - began < 3


def test_a_client_that_goes_away(demo: Server) -> None:
    """A client that goes away in the middle of its body harms nobody."""
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", demo.port)) as connection:
            connection.sendall(head("POST", "/images", HOST | {"Content-Length": "99999"}) + png())
    assert demo.client().get("/status").body == b"Alive!"


def test_a_long_address(client: Client) -> None:
    """An address above 8,192 bytes is refused, be it the path or the query that is long."""
    for target in (
        "/predict/" + "5" * 10_000,
        "/" + "a" * 10_000,
        "/predict?month=" + "a" * 10_000,
    ):
        assert_explained(client, assert_problem(client.get(target), 414))
    assert_problem(
        client.get("/predict/5/january/" + "1" * 8_000), 400, ["customer_visiting_website"]
    )


@pytest.mark.parametrize(
    "target", [b"/predict/\xff/january/100", b"/predict?month=\xff", b"/\xe9", b"/a b", b"\x7f"]
)
def test_an_address_that_is_none(client: Client, target: bytes) -> None:
    """What is no address is refused by the HTTP server itself, without a word."""
    answer = client.get(target)
    assert (answer.status, answer.body) == (400, b"")


def test_a_raw_query(client: Client) -> None:
    """UTF-8 in a query that should have been percent-encoded is read as if it were."""
    assert_prediction(client.get(f"/predict?{QUERY.replace('january', 'février')}".encode()))


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"nonsense\r\n\r\n",
        b"GET /status HTTP/9.9\r\nHost: x\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        b"POST /predict HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab",
        b"GET /status HTTP/1.1\r\nHost: x\r\nBad Header: x\r\n\r\n",
        b"GET /status HTTP/1.1\r\nHost: x\r\n" + b"X-A: b\r\n" * 300 + b"\r\n",
        b"GET /" + b"a" * 80_000 + b" HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    ],
    ids=["words", "version", "negative", "two lengths", "header", "300 headers", "80 kB"]
    + ["HTTP/2"],
)
def test_what_is_no_http(demo: Server, request_bytes: bytes) -> None:
    """What is no HTTP is refused by the HTTP server itself, which then serves on."""
    try:
        answer = exchange(demo.port, request_bytes)
    except ConnectionError:
        pass
    else:
        assert 400 <= answer.status < 506
        assert b"Traceback" not in answer.body
    assert demo.client().get("/status").body == b"Alive!"


def test_endless_headers(demo: Server) -> None:
    """Cookies as no browser sends them are refused before anything of them is looked at or kept."""
    cookies = b"GET /images HTTP/1.1\r\nHost: x\r\nCookie: " + b"a" * 200_000 + b"\r\n\r\n"
    with suppress(ConnectionError):  # it may be closed on who still sends
        assert exchange(demo.port, cookies).status == 431
    assert demo.client().get("/images", cookie="a=" + "b" * 30_000).status == 401


def test_old_http(demo: Server) -> None:
    """HTTP/1.0 without a Host is served too."""
    answer = exchange(demo.port, b"GET /status HTTP/1.0\r\n\r\n")
    assert (answer.status, answer.body) == (200, b"Alive!")


def test_waiting_to_be_asked(demo: Server) -> None:
    """Who waits to be asked for the body (`Expect: 100-continue`, as curl does) is asked."""
    headers = POST_JSON | {"Content-Length": str(len(JSON)), "Expect": "100-continue"}
    with socket.create_connection(("127.0.0.1", demo.port), timeout=10) as connection:
        connection.sendall(head("POST", "/predict", headers))
        assert connection.recv(1000).startswith(b"HTTP/1.1 100")
        connection.sendall(JSON)
        assert_prediction(read_answer(connection, "POST"))


def test_upload_too_large(demo: Server, client: Client) -> None:
    """An upload of 11 MiB is refused, whether it says how large it is or not."""
    content = png() + bytes(ELEVEN_MIB)
    assert_explained(client, assert_problem(client.post("/images", content, "image/png"), 413))
    assert_problem(send_chunked(demo, "/images", content, "image/png", 65_536), 413)
    opening = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="image"; filename="a"\r\n\r\n'
    form = opening.encode() + content + f"\r\n--{BOUNDARY}--\r\n".encode()
    assert_problem(client.post("/images", form, f"multipart/form-data; boundary={BOUNDARY}"), 413)
    assert client.get("/status").status == 200


@pytest.mark.parametrize("target", ["/predict", "/login", "/logout"])
def test_body_too_large(client: Client, target: str) -> None:
    """A body of 11 MiB is refused everywhere, or not even looked at where none is read."""
    answer = client.post(target, b"{" + b" " * ELEVEN_MIB, "application/json")
    assert_problem(answer, 413)


@pytest.mark.parametrize(
    ("target", "path"),
    [
        (
            "/predict/5/january/100",
            "/predict/{seller_available}/{month}/{customer_visiting_website}",
        ),
        (f"/predict?{QUERY}", "/predict"),
        ("/status", "/status"),
        ("/login", "/login"),
        ("/health", "/health"),
    ],
)
def test_a_body_that_a_get_has_no_use_for(hasty: Server, target: str, path: str) -> None:
    """It is read within the bounds of every body, and the document says what comes beyond them."""
    declared = hasty.client().get("/openapi.json").json()["paths"][path]["get"]["responses"]
    for length, status in ((10**12, 413), (5, 408)):
        headers = HOST | {"Content-Length": str(length), "Connection": "close"}
        assert_problem(exchange(hasty.port, head("GET", target, headers)), status)
        assert str(status) in declared


def test_a_large_body_that_is_only_announced(demo: Server) -> None:
    """A body that is announced as enormous is refused before it comes."""
    headers = POST_JSON | {"Content-Length": str(10**12)}
    assert_problem(exchange(demo.port, head("POST", "/images", headers)), 413)


@pytest.mark.parametrize("name", [name for name, content in foreign().items() if content])
def test_no_image(client: Client, name: str) -> None:
    """What is no JPEG, PNG, WebP or GIF is refused, whatever it is called and says that it is."""
    answer = client.post("/images", foreign()[name], "image/png")
    assert_explained(client, assert_problem(answer, 415))


def test_no_upload(client: Client) -> None:
    """An upload that brings nothing, or two things, is told so."""
    assert_problem(client.send("POST", "/images", b""), 400, ["image"])
    assert_problem(client.post_multipart("/images", {}), 400, ["image"])
    assert_problem(client.post_multipart("/images", {"image": "a text"}), 400, ["image"])
    assert_problem(client.post_json("/images", INPUTS), 415)


@pytest.mark.parametrize("part", [0.3, 0.6, 0.95])
def test_a_truncated_image(client: Client, part: float) -> None:
    """An image that is cut short is refused, and not kept."""
    whole = jpeg(size=(640, 480))
    answer = client.upload(whole[: int(len(whole) * part)])
    assert_explained(client, assert_problem(answer, 400))


@pytest.mark.parametrize("content", [pixel_bomb(), frame_bomb("GIF"), frame_bomb("WEBP")])
def test_a_decompression_bomb(client: Client, content: bytes) -> None:
    """An image that would unpack to more than it may is refused before it is unpacked."""
    began = time.monotonic()
    assert_explained(client, assert_problem(client.upload(content), 413))
    assert time.monotonic() - began < 5
