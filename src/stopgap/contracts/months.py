"""Months, as people write them in English, French, Dutch and German."""

from typing import Annotated, Literal

from stopgap.contracts.spellings import Spellings, fold

NAMES: dict[str, tuple[str, ...]] = {
    "january": ("January", "janvier", "januari", "Januar", "Jänner"),
    "february": ("February", "février", "februari", "Februar"),
    "march": ("March", "mars", "maart", "März", "Maerz", "mrt"),
    "april": ("April", "avril"),
    "may": ("May", "mai", "mei"),
    "june": ("June", "juin", "juni"),
    "july": ("July", "juillet", "juli"),
    "august": ("August", "août", "augustus"),
    "september": ("September", "septembre"),
    "october": ("October", "octobre", "oktober"),
    "november": ("November", "novembre"),
    "december": ("December", "décembre", "Dezember"),
}
"""Canonical month -> its names, and the Dutch short form that is no beginning of its name."""


def _readings() -> dict[str, str]:
    """Every full name and three-letter form; `jui` begins two French months, so it is none."""
    readings = {fold(name): month for month, names in NAMES.items() for name in names}
    meanings: dict[str, set[str]] = {}
    for name, month in readings.items():
        meanings.setdefault(name[:3], set()).add(month)
    short = {form: months.pop() for form, months in meanings.items() if len(months) == 1}
    numbers = {
        text: month
        for number, month in enumerate(NAMES, start=1)
        for text in (str(number), f"{number:02}")
    }
    return short | readings | numbers


Month = Annotated[
    Literal[
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
    ],
    Spellings(
        readings=_readings(),
        numbers=dict(enumerate(NAMES, start=1)),
        described=(
            "or its name or first three letters in English, French, Dutch or German, or 1 to 12"
        ),
    ),
]
"""A month, kept as its English name in small letters."""
