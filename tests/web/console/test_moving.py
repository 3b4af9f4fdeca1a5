"""Moving a release by a form: whatever is sent is either understood or is no page."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from stopgap.problems import PageNotFound
from stopgap.web.console.moving import ACTIONS, Wish

SENT = st.fixed_dictionaries(
    {},
    optional={
        "action": st.sampled_from(ACTIONS) | st.text(max_size=8),
        "number": st.from_regex("[0-9]{1,12}") | st.text(max_size=4),
        "percent": st.from_regex("[0-9]{1,4}[.,]?[0-9]{0,5} ?%?") | st.text(max_size=6),
        "sticky": st.sampled_from(["caller", "inputs", "nobody"]),
        "rule": st.text(max_size=5),
        "reason": st.text(max_size=5),
    },
)


@given(SENT)
def test_what_is_confirmed_is_what_was_asked(sent: dict[str, str]) -> None:
    """A confirmation's form says the same as what led to it, but for the reason."""
    try:
        wish = Wish.of("test", sent)
    except PageNotFound:
        return
    again = Wish.of("test", wish.values())
    assert (again.action, again.number, again.share()) == (wish.action, wish.number, wish.share())
    assert (again.sticky, again.rule, again.reason) == (wish.sticky, wish.rule, "")
    assert wish.number < 2**31


@pytest.mark.parametrize("action", [each for each in ACTIONS if each != "canary"])
def test_only_a_canary_has_a_share(action: str) -> None:
    """A percentage beside anything else is not taken for one."""
    assert Wish.of("test", {"action": action, "percent": "10"}).share() is None
