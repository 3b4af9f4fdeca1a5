"""Influence: an input that changes no answer is told, and no other is."""

import asyncio
import time
from collections.abc import Callable, Sequence
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, Field
from tests.releases.verification.test_asking import Slot

from stopgap.contracts.contract import Contract
from stopgap.contracts.row import Row
from stopgap.models.failures import ModelRaised
from stopgap.releases.verification.asking import Asking
from stopgap.releases.verification.influence import ROWS, VALUES, unheeded


class House(BaseModel):
    """Inputs of each kind, among them one of a range that hardly any draw fills sensibly."""

    energy: Literal["A+", "A", "B"]
    rooms: Annotated[int, Field(ge=0, examples=[3])]
    area: Annotated[float, Field(ge=10, le=1000)] = 80
    garden: bool = False
    street: Annotated[str, Field(max_length=99)] = ""


Price = Annotated[float, Field(ge=0, le=1_000_000)]

contract = Contract(
    name="house", version="1", path="/house/{energy}/{rooms}", inputs=House, output=Price
)


class Priced(Slot):
    """A model that is a function, and keeps what it was asked."""

    def __init__(self, price: Callable[[Any], Any]) -> None:
        super().__init__()
        self.price = price
        self.asked: list[bytes] = []

    async def answer_batch(self, rows: Sequence[Row]) -> Sequence[Any]:
        """Answer each."""
        self.asked += [row.json for row in rows]
        return [self.price(row.inputs) for row in rows]


def found(slot: Slot, seconds: float = 5.0) -> dict[str, int]:
    """Tell what a model does not heed."""
    asking = Asking(slot, deadline=1.0, until=time.monotonic() + seconds)
    return dict(asyncio.run(unheeded(asking, contract, 7)))


def careful(house: House) -> float:
    """Heed all, but rooms in a small part of their range alone."""
    steps = {"A+": 0, "A": 1, "B": 2}[house.energy]
    return 3 * min(house.rooms, 20) + house.area - steps + 1_000 * house.garden


def spelled(house: House) -> float:
    """Know other spellings of the energy, as an encoder that ignores what it does not know."""
    return house.rooms + 10 * {"a+": 3, "a": 2, "b": 1}.get(house.energy, 0)


def test_what_changes_no_answer_is_told() -> None:
    """An input that a model does not heed is told, with how many inputs it was asked for that."""
    assert found(Priced(spelled)) == {"energy": 3 * ROWS, "area": VALUES * ROWS, "garden": 2 * ROWS}
    assert found(Priced(lambda _: 7.0)).keys() == {"energy", "rooms", "area", "garden"}


def test_what_changes_an_answer_is_not() -> None:
    """One change among many is enough; texts, of which letters alone can be drawn, are not told."""
    assert found(Priced(careful)) == {}
    assert found(Priced(lambda house: 1.0 if house.area < 11 else 0.0)).keys() == {
        "energy",
        "rooms",
        "garden",
    }


def test_the_same_is_asked_each_time() -> None:
    """Whoever verifies a model twice reads the same."""
    one, two = Priced(spelled), Priced(spelled)
    assert found(one) == found(two)
    assert one.asked == two.asked


@pytest.mark.parametrize(("slot", "seconds"), [(Slot(ModelRaised("x")), 5.0), (Slot(7.0), -1.0)])
def test_what_nobody_knows_is_not_told(slot: Slot, seconds: float) -> None:
    """Where there was an error, or no time, nothing is said."""
    assert found(slot, seconds) == {}
