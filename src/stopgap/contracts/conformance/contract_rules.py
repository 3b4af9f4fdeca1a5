"""The rules of one contract for inputs that it allows, derived from the contract alone."""

import json
from collections.abc import Iterable, Iterator
from http import HTTPStatus
from itertools import cycle, islice
from typing import Any

from stopgap.contracts import kinds
from stopgap.contracts.conformance import asking
from stopgap.contracts.conformance.calling import Answer, Request
from stopgap.contracts.conformance.visiting import (
    Broken,
    NotChecked,
    Rule,
    Visit,
    expect_problem,
    expect_status,
)
from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corners
from stopgap.contracts.examples import example_inputs
from stopgap.contracts.given import query_values
from stopgap.contracts.parsing import InputMalformed, InputNotAllowed, read_path
from stopgap.contracts.row import allowed_inputs
from stopgap.contracts.sampling import sample_values
from stopgap.contracts.spellings import fold
from stopgap.contracts.values import breach

SPELLINGS_MAX = 300
"""Spellings of one field that are tried."""

DRAWS_MAX = 100
"""Inputs that are drawn until some do for a rule."""

SHORT_DRAWS = 10
"""Inputs that are drawn until an address can hold some, where others do as well."""


def slug(contract: Contract, *words: str) -> str:
    """Make a rule's id."""
    return "-".join([contract.name, *(word.replace("_", "-") for word in words)]).lower()


def predictions_id(contract: Contract) -> str:
    """Tell the id of the rule that asks for many predictions."""
    return slug(contract, "predictions")


def sample(visit: Visit, contract: Contract) -> dict[str, Any]:
    """Draw inputs that the contract allows, and that an address can hold if such are soon found."""
    for row in islice(_draws(visit, contract), SHORT_DRAWS):
        if asking.fits(contract, row, asking.by_query):
            break
    return row


def sample_for(visit: Visit, contract: Contract, way: asking.Way) -> dict[str, Any]:
    """Draw inputs that the contract allows and that can be asked for in a way.

    Raises:
        NotChecked: what is drawn never can.
    """
    for row in _draws(visit, contract):
        if asking.fits(contract, row, way):
            return row
    raise NotChecked("no inputs were drawn that an address can hold")


def _draws(visit: Visit, contract: Contract) -> Iterator[dict[str, Any]]:
    """Draw inputs to choose from; the example comes last, which is simple."""
    for _ in range(DRAWS_MAX):
        yield sample_values(contract, visit.source)
    yield example_inputs(contract)


def _allowed_row(
    visit: Visit,
    contract: Contract,
    *,
    put: asking.Inputs | None = None,
    left_out: kinds.Field | None = None,
    way: asking.Way = asking.by_json,
) -> dict[str, Any] | None:
    """Draw inputs that are allowed with these put in, or one left out; None: there may be none.

    The author's own validators may hold one field against another.

    Args:
        way: In which they must fit.
    """
    for row in _draws(visit, contract):
        changed = row | dict(put or {})
        changed = changed if left_out is None else without(changed, left_out)
        allowed = allowed_inputs(contract, changed) is not None
        if allowed and asking.fits(contract, changed, way):
            return changed
    return None


def expect_prediction(contract: Contract, answer: Answer) -> None:
    """Hold a prediction: it is JSON, of the promised type, in range, and not a byte more."""
    expect_status(answer, HTTPStatus.OK)
    promised = contract.output_kind.allowed()
    if answer.media_type != "application/json":
        raise Broken(answer.request, "application/json", answer)
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError) as error:
        raise Broken(answer.request, promised, answer) from error
    if breach(contract.output_kind, value):
        raise Broken(answer.request, promised, answer)
    exact = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    if answer.body != exact.encode():
        raise Broken(answer.request, f"exactly {exact:.100}, not a byte more", answer)


def good_rules(contract: Contract, predictions: int) -> Iterator[Rule]:
    """List the rules for inputs that are allowed."""
    for name in asking.WAYS:
        yield _way_rule(contract, name)
    yield _trailing_slash_rule(contract)
    for field in contract.fields:
        for alias in field.aliases:
            yield _alias_rule(contract, field, alias)
        if isinstance(field.kind, kinds.Choice) and field.kind.spellings:
            yield _spellings_rule(contract, field, field.kind)
        if not field.required:
            yield _optional_rule(contract, field)
    yield _ends_rule(contract)
    for number, template in enumerate(contract.mistaken_paths, start=1):
        yield _mistaken_rule(contract, template, number)
    yield _predictions_rule(contract, predictions)


def _expect_all(visit: Visit, contract: Contract, requests: Iterable[Request]) -> None:
    for request in filter(asking.is_short, requests):
        expect_prediction(contract, visit.predict(request))


def _way_rule(contract: Contract, name: str) -> Rule:
    def hold(visit: Visit) -> None:
        way = asking.WAYS[name]
        _expect_all(visit, contract, [way(contract, sample_for(visit, contract, way))])

    where = {"path": contract.path, "query": f"GET {contract.prefix}?…"}
    told = where.get(name, f"POST {contract.prefix} ({name})")
    return Rule(id=slug(contract, name), sentence=f"{told} predicts.", hold=hold)


