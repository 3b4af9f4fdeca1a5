"""The check of a live server: it passes a right one, and names what is wrong with a wrong one."""

import itertools
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from typing import Annotated, Any, Literal

import pytest
from pydantic import AliasChoices, BaseModel, Field, model_validator
from tests.contracts.promises import contract_of
from tests.distortions import at, body, both, has, header, no, status, when
from tests.flaws import ANSWERS, CONTRACT, PLATFORM, WITH_ACCOUNT, Case
from tests.wrong_server import Asked, Said, serving

from stopgap.contracts import madcompany
from stopgap.contracts.conformance.calling import Server, ServerUnknown, ServerUnreachable
from stopgap.contracts.conformance.checking import (
    PredictionsNotAsked,
    Result,
    Verdict,
    check,
    expect_asked,
    rules_of,
    some_guest,
)
from stopgap.contracts.conformance.login_rules import LOGIN_RULES
from stopgap.contracts.conformance.visiting import Visitor
from stopgap.contracts.contract import Contract
from stopgap.contracts.spellings import Spellings

Size = Annotated[
    Literal["little", "large"],
    Spellings(readings={"l": "large"}, numbers={1: "little", 2: "large"}, described="or 1, 2"),
]


class Inputs(BaseModel):
    """One input of each sort that a rule is about."""

    count: Annotated[int, Field(ge=0, le=10**9, validation_alias=AliasChoices("count", "number"))]
    size: Size
    weight: Annotated[float, Field(gt=0, le=30)] = 1.5


SMALL = Contract(
    name="small",
    version="1",
    path="/small/{count}/{size}",
    inputs=Inputs,
    output=Annotated[int, Field(ge=1, le=6)],
    mistaken_paths=["/small/{size}/{count}"],
)

ANN = Visitor(username="ann", password="0123456789", account=True)


def visit(
    url: str,
    contracts: Sequence[Contract] = (SMALL,),
    visitor: Visitor | None = None,
    seconds: float = 10,
    pause: Callable[[float], None] = time.sleep,
) -> list[Verdict]:
    """Check a server."""
    server = Server(url, seconds=seconds)
    source = random.Random(1)
    return list(
        check(
            contracts,
            server,
            visitor or some_guest(),
            source=source,
            predictions=20,
            progress=lambda _done, _of: None,
            pause=pause,
        )
    )


def names(verdicts: Sequence[Verdict], outcome: Result) -> set[str]:
    """Name the rules of which this became."""
    return {verdict.rule for verdict in verdicts if verdict.outcome is outcome}


def test_a_right_server() -> None:
    """A server that keeps every rule passes; only what needs an account is not checked."""
    contracts = [madcompany.contract, SMALL]
    with serving(contracts) as url:
        verdicts = visit(url, contracts)
    assert names(verdicts, Result.BROKEN) == set()
    assert names(verdicts, Result.NOT_CHECKED) == {"login-refused"}
    assert [verdict.rule for verdict in verdicts] == [rule.id for rule in rules_of(contracts, 1)]


@pytest.mark.parametrize("longest", [1, 2, 6])
def test_texts_that_no_path_can_hold(longest: int) -> None:
    """A right server is not accused over an empty text, or dots, which cannot be in a path."""
    contract = contract_of(bool, "/short/{a}", a=Annotated[str, Field(max_length=longest)])
    with serving([contract]) as url:
        verdicts = visit(url, [contract])
    assert names(verdicts, Result.BROKEN) == set()


def accused(contract: Contract) -> set[str]:
    """Name the rules that a right server of a contract is said to break."""
    with serving([contract]) as url:
        return names(visit(url, [contract]), Result.BROKEN)


def test_a_choice_of_what_is_made_up() -> None:
    """A right server is not accused over a value that is none elsewhere."""
    words = Literal["no-such-value", "99999", "NO-SUCH-VALUEE"]
    code = Annotated[words, Spellings(readings={"999999": "99999"}, numbers={}, described="")]
    for kind in (words, code):
        assert accused(contract_of(bool, "/codes/{code}", code=kind)) == set()


