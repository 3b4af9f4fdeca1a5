"""The routes of the client's mail: status, login (and out), predict, and an image's upload."""

from contextlib import AbstractContextManager
from functools import partial

from flask import Blueprint, Flask, Response, g, request, url_for
from pydantic import BaseModel
from werkzeug.routing import BaseConverter

from stopgap.accounts.account import AccountNameInvalid, Caller
from stopgap.accounts.passwords import PasswordTooLong
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import InputMalformed, most_given, read_inputs, read_path
from stopgap.contracts.row import Row
from stopgap.images.image import Image, Uploader
from stopgap.predicting.instant import Prediction
from stopgap.problems import SignInNeeded, prefers_json
from stopgap.web import callers
from stopgap.web.answers import json_answer, problem, see_other, text
from stopgap.web.bodies import (
    body_values,
    is_form,
    query_values_of_request,
    raw_path,
    uploaded_bytes,
    wants_html,
)
from stopgap.web.credentials import (
    Credentials,
    credentials_in,
    page_to_return_to,
    username_in,
)
from stopgap.web.current import parts
from stopgap.web.image_api import described

api = Blueprint("client_api", __name__)

SIGN_IN_REFUSALS = (
    *(InputMalformed, AccountNameInvalid, PasswordTooLong),
    *(SignInRefused, SignInThrottled),
)
"""What is told in the form that it came from."""


@api.get("/status")
def status() -> Response:
    """Say that the server runs: `Alive!`."""
    return text("Alive!")


@api.post("/login")
def login() -> Response:
    """Sign in with a username and a password, and start a session."""
    given = body_values()
    try:
        caller, session_id = _sign_in(credentials_in(given))
    except SIGN_IN_REFUSALS as refusal:
        if wants_html() and is_form():
            back = page_to_return_to(given)
            return problem(refusal, "sign_in.html", username=username_in(given), back=back)
        raise
    if wants_html() and is_form():
        home = url_for("welcome.home")  # which shows the sentence
        response = see_other(page_to_return_to(given) or home)
    else:
        response = text(greeting(caller))
    callers.end_session()
    callers.remember(response, session_id, guest=not caller.account)
    return response


def _sign_in(credentials: Credentials) -> tuple[Caller, str]:
    try:
        return parts().sign_in.sign_in(
            credentials.username, credentials.password, callers.address()
        )
    except (SignInRefused, SignInThrottled) as refusal:
        parts().metrics.login_failed(refusal.code)
        raise


def greeting(caller: Caller) -> str:
    """Greet who has just signed in, in the mail's words."""
    return (
        f"Login success for user {caller.name} with password of length: {caller.password_length}!"
    )


@api.get("/login")
def sign_in_form() -> Response:
    """Redirect to the first page, which has the sign-in form."""
    return see_other(url_for("welcome.home"))


@api.post("/logout")
def logout() -> Response:
    """End the session."""
    callers.end_session()
    to_page = wants_html() and is_form()
    response = see_other(url_for("welcome.home")) if to_page else text("Signed out.")
    callers.forget(response)
    return response


def predict(contract: Contract, /, **_in_path: str) -> Response:
    """Predict from the inputs in the path, query, form or JSON; answer with the bare value."""
    callers.admit_prediction()
    if request.method == "POST":
        inputs = read_inputs(
            contract, [*query_values_of_request(), *body_values(most_given(contract))]
        )
    elif raw_path().rstrip("/") == contract.prefix:
        inputs = read_inputs(contract, query_values_of_request())
    else:
        inputs = read_path(contract, raw_path(), query_values_of_request())
    prediction = prediction_for(contract, inputs)
    response = Response(prediction.body, mimetype="application/json")
    response.headers["Stopgap-Release"] = prediction.release
    return response


def prediction_for(contract: Contract, inputs: BaseModel) -> Prediction:
    """Predict from validated inputs, for the current request and whoever sent it."""
    return parts().predicting.predict(contract, Row.of(inputs), g.request_id, callers.caller_id())


@api.post("/images")
def upload_image() -> Response:
    """Keep an image; answer with its path on the server."""
    image, session_id = keep_image()
    path = url_for("image_api.fetch_image", name=image.name)
    if wants_html() and is_form():
        response = see_other(url_for("welcome.home"))  # which shows the path
    else:
        as_json = prefers_json(request.headers.get("Accept", ""))
        response = json_answer(described(image), 201) if as_json else text(path, 201)
        response.headers["Location"] = path
    if session_id is not None:
        callers.remember(response, session_id, guest=True)
    return response


PAGE_ACCOUNT = "stopgap-account"
"""The field in which a page says for which account it was made; empty: for none. It bears our name,
so that no program of a client's sends it with another meaning."""


def keep_image() -> tuple[Image, str | None]:
    """Keep the image that the request brings; tell the session that this has begun, if it has.

    An image whose guest's session cannot be kept after it is nobody's, and goes after a day.
    """
    content = uploaded_bytes()
    caller = callers.caller()
    _refuse_if_ended(caller)
    if caller is not None:
        return _keep(content, caller), None
    with _welcoming_guest() as (guest, session_id):
        return _keep(content, guest), session_id


def _keep(content: bytes, caller: Caller) -> Image:
    uploader = Uploader(id=caller.id, guest=not caller.account, address=callers.address())
    return parts().images.add(content, uploader)


def _refuse_if_ended(caller: Caller | None) -> None:
    """Refuse what was meant for a session that has ended, rather than keep it for a new guest.

    A page says itself for whom it was made. A program's cookie does; it is dropped with this
    answer, so that the next try begins anew.
    """
    meant = request.form.get(PAGE_ACCOUNT)
    by_cookie = meant is None and caller is None and callers.session_id() is not None
    if by_cookie:
        callers.forget_with_answer()
    if by_cookie or (meant and (caller is None or caller.id != meant)):
        raise SignInNeeded("Your session has ended: sign in, and upload the image again.")


def _welcoming_guest() -> AbstractContextManager[tuple[Caller, str]]:
    if not parts().settings.guests:
        raise SignInNeeded
    return parts().sign_in.welcoming_guest(callers.address())


class RestOfPath(BaseConverter):
    """Whatever follows, slashes and nothing at all included."""

    regex = r"[\s\S]*?"
    part_isolating = False


def add_predict_routes(app: Flask, contract: Contract) -> None:
    """Serve a contract: its path, its prefix for queries and bodies, and malformed paths below it.

    The last is there so that a bad value is told what is wrong with it, never that the page is
    missing. The values are read from the raw path in any case.
    """
    app.url_map.converters["rest"] = RestOfPath
    view = partial(predict, contract)
    endpoint = f"predict_{contract.name}"
    for ending, rule, methods in (
        ("", contract.prefix, ["GET", "POST"]),
        ("_path", contract.rule, ["GET"]),
        ("_rest", f"{contract.prefix}/<rest:rest>", ["GET"]),
    ):
        if ending == "" or rule != contract.prefix:
            app.add_url_rule(rule, endpoint + ending, view, methods=methods)
