"""The row: one request's validated inputs, in each form in which somebody wants them."""

from pydantic import BaseModel


class Row:
    """Validated inputs: canonical JSON at once, the author's model when somebody asks for it."""

    __slots__ = ("_inputs", "_type", "json")

    def __init__(self, inputs_type: type[BaseModel], json: bytes) -> None:
        self.json = json  # compact, every field, in the contract's order
        self._type = inputs_type
        self._inputs: BaseModel | None = None

    @classmethod
    def of(cls, inputs: BaseModel) -> "Row":
        """Make the row of inputs that pydantic has validated."""
        row = cls(type(inputs), inputs.model_dump_json().encode())
        row._inputs = inputs
        return row

    @property
    def inputs(self) -> BaseModel:
        """The inputs as the author's model."""
        if self._inputs is None:
            self._inputs = self._type.model_validate_json(self.json, by_alias=False, by_name=True)
        return self._inputs
