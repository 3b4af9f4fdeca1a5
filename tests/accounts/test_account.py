"""Names: what they may be, and when two are the same."""

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.accounts.account import NAME_MAX, AccountNameInvalid, fold_name


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Orhan", "oRHAN"),
        ("José", "JOSE\u0301"),
        ("straße", "STRASSE"),
        ("ΣΊΣΥΦΟΣ", "σίσυφος"),
        ("Å", "\u212b"),
        ("orhan", " orhan\u00a0"),
    ],
)
def test_one_name_in_several_spellings(one: str, other: str) -> None:
    """Capitals, spaces around it and the way an accent was typed make no other name."""
    assert fold_name(one) == fold_name(other)


@pytest.mark.parametrize("name", ["a", " a ", "x" * NAME_MAX, "名前", "🙂", "o'hara; --"])
def test_any_writable_name_is_allowed(name: str) -> None:
    """A name is 1 to 150 characters of any script."""
    assert fold_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "x" * (NAME_MAX + 1),
        " ",
        "\u00a0\u3000",
        "\u200b",
        "\u200b \u3000",
        "a\x00b",
        "a\nb",
        "a\x7f",
        "a\u0085b",
        "a\u2028b",
        "\ud800",
    ],
)
def test_a_name_that_cannot_be_is_refused(name: str) -> None:
    """Empty, long, blank and unwritable names are refused, with what arrived made writable."""
    with pytest.raises(AccountNameInvalid) as caught:
        fold_name(name)
    (fault,) = caught.value.faults
    assert fault.field == "username"
    str(fault.received).encode()  # can be written


@pytest.mark.parametrize("name", ["\u0378", "\ue000", "\u200bx"])
def test_what_this_python_does_not_know_may_be_seen(name: str) -> None:
    """A character of a newer Unicode, or of somebody's own, is not taken for a blank."""
    assert fold_name(name) == name


@given(st.text(min_size=1, max_size=NAME_MAX))
def test_folding_is_settled_or_refused(name: str) -> None:
    """Folding what is folded changes nothing, and so does folding another normal form of it."""
    try:
        folded = fold_name(name)
    except AccountNameInvalid:
        return
    again = unicodedata.normalize("NFC", unicodedata.normalize("NFD", folded).casefold())
    assert again == folded
    assert folded.encode()
