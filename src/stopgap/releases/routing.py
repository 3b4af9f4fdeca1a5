"""Routing: which release answers whom. Pure, so that every worker decides alike."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from stopgap.releases.release import Release

HASH_SPACE = 1 << 64
"""Keys are spread over so many points, of which a canary has its percentage."""


@dataclass(frozen=True, kw_only=True)
class Routing:
    """All that a worker has to know about who answers for one contract."""

    contract: str
    version: int  # goes up whenever something in it changes
    live: Release
    canary: Release | None = None
    shadows: tuple[Release, ...] = ()
    previous: Release | None = None  # the real release that answers when the live one cannot
    stand_in_fallback: bool = False  # the stand-in may answer for a failed real model

    def document(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        return {
            "contract": self.contract,
            "version": self.version,
            "live": self.live.document(),
            "canary": self.canary and self.canary.document(),
            "shadows": [each.document() for each in self.shadows],
            "previous": self.previous and self.previous.document(),
            "stand_in_fallback": self.stand_in_fallback,
        }

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` has written."""
        canary, previous = document["canary"], document["previous"]
        return cls(
            contract=document["contract"],
            version=document["version"],
            live=Release.of(document["live"]),
            canary=canary and Release.of(canary),
            shadows=tuple(Release.of(each) for each in document["shadows"]),
            previous=previous and Release.of(previous),
            stand_in_fallback=document["stand_in_fallback"],
        )


def chosen(routing: Routing, key: bytes) -> Release:
    """Choose who answers: the canary for its percentage of the keys, the live release else.

    The same key always has the same answerer. A greater percentage keeps all keys that a smaller
    one had, and another canary has other keys, so that nobody is always the first to try.

    Args:
        routing: Who answers for the contract.
        key: As `sticky_key` makes it.
    """
    canary = routing.canary
    if canary is None:
        return routing.live
    digest = hashlib.sha256(b"%b/%d/%b" % (canary.contract.encode(), canary.number, key)).digest()
    share = canary.percent / 100 * HASH_SPACE
    return canary if int.from_bytes(digest[:8]) < share else routing.live


def sticky_key(release: Release, caller: str | None, inputs: bytes) -> bytes:
    """Tell what a canary's share is a share of: callers or inputs, never addresses.

    Args:
        release: The canary.
        caller: The id of the account or guest that asks; who is nobody known goes by the inputs.
        inputs: The canonical JSON of the row.
    """
    if release.sticky == "caller" and caller is not None:
        return b"caller " + caller.encode(errors="replace")
    return b"inputs " + inputs
