"""Who is who: nothing tells a name that exists from one that does not, and nobody gets further."""

import re
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass

import psycopg
import pytest
from tests.acceptance.client import Answer, Client
from tests.acceptance.predictions import assert_prediction
from tests.acceptance.problem_shape import assert_problem
from tests.acceptance.server import SECRET, Server, running
from tests.databases import PostgresqlServer
from tests.pictures import png

from stopgap import wiring
from stopgap.accounts.permissions import Role
from stopgap.parts import Parts
from stopgap.settings import read_settings

PASSWORD = "eleven-green-kettles-sing"
WRONG = "eleven-grey-kettles-sing"


@dataclass(kw_only=True)
class House:
    """A server with accounts in it, and its parts, as its operator's command line has them."""

    server: Server
    parts: Parts
    database_url: str

    def client(self, address: str = "203.0.113.1") -> Client:
        """Make a client at some address of the internet."""
        return self.server.client(**{"X-Forwarded-For": address})

    def signed_in(self, name: str, password: str = PASSWORD) -> Client:
        """Make a client that has signed in."""
        client = self.client()
        answer = client.sign_in(name, password)
        assert answer.status == 200, answer.body
        return client


@contextmanager
def house(tmp_path_factory: pytest.TempPathFactory, url: str, **more: str) -> Iterator[House]:
    """Run a server in production, with a few accounts."""
    folder = tmp_path_factory.mktemp("house")
    settings = {
        "STOPGAP_PROFILE": "production",
        "STOPGAP_SECRET": SECRET,
        "STOPGAP_DATA": str(folder / "data"),
        "STOPGAP_TRUSTED_PROXIES": "127.0.0.1",
        "STOPGAP_PREDICTIONS": "signed-in",
        "DATABASE_URL": url,
    } | more
    with running(folder, settings) as server:
        parts = wiring.build_parts(wiring.prepare(read_settings(settings)))
        with closing(parts.database):
            for name in ("owner", "other", "gone", "passing"):
                parts.accounts.add(name, PASSWORD)
            parts.accounts.add("operator", PASSWORD, Role.OPERATOR)
            yield House(server=server, parts=parts, database_url=url)


@pytest.fixture(scope="module")
def closed(
    tmp_path_factory: pytest.TempPathFactory, postgresql: PostgresqlServer
) -> Iterator[House]:
    """Run a server without guests, on PostgreSQL; a name has three tries."""
    name = postgresql.create()
    with house(tmp_path_factory, postgresql.url(name), STOPGAP_LOGIN_FAILURES="3") as found:
        yield found
    postgresql.drop(name)


