"""A contract whose inputs are called as a form's own parts, and whose output is an object."""

from typing import Annotated, Literal

from pydantic import BaseModel, Field

from stopgap import Contract


class Sample(BaseModel):
    """What is asked."""

    size: Annotated[int, Field(ge=1, le=9)]
    dataset: Literal["train", "test"] = "train"
    matches: Annotated[int, Field(ge=0, le=9)] = 0


class Score(BaseModel):
    """What is answered."""

    rank: Annotated[int, Field(ge=1, le=3)]
    label: Literal["good", "bad"]


contract = Contract(name="odd", version="1.0.0", path="/score/{size}", inputs=Sample, output=Score)
