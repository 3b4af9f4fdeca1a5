"""Reading: what the numbers mean that a model gives, whose library knows no choice or boolean."""

from typing import Any

from stopgap.contracts import kinds


def read(kind: kinds.Kind, values: list[Any]) -> list[Any]:
    """Read a column of outputs: a number for a choice is its place in the list; 1 and 0 are bools.

    Anything else is left for the guard.
    """
    if isinstance(kind, kinds.Choice):
        return [_choice(kind, value) for value in values]
    if isinstance(kind, kinds.Boolean):
        return [bool(value) if value in (0, 1) else value for value in values]
    return values


def records(fields: tuple[kinds.Field, ...], columns: list[list[Any]]) -> list[dict[str, Any]]:
    """Make each row's object of the fields' columns, in the fields' order."""
    pairs = zip(fields, columns, strict=True)
    read_columns = [read(field.kind, values) for field, values in pairs]
    names = [field.name for field in fields]
    return [dict(zip(names, values, strict=True)) for values in zip(*read_columns, strict=True)]


def _choice(kind: kinds.Choice, value: Any) -> Any:
    is_place = isinstance(value, int | float) and value in range(len(kind.values))
    return kind.values[int(value)] if is_place else value
