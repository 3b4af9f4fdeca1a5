"""From pydantic types to kinds: what an author wrote, as the plain data that all else uses."""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date, time, timedelta
from enum import Enum
from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import annotated_types
from pydantic import AliasChoices, AliasPath, BaseModel, Strict
from pydantic.fields import FieldInfo

from stopgap.contracts import kinds, values
from stopgap.contracts.patterns import ambiguous
from stopgap.contracts.spellings import Spellings
from stopgap.errors import StartRefused

CONFIG_FOR_TEXTS = {
    "str_min_length": "write min_length in the Field of each text",
    "str_max_length": "write max_length in the Field of each text",
    "str_strip_whitespace": "strip the texts in a @field_validator",
    "str_to_lower": "lower the texts in a @field_validator",
    "str_to_upper": "raise the texts in a @field_validator",
}
"""What a model's `model_config` would change about what is read -> what to write in its place."""

INSTEAD: dict[tuple[type, ...], str] = {
    (date, time, timedelta): (
        "An input of it is a str with a pattern, examples and a @field_validator; an output is an "
        "int, how many days, say."
    ),
    (list, tuple, set, frozenset, dict): "Write a field for each of its values.",
}
"""Types that no contract promises -> what to write in their place."""


class ContractInvalid(StartRefused):
    """A contract is written in a way that cannot be served."""


def kind_of(name: str, info: FieldInfo) -> kinds.Kind:
    """Translate one annotated type.

    Raises:
        ContractInvalid: the type, or a constraint on it, is none that a contract can promise.
    """
    annotation = info.annotation
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        _Bounds(name, info.metadata).all_used()
        return object_of(annotation)
    spellings = [item for item in info.metadata if isinstance(item, Spellings)]
    bounds = _Bounds(name, [item for item in info.metadata if not isinstance(item, Spellings)])
    if get_origin(annotation) is Literal:
        bounds.all_used()
        return _choice(name, get_args(annotation), spellings)
    if spellings:
        raise ContractInvalid(f"{name}: spellings are those of a Literal of texts.")
    if annotation is bool:
        kind: kinds.Scalar = kinds.Boolean()
    elif annotation is int:
        kind = bounds.integer()
    elif annotation is float:
        kind = bounds.number()
    elif annotation is str:
        kind = bounds.text()
    else:
        told = annotation.__name__ if isinstance(annotation, type) else repr(annotation)
        raise ContractInvalid(f"{name} is of type {told}. {_instead(annotation)}")
    bounds.all_used()
    return kind


def _instead(annotation: object) -> str:
    """Say what to write in place of a type that no contract promises."""
    origin = get_origin(annotation)
    several = get_args(annotation) if origin in (Union, UnionType) else ()
    made = origin or annotation
    if annotation in (None, NoneType) or NoneType in several:
        return "There is no null: an input that may be left out has a default; no output may."
    if several:
        return "A value has one type: write that one, or a field for each."
    if isinstance(made, type) and issubclass(made, Enum):
        return _as_texts([member.value for member in made])
    if isinstance(made, type):
        for types, instead in INSTEAD.items():
            if issubclass(made, types):
                return instead
    return "A contract promises int, float, bool, str, a Literal of texts, or a model of those."


def _as_texts(found: Sequence[object]) -> str:
    """Say how the values of a choice are written."""
    if _is_of_texts(found):
        return f"Write the values: Literal{list(found)!r}."
    if all(type(value) is int for value in found):
        return f"Write Literal{[str(value) for value in found]!r}, or an int with ge and le."
    return "Write a Literal of texts, none of them empty."


def object_of(model: type[BaseModel]) -> kinds.Object:
    """Translate a model of scalar fields, in their order."""
    _check_config(model)
    return kinds.Object(
        fields=tuple(
            _field(f"{model.__name__}.{name}", name, info) for name, info in _fields(model)
        )
    )


def _check_config(model: type[BaseModel]) -> None:
    """Refuse what holds for all texts of a model, and stands in no field's promise."""
    for name, instead in CONFIG_FOR_TEXTS.items():
        value = model.model_config.get(name)
        if value or (name == "str_max_length" and value is not None):
            raise ContractInvalid(
                f"{model.__name__}: its model_config has {name}={value}, which a contract cannot "
                f"promise; {instead}."
            )


