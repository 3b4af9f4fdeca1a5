"""What a new version of a contract would change for the clients of the old one.

The rule has two halves. Whatever the old contract reads, the new one must read, with the same
meaning; whatever the new contract answers, the old one must have promised. So what an input loses
breaks a client, and what an output gains. The cases were held against those of oasdiff and of
`buf breaking`; unlike oasdiff, a field added to an output counts as breaking, because a contract
promises an object of exactly its fields.

The author's own validators are code, and no comparison sees into code.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract, placeholder
from stopgap.contracts.spellings import fold
from stopgap.contracts.values import quoted, takes_empty

SHOWN = 5
"""Spellings that a message lists; more are counted."""


@dataclass(frozen=True, kw_only=True)
class Difference:
    """One difference between two versions of a contract."""

    code: str  # stable: `input-removed`
    breaking: bool
    where: str  # `path`, `input month`, `output`, `output days`
    message: str  # a sentence for people


@dataclass(frozen=True, kw_only=True)
class _Shift:
    """How what a kind allows has moved: something is lost, or gained, or both, and no one knows."""

    what: str  # the end of a code: `range-narrowed`
    turn: Literal["lost", "gained", "changed"]
    message: str


def compare(old: Contract, new: Contract) -> list[Difference]:
    """List what changes for a client that was written for `old` and meets `new`.

    Words for people (titles, descriptions, examples) are no change; a unit is one.
    """
    return [*_addresses(old, new), *_inputs(old, new), *_outputs(old, new)]


def moved(old: Contract, new: Contract) -> Iterator[str]:
    """Name the lists in which something that was there before has another place by now.

    They are `inputs`, `outputs`, and, where a choice's values have moved, what is chosen, such as
    `input month`. No client can tell; a model that is fed or read by position can.
    """
    yield from _moved("input", old.fields, new.fields, new.names)
    was, now = old.output_kind, new.output_kind
    if isinstance(was, kinds.Object) and isinstance(now, kinds.Object):
        yield from _moved("output", was.fields, now.fields, {})
    elif _have_moved(was, now):
        yield "output"


def _moved(
    side: str, old: Sequence[kinds.Field], new: Sequence[kinds.Field], names: Mapping[str, str]
) -> Iterator[str]:
    heirs = [names.get(field.name, field.name) for field in old]
    left = {field.name: field.kind for field in new}
    if _displaced(heirs, [*left]):
        yield f"{side}s"
    for field, heir in zip(old, heirs, strict=True):
        if heir in left and _have_moved(field.kind, left[heir]):
            yield f"{side} {field.name}"


def _have_moved(old: kinds.Kind, new: kinds.Kind) -> bool:
    """Tell whether a choice's values have other places."""
    if not (isinstance(old, kinds.Choice) and isinstance(new, kinds.Choice)):
        return False
    return _displaced([_read(new, value) for value in old.values], new.values)


def _displaced(old: Sequence[str | None], new: Sequence[str]) -> bool:
    return any(name in new and new.index(name) != place for place, name in enumerate(old))


def _breaking(code: str, where: str, message: str) -> Difference:
    return Difference(code=code, breaking=True, where=where, message=message)


def _harmless(code: str, where: str, message: str) -> Difference:
    return Difference(code=code, breaking=False, where=where, message=message)


def _addresses(old: Contract, new: Contract) -> Iterator[Difference]:
    moved = f"{old.path} is now {new.path}."
    if old.prefix != new.prefix:
        yield _breaking(
            "prefix-changed", "path", f"Queries and bodies went to {old.prefix}; {moved}"
        )
    elif _shape(old, new) == _shape(new, new):
        return
    elif old.path == old.prefix:
        yield _harmless("path-added", "path", f"{new.path} takes the values in the path.")
    elif _is_cut_short(old, new):
        message = f"{new.path} takes more values in the path; {old.path} is read still."
        yield _harmless("path-extended", "path", message)
    else:
        yield _breaking("path-changed", "path", moved)


def _shape(contract: Contract, new: Contract) -> list[str]:
    """Write a path with the names that its inputs have in the new version."""
    parts = ((part, placeholder(part)) for part in contract.segments)
    return [part if name is None else f"{{{new.names.get(name, name)}}}" for part, name in parts]


def _is_cut_short(old: Contract, new: Contract) -> bool:
    """Tell whether the new version reads the old path as its own, cut short.

    It must do so with a slash at the end, too, behind which a text that may be empty is empty.
    """
    shape = _shape(old, new)
    if f"/{'/'.join(shape)}" not in new.short_paths:
        return False
    name = placeholder(new.segments[len(shape)])
    return all(f.default == "" or not takes_empty(f.kind) for f in new.fields if f.name == name)


