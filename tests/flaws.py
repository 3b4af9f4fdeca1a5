"""Every way in which the little server is made wrong, and the rules that must then be named."""

from dataclasses import dataclass, replace

from tests.distortions import (
    add,
    after,
    at,
    body,
    both,
    fault_begins,
    first_fault_only,
    has,
    header,
    in_path,
    in_query,
    member,
    no,
    of,
    predicted,
    rename_fault,
    sent,
    status,
    swap,
    told_the_order,
    when,
)
from tests.wrong_server import Flaw

GOOD = frozenset(
    {"path", "query", "json", "form", "multipart", "trailing-slash", "alias-number"}
    | {"spellings-size", "optional-weight", "ends", "predictions"}
)
"""Rules that ask for predictions, without the contract's name."""

FIELDS = ("count", "size", "weight")


@dataclass(frozen=True, kw_only=True)
class Case:
    """One flaw."""

    name: str
    flaw: Flaw
    breaks: frozenset[str]  # rules

    def __str__(self) -> str:
        """Tell its name, for the list of tests."""
        return self.name


def case(name: str, flaw: Flaw, *breaks: str) -> Case:
    """Write a row of the table; a flaw that is named after a rule breaks that one."""
    return Case(name=name, flaw=flaw, breaks=frozenset(breaks or {name}))


def small(*rules: str) -> list[str]:
    """Name rules of the contract."""
    return [f"small-{rule}" for rule in rules]


LOGIN, IMAGES = at("/login", "POST"), at("/images", "POST")
FORM = of("application/x-www-form-urlencoded")
PICTURE = sent(b'filename="picture.png"')

PLATFORM = [
    case("status", when(at("/status"), body("Alive"))),
    case("status type", when(at("/status"), header("Content-Type", "text/html")), "status"),
    case("status-head", when(at("/status", "HEAD"), status(201))),
    case("status-trailing-slash", when(at("/status/"), status(201))),
    case("health", when(at("/health"), status(503))),
    case("home", when(at("/"), swap(b"Hello, world!", b"Hello"))),
    case(
        "login-json",
        when(both(LOGIN, sent(b'{"username"'), no(FORM), no(sent(b"\\u"))), swap(b"!", b".")),
    ),
    case(
        "login-form",
        when(both(LOGIN, sent(b"username="), no(has("accept", "html"))), swap(b"!", b".")),
    ),
    case("login-multipart", when(both(LOGIN, of("multipart/form-data")), body("fine"))),
    case("login-json-in-form", when(both(LOGIN, FORM, sent(b"{")), swap(b"length", b"size"))),
    case("login-short-keys", when(both(LOGIN, sent(b"user=")), swap(b"Login", b"login"))),
    case("login-code-points", when(both(LOGIN, sent(b"\\u")), swap(b"10!", b"14!"))),
    case(
        "login-cookie",
        when(
            at("/login", "POST", 200),
            lambda said: header("Set-Cookie", said.headers["Set-Cookie"].replace("; HttpOnly", ""))(
                said
            ),
        ),
    ),
    *(
        case(
            f"a session with {attribute}",
            when(lambda _, said: "Set-Cookie" in said.headers, add("Set-Cookie", f"; {attribute}")),
            "login-cookie",
            "image-guest",
        )
        for attribute in (
            *("Path=/login", "Domain=other.example", "Max-Age=0", "Secure"),
            "Expires=Thu, 01 Jan 1970 00:00:00 GMT",
        )
    ),
    case("login-get", when(at("/login"), header("Location", "/elsewhere"))),
    case("login-browser", when(both(at("/"), has("cookie")), swap(b"length", b"size"))),
    case("login-missing", when(at("/login", "POST", 400), member("errors", []))),
    case(
        "fields that are lists",
        when(at("/login", "POST", 400), member("errors", [{"field": ["body", "x"]}])),
        "login-missing",
        "problem-shape",
    ),
    case("login-cross-site", when(at("/login", "POST", 403), status(200))),
    case("logout", when(both(at("/images", "GET", 401), has("cookie")), status(200))),
    *(
        case(
            f"image-{name}",
            when(
                both(at("/images", "POST", 201), sent(f'name="{name}"'.encode())), body("/images/x")
            ),
        )
        for name in ("image", "file", "file1")
    ),
    case(
        "image-raw",
        when(
            both(
                at("/images", "POST", 201),
                of("image/png"),
                has("cookie"),
                no(has("accept", "json")),
            ),
            body("/images/x"),
        ),
    ),
    case(
        "image-guest",
        when(both(at("/images", "POST", 201), no(has("cookie"))), header("Set-Cookie", None)),
    ),
    case("image-json", when(both(IMAGES, has("accept", "json")), member("width", 9))),
    case(
        "image-etag",
        when(lambda _, said: said.status == 304, lambda said: replace(said, status=200)),
    ),
    case("image-list", when(at("/images", "GET", 200), body("[]"))),
    case(
        "image-private",
        when(lambda asked, said: asked.method == "DELETE" and said.status == 401, status(204)),
    ),
    case(
        "image-private from guests",
        when(lambda asked, said: asked.method == "DELETE" and said.status == 404, status(204)),
        "image-private",
    ),
    case(
        "image-delete",
        when(lambda asked, said: asked.method == "DELETE" and said.status == 204, status(200)),
    ),
    case("image-unrecognised", when(at("/images", "POST", 415), status(400))),
    case("image-broken", when(both(at("/images", "POST", 400), PICTURE), status(415))),
    case("image-missing", when(both(at("/images", "POST", 400), no(PICTURE)), status(415))),
    case("not-found", when(lambda asked, _: asked.path.startswith("/nothing"), status(410))),
    case("method", when(at("/status", "DELETE"), header("Allow", None))),
    case("address-too-long", when(lambda _, said: said.status == 414, status(400))),
]
"""Flaws of what every server answers."""