def _fields(model: type[BaseModel]) -> Iterable[tuple[str, FieldInfo]]:
    if not model.model_fields:
        raise ContractInvalid(f"{model.__name__} has no fields.")
    return model.model_fields.items()


def validated_fields(model: type[BaseModel]) -> set[str]:
    """Name the fields that the author's own code may have turned into other values."""
    added = model.__pydantic_decorators__
    every = set(model.model_fields)
    if added.model_validators or added.root_validators or _has_own_post_init(model):
        return every
    named = {name for each in added.field_validators.values() for name in each.info.fields}
    named |= {name for each in added.validators.values() for name in each.info.fields}
    return every if "*" in named else named & every


def own_code(model: type[BaseModel]) -> list[str]:
    """Name the methods by which an author has more to say of a model than its fields do."""
    added = model.__pydantic_decorators__
    named = {
        *(*added.validators, *added.field_validators, *added.root_validators),
        *(*added.field_serializers, *added.model_serializers),
        *(*added.model_validators, *added.computed_fields),
    }
    return sorted(named | ({"model_post_init"} if _has_own_post_init(model) else set()))


def _has_own_post_init(model: type[BaseModel]) -> bool:
    """Tell the author's from pydantic's, which makes private attributes."""
    found = model.model_post_init
    return found.__name__ != "init_private_attributes" and found is not BaseModel.model_post_init


def _field(place: str, name: str, info: FieldInfo) -> kinds.Field:
    kind = kind_of(place, info)
    if isinstance(kind, kinds.Object):
        raise ContractInvalid(
            f"{place} is an object inside an object; write its fields beside the others."
        )
    if info.default_factory is not None:
        raise ContractInvalid(f"{place}: its default is made by code; a contract promises a value.")
    default = None if info.is_required() else info.get_default(call_default_factory=False)
    examples = tuple(_allowed(place, kind, value) for value in info.examples or ())
    if not info.is_required():
        _allowed(place, kind, default)
    if not info.is_required() and (broken := values.breach(kind, default)):
        raise ContractInvalid(f"{place}: its default is handed on as it is written, and {broken}.")
    extra = info.json_schema_extra if isinstance(info.json_schema_extra, dict) else {}
    return kinds.Field(
        name=name,
        kind=kind,
        required=info.is_required(),
        default=default,
        aliases=_aliases(place, name, info),
        title=info.title or name.replace("_", " ").capitalize(),
        description=info.description or "",
        unit=str(extra.get("unit", "")),
        examples=examples,
    )


def _allowed(place: str, kind: kinds.Scalar, value: object) -> object:
    """Read a default, or an example for people; refuse one that would itself be refused."""
    try:
        read: object = values.read_authors(kind, value)
    except (values.Unreadable, values.OutOfBounds) as error:
        raise ContractInvalid(
            f"{place}: the default or example {value!r} must be {kind.allowed()}."
        ) from error
    return read


def _aliases(place: str, name: str, info: FieldInfo) -> tuple[str, ...]:
    alias = info.validation_alias
    choices = alias.choices if isinstance(alias, AliasChoices) else [alias]
    if any(isinstance(choice, AliasPath) for choice in choices):
        raise ContractInvalid(f"{place}: an AliasPath leads into an object; a contract's are flat.")
    return tuple(choice for choice in choices if isinstance(choice, str) and choice != name)


def _choice(name: str, texts: tuple[Any, ...], found: Sequence[Spellings]) -> kinds.Choice:
    if not _is_of_texts(texts):
        plain = [text.value if isinstance(text, Enum) else text for text in texts]
        raise ContractInvalid(
            f"{name}: the values of a choice are texts; they are {texts!r}. {_as_texts(plain)}"
        )
    if not found:
        return kinds.Choice(values=texts)
    if len(found) > 1:
        raise ContractInvalid(f"{name}: its spellings are said more than once.")
    spellings = found[0]
    for meant in (*spellings.readings.values(), *spellings.numbers.values()):
        if meant not in texts:
            raise ContractInvalid(
                f"{name}: a spelling means {meant!r}, which is none of {', '.join(texts)}."
            )
    if alike := spellings.alike(texts):
        raise ContractInvalid(
            f"{name}: {alike!r} means two values, as case does not matter in spellings."
        )
    return kinds.Choice(
        values=texts,
        spellings=spellings.folded(texts),
        numbers=dict(spellings.numbers),
        described=spellings.described,
    )


