"""Asking for a prediction in each way that a contract has: path, query, JSON, form, multipart."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

from stopgap.contracts.conformance.calling import (
    Part,
    Request,
    form_request,
    json_request,
    multipart_request,
)
from stopgap.contracts.contract import NO_PART, Contract
from stopgap.contracts.values import write_text

Inputs = Mapping[str, Any]
"""Inputs, as a client's program has them: name -> value."""

Way = Callable[[Contract, Inputs], Request]


def by_path(contract: Contract, row: Inputs) -> Request:
    """Ask with the values in the path; those that have no place there follow in the query."""
    return Request(target=path_of(contract, {name: quoted(row[name]) for name in row}))


def path_of(contract: Contract, texts: Mapping[str, str], template: str | None = None) -> str:
    """Fill in the path's placeholders, or another's, and put what is left into the query."""
    path = (template or contract.path).format(**{name: texts[name] for name in contract.placed})
    left = {name: text for name, text in texts.items() if name not in contract.placed}
    query = "&".join(f"{quoted(name)}={text}" for name, text in left.items())
    return f"{path}?{query}" if query else path


def by_query(contract: Contract, row: Inputs) -> Request:
    """Ask with the values in the query."""
    return query(contract, list(row.items()))


def query(contract: Contract, pairs: Sequence[tuple[str, object]]) -> Request:
    """Ask with these pairs in the query, a name perhaps more than once."""
    return Request(target=f"{contract.prefix}?{_encoded(pairs)}")


def by_json(contract: Contract, row: Inputs) -> Request:
    """Ask with a JSON object."""
    return json_request(contract.prefix, dict(row))


def by_form(contract: Contract, row: Inputs) -> Request:
    """Ask with a form."""
    return form_request(contract.prefix, _encoded(list(row.items())).encode())


def by_multipart(contract: Contract, row: Inputs) -> Request:
    """Ask with a multipart form."""
    parts = [
        Part(name=name.replace('"', "%22"), content=write_text(value).encode())  # as browsers do
        for name, value in row.items()
    ]
    return multipart_request(contract.prefix, parts)


WAYS: Mapping[str, Way] = {
    "path": by_path,
    "query": by_query,
    "json": by_json,
    "form": by_form,
    "multipart": by_multipart,
}
"""Every way to ask, by its name."""


def quoted(value: object) -> str:
    """Write a value, or a name, as it stands in an address."""
    return quote(write_text(value), safe="")


def _encoded(pairs: Sequence[tuple[str, object]]) -> str:
    return urlencode([(name, write_text(value)) for name, value in pairs])


ADDRESS_MAX = 8_000
"""Bytes of an address that are asked for, its query included; a server may refuse longer ones."""


def fits(contract: Contract, row: Inputs, way: Way) -> bool:
    """Tell whether these inputs can be asked for in this way.

    A path cannot hold an empty value, nor dots; no address holds a text that is too long.
    """
    if way is by_path and any(write_text(row[name]) in NO_PART for name in contract.placed):
        return False
    return is_short(way(contract, row))


def is_short(request: Request) -> bool:
    """Tell whether a request's address is one that every server takes."""
    return len(request.target) <= ADDRESS_MAX
