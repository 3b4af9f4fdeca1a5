"""The one table of who may do what."""

from collections.abc import Mapping
from enum import StrEnum


class Role(StrEnum):
    """What somebody is to this server."""

    GUEST = "guest"  # whoever signs in under a name that is no account's, in the demo
    CLIENT = "client"
    OPERATOR = "operator"


class Permission(StrEnum):
    """What somebody may do."""

    PREDICT = "predict"
    MANAGE_OWN = "manage-own"  # list and delete what is one's own
    HOLD_KEYS = "hold-keys"  # have API keys and a password of one's own, which needs an account
    OPERATE = "operate"  # watch the server, and change what it serves


PERMISSIONS: Mapping[Role, frozenset[Permission]] = {
    Role.GUEST: frozenset({Permission.PREDICT, Permission.MANAGE_OWN}),
    Role.CLIENT: frozenset(Permission) - {Permission.OPERATE},
    Role.OPERATOR: frozenset(Permission),
}