def _is_of_texts(values: Sequence[object]) -> bool:
    """Tell whether values are texts themselves; a member of a StrEnum only equals one."""
    return all(type(value) is str and value for value in values)


class _Bounds:
    """The constraints beside a type, each to be used once or refused."""

    def __init__(self, name: str, metadata: Iterable[object]) -> None:
        self.name = name
        self.left: dict[str, Any] = {}
        for item in metadata:
            parts = item.__iter__() if isinstance(item, annotated_types.GroupedMetadata) else [item]
            for part in parts:
                self.left |= _constraints(part)

    def take(self, key: str) -> Any:
        """Hand over one constraint; None if it was not given."""
        return self.left.pop(key, None)

    def integer(self) -> kinds.Integer:
        """Read ge, gt, le and lt as the closed range they leave."""
        ge, gt, le, lt = (self.take(key) for key in ("ge", "gt", "le", "lt"))
        lows = [] if ge is None else [math.ceil(ge)]
        lows += [] if gt is None else [math.floor(gt) + 1]
        highs = [] if le is None else [math.floor(le)]
        highs += [] if lt is None else [math.ceil(lt) - 1]
        low, high = max(lows, default=0), min(highs, default=kinds.INTEGER_MAX)
        for end in (low, high):
            if abs(end) > kinds.INTEGER_MAX:
                raise ContractInvalid(
                    f"{self.name}: its range goes to {end}; JSON readers keep integers exact up to "
                    f"{kinds.INTEGER_MAX} (2^53 - 1) alone, above and below 0."
                )
        if low > high:
            told = "" if lows else "; where no least is given it is 0, so write ge"
            raise ContractInvalid(f"{self.name}: no integer is between {low} and {high}{told}.")
        return kinds.Integer(low=low, high=high)

    def number(self) -> kinds.Number:
        """Read ge, gt, le and lt; an end that nobody gave is the largest finite number."""
        ge, gt, le, lt = (self.take(key) for key in ("ge", "gt", "le", "lt"))
        low = max(end for end in (ge, gt, -kinds.NUMBER_MAX) if end is not None)
        high = min(end for end in (le, lt, kinds.NUMBER_MAX) if end is not None)
        kind = kinds.Number(
            low=float(low), high=float(high), low_open=gt == low, high_open=lt == high
        )
        least, greatest = kind.ends()
        if not least <= greatest:
            raise ContractInvalid(f"{self.name}: no number is between {low} and {high}.")
        return kind

    def text(self) -> kinds.Text:
        """Read min_length, max_length and pattern."""
        shortest, longest = self.take("min_length") or 0, self.take("max_length")
        if longest is None:
            longest = max(kinds.TEXT_MAX, shortest)
        if not 0 <= shortest <= longest:
            raise ContractInvalid(f"{self.name}: no text has {shortest} to {longest} characters.")
        return kinds.Text(shortest=shortest, longest=longest, pattern=self.pattern())

    def pattern(self) -> str | None:
        """Read a pattern that everybody reads alike."""
        pattern = self.take("pattern")
        if pattern is None:
            return None
        if isinstance(pattern, re.Pattern) and pattern.flags != re.UNICODE.value:
            raise ContractInvalid(
                f"{self.name}: its pattern has flags, which stand in no OpenAPI document; "
                "write both cases of a letter as [Aa]."
            )
        written = str(getattr(pattern, "pattern", pattern))
        if told := ambiguous(written):
            raise ContractInvalid(f"{self.name}: its pattern {told}.")
        return written

    def all_used(self) -> None:
        """Refuse what would otherwise be silently left out of the promise."""
        if self.left:
            raise ContractInvalid(
                f"{self.name} has constraints that a contract cannot promise: "
                f"{', '.join(sorted(self.left))}. "
                "What holds for an input beside its type, a @field_validator can check."
            )


def _constraints(item: object) -> dict[str, Any]:
    """Name the constraints of one piece of metadata; some say nothing that is not so anyway."""
    given = {
        key: getattr(item, key)
        for key in ("ge", "gt", "le", "lt", "min_length", "max_length", "multiple_of", "pattern")
        if getattr(item, key, None) is not None
    }
    if item is None or isinstance(item, Strict) or getattr(item, "allow_inf_nan", None) is False:
        return given  # no number is infinite, or NaN
    kind = type(item).__name__
    if kind.startswith("_"):  # pydantic's own, of several names
        return given | {name: value for name, value in vars(item).items() if value}
    return given or {kind: item}