def _inputs(old: Contract, new: Contract) -> Iterator[Difference]:
    fields = {field.name: field for field in new.fields}
    left = dict(fields)
    for field in old.fields:
        where = f"input {field.name}"
        heir = left.pop(new.names.get(field.name, ""), None)
        if heir is None:
            yield _breaking("input-removed", where, f"{field.name} is no longer read.")
            continue
        yield from _names(field, heir, new)
        yield from _presence(field, heir)
        yield from _unit("input", where, field.unit, heir.unit)
        for shift in _shifts(field.kind, heir.kind):
            yield _difference("input", where, shift, breaking="lost")
    for name, field in left.items():
        where = f"input {name}"
        if field.required:
            yield _breaking("input-added-required", where, f"{name} is new, and required.")
        else:
            yield _harmless("input-added-optional", where, f"{name} is new, and optional.")


def _names(old: kinds.Field, new: kinds.Field, contract: Contract) -> Iterator[Difference]:
    where = f"input {old.name}"
    if old.name != new.name:
        yield _harmless("input-renamed", where, f"{old.name} is now {new.name}; both are read.")
    for alias in old.aliases:
        if contract.names.get(alias) != new.name:
            yield _breaking(
                "input-alias-removed", where, f"{alias} is no longer read as {old.name}."
            )
    for alias in new.aliases:
        if alias not in (old.name, *old.aliases):
            yield _harmless("input-alias-added", where, f"{alias} is read as {new.name}, too.")


def _presence(old: kinds.Field, new: kinds.Field) -> Iterator[Difference]:
    where = f"input {old.name}"
    if new.required and not old.required:
        yield _breaking("input-now-required", where, f"{old.name} can no longer be left out.")
    elif old.required and not new.required:
        yield _harmless("input-now-optional", where, f"{old.name} can be left out.")
    elif old.default != new.default:
        message = (
            f"Left out, {old.name} was {quoted(old.default)}; now it is {quoted(new.default)}."
        )
        yield _breaking("input-default-changed", where, message)
    if not old.required and takes_empty(new.kind) and not takes_empty(old.kind):
        message = f"Empty, {old.name} was as if left out; now it is an empty text."
        yield _breaking("input-empty-changed", where, message)


def _unit(side: str, where: str, old: str, new: str) -> Iterator[Difference]:
    """Notice a unit that is another; one that was never told before is told, not changed."""
    if old and old != new:
        yield _breaking(f"{side}-unit-changed", where, f"The unit was {old}; now it is {new!r}.")


def _outputs(old: Contract, new: Contract) -> Iterator[Difference]:
    was, now = old.output_kind, new.output_kind
    yield from _unit("output", "output", old.unit, new.unit)
    if isinstance(was, kinds.Object) and isinstance(now, kinds.Object):
        yield from _output_fields(was, now)
    elif isinstance(was, kinds.Object) or isinstance(now, kinds.Object):
        message = f"It was {was.allowed()}; now it is {now.allowed()}."
        yield _breaking("output-type-changed", "output", message)
    else:
        yield from _output_value("output", was, now)


def _output_fields(old: kinds.Object, new: kinds.Object) -> Iterator[Difference]:
    left = {field.name: field for field in new.fields}
    for field in old.fields:
        where = f"output {field.name}"
        heir = left.pop(field.name, None)
        if heir is None:
            yield _breaking("output-field-removed", where, f"{field.name} is no longer answered.")
            continue
        yield from _unit("output", where, field.unit, heir.unit)
        yield from _output_value(where, field.kind, heir.kind)
    for name in left:
        yield _breaking("output-field-added", f"output {name}", f"{name} is new in the answer.")


def _output_value(where: str, old: kinds.Scalar, new: kinds.Scalar) -> Iterator[Difference]:
    for shift in _shifts(_answered(old), _answered(new)):
        yield _difference("output", where, shift, breaking="gained")


def _answered(kind: kinds.Scalar) -> kinds.Scalar:
    """Leave out how a choice can be spelled: an answer is one of its values."""
    return kinds.Choice(values=kind.values) if isinstance(kind, kinds.Choice) else kind


def _difference(side: str, where: str, shift: _Shift, *, breaking: str) -> Difference:
    return Difference(
        code=f"{side}-{shift.what}",
        breaking=shift.turn in (breaking, "changed"),
        where=where,
        message=shift.message,
    )


