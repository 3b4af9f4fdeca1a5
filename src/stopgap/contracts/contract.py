"""The contract: what a client was promised. Everything else is derived from it."""

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import takewhile
from typing import Any
from urllib.parse import quote, urlencode

from pydantic import BaseModel, ValidationError
from pydantic.fields import FieldInfo

from stopgap.contracts import kinds
from stopgap.contracts.annotations import ContractInvalid, kind_of, object_of, own_code
from stopgap.contracts.values import (
    OutOfBounds,
    Unreadable,
    breach,
    first_reason,
    read_json,
    write_text,
)

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
SEGMENT = re.compile(r"[A-Za-z0-9._~-]+")
PLACEHOLDER = re.compile(r"\{([A-Za-z_][A-Za-z0-9_]*)\}")
NO_PART = frozenset({"", ".", ".."})
"""Texts that a path cannot hold: clients and servers fold them away (RFC 3986, section 5.2.4)."""


@dataclass(frozen=True, kw_only=True)
class Example:
    """Inputs, and the output that a good model gives for them, give or take `tolerance`."""

    inputs: dict[str, Any]
    output: Any
    tolerance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Contract:
    """A promise to a client: this path, these inputs, this output.

    Args:
        name: Short, in small letters and hyphens; part of addresses and file names.
        version: Told to people, `1.0.0`.
        path: Template of the address, `/delivery/{weight_kg}/{service}`. Its fixed beginning
            (`/delivery`) takes the inputs as a query, a form or JSON as well.
        inputs: A flat pydantic model of int, float, bool, str and Literal fields.
        output: One such type (`Annotated[int, Field(ge=2000, le=5000)]`), or a flat model.
        title: What people call it, `MadCompany's prediction API`.
        description: What is predicted, in a sentence or two.
        output_description: What the output means.
        unit: The output's unit.
        examples: Golden examples; a model must answer them.
        mistaken_paths: Templates that clients are likely to use by mistake, the values in another
            order; who does is told the right address.

    Raises:
        ContractInvalid: it cannot be served as it is written.
    """

    name: str
    version: str
    path: str
    inputs: type[BaseModel]
    output: Any
    title: str = ""
    description: str = ""
    output_description: str = ""
    unit: str = ""
    examples: Sequence[Example] = ()
    mistaken_paths: Sequence[str] = ()

    def __post_init__(self) -> None:
        inputs: object = self.inputs
        if not (isinstance(inputs, type) and issubclass(inputs, BaseModel)):
            found = inputs.__name__ if isinstance(inputs, type) else f"{inputs!r:.100}"
            raise ContractInvalid(
                f"{self.name}: its inputs are a class made from pydantic's BaseModel, not {found}."
            )
        if not NAME.fullmatch(self.name):
            raise ContractInvalid(f"A contract is named like `delivery-time`, not {self.name!r}.")
        self._check_types()
        self._check_names()
        placed = self._check_path(self.path)
        for template in self.mistaken_paths:
            if self._check_path(template) != placed:
                raise ContractInvalid(f"{self.name}: {template} has other inputs than {self.path}.")
            if not template.startswith(f"{self.prefix}/"):
                raise ContractInvalid(
                    f"{self.name}: {template} is never asked here; a mistaken path begins with "
                    f"{self.prefix}, as {self.path} does."
                )
        for example in self.examples:
            self._check_example(example)

    def _check_types(self) -> None:
        """Read all types, so that what is wrong with one is told with the contract's name."""
        try:
            _ = self.fields
            _check_output(self.output, self.output_kind)
        except ContractInvalid as error:
            raise ContractInvalid(f"{self.name}: {error.detail}") from error

    def _check_names(self) -> None:
        names = [name for field in self.fields for name in (field.name, *field.aliases)]
        if len(names) != len(set(names)):
            raise ContractInvalid(f"{self.name}: two inputs share a name among {', '.join(names)}.")

    def _check_example(self, example: Example) -> None:
        if not example.tolerance >= 0:
            raise ContractInvalid(
                f"{self.name}: an example's tolerance is 0 or more; it is {example.tolerance}."
            )
        for name, value in example.inputs.items():
            self._check_example_input(name, value)
        try:
            self.inputs.model_validate(example.inputs, by_alias=False, by_name=True)
        except ValidationError as error:
            raise ContractInvalid(
                f"{self.name}: an example's inputs: {first_reason(error)}."
            ) from error
        if broken := breach(self.output_kind, example.output):
            raise ContractInvalid(f"{self.name}: an example's output {broken}.")

    def _check_example_input(self, name: str, value: object) -> None:
        """Hold an example's input with what holds a request's."""
        kind = next((field.kind for field in self.fields if field.name == name), None)
        if kind is None:
            raise ContractInvalid(
                f"{self.name}: an example's inputs: {name} is none; {self._known_inputs}."
            )
        try:
            read_json(kind, value)
        except (Unreadable, OutOfBounds) as error:
            raise ContractInvalid(
                f"{self.name}: an example's inputs: {name} must be {kind.allowed()}; "
                f"it is {value!r:.100}."
            ) from error

    @cached_property
    def _known_inputs(self) -> str:
        return f"the inputs are {', '.join(field.name for field in self.fields)}"

    def _check_path(self, template: str) -> set[str]:
        """Return the names of the inputs that stand in a template."""
        names = {field.name for field in self.fields}
        segments = segments_of(template)
        if not template.startswith("/") or not SEGMENT.fullmatch(segments[0]):
            raise ContractInvalid(f"{self.name}: the path {template!r} needs a fixed beginning.")
        placed = [name for part in segments if (name := placeholder(part))]
        fixed = [part for part in segments if not placeholder(part)]
        for part in fixed:
            if not SEGMENT.fullmatch(part) or part in NO_PART:
                raise ContractInvalid(f"{self.name}: {part!r} cannot be a part of a path.")
        for name in placed:
            if name not in names:
                raise ContractInvalid(
                    f"{self.name}: {{{name}}} in {template} is no input; {self._known_inputs}."
                )
        if len(placed) != len(set(placed)):
            raise ContractInvalid(f"{self.name}: {template} must name each input at most once.")
        return set(placed)

    @cached_property
    def fields(self) -> tuple[kinds.Field, ...]:
        """The inputs, in the author's order."""
        return object_of(self.inputs).fields

    @cached_property
    def output_kind(self) -> kinds.Kind:
        """What the output may be."""
        return kind_of("output", FieldInfo.from_annotation(self.output))

    @cached_property
    def segments(self) -> tuple[str, ...]:
        """The path's parts, placeholders in braces."""
        return segments_of(self.path)

    @cached_property
    def placed(self) -> tuple[str, ...]:
        """The inputs that stand in the path, in its order."""
        return tuple(name for part in self.segments if (name := placeholder(part)))

    def address(self, inputs: Mapping[str, object]) -> str:
        """Write the path for some inputs; those that have no place in it follow as a query.

        All of them do where one is a text that a path cannot hold.
        """
        written = {name: write_text(value) for name, value in inputs.items()}
        if any(written[name] in NO_PART for name in self.placed):
            return f"{self.prefix}?{urlencode(written)}"
        parts = [
            quote(written.pop(name), safe="") if (name := placeholder(part)) else part
            for part in self.segments
        ]
        query = f"?{urlencode(written)}" if written else ""
        return "/" + "/".join(parts) + query

    @cached_property
    def rule(self) -> str:
        """The path as a web framework has it: `/delivery/<weight_kg>/<service>`."""
        parts = (f"<{name}>" if (name := placeholder(part)) else part for part in self.segments)
        return "/" + "/".join(parts)

    @cached_property
    def prefix(self) -> str:
        """The path's fixed beginning, which takes queries, forms and JSON: `/delivery`."""
        return "/" + "/".join(takewhile(lambda part: not placeholder(part), self.segments))

    @cached_property
    def short_paths(self) -> tuple[str, ...]:
        """The path without its last inputs, as far as they may be left out; the longest first."""
        optional = {field.name for field in self.fields if not field.required}
        short = []
        for end in range(len(self.segments) - 1, self.prefix.count("/"), -1):
            name = placeholder(self.segments[end])
            if name and name not in optional:
                break
            if name:
                short.append("/" + "/".join(self.segments[:end]))
        return tuple(short)

    @cached_property
    def identifier(self) -> str:
        """The name as it stands in names of programs: `DeliveryTime`."""
        return "".join(word.capitalize() for word in self.name.split("-"))

    @cached_property
    def names(self) -> dict[str, str]:
        """Every name under which an input is read -> its own name."""
        return {name: field.name for field in self.fields for name in (field.name, *field.aliases)}

    @cached_property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when a model or a client would notice."""
        facts = {
            "path": self.path,
            "inputs": [
                {"name": f.name, "kind": f.kind.tag, "is": asdict(f.kind)}
                | {"required": f.required, "default": f.default, "aliases": f.aliases}
                | {"unit": f.unit}
                for f in self.fields
            ],
            "output": {"kind": self.output_kind.tag, "is": _promise(self.output_kind)},
            "unit": self.unit,
        }
        return _digits(json.dumps(facts, sort_keys=True, ensure_ascii=True))

    @cached_property
    def examples_fingerprint(self) -> str:
        """Sixteen hexadecimal digits that change when a golden example does; none without any."""
        written = [
            json.dumps([each.inputs, each.output, float(each.tolerance)], sort_keys=True)
            for each in self.examples
        ]
        return _digits("\n".join(sorted(written))) if written else ""


def segments_of(template: str) -> tuple[str, ...]:
    """Split a path template into its parts."""
    return tuple(template.removeprefix("/").split("/"))


def placeholder(segment: str) -> str | None:
    """Name the input that stands in a template's part; None for a fixed part."""
    match = PLACEHOLDER.fullmatch(segment)
    return match[1] if match else None