@pytest.mark.parametrize("name", ["größe", "growth %", "100%d", '5" pipe', "a&b=c#d", "a+b"])
def test_a_name_of_any_letters(name: str) -> None:
    """A right server is not accused over a field whose name an address holds only encoded."""
    few = Annotated[int, Field(ge=0, le=3)]
    contract = contract_of(bool, "/named/{rooms}", **{"rooms": few, name: few})
    assert accused(contract) == set()


def test_a_choice_of_thousands() -> None:
    """A right server is not accused over a problem that tells of so many values."""
    roads = tuple(f"street number {number} of a long road" for number in range(2_000))
    road: Any = Literal[roads]
    assert accused(contract_of(bool, "/roads/{road}", road=road)) == set()


class Span(BaseModel):
    """Two ends that may be left out, and are held against each other."""

    low: Annotated[int, Field(ge=0, le=1_000)] = 0
    high: Annotated[int, Field(ge=0, le=1_000)] = 0

    @model_validator(mode="after")
    def is_ordered(self) -> "Span":
        """Refuse an end before the beginning."""
        if self.low > self.high:
            raise ValueError("low must not be above high")
        return self


class Dosage(BaseModel):
    """A choice in several spellings, which decides what else may be."""

    size: Size
    grams: Annotated[int, Field(ge=0, le=31)]

    @model_validator(mode="after")
    def is_small(self) -> "Dosage":
        """Refuse much of what is little."""
        if self.size == "little" and self.grams > 5:
            raise ValueError("little is up to 5")
        return self


@pytest.mark.parametrize(
    ("inputs", "path"), [(Span, "/held"), (Dosage, "/held/{grams}/{size}"), (Dosage, "/held")]
)
def test_fields_that_are_held_against_each_other(inputs: type[BaseModel], path: str) -> None:
    """A right server is not accused over what its contract's own validators refuse."""
    contract = Contract(name="held", version="1", path=path, inputs=inputs, output=bool)
    with serving([contract]) as url:
        verdicts = [verdict for _ in range(3) for verdict in visit(url, [contract])]
    assert names(verdicts, Result.BROKEN) == set()
    assert names(verdicts, Result.NOT_CHECKED) == {"login-refused"}


def test_what_is_never_drawn() -> None:
    """What cannot be tried, as validators refuse whatever is drawn, is not checked."""

    class Both(BaseModel):
        """Two numbers, of which one is left out in vain."""

        one: Annotated[int, Field(ge=5, le=9)]
        two: Annotated[int, Field(ge=0, le=9)] = 0

        @model_validator(mode="after")
        def is_more(self) -> "Both":
            """Refuse less."""
            if self.two < self.one:
                raise ValueError("two must not be below one")
            return self

    contract = Contract(name="both", version="1", path="/both", inputs=Both, output=bool)
    with serving([contract]) as url:
        verdicts = visit(url, [contract])
    assert names(verdicts, Result.BROKEN) == set()
    assert names(verdicts, Result.NOT_CHECKED) == {"login-refused", "both-optional-two"}


@pytest.mark.parametrize(
    ("shortest", "unchecked"),
    [
        (0, set()),
        (9_000, {"path", "query", "trailing-slash", "path-parts", "method", "twice-a", "twice-b"}),
    ],
    ids=["long", "longer than an address"],
)
@pytest.mark.parametrize("path", ["/long/{b}", "/long/{a}"])
def test_texts_that_no_address_can_hold(path: str, shortest: int, unchecked: set[str]) -> None:
    """A right server is not accused over an address that is too long for any server."""
    text = Annotated[str, Field(min_length=shortest, max_length=10_000)]
    few = Annotated[int, Field(ge=0, le=3, validation_alias=AliasChoices("b", "beta"))]
    contract = contract_of(bool, path, a=text, b=(few, 1))
    with serving([contract]) as url:
        verdicts = visit(url, [contract])
    assert names(verdicts, Result.BROKEN) == set()
    found = {rule.removeprefix("test-") for rule in names(verdicts, Result.NOT_CHECKED)}
    assert found == unchecked | {"login-refused"}


City = Literal["New York", "São Paulo", "C/D"]


