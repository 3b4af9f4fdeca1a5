"""The prediction that every other server makes, in the terms that they share: pydantic's."""

import random
from typing import Annotated, Literal

from pydantic import BaseModel, Field

Count = Annotated[int, Field(ge=0, le=2**53 - 1)]
Month = Literal[
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]


class Sales(BaseModel):
    """What is asked with."""

    seller_available: Count
    month: Month
    customer_visiting_website: Count


def draw() -> int:
    """Make the answer up."""
    return random.randint(2000, 5000)  # noqa: S311  # nobody guesses anything from it
