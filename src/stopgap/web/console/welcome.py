"""The first page: what this is, whether it runs, how to call it, and where to sign in."""

from urllib.parse import urlencode

from flask import Blueprint, Response

from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import draw
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.kinds import Object
from stopgap.contracts.values import write_text
from stopgap.models.stand_in import HashSource
from stopgap.predicting.guard import compact
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.web import callers
from stopgap.web.answers import in_json, page
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