@pytest.mark.parametrize(
    ("first", "unchecked"),
    [
        (City, {"login-refused"}),
        (Annotated[str, Field(max_length=1)], {"login-refused"}),
        (Annotated[int, Field(ge=0, le=3)], {"login-refused", "mistaken-order-1"}),
    ],
)
def test_mistaken_paths_of_any_text(first: type, unchecked: set[str]) -> None:
    """A right server is not accused over what is written otherwise in a path, or right either way.

    Texts that are digits are right in both orders, and so is every value of two alike.
    """
    few = Annotated[int, Field(ge=0, le=3)]
    there = contract_of(bool, "/there/{a}/{b}", a=first, b=few, in_query=City)
    contract = replace(there, mistaken_paths=["/there/{b}/{a}"])
    with serving([contract]) as url:
        verdicts = visit(url, [contract])
    assert names(verdicts, Result.BROKEN) == set()
    found = names(verdicts, Result.NOT_CHECKED)
    assert {rule.removeprefix(f"{contract.name}-") for rule in found} == unchecked


@pytest.mark.parametrize("case", [*PLATFORM, *CONTRACT, *ANSWERS], ids=str)
def test_a_wrong_server(case: Case) -> None:
    """A server with one flaw is told the rules that this breaks, and no others."""
    with serving([SMALL], case.flaw) as url:
        verdicts = visit(url)
    assert names(verdicts, Result.BROKEN) == case.breaks
    assert all(v.expected and v.came for v in verdicts if v.outcome is Result.BROKEN)


@pytest.mark.parametrize("case", WITH_ACCOUNT, ids=str)
def test_a_server_that_is_wrong_to_accounts(case: Case) -> None:
    """A flaw that only an account meets is named when one is given."""
    with serving([SMALL], case.flaw, {ANN.username: ANN.password}) as url:
        verdicts = visit(url, visitor=ANN)
    assert names(verdicts, Result.BROKEN) == case.breaks


def test_every_rule_is_broken_once() -> None:
    """No rule is there that was never seen to fail."""
    broken = {
        rule for case in (*PLATFORM, *CONTRACT, *ANSWERS, *WITH_ACCOUNT) for rule in case.breaks
    }
    assert broken == {rule.id for rule in rules_of([SMALL], 1)}


def test_rules_have_names_of_their_own() -> None:
    """No two rules share an id, and each is written in small letters and hyphens."""
    ids = [rule.id for rule in rules_of([madcompany.contract, SMALL], 1)]
    assert len(ids) == len(set(ids))
    assert all(word.replace("-", "").isalnum() and word == word.lower() for word in ids)


def test_without_guests() -> None:
    """Where guests are not welcome, the rules that need one say so, and none is called broken."""
    with serving([SMALL], accounts={ANN.username: ANN.password}) as url:
        verdicts = visit(url)
    unchecked = [verdict for verdict in verdicts if verdict.outcome is Result.NOT_CHECKED]
    assert names(verdicts, Result.BROKEN) == set()
    assert {"login-json", "image-raw", "logout"} <= {verdict.rule for verdict in unchecked}
    assert all("--username" in str(verdict.reason) for verdict in unchecked)


def test_with_an_account() -> None:
    """With an account, only what a guest alone can do is not checked."""
    with serving([SMALL], accounts={ANN.username: ANN.password}) as url:
        verdicts = visit(url, visitor=ANN)
    assert names(verdicts, Result.BROKEN) == set()
    assert names(verdicts, Result.NOT_CHECKED) == {"login-code-points"}


def interrupt(_done: int, _of: int) -> None:
    """Stop it, as a person does who has waited long enough."""
    raise KeyboardInterrupt


@pytest.mark.parametrize("progress", [lambda _done, _of: None, interrupt])
def test_no_session_is_left(progress: Callable[[int, int], None]) -> None:
    """Every session that an account was given is ended again, also when the check is cut short."""
    given, ended = set[str](), set[str]()

    def watched(asked: Asked, said: Said) -> Said:
        if asked.path == "/login" and "Set-Cookie" in said.headers:
            given.add(said.headers["Set-Cookie"].partition(";")[0])
        if asked.path == "/logout":
            ended.add(asked.headers["cookie"])
        return said

    with serving([SMALL], watched, {ANN.username: ANN.password}) as url:
        source = random.Random(1)
        with suppress(KeyboardInterrupt):
            list(check([SMALL], Server(url), ANN, source=source, predictions=9, progress=progress))
    assert (len(given) > 3, given - ended) == (True, set())


