"""Digests of secrets."""

from hypothesis import assume, given
from hypothesis import strategies as st

from stopgap.accounts.digest import digest

TEXTS = st.lists(st.text(st.characters()), max_size=3)


@given(TEXTS, TEXTS)
def test_other_parts_have_another_digest(one: list[str], other: list[str]) -> None:
    """No two lists of parts share a digest, however the same letters are cut."""
    assume(one != other)
    assert digest(b"key", "purpose", *one) != digest(b"key", "purpose", *other)


def test_another_secret_or_purpose_has_another_digest() -> None:
    """A digest tells nothing to who has another secret, and serves one purpose only."""
    made = {digest(b"a", "x", "v"), digest(b"b", "x", "v"), digest(b"a", "y", "v")}
    assert len(made) == 3
    assert {len(each) for each in made} == {64}