def _digits(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def _promise(kind: kinds.Kind) -> Any:
    """List what an output promises, without the words around it."""
    if isinstance(kind, kinds.Object):
        return [[f.name, f.unit, f.kind.tag, asdict(f.kind)] for f in kind.fields]
    return asdict(kind)


def _check_output(annotation: Any, kind: kinds.Kind) -> None:
    """Refuse an output that cannot be drawn: numbers have two ends, texts come from a list."""
    model = FieldInfo.from_annotation(annotation).annotation
    if isinstance(model, type) and issubclass(model, BaseModel):
        _check_output_names(model)
        _check_output_code(model)
    parts = (
        [(f.name, f.kind) for f in kind.fields]
        if isinstance(kind, kinds.Object)
        else [("output", kind)]
    )
    for name, part in parts:
        if isinstance(part, kinds.Text):
            raise ContractInvalid(f"{name}: a text in an output comes from a list (a Literal).")
        if isinstance(part, kinds.Number) and kinds.NUMBER_MAX in {-part.low, part.high}:
            raise ContractInvalid(
                f"{name}: a number in an output needs both ends of its range (ge and le), short of "
                "the largest double."
            )
        if isinstance(part, kinds.Integer) and part.high == kinds.INTEGER_MAX:
            raise ContractInvalid(
                f"{name}: an integer in an output needs both ends of its range (ge and le), below "
                f"{kinds.INTEGER_MAX} (2^53 - 1), which is where integers end that have no le."
            )


def _check_output_names(model: type[BaseModel]) -> None:
    """Refuse aliases in an output: what a model answers is sent under the fields' own names."""
    for name, info in model.model_fields.items():
        if any(
            alias not in (None, name) for alias in (info.validation_alias, info.serialization_alias)
        ):
            raise ContractInvalid(
                f"{name}: an output's field has no alias; it is answered as {name}."
            )


def _check_output_code(model: type[BaseModel]) -> None:
    """Refuse an author's code in an output: none is run over what a model answers."""
    if code := own_code(model):
        raise ContractInvalid(
            f"{model.__name__}: {', '.join(code)}: an output has no code of its own (validators, "
            "computed fields, serializers), as none is run over an answer. Promise fields, each "
            "with its range; what else holds for them is the model's to keep."
        )
