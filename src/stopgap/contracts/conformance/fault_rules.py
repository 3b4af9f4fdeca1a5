"""The rules of one contract for bad input: each kind of fault, its status, and the field named."""

import json
from collections.abc import Iterator
from functools import partial
from http import HTTPStatus
from typing import Any

from stopgap.contracts import kinds, values
from stopgap.contracts.conformance import asking
from stopgap.contracts.conformance.calling import FORM, Request, form_request, json_request
from stopgap.contracts.conformance.contract_rules import sample, sample_for, slug, without
from stopgap.contracts.conformance.visiting import Rule, Visit, expect_header, expect_problem
from stopgap.contracts.contract import Contract, placeholder
from stopgap.contracts.spellings import fold

MALFORMED, NOT_ALLOWED = HTTPStatus.BAD_REQUEST, HTTPStatus.UNPROCESSABLE_ENTITY

NO_UTF8 = "%FF"
LONG_TEXT = 2_000
"""Characters of a text that is sent to see it refused; longer bounds are not tried."""


def fault_rules(contract: Contract) -> Iterator[Rule]:
    """List the rules for input that is not allowed."""
    for field in contract.fields:
        yield _malformed_rule(contract, field)
        if _refused_texts(field.kind) or _refused_json(field.kind):
            yield _not_allowed_rule(contract, field)
        if field.required:
            yield _missing_rule(contract, field)
        yield _twice_rule(contract, field)
    yield from (
        _rule(contract, "all-faults", "Every field at fault is named, not only the first.", _all),
        _rule(contract, "unknown-field", "A field that is none is 422, and named.", _unknown),
        _rule(contract, "path-parts", "A path with too many parts is 400.", _path_parts),
        _rule(contract, "duplicate-key", "A JSON name that is given twice is 400.", _duplicate),
        _rule(contract, "broken-json", "What is no JSON object is 400.", _broken_json),
        _rule(contract, "content-type", "A body of another type is 415.", _content_type),
        _rule(contract, "method", "A wrong method is 405, with Allow.", _method),
    )


def _rule(contract: Contract, name: str, sentence: str, held: Any) -> Rule:
    return Rule(
        id=slug(contract, name), sentence=sentence, hold=lambda visit: held(visit, contract)
    )


def malformed_texts(kind: kinds.Scalar) -> list[str]:
    """List texts that cannot be read as the kind."""
    digits = ["abc", "1_000", "+5", "5\n", "١٢"]
    match kind:
        case kinds.Integer():
            minus = ["-5"] if kind.low >= 0 else ["--5"]
            return [*digits, *minus, "1e3", "1.5", "1" + "0" * 30]
        case kinds.Number():
            return [*digits, "nan", "0x10"]
        case kinds.Boolean():
            return ["yes", "1", "True"]
        case kinds.Text():
            return ["a\0b"]
        case kinds.Choice():
            return []  # whatever is no value is not allowed


def _malformed_json(kind: kinds.Scalar) -> list[object]:
    """List JSON values that are of another type than the kind."""
    match kind:
        case kinds.Integer():
            return ["5", True, None, 1.5, [5]]
        case kinds.Number():
            return ["5", True, None, [5]]
        case kinds.Boolean():
            return ["true", 1, None]
        case kinds.Text():
            return [5, None]
        case kinds.Choice():
            return []


def _beyond(kind: kinds.Integer | kinds.Number) -> list[float]:
    """List numbers on either side of a range."""
    if isinstance(kind, kinds.Integer):
        return [kind.low - 1, kind.high + 1]
    below, above = kind.low - max(1.0, abs(kind.low)), kind.high + max(1.0, abs(kind.high))
    open_ends = [
        end for end, is_open in ((kind.low, kind.low_open), (kind.high, kind.high_open)) if is_open
    ]
    return [number for number in (below, above, *open_ends) if abs(number) <= kinds.NUMBER_MAX]


def _refused_json(kind: kinds.Scalar) -> list[object]:
    """List JSON values of the right type that are not allowed."""
    match kind:
        case kinds.Integer():
            return [*_beyond(kind), 10**30]
        case kinds.Number():
            return list(_beyond(kind))
        case kinds.Choice():
            return [_no_value(kind, "no-such-value"), 1.5, None]
        case kinds.Text():
            long = ["a" * (kind.longest + 1)] if kind.longest <= LONG_TEXT else []
            return [*long, *(["a" * (kind.shortest - 1)] if kind.shortest > 1 else [])]
        case kinds.Boolean():
            return []


