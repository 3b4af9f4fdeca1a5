"""What arrives is split first, and decoded then."""

import pytest

from stopgap.contracts.given import Given, path_values, query_values


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/p/a%2Fb/x/c", ["a/b", "c"]),
        ("/p/a/x/c/", ["a", "c"]),
        ("/p/a/%78/c", ["a", "c"]),
        ("/p/+/x/%2B", ["+", "+"]),
        ("/p/../x/c", ["..", "c"]),
        ("/p//x/c", ["", "c"]),
        ("/p/a/y/c", None),
        ("/p/a/x", None),
        ("/p/a/x/c/d", None),
        ("/p/a/x/c//", None),
    ],
)
def test_a_raw_path_is_split_before_it_is_decoded(path: str, found: list[str] | None) -> None:
    """`%2F` is no slash, `+` no space, and one slash at the end no part."""
    values = path_values("/p/{n}/x/{m}", path)
    assert (None if values is None else [str(value.value) for value in values]) == found


def test_a_query_is_split_before_it_is_decoded() -> None:
    """`%26` is no ampersand, and `+` is a space, as forms write it."""
    assert query_values("a=1%262&b=+%2B&c&d=e=f&&") == [
        Given("a", "1&2"),
        Given("b", " +"),
        Given("c", ""),
        Given("d", "e=f"),
    ]
