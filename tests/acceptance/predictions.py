"""What MadCompany asks with, and what a prediction must look like."""

import re

from tests.acceptance.client import Answer

INPUTS = {"seller_available": 5, "month": "january", "customer_visiting_website": 100}
TEXTS = {name: str(value) for name, value in INPUTS.items()}
QUERY = "seller_available=5&month=january&customer_visiting_website=100"
BARE_INTEGER = re.compile(rb"[2-5][0-9]{3}")

MONTHS = {
    "january": "January JANUARY jAnUaRy jan JAN janvier januari Januar Jänner jän 1 01",
    "february": "February feb février fevrier FÉV fev februari Februar 2 02",
    "march": "March mar mars maart maa mrt März Maerz MÄR 3 03",
    "april": "April apr avril avr 4 04",
    "may": "May mai MAI mei Mei 5 05",
    "june": "June jun juin juni Juni 6 06",
    "july": "July jul juillet juli Juli 7 07",
    "august": "August aug août aout AOÛ augustus 8 08",
    "september": "September sep septembre 9 09",
    "october": "October oct octobre oktober OKT 10",
    "november": "November nov novembre 11",
    "december": "December dec décembre DÉC Dezember dez 12",
}
"""Each month, as people write it in English, French, Dutch and German."""


def assert_prediction(answer: Answer) -> int:
    """Hold an answer against the mail: the bare integer, and nothing else."""
    assert answer.status == 200, answer.body
    assert BARE_INTEGER.fullmatch(answer.body), answer.body
    assert 2000 <= int(answer.body) <= 5000
    assert answer.header("Content-Type") == "application/json"
    assert answer.header("Content-Length") == "4"
    assert answer.header("Stopgap-Release") == "stand-in"
    assert answer.header("X-Request-Id")
    return int(answer.body)
