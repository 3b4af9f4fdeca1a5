"""A parcel service's contract: `stopgap serve --contract examples/delivery.py:contract`."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field
from stopgap import Contract


class Parcel(BaseModel):
    weight_kg: Annotated[float, Field(gt=0, le=30, examples=[2.5])]
    service: Literal["standard", "express"] = "standard"


class Delivery(BaseModel):
    days: Annotated[float, Field(ge=0.5, le=14)]
    carrier: Literal["north", "south"]


url = "/delivery/{weight_kg}/{service}"
contract = Contract(name="delivery-time", version="1.0.0", path=url, inputs=Parcel, output=Delivery)
