"""The kinds of value that a contract can promise: plain data, compared, sampled and shown alike.

Fingerprints have each kind's tag, which therefore never changes: else every release would need
another verification, and the stable stand-in would give other answers.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import ClassVar

INTEGER_MAX = 2**53 - 1
"""Largest integer that every JSON reader keeps exact (RFC 8259, section 6)."""

NUMBER_MAX = 1.7976931348623157e308
"""Largest finite IEEE 754 double."""

DIGITS_MAX = 1e16
"""Whole numbers from here on are written with an exponent, as Python does."""

TEXT_MAX = 1_000
"""Characters of a text whose type says nothing about its greatest length."""


@dataclass(frozen=True, kw_only=True)
class Integer:
    """A whole number from `low` to `high`, both included."""

    tag: ClassVar[str] = "Integer"
    low: int = 0
    high: int = INTEGER_MAX

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        return f"an integer from {self.low} to {self.high}"


@dataclass(frozen=True, kw_only=True)
class Number:
    """A finite number from `low` to `high`; an open end is itself not allowed."""

    tag: ClassVar[str] = "Number"
    low: float = -NUMBER_MAX
    high: float = NUMBER_MAX
    low_open: bool = False
    high_open: bool = False

    def ends(self) -> tuple[float, float]:
        """Tell the least and the greatest double that are allowed, open ends left out."""
        low = math.nextafter(self.low, math.inf) if self.low_open else self.low
        high = math.nextafter(self.high, -math.inf) if self.high_open else self.high
        return low, high

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        low = f"{'above' if self.low_open else 'from'} {written_number(self.low)}"
        high = f"{'below' if self.high_open else 'to'} {written_number(self.high)}"
        if self.low == -NUMBER_MAX:
            return "a number" if self.high == NUMBER_MAX else f"a number {high}"
        if self.high == NUMBER_MAX:
            return f"a number {low}"
        if self.low_open or self.high_open:
            high = f"and {high}" if self.high_open else f"up {high}"
        return f"a number {low} {high}"


@dataclass(frozen=True, kw_only=True)
class Choice:
    """One of some texts; `spellings` are further ways to write them (folded form -> value)."""

    tag: ClassVar[str] = "Choice"
    values: tuple[str, ...]
    spellings: Mapping[str, str] = field(default_factory=dict)
    numbers: Mapping[int, str] = field(default_factory=dict)  # JSON numbers read as a value
    described: str = ""  # what the spellings are, in words

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        also = f" ({self.described})" if self.described else ""
        return f"one of {', '.join(self.values)}{also}"


@dataclass(frozen=True, kw_only=True)
class Boolean:
    """True or false."""

    tag: ClassVar[str] = "Boolean"

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        return "true or false"


@dataclass(frozen=True, kw_only=True)
class Text:
    """A text of `shortest` to `longest` printable characters that matches any `pattern`."""

    tag: ClassVar[str] = "Text"
    shortest: int = 0
    longest: int = TEXT_MAX
    pattern: str | None = None

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        also = f" that matches {self.pattern}" if self.pattern else ""
        if self.shortest < self.longest:
            return f"a text of {self.shortest} to {self.longest} printable characters{also}"
        return f"a text of {self.longest} printable character{'s' * (self.longest != 1)}{also}"


Scalar = Integer | Number | Choice | Boolean | Text


@dataclass(frozen=True, kw_only=True)
class Field:
    """One named value of an object, with what people are told about it."""

    name: str
    kind: Scalar
    required: bool = True
    default: object = None
    aliases: tuple[str, ...] = ()  # other names under which it is read
    title: str = ""
    description: str = ""
    unit: str = ""
    examples: tuple[object, ...] = ()

    @property
    def has_pattern(self) -> bool:
        """Whether it is a text of which only the author can tell what it looks like."""
        return isinstance(self.kind, Text) and self.kind.pattern is not None

    @property
    def given(self) -> tuple[object, ...]:
        """The values that its author has given: examples, and a default."""
        return self.examples if self.required else (*self.examples, self.default)


@dataclass(frozen=True, kw_only=True)
class Object:
    """An object of named scalar values."""

    tag: ClassVar[str] = "Record"
    fields: tuple[Field, ...]

    def allowed(self) -> str:
        """Say what is allowed, for the one whose value was not."""
        return f"an object of {', '.join(field.name for field in self.fields)}"


Kind = Scalar | Object


def values(kind: Kind) -> dict[str, Scalar]:
    """Tell an output's values by name; one that is no object is a single value without any."""
    return (
        {each.name: each.kind for each in kind.fields} if isinstance(kind, Object) else {"": kind}
    )


def unbounded(kind: Scalar) -> Scalar:
    """Tell the kind of what may really come: of the same type, in whatever range."""
    match kind:
        case Integer():
            return Integer(low=-INTEGER_MAX)
        case Number():
            return Number()
    return kind


def written_number(value: float) -> str:
    """Write a double as shortly as tells it exactly: 2.5, 14 and not 14.0, 1e+300."""
    return f"{value:.0f}" if float(value).is_integer() and abs(value) < DIGITS_MAX else repr(value)