@pytest.fixture(scope="module")
def welcoming(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """Run a server with guests, on SQLite."""
    url = f"sqlite:///{tmp_path_factory.mktemp('database') / 'stopgap.db'}"
    with house(tmp_path_factory, url, STOPGAP_GUESTS="true") as found:
        yield found


def bare(answer: Answer) -> tuple[int, list[tuple[str, str]], bytes]:
    """Tell an answer without what differs between any two: the request's id and the time."""
    request_id = answer.header("X-Request-Id") or ""
    headers = [
        (name.lower(), value)
        for name, value in answer.headers
        if name.lower() not in {"x-request-id", "date"}
    ]
    return answer.status, headers, answer.body.replace(request_id.encode(), b"")


def attempt(house: House, name: str, address: str, password: str = WRONG) -> Answer:
    """Try to sign in from some address."""
    values = {"username": name, "password": password}
    return house.client(address).post_json("/login", values)


def test_unknown_and_wrong_look_the_same(closed: House) -> None:
    """An unknown name, a wrong password and a disabled account get the same bytes."""
    closed.parts.accounts.disable("gone")
    answers = [
        attempt(closed, "nobody", "198.51.100.1"),
        attempt(closed, "owner", "198.51.100.1"),
        attempt(closed, "gone", "198.51.100.1", PASSWORD),
    ]
    assert_problem(answers[0], 401)
    assert bare(answers[0]) == bare(answers[1]) == bare(answers[2])


def test_throttled_they_look_the_same(closed: House) -> None:
    """After too many failures both are put off, in the same bytes and for the same time."""
    names = ("nobody-else", "other")
    address = "198.51.100.2"
    for _ in range(3):
        first, second = (bare(attempt(closed, name, address)) for name in names)
        assert first == second
        assert first[0] == 401
    answers = [attempt(closed, name, address, PASSWORD) for name in names]
    for answer in answers:
        assert_problem(answer, 429)
        assert 0 < int(answer.header("Retry-After") or 0) <= 900
    waits = [re.sub(rb"\d+ seconds", b"", bare(answer)[2]) for answer in answers]
    assert waits[0] == waits[1]
    first_wait, second_wait = (int(answer.header("Retry-After") or 0) for answer in answers)
    assert abs(first_wait - second_wait) <= 1
    names_of_headers = [[name for name, _ in bare(answer)[1]] for answer in answers]
    assert names_of_headers[0] == names_of_headers[1]


def test_the_owner_is_not_locked_out(closed: House) -> None:
    """Failures from elsewhere do not keep the owner out of the own account."""
    closed.signed_in("owner")
    for number in range(40):
        attempt(closed, "owner", f"198.51.100.{100 + number}")
    closed.signed_in("owner")


def test_a_claimed_address(closed: House) -> None:
    """Who claims a new address for each guess is still counted under the one that was seen."""
    client = closed.server.client()
    for number in range(5):
        forged = f"192.0.2.{number}, 198.51.100.77"
        client.headers["X-Forwarded-For"] = forged
        answer = client.post_json("/login", {"username": "passing", "password": WRONG})
        assert answer.status == (401 if number < 3 else 429)


def test_a_stolen_session_ends_at_logout(closed: House) -> None:
    """Who has stolen a session id has nothing after a logout."""
    client = closed.signed_in("operator")
    stolen = closed.client("198.51.100.3")
    stolen.cookie = client.cookie
    assert stolen.get("/images").status == 200
    assert client.send("POST", "/logout", b"").status == 200
    assert_problem(stolen.get("/images"), 401)
    assert_problem(stolen.get("/predict/5/january/100"), 401)


def test_a_new_sign_in_ends_the_session_before(closed: House) -> None:
    """Who signs in again in the same browser does not leave the old session behind."""
    client = closed.signed_in("operator")
    before = client.cookie
    client.sign_in("operator", PASSWORD)
    assert client.cookie != before
    client.cookie = before
    assert_problem(client.get("/images"), 401)


def test_a_changed_password_ends_sessions(closed: House) -> None:
    """A new password, a disabled account and a deleted one end every session."""
    accounts = closed.parts.accounts
    accounts.add("changing", PASSWORD)
    ends: list[Callable[[str], object]] = [
        lambda name: accounts.set_password(name, PASSWORD),
        accounts.disable,
        accounts.delete,
    ]
    for end in ends:
        accounts.enable("changing")
        client = closed.signed_in("changing")
        assert client.get("/images").status == 200
        end("changing")
        assert_problem(client.get("/images"), 401)


@pytest.mark.parametrize(
    "cookie", ["", "x", "0" * 64, "../../etc/passwd", "%00", "a;b", "\xff", "x" * 4000]
)
def test_a_session_that_is_none(welcoming: House, cookie: str) -> None:
    """A session id that nobody was given is nobody's, and is not adopted."""
    client = welcoming.client()
    client.cookie = cookie
    assert_problem(client.get("/images"), 401)
    assert client.get("/").status == 200
    assert client.sign_in("owner", PASSWORD).session_id not in {cookie, None}


@pytest.mark.parametrize(
    "authorization", ["Bearer", "Bearer ", "Bearer sk_x", "bearer \xff", "Bearer a b", "BEARER x"]
)
def test_a_key_that_is_none(welcoming: House, authorization: str) -> None:
    """A key that nobody was given is refused, on a route where none is needed as well."""
    client = welcoming.client()
    client.headers["Authorization"] = authorization
    for target in ("/images", "/predict/5/january/100"):
        assert_problem(client.get(target), 401)


TABLE = {
    "anonymous": (401, 401, 201, 404, 401),
    "guest": (200, 200, 201, 404, 404),
    "other": (200, 200, 201, 404, 404),
    "operator": (200, 200, 201, 404, 404),
    "disabled": (401, 401, 401, 404, 401),
    "revoked key": (401, 401, 401, 401, 401),
    "other's key": (200, 200, 201, 404, 404),
    "owner's key": (200, 200, 201, 200, 204),
    "owner": (200, 200, 201, 200, 204),
}
"""Who gets what: predict, list, upload, fetch, delete; the image is the owner's."""


def as_role(house: House, role: str) -> Client:
    """Make a client in a role."""
    if role in {"owner", "other", "operator"}:
        return house.signed_in(role)
    client = house.client()
    if role == "guest":
        client.sign_in("somebody", "abc")
    elif role == "disabled":
        client = house.signed_in("passing")
        house.parts.accounts.disable("passing")
    elif role.endswith("key"):
        key, secret = house.parts.keys.create("owner" if role == "owner's key" else "other")
        client.headers["Authorization"] = f"Bearer {secret}"
        if role == "revoked key":
            house.parts.keys.revoke(key.id)
    return client


@pytest.mark.parametrize("role", TABLE)
def test_routes_by_roles(welcoming: House, role: str) -> None:
    """Everybody gets what the role allows; what is somebody else's is not there at all."""
    image = welcoming.signed_in("owner").upload(png()).text
    client = as_role(welcoming, role)
    cookie = client.cookie
    answers = [client.get("/predict/5/january/100"), client.get("/images"), client.upload(png())]
    client.cookie = cookie  # an upload may have begun a guest's session
    answers += [client.get(image), client.send("DELETE", image)]
    assert [answer.status for answer in answers] == list(TABLE[role])
    for answer in answers:
        if answer.status >= 400:
            assert_problem(answer, answer.status)
    if answers[0].status == 200:
        assert_prediction(answers[0])


CONSOLE = ("answer", "outcome", "revoke", "end", "reset", "history", "accounts", "service")
CONSOLE_TABLE = {
    "anonymous": (401, 401, 401, 401, 401, 401, 401, 401),
    "guest": (404, 404, 403, 403, 403, 200, 403, 403),
    "other": (404, 404, 404, 404, 403, 200, 403, 403),
    "other's key": (404, 404, 403, 403, 403, 200, 403, 403),
    "revoked key": (401, 401, 401, 401, 401, 401, 401, 401),
    "owner": (200, 303, 303, 303, 403, 200, 403, 403),
    "owner's key": (200, 303, 403, 403, 403, 200, 403, 403),
    "operator": (200, 303, 404, 404, 200, 200, 200, 200),
}
"""Who gets what from the console; the answer, the key and the session are the owner's."""


def answered(client: Client) -> str:
    """Ask for a prediction; tell its id, once it is in the journal."""
    request_id = client.get("/predict/5/january/100").header("X-Request-Id") or ""
    deadline = time.monotonic() + 10
    while client.get(f"/console/history/{request_id}").status == 404:
        assert time.monotonic() < deadline, "it is not in the journal"
        time.sleep(0.05)
    return request_id


@pytest.mark.parametrize("role", CONSOLE_TABLE)
def test_the_console_by_roles(welcoming: House, role: str) -> None:
    """What is somebody else's is not there; what only operators do is nobody else's to do."""
    request_id = answered(welcoming.signed_in("owner"))
    key, _ = welcoming.parts.keys.create("owner")
    session, *_ = welcoming.parts.sessions.list(welcoming.parts.accounts.get("owner").id)
    client = as_role(welcoming, role)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    answers = [
        client.get(f"/console/history/{request_id}"),
        client.send("POST", f"/console/history/{request_id}/actual", b"actual=3000", **form),
        client.send("POST", f"/console/keys/{key.id}/revoke", b"", **form),
        client.send("POST", f"/console/account/sessions/{session.number}/end", b"", **form),
        client.send("POST", "/console/accounts/reset", b"name=gone", **form),
        client.get("/console/history"),
        client.get("/console/accounts"),
        client.get("/console/service"),
    ]
    found = dict(zip(CONSOLE, (answer.status for answer in answers), strict=True))
    assert found == dict(zip(CONSOLE, CONSOLE_TABLE[role], strict=True))


RELEASES_TABLE = {
    "anonymous": (401, 401, 401, 401),
    "guest": (403, 403, 403, 403),
    "owner": (403, 403, 403, 403),
    "owner's key": (403, 403, 403, 403),
    "operator": (200, 200, 409, 404),
}
"""Who gets what of releases. For an operator: there is none to go back to, and no release 1."""


@pytest.mark.parametrize("role", RELEASES_TABLE)
def test_releases_by_roles(welcoming: House, role: str) -> None:
    """Only operators see releases, and they alone move them, with a session of their own."""
    client = as_role(welcoming, role)
    form = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html"}
    here = "/console/releases/madcompany"
    answers = [
        client.get("/console/releases"),
        client.get(f"{here}/0"),
        client.get(f"{here}/change?action=rollback"),
        client.send("POST", f"{here}/change", b"action=live&number=1&seen=0", **form),
    ]
    assert tuple(answer.status for answer in answers) == RELEASES_TABLE[role]


def test_what_is_not_there_looks_like_somebody_elses(welcoming: House) -> None:
    """An image of somebody else's and one that never was get the same bytes."""
    image = welcoming.signed_in("owner").upload(png()).text
    nothing = f"/images/{'0' * 64}.png"
    for client in (welcoming.client(), welcoming.signed_in("other")):
        assert bare(client.get(image)) == bare(client.get(nothing))


def postgresql_rows(url: str) -> bytes:
    """Write every row of every table down."""
    with psycopg.connect(url) as connection:
        tables = connection.execute(
            "SELECT table_name FROM information_schema.tables WHERE table_schema = 'public'"
        ).fetchall()
        assert len(tables) > 3
        rows = [connection.execute(f'SELECT * FROM "{name}"'.encode()) for (name,) in tables]
        return repr([row.fetchall() for row in rows]).encode()


@pytest.mark.parametrize("which", ["closed", "welcoming"])
def test_nothing_secret_is_kept(which: str, request: pytest.FixtureRequest) -> None:
    """No password, session id or key is in a log line, a file or a column in the clear."""
    house: House = request.getfixturevalue(which)
    client = house.signed_in("operator")
    attempt(house, "operator", "198.51.100.9", "a-secret-that-was-mistyped")
    _, key = house.parts.keys.create("owner")
    bearer = house.client()
    bearer.headers["Authorization"] = f"Bearer {key}"
    assert bearer.get("/images").status == 200
    client.get(f"/images/{client.cookie}")
    folder = house.server.folder.parent  # the database stands beside the server's own
    pieces = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    if not house.database_url.startswith("sqlite"):
        pieces.append(postgresql_rows(house.database_url))
    assert any(b"operator" in piece for piece in pieces)  # what is no secret is found
    assert client.cookie
    for secret in (PASSWORD, "a-secret-that-was-mistyped", client.cookie, key, key[-64:], SECRET):
        assert not any(secret.encode() in piece for piece in pieces), secret[:6]