CONTRACT = [
    case(
        "path",
        when(in_path, header("Content-Type", "text/plain")),
        *small("path", "trailing-slash", "ends", "spellings-size", "predictions"),
    ),
    case(
        "query",
        when(in_query, status(404)),
        *small("query", "alias-number", "optional-weight", "predictions", "spellings-size"),
    ),
    case(
        "json",
        when(
            both(predicted, of("application/json")),
            lambda said: replace(said, body=said.body + b"\n"),
        ),
        *small("json", "alias-number", "optional-weight", "ends", "predictions", "spellings-size"),
    ),
    case(
        "form",
        when(both(predicted, FORM), body("true")),
        *small("form", "alias-number", "optional-weight", "predictions", "spellings-size"),
    ),
    case(
        "multipart",
        when(both(predicted, of("multipart/form-data")), body("3.0")),
        *small("multipart", "predictions", "spellings-size"),
    ),
    case("range", when(predicted, body("7")), *small(*GOOD)),
    case("text", when(predicted, body('"3"')), *small(*GOOD)),
    case("no JSON", when(predicted, body("three")), *small(*GOOD)),
    case(
        "small-trailing-slash",
        when(
            lambda asked, said: in_path(asked, said) and asked.path.endswith("/"),
            status(404),
        ),
    ),
    case(
        "small-alias-number",
        when(lambda asked, said: predicted(asked, said) and "number=" in asked.target, status(422)),
    ),
    case(
        "small-spellings-size",
        when(lambda asked, said: in_path(asked, said) and asked.path.endswith("/l"), status(422)),
    ),
    case(
        "small-spellings-size in JSON",
        when(both(predicted, sent(b'"size": 2')), status(422)),
        "small-spellings-size",
    ),
    *(
        case(f"small-spellings-size in {name}", when(each, status(422)), "small-spellings-size")
        for name, each in {
            "a JSON text": both(predicted, sent(b'"size": "LARGE"')),
            "a query": both(in_query, lambda asked, _: "size=l&" in asked.query),
        }.items()
    ),
    case(
        "small-optional-weight",
        when(both(in_query, lambda asked, _: "weight" not in asked.query), status(400)),
    ),
    case("small-ends", when(both(predicted, sent(b'"count": 0,')), status(422))),
    case(
        "small-mistaken-order-1",
        when(
            lambda asked, said: said.status == 422
            and asked.path.startswith(("/small/large", "/small/little")),
            member("detail", "no"),
        ),
    ),
    case("small-predictions", when(after(40), body("0"))),
    case(
        "small-all-faults",
        when(lambda asked, said: asked.path == "/small" and said.status == 400, first_fault_only),
    ),
    case("small-unknown-field", when(fault_begins("no_such_field", "", 422), status(400))),
    case("small-path-parts", when(lambda asked, _: "/more" in asked.path, status(404))),
    case(
        "small-duplicate-key", when(lambda asked, _: asked.body.count(b'"count"') == 2, status(422))
    ),
    case("small-broken-json", when(sent(b"[[[["), status(500))),
    case(
        "small-content-type",
        when(lambda asked, said: asked.path == "/small" and said.status == 415, status(400)),
    ),
    case("small-method", when(at("/small", "DELETE"), header("Allow", "GET"))),
    case("small-openapi", when(at("/openapi.json"), body('{"paths": {}}'))),
    *(
        case(
            f"small-openapi without {old.decode()}",
            when(at("/openapi.json"), swap(old, b"x")),
            "small-openapi",
        )
        for old in (b"get", b"post", b"200", b"a/b c")
    ),
    *(
        case(
            f"small-malformed-{name}",
            when(fault_begins(name, "must be", 400), rename_fault(name)),
            *small(f"malformed-{name}", "all-faults"),
        )
        for name in FIELDS
    ),
    *(
        case(
            f"small-not-allowed-{name}",
            when(
                both(
                    fault_begins(name, "must be", 422),
                    no(told_the_order),
                ),
                status(400),
            ),
        )
        for name in FIELDS
    ),
    case(
        "small-missing-count",
        when(fault_begins("count", "is missing", 400), rename_fault("count")),
        *small("missing-count", "all-faults"),
    ),
    case(
        "small-missing-size",
        when(fault_begins("size", "is missing", 400), rename_fault("size")),
        *small("missing-size", "all-faults", "path-parts"),
    ),
    *(
        case(
            f"small-twice-{name}",
            when(fault_begins(name, "is given more", 400), rename_fault(name)),
        )
        for name in FIELDS
    ),
]
"""Flaws of the contract's own routes."""

