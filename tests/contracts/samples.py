"""Sources and inputs for the tests of what is drawn."""

import random
from typing import Annotated

from pydantic import BaseModel, Field, model_validator


class Bits(random.Random):
    """A source whose every bit is the same."""

    def __init__(self, bit: int) -> None:
        super().__init__()
        self.bit = bit

    def getrandbits(self, k: int) -> int:
        """Draw `k` of the bit."""
        return ((1 << k) - 1) * self.bit


class Ordered(BaseModel):
    """Two numbers, the first of which is the smaller."""

    low: Annotated[int, Field(ge=0, le=9)]
    high: Annotated[int, Field(ge=0, le=9)]

    @model_validator(mode="after")
    def check(self) -> "Ordered":
        """Hold the two against each other."""
        if self.low >= self.high:
            raise ValueError("low must be below high")
        return self
