"""History: what was asked and answered, found by anything in it, drawn, and taken away whole."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, request, url_for
from werkzeug.wsgi import wrap_file

from stopgap.accounts.account import Caller
from stopgap.accounts.permissions import PERMISSIONS, Permission
from stopgap.contracts import kinds
from stopgap.contracts.annotations import validated_fields
from stopgap.contracts.contract import Contract
from stopgap.contracts.row import repeats
from stopgap.contracts.values import write_text
from stopgap.errors import Fault
from stopgap.journal.actual import OutcomeInvalid, read_actual
from stopgap.journal.conditions import FilterInvalid, members
from stopgap.journal.entry import Entry
from stopgap.journal.export import Form
from stopgap.journal.filters import Filters
from stopgap.journal.spread import Bar
from stopgap.problems import PageNotFound
from stopgap.web import callers
from stopgap.web.answers import problem
from stopgap.web.console import charts, said
from stopgap.web.console.search import PERIODS, Found, Search, position, understand
from stopgap.web.current import parts

views = Blueprint("console_history", __name__, url_prefix="/console/history")

ROWS = 50
"""Answers of a page."""

MEDIA_TYPES: Mapping[str, tuple[Form, str]] = {
    "csv": ("csv", "text/csv; charset=utf-8"),
    "jsonl": ("jsonl", "application/jsonl; charset=utf-8"),
}


@dataclass(frozen=True, kw_only=True)
class ShownAnswer:
    """An answer as a page shows it."""

    entry: Entry
    inputs: Sequence[tuple[str, str]]
    output: str
    parts: Sequence[tuple[str, float | str]]  # of an output that is an object
    actual: str | None
    actual_parts: Sequence[tuple[str, float | str]]
    asker: str  # an account's name, `a guest`, or `anonymous`

    @property
    def wordy(self) -> bool:
        """Whether its output is no figure, but words, which break where their column ends."""
        return bool(self.parts) or self.output.startswith('"')


@views.get("")
def page() -> Response:
    """Show answers, newest first, as the address' query asks for them, with charts of their time.

    An account and a guest see their own, an operator everybody's.
    """
    caller = callers.signed_in(Permission.MANAGE_OWN)
    search = Search.of(request.args)
    found = _understood(search, caller)
    before = position(request.args.get("before", ""))
    entries = parts().journal.page(found.filters, before=before, limit=ROWS + 1)
    shown = entries[:ROWS]
    older = search.query(before=shown[-1].position) if len(entries) > ROWS else None
    here = url_for("console_history.page")
    return said.telling(
        "history.html",
        search=search,
        errors=found.errors,
        rows=_rows(shown),
        newest=f"{here}?{search.query()}" if before else None,
        older=f"{here}?{older}" if older else None,
        operator=_sees_all(caller),
        charts=None if before else _charts(search, found.filters),
        downloads={
            kind: url_for("console_history.download", kind=kind) + f"?{search.query()}"
            for kind in MEDIA_TYPES
        },
        **_choices(search),
    )


@views.get("/answers.<kind>")
def download(kind: str) -> Response:
    """Send all answers that the query asks for, as CSV or as JSON lines."""
    caller = callers.signed_in(Permission.MANAGE_OWN)
    if kind not in MEDIA_TYPES:
        raise PageNotFound("Answers can be had as answers.csv or answers.jsonl.")
    form, media_type = MEDIA_TYPES[kind]
    found = _understood(Search.of(request.args), caller)
    if found.errors:
        faults = [Fault(field=name, message=detail) for name, detail in found.errors.items()]
        raise FilterInvalid(" ".join(found.errors.values()), faults=faults)
    response = Response(content_type=media_type)
    if request.method == "HEAD":
        response.automatically_set_content_length = False  # nobody knows how long it will be
    else:
        made = parts().downloads.start(form, found.filters)
        response.response = wrap_file(request.environ, made)  # type: ignore[arg-type]  # a file to be read
        response.direct_passthrough = True
    day = parts().clock.now().strftime("%Y-%m-%d")
    response.headers["Content-Disposition"] = f'attachment; filename="answers-{day}.{kind}"'
    return response


@views.get("/<request_id>")
def show(request_id: str) -> Response:
    """Show one answer: what was asked, what was answered, by whom, and what came true."""
    return said.telling("answer.html", **_details(request_id))


@views.post("/<request_id>/actual")
def report(request_id: str) -> Response:
    """Keep what came true; the last report counts."""
    details = _details(request_id)
    contract = details["contract"]
    if contract is None:
        raise PageNotFound("The answer's contract is not served here any more.")
    try:
        value = read_actual(contract.output_kind, request.form.get("actual", ""))
    except OutcomeInvalid as refusal:
        return problem(refusal, "answer.html", **details)
    parts().journal.report_actual(request_id, value)
    return said.then(url_for("console_history.show", request_id=request_id), "actual-kept")


def _details(request_id: str) -> dict[str, Any]:
    caller = callers.signed_in(Permission.MANAGE_OWN)
    own = None if _sees_all(caller) else caller.id
    entry = parts().journal.find(request_id, of=own)
    (row,) = _rows([entry])
    contract = parts().contract(entry.record.contract)
    return {
        "row": row,
        "contract": contract,
        "again": None if contract is None else _again(contract, entry),
        "operator": own is None,
        "sent": request.form.get("actual", ""),
    }


def _again(contract: Contract, entry: Entry) -> str | None:
    """Tell the address that asks for the same again.

    None where the inputs are no contract's, or what its author's validators made of others.
    """
    inputs = entry.facts()["inputs"]
    if not isinstance(inputs, dict):
        return None
    if validated_fields(contract.inputs) and not repeats(contract, entry.record.inputs):
        return None
    query = urlencode({name: write_text(value) for name, value in inputs.items()})
    return url_for("console_predict.ask", name=contract.name) + f"?{query}"


def _sees_all(caller: Caller) -> bool:
    return Permission.OPERATE in PERMISSIONS[caller.role]


def _understood(search: Search, caller: Caller) -> Found:
    return understand(
        search,
        contracts=parts().contracts,
        caller=None if _sees_all(caller) else caller.id,
        account_id=lambda name: parts().accounts.get(name).id,
        holds=parts().journal.holds,
        now=parts().clock.now(),
    )


def _rows(entries: Sequence[Entry]) -> list[ShownAnswer]:
    ids = {each.record.caller for each in entries if each.record.caller is not None}
    names = parts().accounts.names(ids)
    return [_row(each, names) for each in entries]


def _row(entry: Entry, names: Mapping[str, str]) -> ShownAnswer:
    facts, record = entry.facts(), entry.record
    inputs = facts["inputs"]
    known = inputs.items() if isinstance(inputs, dict) else [("", inputs)]
    asker = "anonymous" if record.caller is None else names.get(record.caller, "a guest")
    return ShownAnswer(
        entry=entry,
        inputs=[(name, write_text(value)) for name, value in known],
        output=record.output.decode(errors="replace"),
        parts=_parts(facts["output"]),
        actual=None if entry.actual is None else entry.actual.decode(errors="replace"),
        actual_parts=_parts(facts["actual"]),
        asker=asker,
    )


def _parts(value: Any) -> list[tuple[str, float | str]]:
    """List what an object has under its names, texts but for numbers; nothing else has parts."""
    known = value.items() if isinstance(value, dict) else ()
    return [(name, each if isinstance(each, float) else write_text(each)) for name, each in known]


def _charts(search: Search, filters: Filters) -> dict[str, Any]:
    """Draw the answers of the search's time, contract and release."""
    asked = replace(filters, conditions=())
    now = parts().clock.now()
    until = min(filters.until or now, now)
    drawn = search.contract or parts().contracts[0].name
    contract = parts().contract(drawn)
    member = search.part or _first_output(drawn)
    counted = parts().charts.count(asked, contract=drawn, name=member)
    bounded = asked.since is not None or asked.until is not None
    return {
        "over_time": charts.over_time(counted.timeline, asked.since, until),
        "spread": _spread(counted.spread, contract, member),
        "of": ", ".join(filter(None, [drawn, member])),
        "steps": charts.duration(counted.spread_seconds) if bounded else "",
        "whole": counted.timeline.whole,
    }


