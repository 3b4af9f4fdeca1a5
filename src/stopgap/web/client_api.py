"""The routes of the client's mail: status, login, predict, and the upload of an image."""

from functools import partial

from flask import Blueprint, Flask, Response, g, request, url_for
from werkzeug.routing import BaseConverter

from stopgap.accounts.account import Caller
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import read_inputs, read_path
from stopgap.contracts.row import Row
from stopgap.images.image import Uploader
from stopgap.problems import SignInNeeded
from stopgap.web import callers
from stopgap.web.answers import json_answer, see_other, text
from stopgap.web.bodies import (
    body_values,
    is_form,
    query_values_of_request,
    raw_path,
    uploaded_bytes,
    wants_html,
)
from stopgap.web.credentials import credentials_in
from stopgap.web.image_api import described
from stopgap.web.parts import parts

api = Blueprint("client_api", __name__)


@api.get("/status")
def status() -> Response:
    """Say that the server runs: `Alive!`."""
    return text("Alive!")


@api.post("/login")
def login() -> Response:
    """Sign in with a username and a password, and start a session."""
    credentials = credentials_in(body_values())
    try:
        caller, session_id = parts().sign_in.sign_in(
            credentials.username, credentials.password, callers.address()
        )
    except (SignInRefused, SignInThrottled) as refusal:
        parts().metrics.login_failed(refusal.code)
        raise
    if wants_html() and is_form():
        response = see_other(url_for("pages.home"))  # which shows the sentence
    else:
        response = text(greeting(caller))
    callers.end_session()
    callers.remember(response, session_id, guest=not caller.account)
    return response


def greeting(caller: Caller) -> str:
    """Greet who has just signed in, in the mail's words."""
    return (
        f"Login success for user {caller.name} with password of length: {caller.password_length}!"
    )


def predict(contract: Contract, **_in_path: str) -> Response:
    """Predict from the inputs in the path, query, form or JSON; answer with the bare value."""
    callers.may_predict()
    if request.method == "POST":
        inputs = read_inputs(contract, [*query_values_of_request(), *body_values()])
    elif request.path.rstrip("/") == contract.prefix:
        inputs = read_inputs(contract, query_values_of_request())
    else:
        inputs = read_path(contract, raw_path(), query_values_of_request())
    prediction = parts().predicting.predict(
        contract, Row.of(inputs), g.request_id, callers.caller_id()
    )
    response = Response(prediction.body, mimetype="application/json")
    response.headers["Stopgap-Release"] = prediction.release
    return response


@api.post("/images")
def upload_image() -> Response:
    """Keep an image; answer with its path on the server."""
    content = uploaded_bytes()
    caller = callers.caller()
    session_id = None
    if caller is None:
        caller, session_id = _welcome_guest()
    uploader = Uploader(id=caller.id, guest=not caller.account, address=callers.address())
    image = parts().images.add(content, uploader)
    path = url_for("image_api.fetch_image", name=image.name)
    if wants_html() and is_form():
        response = see_other(url_for("pages.home"))  # which shows the path
    else:
        wants_json = request.accept_mimetypes.best == "application/json"
        response = json_answer(described(image), 201) if wants_json else text(path, 201)
        response.headers["Location"] = path
    if session_id is not None:
        callers.remember(response, session_id, guest=True)
    return response


def _welcome_guest() -> tuple[Caller, str]:
    if not parts().settings.guests:
        raise SignInNeeded("Sign in at POST /login, or send `Authorization: Bearer` with a key.")
    return parts().sign_in.welcome_guest(callers.address())


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
