"""A little server of contracts that can be told to be wrong, in one way at a time.

It is right by itself, and shares no code with the application but the reading of inputs. A flaw
takes what was asked and what would have been said, and says something else.
"""

import itertools
import json
import secrets
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.given import Given, json_values, query_values
from stopgap.contracts.json_object import JsonMalformed
from stopgap.contracts.parsing import InputMalformed, InputNotAllowed, read_inputs, read_path
from stopgap.errors import Fault

FORM = "application/x-www-form-urlencoded"
PNG_END = b"IEND\xaeB`\x82"


@dataclass(frozen=True, kw_only=True)
class Asked:
    """A request."""

    method: str
    target: str
    headers: dict[str, str]  # names in small letters
    body: bytes

    @property
    def path(self) -> str:
        """Tell the target without its query, as it was sent."""
        return self.target.partition("?")[0]

    @property
    def query(self) -> str:
        """Tell the query, as it was sent."""
        return self.target.partition("?")[2]

    @property
    def kind(self) -> str:
        """Tell the body's media type."""
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def cookie(self) -> str:
        """Tell the session's id."""
        return self.headers.get("cookie", "").removeprefix("session=")


@dataclass(frozen=True, kw_only=True)
class Said:
    """An answer."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)


Flaw = Callable[[Asked, Said], Said]


def text(body: str, status: int = 200, headers: dict[str, str] | None = None) -> Said:
    """Say a plain text."""
    return Said(
        status=status, body=body.encode(), headers={"Content-Type": "text/plain"} | (headers or {})
    )


def as_json(value: object, status: int = 200) -> Said:
    """Say a JSON value."""
    body = json.dumps(value, separators=(",", ":")).encode()
    return Said(status=status, body=body, headers={"Content-Type": "application/json"})


def with_headers(said: Said, **headers: str) -> Said:
    """Say it with these headers, too; `_` in their names is a hyphen."""
    more = {name.replace("_", "-"): value for name, value in headers.items()}
    return replace(said, headers=said.headers | more)


def problem(status: int, detail: str = "no", faults: Sequence[Fault] = ()) -> Said:
    """Say a problem; its request id follows."""
    document = {
        "type": f"/problems/{status}",
        "title": "Problem",
        "status": status,
        "detail": detail,
        "errors": [{"field": fault.field, "message": fault.message} for fault in faults],
    }
    headers = {"Content-Type": "application/problem+json", "Cache-Control": "no-store"}
    return Said(status=status, body=json.dumps(document).encode(), headers=headers)


@dataclass(frozen=True, kw_only=True)
class Kept:
    """An image that is kept."""

    content: bytes
    owner: str
    guest: bool


class LittleServer:
    """Answers requests; with a flaw, wrongly."""

    def __init__(
        self, contracts: Sequence[Contract], flaw: Flaw | None, accounts: dict[str, str] | None
    ) -> None:
        self.contracts = contracts
        self.flaw = flaw
        self.accounts = accounts  # None: guests are welcome
        self.sessions: dict[str, str] = {}
        self.images: dict[str, Kept] = {}
        self.numbers = itertools.count()

    def answer(self, asked: Asked) -> Said:
        """Answer, with an id of its own on each answer."""
        said = self._named(self._route(asked))
        return said if self.flaw is None else self.flaw(asked, said)

    @staticmethod
    def _named(said: Said) -> Said:
        request_id = str(uuid4())
        headers = {"Cache-Control": "no-store"} | said.headers | {"X-Request-Id": request_id}
        if said.status < 400:
            return replace(said, headers=headers)
        instance = {"instance": f"urn:uuid:{request_id}", "request_id": request_id}
        body = json.dumps(json.loads(said.body) | instance).encode()
        return replace(said, headers=headers, body=body)

    def _route(self, asked: Asked) -> Said:
        if len(asked.target) > 8192:
            return problem(414)
        path = asked.path.rstrip("/") or "/"
        routes: dict[str, dict[str, Callable[[Asked], Said]]] = {
            "/status": {"GET": lambda _: text("Alive!")},
            "/health": {"GET": lambda _: as_json({"status": "ok"})},
            "/": {"GET": self._home},
            "/login": {"GET": lambda _: Said(status=303, headers={"Location": "/"})}
            | {"POST": self._login},
            "/logout": {"POST": self._logout},
            "/images": {"GET": self._list_images, "POST": self._upload},
            "/openapi.json": {"GET": self._openapi},
        }
        if path.startswith("/images/"):
            routes[path] = {"GET": self._fetch, "DELETE": self._delete}
        for contract in self.contracts:
            if path == contract.prefix:
                predict = self._predicting(contract)
                routes[path] = {"GET": predict, "POST": predict}
            elif path.startswith(contract.prefix + "/"):
                routes[path] = {"GET": self._predicting(contract)}
        methods = routes.get(path)
        if methods is None:
            return problem(404)
        view = methods.get("GET" if asked.method == "HEAD" else asked.method)
        return with_headers(problem(405), Allow=", ".join(methods)) if view is None else view(asked)

    def _home(self, asked: Asked) -> Said:
        sentence = self.sessions.get(asked.cookie, "")
        page = f"<h1>Hello, world!</h1><p>{sentence}</p>"
        return Said(body=page.encode(), headers={"Content-Type": "text/html"})

    def _openapi(self, _asked: Asked) -> Said:
        given = {"responses": {"200": {"$ref": "#/components/responses/a~1b%20c"}}}
        paths: dict[str, Any] = {each.path: {"get": given} for each in self.contracts}
        paths |= {each.prefix: {"get": given, "post": given} for each in self.contracts}
        return as_json({"paths": paths, "components": {"responses": {"a/b c": {}}}})

    def _login(self, asked: Asked) -> Said:
        site, origin = (asked.headers.get(name) for name in ("sec-fetch-site", "origin"))
        if site == "cross-site" or origin:
            return problem(403)
        given = {value.name: str(value.value) for value in _body_values(asked)}
        username = given.get("username") or given.get("user")
        password = given.get("password") or given.get("pass")
        missing = [("username", username), ("password", password)]
        faults = [Fault(field=name, message="is missing") for name, value in missing if not value]
        if not username or not password:
            return problem(400, faults=faults)
        if self.accounts is not None and self.accounts.get(username) != password:
            return with_headers(problem(401), WWW_Authenticate="Bearer")
        sentence = f"Login success for user {username} with password of length: {len(password)}!"
        cookie = self._remember(sentence)
        if "text/html" in asked.headers.get("accept", ""):
            return Said(status=303, headers={"Location": "/", "Set-Cookie": cookie})
        return with_headers(text(sentence), Set_Cookie=cookie)

    def _remember(self, sentence: str) -> str:
        session = secrets.token_hex(8)
        self.sessions[session] = sentence
        return f"session={session}; HttpOnly; SameSite=Lax"

    def _logout(self, asked: Asked) -> Said:
        self.sessions.pop(asked.cookie, None)
        return text("Signed out.")

    def _predicting(self, contract: Contract) -> Callable[[Asked], Said]:
        def predict(asked: Asked) -> Said:
            given = query_values(asked.query)
            try:
                if asked.method == "POST":
                    if asked.kind not in {"application/json", FORM, "multipart/form-data"}:
                        return problem(415)
                    read_inputs(contract, [*given, *_body_values(asked)])
                elif asked.path.rstrip("/") == contract.prefix:
                    read_inputs(contract, given)
                else:
                    read_path(contract, asked.path, given)
            except (InputMalformed, JsonMalformed) as error:
                return problem(400, error.detail, error.faults)
            except InputNotAllowed as error:
                return problem(422, error.detail, error.faults)
            outputs = corners(contract.output_kind)
            said = as_json(outputs[next(self.numbers) % len(outputs)])
            return with_headers(said, Stopgap_Release="stand-in")

        return predict

    def _upload(self, asked: Asked) -> Said:
        files = [asked.body] if asked.body else []
        if asked.kind == "multipart/form-data":
            parts = _parts(asked)
            files = [content for name, content in parts if name in {"image", "file", "file1"}]
        if not files:
            return problem(400, faults=[Fault(field="image", message="is missing")])
        if not files[0].startswith(b"\x89PNG"):
            return problem(415)
        if not files[0].endswith(PNG_END):
            return problem(400)
        return self._keep(asked, files[0])

    def _keep(self, asked: Asked, content: bytes) -> Said:
        owner, headers = asked.cookie, {}
        if owner not in self.sessions:
            if self.accounts is not None:
                return problem(401)
            headers["Set-Cookie"] = self._remember("")
            owner = headers["Set-Cookie"].partition(";")[0].removeprefix("session=")
        path = f"/images/{secrets.token_hex(8)}.png"
        self.images[path] = Kept(content=content, owner=owner, guest=self.accounts is None)
        headers["Location"] = path
        if asked.headers.get("accept") == "application/json":
            told = {"path": path, "media_type": "image/png", "width": 8, "height": 8}
            said = as_json(told, 201)
            return replace(said, headers=said.headers | headers)
        return text(path, 201, headers)

    def _list_images(self, asked: Asked) -> Said:
        if asked.cookie not in self.sessions:
            return problem(401)
        own = [path for path, kept in self.images.items() if kept.owner == asked.cookie]
        return as_json([{"path": path} for path in own])

    def _fetch(self, asked: Asked) -> Said:
        kept = self.images.get(asked.path)
        if kept is None or not (kept.guest or kept.owner == asked.cookie):
            return problem(404)
        headers = {"Content-Type": "image/png", "ETag": '"1"'}
        if asked.headers.get("if-none-match") == '"1"':
            return Said(status=304, headers=headers)
        return Said(body=kept.content, headers=headers)

    def _delete(self, asked: Asked) -> Said:
        if asked.cookie not in self.sessions:
            return problem(401)
        kept = self.images.get(asked.path)
        if kept is None or kept.owner != asked.cookie:
            return problem(404)
        del self.images[asked.path]
        return Said(status=204)


def _body_values(asked: Asked) -> list[Given]:
    if asked.kind == "multipart/form-data":
        return [Given(name, content.decode()) for name, content in _parts(asked)]
    if asked.kind == "application/json" or asked.body.startswith(b"{"):
        return json_values(asked.body)
    return query_values(asked.body.decode("latin-1"))


def _parts(asked: Asked) -> list[tuple[str, bytes]]:
    """Take a multipart form apart."""
    boundary = asked.headers["content-type"].partition("boundary=")[2]
    parts = []
    for piece in asked.body.split(f"--{boundary}".encode())[1:-1]:
        head, _, content = piece.partition(b"\r\n\r\n")
        name = head.partition(b'name="')[2].partition(b'"')[0].decode()
        parts.append((name.replace("%22", '"'), content.removesuffix(b"\r\n")))
    return parts


@contextmanager
def serving(
    contracts: Sequence[Contract],
    flaw: Flaw | None = None,
    accounts: dict[str, str] | None = None,
) -> Iterator[str]:
    """Run the little server; give its URL."""
    server = ThreadingHTTPServer(
        ("127.0.0.1", 0), _handler(LittleServer(contracts, flaw, accounts))
    )
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _handler(little: LittleServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """Carries requests and answers over HTTP."""

        protocol_version = "HTTP/1.1"
        wbufsize = -1
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("Content-Length", 0))
            asked = Asked(
                method=self.command,
                target=self.path,
                headers={name.lower(): value for name, value in self.headers.items()},
                body=self.rfile.read(length),
            )
            said = little.answer(asked)
            self.send_response(said.status)
            for name, value in said.headers.items():
                self.send_header(name, value)
            bare = said.status in {204, 304}
            if not bare:
                self.send_header("Content-Length", str(len(said.body)))
            self.end_headers()
            if not bare and self.command != "HEAD":
                self.wfile.write(said.body)

        do_GET = do_HEAD = do_POST = do_DELETE = _serve  # noqa: N815  # as the base class has it

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002  # its name there
            """Say nothing."""

    return Handler
