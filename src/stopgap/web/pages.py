"""The pages for people: the first one, what each problem means, and signing out."""

from flask import Blueprint, Response, url_for

from stopgap.contracts.sampling import example_inputs
from stopgap.errors import kinds
from stopgap.problems import PageNotFound, status_of
from stopgap.web import callers
from stopgap.web.answers import page, see_other, text
from stopgap.web.bodies import is_form, wants_html
from stopgap.web.client_api import greeting
from stopgap.web.parts import parts

views = Blueprint("pages", __name__)


@views.get("/")
def home() -> Response:
    """Show the first page: what this is, the sign-in form or, once signed in, the forms to use."""
    caller = callers.caller()
    known_length = caller is not None and caller.password_length is not None
    return page(
        "home.html",
        contracts=parts().contracts,
        examples={each.name: each.address(example_inputs(each)) for each in parts().contracts},
        settings=parts().settings,
        caller=caller,
        greeting=greeting(caller) if caller and known_length else None,
        images=parts().images.list(caller.id) if caller else [],
    )


@views.get("/login")
def sign_in_form() -> Response:
    """Lead to the first page, where the sign-in form is."""
    return see_other(url_for("pages.home"))


@views.post("/logout")
def logout() -> Response:
    """End the session."""
    callers.end_session()
    to_page = wants_html() and is_form()
    response = see_other(url_for("pages.home")) if to_page else text("Signed out.")
    callers.forget(response)
    return response


@views.get("/problems/<code>")
def problem_kind(code: str) -> Response:
    """Explain a kind of error."""
    for kind in kinds():
        if kind.code == code:
            return page("problem_kind.html", kind=kind, meaning=status_of(kind))
    raise PageNotFound(f"There is no problem called {code[:100]!r}.")