ANSWERS = [
    case(
        "release", when(both(predicted, of("multipart/form-data")), header("Stopgap-Release", None))
    ),
    *(
        case(f"a cache may keep {name}", when(each, header("Cache-Control", value)), "no-cache")
        for value in (None, "public, max-age=86400")
        for name, each in {
            "a sign-in": at("/login", "POST", 200),
            "an image": lambda asked, said: asked.path.startswith("/images/") and said.status < 400,
            "a list": at("/images", "GET", 200),
            "predictions": in_path,
        }.items()
    ),
    case("no id", when(at("/health"), header("X-Request-Id", None)), "request-ids"),
    case(
        "one id for all",
        when(
            at("/images", "GET", 200),
            header("X-Request-Id", "00000000-0000-7000-8000-000000000001"),
        ),
        "request-ids",
    ),
    case(
        "the client's id",
        lambda asked, said: (
            header("X-Request-Id", asked.headers["x-request-id"])(said)
            if "x-request-id" in asked.headers
            else said
        ),
        "request-ids",
    ),
    case("no UUID", when(at("/health"), header("X-Request-Id", "7")), "request-ids"),
    case(
        "problem type",
        when(at("/status", "DELETE"), header("Content-Type", "application/json")),
        "problem-shape",
    ),
    case("problem status", when(at("/status", "DELETE"), member("status", 400)), "problem-shape"),
    case("problem title", when(at("/status", "DELETE"), member("title", "")), "problem-shape"),
    case("problem id", when(at("/status", "DELETE"), member("request_id", "7")), "problem-shape"),
    case(
        "problem instance", when(at("/status", "DELETE"), member("instance", None)), "problem-shape"
    ),
    case(
        "problem errors",
        when(at("/status", "DELETE"), member("errors", [{"field": 5}])),
        "problem-shape",
    ),
    case(
        "problem text", when(at("/status", "DELETE"), body("Method not allowed")), "problem-shape"
    ),
    case(
        "no-traceback",
        when(at("/status", "DELETE"), member("detail", "Traceback (most recent call last)")),
    ),
]
"""Flaws that only show over all answers."""

WITH_ACCOUNT = [
    case(
        "image-private",
        when(
            both(no(has("cookie")), lambda asked, _: asked.path.startswith("/images/")),
            lambda said: status(200)(said) if said.status == 404 else said,
        ),
    ),
    case("login-refused", when(at("/login", "POST", 401), header("WWW-Authenticate", None))),
]
"""Flaws that only an account meets."""
