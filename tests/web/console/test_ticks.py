"""Backticks in our texts become code on pages."""

from hypothesis import given
from hypothesis import strategies as st

from stopgap.web.console.ticks import ticked


def test_code() -> None:
    """What stands between two backticks is set as code; one alone stays."""
    assert ticked("the `name`, a ` and <b>") == "the <code>name</code>, a ` and &lt;b&gt;"


@given(st.text(alphabet="`<>&\"'ab "))
def test_nothing_else_becomes_markup(text: str) -> None:
    """No text brings markup of its own."""
    plain = ticked(text).replace("<code>", "").replace("</code>", "")
    assert not set("<>\"'") & set(plain)
