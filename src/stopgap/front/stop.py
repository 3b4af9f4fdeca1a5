"""The stop: where the plain requests of one contract are taken up at the door.

The express lane and the waiting lane share it; they differ in who then answers. Whatever is not
recognised here goes on to Flask's views.
"""

from collections.abc import Callable, Iterable

from stopgap import problems
from stopgap.accounts.recent import Known
from stopgap.contracts.contract import Contract
from stopgap.contracts.parsing import json_values, read_inputs
from stopgap.contracts.plain import plain_reader
from stopgap.contracts.row import Row
from stopgap.front.answers import JSON, Header
from stopgap.front.intake import Scope

UNUSUAL = frozenset({b"origin", b"sec-fetch-site", b"transfer-encoding", b"expect"})
"""Headers that ask for more than an answer."""

CREDENTIALS = frozenset({b"cookie", b"authorization"})
"""Headers that tell who asks."""

NOTABLE = UNUSUAL | CREDENTIALS

NOBODY: Known = (None,)


class Stop:
    """Reads what is plain."""

    def __init__(self, contract: Contract) -> None:
        self.contract = contract
        self.prefix = contract.prefix.encode()
        reader = plain_reader(contract)
        self.read_path = reader.path if reader else nothing
        self.read_query = reader.query if reader else nothing

    def read_json(self, body: bytes) -> Row | None:
        """Read a JSON body; None: what is wrong with it is told by Flask's view."""
        try:
            return Row.of(read_inputs(self.contract, json_values(body)))
        except Exception:  # noqa: BLE001  # a contract's own validator may raise anything
            return None


def nothing(_text: bytes) -> Row | None:
    """Read nothing: no request is plain."""
    return None


def is_json(scope: Scope) -> bool:
    """Tell whether a body is worth reading here."""
    return scope["method"] == "POST" and JSON in scope["headers"]


def asks_for_page(headers: Iterable[Header]) -> bool:
    """Tell whether a browser asks, which an error is to be told as a page."""
    accepted = [value.decode("latin-1") for name, value in headers if name == b"accept"]
    return bool(accepted) and problems.wants_page(",".join(accepted))


def known_caller(
    headers: Iterable[Header], recall: Callable[[bytes], Known | None]
) -> Known | None:
    """Tell who asks; None: that is not known at once, or more than an answer is asked for."""
    known = NOBODY
    for name, value in headers:
        if name in NOTABLE:
            found = None if known is not NOBODY or name in UNUSUAL else recall(value)
            if found is None:
                return None
            known = found
    return known