def test_closed_predictions() -> None:
    """Where predictions need a session, they are asked for with one, or not checked."""
    closed = when(both(lambda asked, _: "/small" in asked.path, no(has("cookie"))), status(401))
    with serving([SMALL], closed) as url:
        assert names(visit(url), Result.BROKEN) == set()
    with serving([SMALL], closed, {ANN.username: ANN.password}) as url:
        verdicts = visit(url)
    assert names(verdicts, Result.BROKEN) == set()
    assert {"small-path", "small-missing-count", "release"} <= names(verdicts, Result.NOT_CHECKED)


def test_with_a_wrong_password() -> None:
    """An account that cannot sign in is a broken rule, not a silent one; it tries only once."""
    logins = list[bytes]()

    def watched(asked: Asked, said: Said) -> Said:
        if b"ann" in asked.body and b"0123456789" in asked.body:
            logins.append(asked.body)
        return said

    with serving([SMALL], watched, {ANN.username: "another"}) as url:
        verdicts = visit(url, visitor=ANN)
    assert names(verdicts, Result.BROKEN) == {"login-json"}
    assert len(logins) == 1
    reasons = {v.rule: v.reason for v in verdicts if v.outcome is Result.NOT_CHECKED}
    assert {reasons[rule] for rule in ("login-form", "login-refused", "image-raw", "logout")} == {
        "the account was refused"
    }


def test_with_an_account_that_is_locked_out() -> None:
    """An account that has failed too often is not tried again and again, either."""
    logins = list[bytes]()

    def locked(asked: Asked, said: Said) -> Said:
        if asked.path != "/login" or b"0123456789" not in asked.body:
            return said
        logins.append(asked.body)
        return status(429)(said)

    with serving([SMALL], locked, {ANN.username: ANN.password}) as url:
        verdicts = visit(url, visitor=ANN)
    assert names(verdicts, Result.BROKEN) == {"login-json"}
    assert len(logins) == 1


def limited(retry_after: str | None, count: int) -> Callable[[Asked, Said], Said]:
    """Refuse every third prediction and upload, so many times in a row."""
    numbers = itertools.count()

    def refuse(asked: Asked, said: Said) -> Said:
        if not asked.path.startswith(("/small", "/images")) or next(numbers) % (2 + count) < 2:
            return said
        return header("Retry-After", retry_after)(status(429)(said))

    return refuse


@pytest.mark.parametrize("count", [1, 3])
def test_a_limit(count: int) -> None:
    """A right server that limits what may be asked is asked again once it says that it may be."""
    pauses = list[float]()
    with serving([SMALL], limited("20", count)) as url:
        verdicts = visit(url, pause=pauses.append)
    assert names(verdicts, Result.BROKEN) == set()
    assert names(verdicts, Result.NOT_CHECKED) == {"login-refused"}
    assert (len(pauses) > 50, set(pauses)) == (True, {20})


@pytest.mark.parametrize(
    ("retry_after", "pauses"),
    [("61", []), ("30", [30, 30]), ("0", [1] * 60), (None, []), ("Fri, 31 Dec 1999 GMT", [])],
)
def test_a_limit_that_lasts(retry_after: str | None, pauses: list[float]) -> None:
    """What a limit keeps from being asked within a minute is not checked, and says so."""
    waited = list[float]()
    with serving([SMALL], limited(retry_after, 10**9)) as url:
        verdicts = visit(url, pause=waited.append)
    reasons = {v.rule: v.reason for v in verdicts if v.outcome is Result.NOT_CHECKED}
    assert names(verdicts, Result.BROKEN) == set()
    assert reasons["small-predictions"] == (
        f"the server limits what may be asked (429, Retry-After: {retry_after or 'none'})"
    )
    assert waited == pauses
    with pytest.raises(PredictionsNotAsked, match="small were not all asked: the server limits"):
        expect_asked([SMALL], verdicts)


