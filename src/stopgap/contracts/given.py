"""Given: the values of a request as they arrived, before any of them is held against a contract."""

from dataclasses import dataclass
from urllib.parse import unquote_to_bytes

from stopgap.contracts.contract import placeholder, segments_of
from stopgap.contracts.json_object import read_json_object


@dataclass(frozen=True)
class Given:
    """One value as it arrived: a text of a path, query or form, or a JSON value."""

    name: str
    value: object
    written: bool = True  # as text; False for JSON


@dataclass(frozen=True)
class Raw:
    """A text that is no UTF-8, as it stood in the address."""

    text: str


def unreadable(name: str, shown: str) -> Given:
    """Give a value that no field takes: a file, or a text that is no UTF-8."""
    return Given(name, Raw(shown))


def path_values(template: str, raw_path: str) -> list[Given] | None:
    """Match a raw, still percent-encoded path against a template.

    Returns None where the path has other parts than the template; one trailing slash is no part.
    """
    parts = raw_path.removeprefix("/").split("/")
    expected = segments_of(template)
    if len(parts) == len(expected) + 1 and not parts[-1]:
        parts.pop()
    if len(parts) != len(expected):
        return None
    given = []
    for part, segment in zip(parts, expected, strict=True):
        name = placeholder(segment)
        if name is not None:
            given.append(Given(name, _decode(part)))
        elif _decode(part) != segment:
            return None
    return given


def query_values(raw_query: str) -> list[Given]:
    """Split a query or a form's body into its values; `+` is a space, as forms write it."""
    pairs = (pair.partition("=") for pair in raw_query.split("&") if pair)
    plain = (
        (_decode(name.replace("+", " ")), _decode(value.replace("+", " ")))
        for name, _, value in pairs
    )
    return [Given(str(getattr(name, "text", name)), value) for name, value in plain]


def _decode(part: str) -> str | Raw:
    try:
        return unquote_to_bytes(part.encode("latin-1")).decode("utf-8")
    except UnicodeError:
        return Raw(part.encode("ascii", "backslashreplace").decode("ascii"))


def json_values(body: bytes) -> list[Given]:
    """Read a JSON object's members.

    Raises:
        JsonMalformed: it is none, or a name stands in it twice.
    """
    return [Given(name, value, written=False) for name, value in read_json_object(body).items()]