def _spread(bars: Sequence[Bar], contract: Contract | None, member: str) -> charts.Chart:
    if contract is None:
        return charts.spread(bars)
    kind = dict(members(contract.output_kind)).get(member)
    if not isinstance(kind, kinds.Integer | kinds.Number):
        return charts.spread(bars, contract.unit)
    promised = float(kind.low), float(kind.high)
    return charts.spread(bars, contract.unit, promised, whole=isinstance(kind, kinds.Integer))


def _first_output(contract: str) -> str:
    known = parts().journal.known_fields(parts().contracts, contract or None)
    return next((name for part, name in known if part == "output"), "")


def _choices(search: Search) -> dict[str, Any]:
    """List what the form's lists offer."""
    releases = parts().journal.releases()
    served = [each.name for each in parts().contracts]
    names = parts().journal.known_fields(parts().contracts, search.contract or None)
    exact = [("", "As below")] if search.begin or search.end else []
    return {
        "periods": exact + [(key, words) for key, (words, _) in PERIODS.items()],
        "contracts": _pairs([*served, *(each for each, _ in releases)], search.contract),
        "releases": [
            (each, charts.release_name(each))
            for each in sorted({search.release, *(name for _, name in releases)} - {""})
        ],
        "fields": _pairs([name for part, name in names if part == "input"], search.field),
        "members": _pairs([name for part, name in names if part == "output"], search.part),
    }


def _pairs(names: Sequence[str], given: str) -> list[tuple[str, str]]:
    """Offer names under themselves, and what was given, for its sender to see.

    An answer that has no parts is meant as a whole.
    """
    offered = dict.fromkeys([*names, given] if given else names)
    return [(name, name or "the answer itself") for name in offered]