def test_no_secret_is_shown() -> None:
    """Whatever breaks at the login, neither the account's password nor its session is told."""
    own = replace(ANN, password="hunter2&/ 0123456789")
    cookies = list[str]()

    def wrong(asked: Asked, said: Said) -> Said:
        if asked.path != "/login" or asked.method != "POST":
            return said
        cookies.append(said.headers.get("Set-Cookie", ""))
        lax = header("Set-Cookie", cookies[-1].replace("; HttpOnly", ""))
        return status(200)(lax(body(f"fine, {own.password}")(said)))

    with serving([SMALL], wrong, {own.username: own.password}) as url:
        verdicts = visit(url, visitor=own)
    told = {v.rule: f"{v.request} {v.expected} {v.came}" for v in verdicts if v.came}
    assert {rule.id for rule in LOGIN_RULES} - told.keys() == {
        "login-code-points",
        "login-get",
        "logout",
    }
    assert "hunter2" not in str(told)
    sessions = [cookie.partition(";")[0].removeprefix("session=") for cookie in cookies]
    assert not any(session in str(told) for session in sessions if session)
    assert told["login-cookie"].endswith(" Set-Cookie: session=…; SameSite=Lax")
    assert told["login-form"].startswith("POST /login with application/x-www-form-urlencoded (not")


def test_a_guest_is_shown() -> None:
    """A guest's made-up password protects nothing, and helps whoever mends the server."""
    with serving([SMALL], when(at("/login", "POST"), body("fine"))) as url:
        verdicts = visit(url, visitor=replace(ANN, account=False))
    [told] = [verdict.request for verdict in verdicts if verdict.rule == "login-json"]
    assert told is not None
    assert ANN.password in told


@contextmanager
def raw_server(treat: Callable[[socket.socket], None]) -> Iterator[str]:
    """Run a server that treats its connections in its own way; give its URL."""
    listener = socket.create_server(("127.0.0.1", 0))

    def run() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=quietly, args=(listener.accept()[0],), daemon=True).start()

    def quietly(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            treat(connection)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def silent(connection: socket.socket) -> None:
    """Take everything and say nothing."""
    while connection.recv(65536):
        pass


def gone(connection: socket.socket) -> None:
    """Hang up at once."""
    connection.close()


def reset(connection: socket.socket) -> None:
    """Hang up as rudely as TCP allows."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")


def garbage(connection: socket.socket) -> None:
    """Say what is no HTTP."""
    connection.recv(65536)
    connection.sendall(bytes(range(256)) * 20)


def endless_body(connection: socket.socket) -> None:
    """Never stop talking."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\n\r\n")
    while True:
        connection.sendall(b"Alive!" * 10_000)


def endless_wait(connection: socket.socket) -> None:
    """Say again and again that the answer will follow."""
    connection.recv(65536)
    while True:
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n" * 100)


def drip(connection: socket.socket) -> None:
    """Send a header a byte at a time."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
    while True:
        connection.sendall(b"x")
        time.sleep(0.02)


def bad_chunks(connection: socket.socket) -> None:
    """Send a chunk whose length is no number."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nhello\r\n")


def short_body(connection: socket.socket) -> None:
    """Promise more than comes."""
    connection.recv(65536)
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nAlive!")


@pytest.mark.parametrize(
    "treat",
    [silent, gone, reset, garbage, endless_body, endless_wait, drip, bad_chunks, short_body],
)
def test_a_hostile_server(treat: Callable[[socket.socket], None]) -> None:
    """A server that hangs, resets, talks on or talks nonsense neither hangs nor ends the check."""
    began = time.monotonic()
    with raw_server(treat) as url:
        verdicts = visit(url, seconds=0.3)
    bodiless = {"status-head", "no-traceback"}  # a HEAD may be answered in full before the nonsense
    assert names(verdicts, Result.HELD) <= bodiless
    assert len(verdicts) == len(rules_of([SMALL], 1))
    assert time.monotonic() - began < 10


def test_nobody_there() -> None:
    """A server that is not there is one error in words."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ServerUnreachable, match=f"127.0.0.1:{port}"):
        visit(f"http://127.0.0.1:{port}")


@pytest.mark.parametrize(
    "url",
    [
        "",
        "localhost:5000",
        "ftp://host",
        "http://",
        "http://host:99999",
        "http://host/path",
        "http://user:secret@host",
        "http://:secret@host",
        "http://user:secret@[::1",
        "http://user:/secret@host/",
        "user:secret@host",
        "http://[::1",
        "http://host?x",
    ],
)
def test_no_address(url: str) -> None:
    """What is no plain address of a server is refused before anything is sent.

    A password in it is not told.
    """
    with pytest.raises(ServerUnknown) as refused:
        Server(url)
    assert "secret" not in str(refused.value)