def _trailing_slash_rule(contract: Contract) -> Rule:
    def hold(visit: Visit) -> None:
        row = sample_for(visit, contract, asking.by_path)
        path, mark, rest = asking.by_path(contract, row).target.partition("?")
        _expect_all(visit, contract, [Request(target=f"{path}/{mark}{rest}")])

    sentence = "A slash at the path's end makes no difference."
    return Rule(id=slug(contract, "trailing-slash"), sentence=sentence, hold=hold)


def _alias_rule(contract: Contract, field: kinds.Field, alias: str) -> Rule:
    def hold(visit: Visit) -> None:
        row = sample(visit, contract)
        renamed = {alias if name == field.name else name: value for name, value in row.items()}
        ways = (asking.by_query, asking.by_json, asking.by_form)
        _expect_all(visit, contract, [way(contract, renamed) for way in ways])

    sentence = f"{field.name} is also read as {alias}."
    return Rule(id=slug(contract, "alias", alias), sentence=sentence, hold=hold)


def _spellings_rule(contract: Contract, field: kinds.Field, kind: kinds.Choice) -> Rule:
    capitals = [value.upper() for value in kind.values if fold(value.upper()) in kind.spellings]
    spellings = [*capitals, *kind.spellings][:SPELLINGS_MAX]
    way = asking.by_path if f"{{{field.name}}}" in contract.segments else asking.by_query
    others = [other for other in asking.WAYS.values() if other is not way]

    def hold(visit: Visit) -> None:
        asked: list[tuple[asking.Way, str | int]] = [(way, spelling) for spelling in spellings]
        asked += zip(cycle(others), spellings)
        asked += [(asking.by_json, number) for number in kind.numbers]
        for ask, spelling in asked:
            if row := _allowed_row(visit, contract, put={field.name: spelling}, way=ask):
                _expect_all(visit, contract, [ask(contract, row)])

    sentence = f"{field.name} is read in {len(spellings) + len(kind.numbers)} spellings."
    return Rule(id=slug(contract, "spellings", field.name), sentence=sentence, hold=hold)


def _optional_rule(contract: Contract, field: kinds.Field) -> Rule:
    def hold(visit: Visit) -> None:
        row = _allowed_row(visit, contract, left_out=field)
        if row is None:
            raise NotChecked(f"its validators refuse what was drawn without {field.name}")
        ways = (asking.by_query, asking.by_json, asking.by_form)
        _expect_all(visit, contract, [way(contract, row) for way in ways])

    sentence = f"{field.name} may be left out."
    return Rule(id=slug(contract, "optional", field.name), sentence=sentence, hold=hold)


def without(row: asking.Inputs, field: kinds.Field) -> dict[str, Any]:
    """Leave a field out."""
    return {name: value for name, value in row.items() if name != field.name}


def _ends_rule(contract: Contract) -> Rule:
    def hold(visit: Visit) -> None:
        for row in _rows_at_ends(visit, contract):
            for way in (asking.by_json, asking.by_path):
                if asking.fits(contract, row, way):
                    _expect_all(visit, contract, [way(contract, row)])

    sentence = "The least and the greatest value of each field are allowed."
    return Rule(id=slug(contract, "ends"), sentence=sentence, hold=hold)


def _rows_at_ends(visit: Visit, contract: Contract) -> Iterator[dict[str, Any]]:
    """Put each field at its ends, where the author's own validators allow that."""
    for field in contract.fields:
        if isinstance(field.kind, kinds.Text) and field.kind.pattern is not None:
            continue
        for value in corners(field.kind):
            row = sample(visit, contract) | {field.name: value}
            if allowed_inputs(contract, row) is not None:
                yield row


def _mistaken_rule(contract: Contract, template: str, number: int) -> Rule:
    def hold(visit: Visit) -> None:
        row, target = _mistaken(visit, contract, template)
        answer = visit.predict(Request(target=target))
        problem = expect_problem(answer, HTTPStatus.UNPROCESSABLE_ENTITY)
        right = asking.by_path(contract, row).target.partition("?")[0]
        if right not in str(problem.get("detail")):
            raise Broken(answer.request, f"a detail that says {right}", answer)

    sentence = f"{template} is told the right address."
    return Rule(id=slug(contract, "mistaken-order", str(number)), sentence=sentence, hold=hold)


def _mistaken(visit: Visit, contract: Contract, template: str) -> tuple[dict[str, Any], str]:
    """Draw inputs, and write their path in the other order.

    Raises:
        NotChecked: the other order is as right as the one that was meant.
    """
    for _ in range(DRAWS_MAX):
        row = sample_for(visit, contract, asking.by_path)
        texts = {name: asking.quoted(value) for name, value in row.items()}
        target = asking.path_of(contract, texts, template)
        path, _, query = target.partition("?")
        try:
            read_path(contract, path, query_values(query))
        except (InputMalformed, InputNotAllowed):
            return row, target
    raise NotChecked(f"whatever stands in {template} may stand in {contract.path}")


def _predictions_rule(contract: Contract, count: int) -> Rule:
    def hold(visit: Visit) -> None:
        ways = list(asking.WAYS.values())
        for number in range(count):
            row = sample_values(contract, visit.source)
            way = ways[number % len(ways)]
            if not asking.fits(contract, row, way):
                way = asking.by_json
            _expect_all(visit, contract, [way(contract, row)])
            visit.progress(number + 1, count)

    sentence = f"{count} predictions are each {contract.output_kind.allowed()}."
    return Rule(id=predictions_id(contract), sentence=sentence, hold=hold)
