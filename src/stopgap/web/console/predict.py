"""Predict: a contract's form, its answer in place, and the same request for programs."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, g, request

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import InputMalformed, InputNotAllowed, read_inputs
from stopgap.contracts.values import write_text
from stopgap.errors import Fault
from stopgap.problems import PageNotFound
from stopgap.web import callers
from stopgap.web.answers import page
from stopgap.web.bodies import query_values_of_request
from stopgap.web.client_api import prediction_for
from stopgap.web.console.asking import objections, questions, starting_values
from stopgap.web.console.snippets import snippets
from stopgap.web.current import parts

PREFIX = "/console/predict"
"""Where the page is; whoever counts predictions counts these too."""

views = Blueprint("console_predict", __name__, url_prefix=PREFIX)


@dataclass(frozen=True, kw_only=True)
class Shown:
    """An answer as the page shows it."""

    text: str  # the body that a program gets
    members: Mapping[str, str]  # of an answer that is an object, by their titles; else empty
    release: str
    milliseconds: float  # from the validated inputs to the answer on record
    request_id: str


@views.get("")
def form() -> Response:
    """Show the form of the first contract."""
    return _answer(parts().contracts[0])


@views.get("/<name>")
def ask(name: str) -> Response:
    """Show a contract's form; with values in the query, their answer, or what is wrong with them.

    The address repeats the request. What is wrong is no fault of the page's: its status is 200.
    """
    contract = parts().contract(name)
    if contract is None:
        raise PageNotFound(f"No contract called {name[:100]!r} is served here.")
    return _answer(contract)


def _answer(contract: Contract) -> Response:
    given = {name: request.args[name] for name in request.args}
    asked = bool(given)
    if asked:
        callers.admit_prediction()
    else:
        callers.may_predict()
    shown, faults = _predict(contract) if asked else (None, ())
    values = _own_names(contract, given) if asked else starting_values(contract)
    return page(
        "predict.html",
        contract=contract,
        contracts=parts().contracts,
        questions=questions(contract, values, faults),
        objections=objections(contract, faults),
        answer=shown,
        address=contract.address(_told(contract, values)),
        snippets=snippets(with_key=parts().settings.predictions != "open"),
    )


def _predict(contract: Contract) -> tuple[Shown | None, Sequence[Fault]]:
    """Ask for what the query says: the answer, or what is wrong with it."""
    try:
        inputs = read_inputs(contract, query_values_of_request())
    except (InputMalformed, InputNotAllowed) as refusal:
        return None, refusal.faults or [Fault(field="The request", message=refusal.detail)]
    began = time.perf_counter()
    prediction = prediction_for(contract, inputs)
    took = time.perf_counter() - began
    shown = Shown(
        text=prediction.body.decode(),
        members=_members(contract, prediction.output),
        release=prediction.release,
        milliseconds=1000 * took,
        request_id=g.request_id,
    )
    return shown, ()


def _members(contract: Contract, output: Any) -> dict[str, str]:
    if not isinstance(contract.output_kind, kinds.Object):
        return {}
    return {each.title: write_text(output[each.name]) for each in contract.output_kind.fields}


def _own_names(contract: Contract, given: Mapping[str, str]) -> dict[str, str]:
    """Put what came under an alias under the field's own name."""
    return {contract.names[name]: value for name, value in given.items() if name in contract.names}


def _told(contract: Contract, values: Mapping[str, str]) -> dict[str, str]:
    """Leave out of an address what nobody has filled in, but for what has its place in the path."""
    return {
        field.name: values.get(field.name, "")
        for field in contract.fields
        if field.name in contract.placed or values.get(field.name)
    }