def _no_value(kind: kinds.Choice, text: str) -> str:
    """Make a text longer until it is no value of a choice, however that is written."""
    while text in kind.values or fold(text) in kind.spellings:
        text += text[-1]
    return text


def _refused_texts(kind: kinds.Scalar) -> list[str]:
    """List the same as texts, as far as the texts can be read."""
    if isinstance(kind, kinds.Choice):
        return [_no_value(kind, "no-such-value"), _no_value(kind, "99999")]
    texts = [values.write_text(value) for value in _refused_json(kind)]
    if isinstance(kind, kinds.Integer):
        written = values.DIGITS if kind.low >= 0 else values.SIGNED_DIGITS
        return [text for text in texts if written.fullmatch(text)]
    return texts


def _malformed_rule(contract: Contract, field: kinds.Field) -> Rule:
    def hold(visit: Visit) -> None:
        row = sample(visit, contract)
        requests = _as_texts(contract, row, field, malformed_texts(field.kind))
        requests += _with_no_utf8(contract, row, field)
        requests += _as_json(contract, row, field, _malformed_json(field.kind))
        for request in filter(asking.is_short, requests):
            expect_problem(visit.predict(request), MALFORMED, {field.name})

    sentence = f"{field.name} that cannot be read is 400, and named."
    return Rule(id=slug(contract, "malformed", field.name), sentence=sentence, hold=hold)


def _not_allowed_rule(contract: Contract, field: kinds.Field) -> Rule:
    def hold(visit: Visit) -> None:
        row = sample(visit, contract)
        requests = _as_texts(contract, row, field, _refused_texts(field.kind))
        requests += _as_json(contract, row, field, _refused_json(field.kind))
        for request in requests:
            expect_problem(visit.predict(request), NOT_ALLOWED, {field.name})

    sentence = f"{field.name} must be {_short(field.kind)}: else 422, and named."
    return Rule(id=slug(contract, "not-allowed", field.name), sentence=sentence, hold=hold)


def _short(kind: kinds.Scalar) -> str:
    return f"one of {len(kind.values)}" if isinstance(kind, kinds.Choice) else kind.allowed()


def _as_texts(
    contract: Contract, row: asking.Inputs, field: kinds.Field, texts: list[str]
) -> list[Request]:
    ways = (asking.by_path, asking.by_query, asking.by_form)
    rows = [{**row, field.name: text} for text in texts]
    return [
        way(contract, each) for each in rows for way in ways if asking.fits(contract, each, way)
    ]


def _as_json(
    contract: Contract, row: asking.Inputs, field: kinds.Field, values: list[object]
) -> list[Request]:
    return [asking.by_json(contract, {**row, field.name: value}) for value in values]


def _with_no_utf8(contract: Contract, row: asking.Inputs, field: kinds.Field) -> list[Request]:
    others = without(row, field)
    query = asking.by_query(contract, others)
    mark = "&" if others else ""
    raw = f"{mark}{asking.quoted(field.name)}={NO_UTF8}"
    requests = [
        Request(target=query.target + raw),
        form_request(contract.prefix, (query.target.partition("?")[2] + raw).encode()),
    ]
    if asking.fits(contract, row, asking.by_path):
        marker = "marker0marker"
        in_path = asking.by_path(contract, {**row, field.name: marker}).target
        requests.append(Request(target=in_path.replace(marker, NO_UTF8)))
    return requests


def _missing_rule(contract: Contract, field: kinds.Field) -> Rule:
    def hold(visit: Visit) -> None:
        row = sample(visit, contract)
        left = without(row, field)
        requests = [
            way(contract, left) for way in (asking.by_query, asking.by_json, asking.by_form)
        ]
        if not values.takes_empty(field.kind):
            empty = {**row, field.name: ""}
            requests += [way(contract, empty) for way in (asking.by_query, asking.by_path)]
        for request in filter(asking.is_short, requests):
            expect_problem(visit.predict(request), MALFORMED, {field.name})

    sentence = f"A missing or empty {field.name} is 400, and named."
    if values.takes_empty(field.kind):
        sentence = f"A missing {field.name} is 400, and named."
    return Rule(id=slug(contract, "missing", field.name), sentence=sentence, hold=hold)


