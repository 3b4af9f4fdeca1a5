"""A contract of thirty inputs, whose answer is one of a few words, two of them long."""

from typing import Annotated, Any, Literal

from pydantic import Field, create_model

from stopgap import Contract

FIELDS: dict[str, Any] = {
    f"days_since_a_purchase_in_category_{number}": (Annotated[int, Field(ge=0, le=5000)], 3)
    for number in range(30)
}
contract = Contract(
    name="wide",
    version="1.0.0",
    path="/wide",
    inputs=create_model("Basket", **FIELDS),
    output=Literal[
        "short",
        "uuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuuu",
        "returned to the sender because nobody was there to take it in",
    ],
)
