"""The stand-in: draws an answer inside the promise until a model is there."""

import hashlib
import random
from collections.abc import Sequence
from typing import Any, Literal

from stopgap.contracts.contract import Contract
from stopgap.contracts.drawing import draw, drawer
from stopgap.contracts.row import Row
from stopgap.models.model import Model


class RandomStandIn:
    """A new, even draw for every row."""

    def __init__(self, contract: Contract, source: random.Random) -> None:
        self._draw = drawer(contract.output_kind, source)

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row with a value drawn evenly from the promised range."""
        return [self._draw() for _ in rows]


class StableStandIn:
    """The same inputs always get the same answer, in every process and after every restart.

    So a client can write tests against it. The draw's randomness is the SHA-256 of the contract's
    fingerprint and the inputs: evenly spread over inputs, and none of the server's state is in it.
    """

    def __init__(self, contract: Contract) -> None:
        self._kind = contract.output_kind
        self._fingerprint = contract.fingerprint.encode()

    def predict(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each row with the value that belongs to it."""
        return [draw(self._kind, self._source_of(row)) for row in rows]

    def _source_of(self, row: Row) -> random.Random:
        seed = hashlib.sha256(self._fingerprint + row.json).digest()
        return HashSource(seed)


class HashSource(random.Random):
    """Random bits, which are all that `draw` asks for: the hash of a seed, of that hash, and so on.

    Unlike those of `random.Random`, they are the same in every Python.
    """

    def __init__(self, seed: bytes) -> None:
        super().__init__()
        self._state = seed
        self._bits = 0
        self._left = 0

    def getrandbits(self, k: int) -> int:
        """Draw `k` bits."""
        while self._left < k:
            self._state = hashlib.sha256(self._state).digest()
            self._bits = (self._bits << 256) | int.from_bytes(self._state)
            self._left += 256
        self._left -= k
        drawn = self._bits >> self._left
        self._bits &= (1 << self._left) - 1
        return drawn


def stand_in(contract: Contract, way: Literal["random", "stable"], source: random.Random) -> Model:
    """Make the stand-in of a contract that draws in the given way."""
    return StableStandIn(contract) if way == "stable" else RandomStandIn(contract, source)
