"""The address of who asks: when proxies stand between, and what counts as one."""

import ipaddress
import re
from collections.abc import Sequence

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


def address_behind(peer: str, forwarded: str, trusted: Sequence[Network]) -> str:
    """Tell the client's address.

    Each trusted proxy has appended the address it saw to X-Forwarded-For, so the list is read from
    its end, as long as the one who wrote an entry is trusted.

    Args:
        peer: Who is connected.
        forwarded: X-Forwarded-For; empty where there is none.
        trusted: The proxies that are believed.
    """
    more = ","
    while more and is_trusted(peer, trusted):
        forwarded, more, entry = forwarded.rpartition(",")
        claimed = _without_port(entry.strip())
        if not _is_address(claimed):
            break
        peer = claimed
    return peer


def is_trusted(address: str, trusted: Sequence[Network]) -> bool:
    """Tell whether an address is that of a proxy that is believed."""
    if not trusted or not _is_address(address):
        return False
    found = ipaddress.ip_address(address)
    mapped = getattr(found, "ipv4_mapped", None) or found
    return any(mapped in network for network in trusted if network.version == mapped.version)


def is_of_this_machine(host: str) -> bool:
    """Tell whether only this machine reaches an address to listen on."""
    return host == "localhost" or (_is_address(host) and ipaddress.ip_address(host).is_loopback)


def leads_nowhere_else(host: str) -> bool:
    """Tell whether a URL's host is an address, or a name that means this machine everywhere.

    Whoever owns another name may have it lead anywhere, and elsewhere a moment later.
    """
    return host == "localhost" or host.endswith(".localhost") or _is_address(host)


def network_of(address: str) -> str:
    """Tell what counts as one address: of IPv6 the /64, which is what one customer is given.

    What is no IP address (a socket's name) counts as it is.
    """
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(found, ipaddress.IPv4Address):
        return str(found)
    if found.ipv4_mapped:
        return str(found.ipv4_mapped)
    return str(ipaddress.ip_network((int(found), 64), strict=False))


def _without_port(entry: str) -> str:
    """Read an address as some proxies write it: `192.0.2.1:4711`, `[2001:db8::1]:4711`."""
    found = re.fullmatch(r"\[([^\]]*)\](?::[0-9]+)?|([^:]*):[0-9]+", entry)
    return entry if found is None else found[1] or found[2] or ""


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
