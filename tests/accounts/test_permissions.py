"""The permission table."""

import pytest

from stopgap.accounts.permissions import PERMISSIONS, Permission, Role


@pytest.mark.parametrize("role", Role)
def test_every_role_stands_in_the_table(role: Role) -> None:
    """Every role has its permissions, and may at least predict: the lanes ask no caller's role."""
    assert Permission.PREDICT in PERMISSIONS[role]


def test_only_operators_operate() -> None:
    """Nobody but an operator changes what the server serves."""
    may = [role for role, permissions in PERMISSIONS.items() if Permission.OPERATE in permissions]
    assert may == [Role.OPERATOR]


def test_keys_need_an_account() -> None:
    """Guests have no keys, since nothing of theirs would be left to hold them."""
    without = [role for role in Role if Permission.HOLD_KEYS not in PERMISSIONS[role]]
    assert without == [Role.GUEST]
