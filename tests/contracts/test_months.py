"""Months are read as people write them in four languages, and nothing else is a month."""

import unicodedata

import pytest
from pydantic import TypeAdapter, ValidationError
from tests.contracts.promises import kind

from stopgap.contracts import kinds, values
from stopgap.contracts.months import Month

MONTH = kind(Month)

WRITTEN = {
    "january": "January janvier januari Januar Jänner Janner jan jän 1 01",
    "february": "February février fevrier februari Februar feb fév fev 2 02",
    "march": "March mars maart März Marz Maerz mar maa mär mae mrt 3 03",
    "april": "April avril apr avr 4 04",
    "may": "May mai mei 5 05",
    "june": "June juin juni jun 6 06",
    "july": "July juillet juli jul 7 07",
    "august": "August août aout augustus aug aoû aou 8 08",
    "september": "September septembre sep 9 09",
    "october": "October octobre oktober oct okt 10",
    "november": "November novembre nov 11",
    "december": "December décembre decembre Dezember dec déc dez 12",
}
CASES = [(text, month) for month, texts in WRITTEN.items() for text in texts.split()]


@pytest.mark.parametrize(("text", "month"), CASES)
def test_a_month_is_read_in_any_case_and_encoding(text: str, month: str) -> None:
    """Each name and short form is its month, in any case, composed or not; so says pydantic."""
    for form in (text, text.lower(), text.upper(), text.title(), text.swapcase()):
        composed, decomposed = (unicodedata.normalize(way, form) for way in ("NFC", "NFD"))
        for written in (composed, decomposed):
            assert values.read_text(MONTH, written) == month
            assert values.read_json(MONTH, written) == month
            assert TypeAdapter(Month).validate_python(written) == month


def test_the_list_above_is_whole() -> None:
    """No spelling is read that these tests do not know."""
    assert isinstance(MONTH, kinds.Choice)
    assert {form: MONTH.spellings[form] for form in MONTH.spellings} == {
        text.lower(): month for text, month in CASES
    }


@pytest.mark.parametrize(("number", "month"), list(enumerate(WRITTEN, start=1)))
def test_a_json_number_is_a_month(number: int, month: str) -> None:
    """1 to 12 are months in JSON, too."""
    assert values.read_json(MONTH, number) == values.read_json(MONTH, float(number)) == month


NO_MONTHS = [
    *["jui", "juil", "janua", "ja", "j", "sept", "Jänúar", "monday", "january\n", " may"],
    *["0", "00", "13", "001", "1.0", "+1", "-1", "\u0661", "\uff11", "\x00"],
]


@pytest.mark.parametrize("text", NO_MONTHS)
def test_anything_else_is_no_month(text: str) -> None:
    """`jui` begins two French months, so it is none; nor is a number outside of 1 to 12."""
    with pytest.raises(values.OutOfBounds):
        values.read_text(MONTH, text)
    with pytest.raises(ValidationError):
        TypeAdapter(Month).validate_python(text)


@pytest.mark.parametrize("value", [0, 13, -1, 1.5, True, None, [], {}, ["january"]])
def test_any_other_json_is_no_month(value: object) -> None:
    """In JSON a month is a text or a number from 1 to 12; true is not 1."""
    with pytest.raises(values.OutOfBounds):
        values.read_json(MONTH, value)