def _shifts(old: kinds.Scalar, new: kinds.Scalar) -> Iterator[_Shift]:
    """Tell how what is allowed has moved, whichever side it is on."""
    ranges = kinds.Integer | kinds.Number
    if isinstance(old, ranges) and isinstance(new, ranges):
        yield from _range_shifts(old, new)
    elif type(old) is not type(new):
        message = f"It was {old.allowed()}; now it is {new.allowed()}."
        yield _Shift(what="type-changed", turn="changed", message=message)
    elif isinstance(old, kinds.Choice) and isinstance(new, kinds.Choice):
        yield from _choice_shifts(old, new)
    elif isinstance(old, kinds.Text) and isinstance(new, kinds.Text):
        yield from _text_shifts(old, new)


def _range_shifts(
    old: kinds.Integer | kinds.Number, new: kinds.Integer | kinds.Number
) -> Iterator[_Shift]:
    message = f"It was {old.allowed()}; now it is {new.allowed()}."
    if isinstance(old, kinds.Integer) and isinstance(new, kinds.Number):
        yield _Shift(what="type-widened", turn="gained", message=message)
    if isinstance(old, kinds.Number) and isinstance(new, kinds.Integer):
        yield _Shift(what="type-narrowed", turn="lost", message=message)
    yield from _span_shifts("range", _ends(old), _ends(new), message)


def _ends(kind: kinds.Integer | kinds.Number) -> tuple[float, float]:
    return kind.ends() if isinstance(kind, kinds.Number) else (kind.low, kind.high)


def _span_shifts(
    what: str, old: tuple[float, float], new: tuple[float, float], message: str
) -> Iterator[_Shift]:
    if new[0] > old[0] or new[1] < old[1]:
        yield _Shift(what=f"{what}-narrowed", turn="lost", message=message)
    if new[0] < old[0] or new[1] > old[1]:
        yield _Shift(what=f"{what}-widened", turn="gained", message=message)


def _text_shifts(old: kinds.Text, new: kinds.Text) -> Iterator[_Shift]:
    message = f"It was {old.allowed()}; now it is {new.allowed()}."
    lengths = [(float(kind.shortest), float(kind.longest)) for kind in (old, new)]
    yield from _span_shifts("length", lengths[0], lengths[1], message)
    if old.pattern == new.pattern:
        return
    if new.pattern is None:
        yield _Shift(what="pattern-removed", turn="gained", message=message)
    elif old.pattern is None:
        yield _Shift(what="pattern-added", turn="lost", message=message)
    else:
        yield _Shift(what="pattern-changed", turn="changed", message=message)


def _choice_shifts(old: kinds.Choice, new: kinds.Choice) -> Iterator[_Shift]:
    heirs = {value: _read(new, value) for value in old.values}
    for value, heir in heirs.items():
        if heir is None:
            yield _Shift(what="choice-removed", turn="lost", message=f"{value} is gone.")
        elif heir != value:
            message = f"{value} is now {heir}; both are read."
            yield _Shift(what="choice-renamed", turn="gained", message=message)
    for value in new.values:
        if _read(old, value) is None and value not in heirs.values():
            yield _Shift(what="choice-added", turn="gained", message=f"{value} is new.")
    yield from _spelling_shifts(_spellings(old), _spellings(new), heirs)


def _read(kind: kinds.Choice, text: str) -> str | None:
    return text if text in kind.values else kind.spellings.get(fold(text))


def _spellings(kind: kinds.Choice) -> dict[str | int, str]:
    spellings: dict[str | int, str] = dict(kind.spellings.items())
    return spellings | dict(kind.numbers.items())


def _spelling_shifts(
    old: dict[str | int, str], new: dict[str | int, str], heirs: dict[str, str | None]
) -> Iterator[_Shift]:
    kept = {spelling: heirs[value] for spelling, value in old.items() if heirs[value]}
    lost = [spelling for spelling in kept if spelling not in new]
    turned = [spelling for spelling in kept if new.get(spelling, kept[spelling]) != kept[spelling]]
    added = [spelling for spelling in new if spelling not in old]
    if lost:
        message = f"No longer read: {_some(lost)}."
        yield _Shift(what="spelling-removed", turn="lost", message=message)
    if turned:
        message = f"Read as another value: {_some(turned)}."
        yield _Shift(what="spelling-changed", turn="changed", message=message)
    if added:
        yield _Shift(what="spelling-added", turn="gained", message=f"Read, too: {_some(added)}.")


def _some(spellings: list[str | int]) -> str:
    shown = ", ".join(str(spelling) for spelling in spellings[:SHOWN])
    more = len(spellings) - SHOWN
    return f"{shown} and {more} more" if more > 0 else shown
