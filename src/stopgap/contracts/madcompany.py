"""MadCompany's contract: the routes of the client's mail, served when nobody names another."""

from typing import Annotated

from pydantic import AliasChoices, BaseModel, Field

from stopgap.contracts.contract import Contract
from stopgap.contracts.kinds import INTEGER_MAX
from stopgap.contracts.months import Month


class Sales(BaseModel):
    """What MadCompany asks with."""

    seller_available: Annotated[
        int,
        Field(
            ge=0,
            le=INTEGER_MAX,
            title="Sellers available",
            description="How many sellers are at work in that month.",
            examples=[5, 20],
            validation_alias=AliasChoices("seller_available", "seller_avaible"),
            json_schema_extra={"unit": "people"},
        ),
    ]
    month: Annotated[
        Month, Field(description="The month to predict.", examples=["january", "october"])
    ]
    customer_visiting_website: Annotated[
        int,
        Field(
            ge=0,
            le=INTEGER_MAX,
            title="Customers visiting the website",
            description="How many customers visit the website in that month.",
            examples=[100, 1200],
            json_schema_extra={"unit": "people"},
        ),
    ]


contract = Contract(
    name="madcompany",
    version="1.0.0",
    path="/predict/{seller_available}/{month}/{customer_visiting_website}",
    inputs=Sales,
    output=Annotated[int, Field(ge=2000, le=5000)],
    title="MadCompany's prediction API",
    description="Predicts a month's sales from the sellers at work and the website's visitors.",
    output_description="The prediction, a bare integer from 2000 to 5000.",
    mistaken_paths=["/predict/{month}/{customer_visiting_website}/{seller_available}"],
)
"""The contract of the mail, which also names the inputs in another order (`mistaken_paths`)."""
