"""The first page: what this is, whether it runs, how to call it, and where to sign in."""

from urllib.parse import urlencode

from flask import Blueprint, Response, url_for

from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import draw
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.kinds import Object
from stopgap.contracts.values import write_text
from stopgap.errors import kinds
from stopgap.models.stand_in import HashSource
from stopgap.predicting.guard import compact
from stopgap.problems import PageNotFound, status_of
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.web import callers
from stopgap.web.answers import in_json, page, see_other, text
from stopgap.web.bodies import is_form, wants_html
from stopgap.web.client_api import greeting
from stopgap.web.console.asking import questions
from stopgap.web.console.snippets import KEY
from stopgap.web.current import parts

views = Blueprint("welcome", __name__)


@views.get("/")
def home() -> Response:
    """Greet the world: what this is, how to sign in and call it; once signed in, forms to use."""
    caller = callers.caller()
    known_length = caller is not None and caller.password_length is not None
    contracts, settings = parts().contracts, parts().settings
    return page(
        "home.html",
        contracts=contracts,
        questions={each.name: questions(each) for each in contracts},
        calls={each.name: _calls(each) for each in contracts},
        predict_key="" if settings.predictions == "open" else f" {KEY}",
        upload_key="" if settings.guests else f" {KEY}",
        whole=_is_whole(),
        greeting=greeting(caller) if caller and known_length else None,
        images=parts().images.list(caller.id) if caller else [],
    )


def _is_whole() -> bool:
    """Tell whether all of the service is there; without its database it predicts, and no more."""
    try:
        parts().database.check()
    except DatabaseUnreachable:
        return False
    return True


def _calls(contract: Contract) -> dict[str, str]:
    """Write a contract's example as each of its routes takes it, and an answer that may come."""
    inputs, kind = example_inputs(contract), contract.output_kind
    written = {name: write_text(value) for name, value in inputs.items()}
    return {
        "path": contract.address(inputs),
        "query": f"{contract.prefix}?{urlencode(written)}",
        "json": in_json(inputs),
        "answer": compact(draw(kind, HashSource(contract.fingerprint.encode()))).decode(),
        "promise": "" if isinstance(kind, Object) else f", {kind.allowed()}",
    }


@views.get("/login")
def sign_in_form() -> Response:
    """Redirect to the first page, which has the sign-in form."""
    return see_other(url_for("welcome.home"))


@views.post("/logout")
def logout() -> Response:
    """End the session."""
    callers.end_session()
    to_page = wants_html() and is_form()
    response = see_other(url_for("welcome.home")) if to_page else text("Signed out.")
    callers.forget(response)
    return response


@views.get("/problems/<code>")
def problem_kind(code: str) -> Response:
    """Explain a kind of error."""
    for kind in kinds():
        if kind.code == code:
            return page("problem_kind.html", kind=kind, meaning=status_of(kind))
    raise PageNotFound(f"There is no problem called {code[:100]!r}.")
