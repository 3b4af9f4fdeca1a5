"""The rows that a model is verified with: corners first, then thousands of every magnitude."""

import random
from collections.abc import Iterator
from itertools import islice

from stopgap.contracts.contract import Contract
from stopgap.contracts.corners import corner_inputs
from stopgap.contracts.row import Row
from stopgap.contracts.sampling import sample_inputs, scattered_inputs

CORNERS = 400
"""Corners at most; a contract of twelve fields with ten edges each has 250."""


def corner_rows(contract: Contract) -> list[Row]:
    """List rows at the edges of what the contract allows.

    Raises:
        SampleNotFound: a text with a pattern has no example.
    """
    return [Row.of(inputs) for inputs in islice(corner_inputs(contract), CORNERS)]


def sampled_rows(contract: Contract, source: random.Random) -> Iterator[Row]:
    """Draw rows without end: one in four evenly, the others of every magnitude.

    Raises:
        SampleNotFound: as `corner_rows`, or the author's validators refuse every draw.
    """
    while True:
        evenly = source.getrandbits(2) == 0
        drawn = sample_inputs if evenly else scattered_inputs
        yield Row.of(drawn(contract, source))
