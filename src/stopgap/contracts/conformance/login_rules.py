"""The rules of signing in and out."""

from dataclasses import replace
from http import HTTPStatus

from stopgap.contracts.conformance.calling import (
    HTML,
    Part,
    Request,
    form_request,
    json_request,
    multipart_request,
)
from stopgap.contracts.conformance.visiting import (
    Broken,
    NotChecked,
    Visit,
    Visitor,
    expect_header,
    expect_location,
    expect_problem,
    expect_session_cookie,
    expect_status,
    expect_text,
    rules,
)


def sentence(visitor: Visitor) -> str:
    """Say what a sign-in is answered."""
    length = len(visitor.password)
    return f"Login success for user {visitor.username} with password of length: {length}!"


def _expect_signed_in(visit: Visit, request: Request) -> None:
    visit.see_welcome()
    answer = visit.call(request)
    expect_text(answer, HTTPStatus.OK, sentence(visit.visitor))


def _credentials(visit: Visit) -> dict[str, str]:
    return {"username": visit.visitor.username, "password": visit.visitor.password}


def _login_json(visit: Visit) -> None:
    _expect_signed_in(visit, json_request("/login", _credentials(visit)))


def _login_form(visit: Visit) -> None:
    _expect_signed_in(visit, form_request("/login", _credentials(visit)))


def _login_multipart(visit: Visit) -> None:
    parts = [Part(name=name, content=text.encode()) for name, text in _credentials(visit).items()]
    _expect_signed_in(visit, multipart_request("/login", parts))


def _login_json_in_form(visit: Visit) -> None:
    body = json_request("/login", _credentials(visit)).body or b""
    _expect_signed_in(visit, form_request("/login", body))


def _login_short_keys(visit: Visit) -> None:
    short = {"user": visit.visitor.username, "pass": visit.visitor.password}
    _expect_signed_in(visit, json_request("/login", short))
    _expect_signed_in(visit, form_request("/login", short))


def _login_code_points(visit: Visit) -> None:
    if visit.visitor.account:
        raise NotChecked("only a guest may choose a password with an é and a 😀 in it")
    visit.see_welcome()
    guest = replace(visit.visitor, password="pässwörd 😀")  # noqa: S106  # protects nothing
    login = {"username": guest.username, "password": guest.password}
    answer = visit.call(json_request("/login", login))
    expect_text(answer, HTTPStatus.OK, sentence(guest))


def _login_cookie(visit: Visit) -> None:
    visit.see_welcome()
    answer = visit.call(json_request("/login", _credentials(visit)))
    more = ["Secure"] if visit.server.secure else []
    expect_session_cookie(visit, answer, "HttpOnly", "SameSite=Lax", *more)


def _login_get(visit: Visit) -> None:
    answer = visit.call(Request(target="/login"))
    expect_status(answer, HTTPStatus.SEE_OTHER)
    expect_location(answer, "/")


def _login_browser(visit: Visit) -> None:
    visit.see_welcome()
    answer = visit.call(form_request("/login", _credentials(visit), Accept=HTML))
    expect_status(answer, HTTPStatus.SEE_OTHER)
    expect_location(answer, "/")
    seen = visit.call(Request(target="/", headers={"Accept": HTML, "Cookie": answer.cookie}))
    expected = f"length: {len(visit.visitor.password)}!"
    if expected.encode() not in seen.body:
        raise Broken(seen.request, f"a page that says {expected}", seen)


def _login_missing(visit: Visit) -> None:
    expect_problem(
        visit.call(json_request("/login", {})), HTTPStatus.BAD_REQUEST, {"username", "password"}
    )
    half = form_request("/login", {"username": visit.visitor.username})
    expect_problem(visit.call(half), HTTPStatus.BAD_REQUEST, {"password"})


def _login_refused(visit: Visit) -> None:
    if not visit.visitor.account:
        raise NotChecked("it needs an account; give --username and --password")
    visit.see_welcome()
    login = {"username": visit.visitor.username, "password": visit.visitor.password + "-not"}
    answer = visit.call(json_request("/login", login))
    expect_problem(answer, HTTPStatus.UNAUTHORIZED)
    expect_header(answer, "WWW-Authenticate")


def _login_cross_site(visit: Visit) -> None:
    if visit.visitor.account:
        visit.see_welcome()
    login = _credentials(visit)
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        expect_problem(visit.call(form_request("/login", login, **headers)), HTTPStatus.FORBIDDEN)


def _logout(visit: Visit) -> None:
    cookie = {"Cookie": visit.sign_in()}
    listed = Request(target="/images", headers=cookie)
    expect_status(visit.call(listed), HTTPStatus.OK)
    expect_status(
        visit.call(Request(method="POST", target="/logout", headers=cookie, body=b"")),
        HTTPStatus.OK,
    )
    expect_problem(visit.call(listed), HTTPStatus.UNAUTHORIZED)


LOGIN_RULES = rules(
    {
        _login_json: "A login in JSON gets the exact sentence.",
        _login_form: "A login in a form gets the same.",
        _login_multipart: "A login in a multipart form gets the same.",
        _login_json_in_form: "A login whose form is a JSON object gets the same.",
        _login_short_keys: "A login with user and pass gets the same.",
        _login_code_points: "The length of a password is in code points.",
        _login_cookie: "A login sets a cookie that clients bring back, and scripts do not get.",
        _login_get: "GET /login leads to the first page.",
        _login_browser: "A browser's own login leads to the first page, which shows the sentence.",
        _login_missing: "A login without a name or a password is 400, and names what is missing.",
        _login_refused: "A wrong password is 401.",
        _login_cross_site: "A login that another site's page sends is 403.",
        _logout: "A session is worthless after its logout.",
    }
)
"""What holds for signing in."""