def _twice_rule(contract: Contract, field: kinds.Field) -> Rule:
    def hold(visit: Visit) -> None:
        for name in (field.name, *field.aliases):
            twice = partial(_twice, field, name)
            request = twice(contract, sample_for(visit, contract, twice))
            expect_problem(visit.predict(request), MALFORMED, {field.name})

    sentence = f"{field.name} that is given twice is 400, and named."
    return Rule(id=slug(contract, "twice", field.name), sentence=sentence, hold=hold)


def _twice(field: kinds.Field, name: str, contract: Contract, row: asking.Inputs) -> Request:
    """Ask with a field in the query that is given once more, under a name."""
    value = row.get(field.name, field.default)
    return asking.query(contract, [*({**row, field.name: value}.items()), (name, value)])


def _all(visit: Visit, contract: Contract) -> None:
    required = {field.name for field in contract.fields if field.required}
    for request in (Request(target=contract.prefix), json_request(contract.prefix, {})):
        if required:
            expect_problem(visit.predict(request), MALFORMED, required)
    row = sample(visit, contract)
    faults: dict[str, tuple[object, HTTPStatus]] = {}
    for field in contract.fields:
        if unreadable := _malformed_json(field.kind):
            faults[field.name] = (unreadable[0], MALFORMED)
        elif refused := _refused_json(field.kind):
            faults[field.name] = (refused[0], NOT_ALLOWED)
    bad = row | {name: value for name, (value, _) in faults.items()}
    status = min((status for _, status in faults.values()), default=MALFORMED)
    if faults:
        expect_problem(visit.predict(asking.by_json(contract, bad)), status, faults)


def _unknown(visit: Visit, contract: Contract) -> None:
    row = sample(visit, contract) | {"no_such_field": 1}
    for way in (asking.by_path, asking.by_query, asking.by_json, asking.by_form):
        if asking.fits(contract, row, way):
            expect_problem(visit.predict(way(contract, row)), NOT_ALLOWED, {"no_such_field"})


def _path_parts(visit: Visit, contract: Contract) -> None:
    row = sample_for(visit, contract, asking.by_path)
    path, mark, rest = asking.by_path(contract, row).target.partition("?")
    expect_problem(visit.predict(Request(target=f"{path}/more{mark}{rest}")), MALFORMED)
    last = placeholder(contract.segments[-1])
    if last in {field.name for field in contract.fields if field.required}:
        expect_problem(visit.predict(Request(target=path.rpartition("/")[0])), MALFORMED, {last})


def _duplicate(visit: Visit, contract: Contract) -> None:
    row = sample(visit, contract)
    members = json.dumps(row)[1:-1]
    twice = f"{{{members}, {members}}}".encode()
    expect_problem(visit.predict(json_request(contract.prefix, twice)), MALFORMED)


def _broken_json(visit: Visit, contract: Contract) -> None:
    first = contract.fields[0].name.encode()
    for body in (
        b'{"',
        b"[1, 2]",
        b'"text"',
        b"",
        b'{"%s": NaN}' % first,
        b"[" * 20_000,
        b'{"%s": "\xff"}' % first,
        b'{"%s": "\\ud800"}' % first,
    ):
        expect_problem(visit.predict(json_request(contract.prefix, body)), MALFORMED)


def _content_type(visit: Visit, contract: Contract) -> None:
    body = asking.by_json(contract, sample(visit, contract)).body
    for kind in ("text/plain", "application/xml"):
        headers = {"Content-Type": kind}
        request = Request(method="POST", target=contract.prefix, headers=headers, body=body)
        expect_problem(visit.predict(request), HTTPStatus.UNSUPPORTED_MEDIA_TYPE)


def _method(visit: Visit, contract: Contract) -> None:
    answer = visit.predict(Request(method="DELETE", target=contract.prefix))
    expect_problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    expect_header(answer, "Allow", "GET", "POST")
    if contract.path == contract.prefix:
        return
    target = asking.by_path(contract, sample_for(visit, contract, asking.by_path)).target
    headers = {"Content-Type": FORM}
    answer = visit.predict(Request(method="POST", target=target, headers=headers, body=b""))
    expect_problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    expect_header(answer, "Allow", "GET")
