"""The peer: from which address a request comes, behind whatever proxies are believed."""

from collections.abc import Sequence

from stopgap.address import Network, address_behind
from stopgap.front.asgi import Scope, values_of


def address_of(scope: Scope, trusted: Sequence[Network]) -> str:
    """Tell the client's address; nothing where the server does not know it.

    Args:
        trusted: Proxies that are believed about it.
    """
    named = values_of(scope, b"x-forwarded-for")
    peer = scope["client"][0] if scope.get("client") else ""
    return address_behind(peer, b",".join(named).decode("latin-1"), trusted)
