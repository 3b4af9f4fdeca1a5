"""The plan: who answers for one contract, and what has been loaded for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from stopgap.models.slot import Slot
from stopgap.models.specification import Specification
from stopgap.releases.release import Release
from stopgap.releases.routing import Routing


@dataclass(frozen=True, kw_only=True)
class SlotKey:
    """What a model is loaded for: which one, how it runs, and whether others come first."""

    number: int
    fingerprint: str
    specification: Specification
    background: bool  # a shadow's process yields to every other on the machine

    @classmethod
    def of(cls, release: Release, *, background: bool = False) -> "SlotKey | None":
        """Tell the key of a release's slot; the stand-in has none."""
        if release.specification is None:
            return None
        return cls(
            number=release.number,
            fingerprint=release.fingerprint,
            specification=release.specification,
            background=background,
        )


NOTHING: Mapping[SlotKey, Slot] = MappingProxyType({})


class Plan:
    """A contract's routing with its slots, which never change, and how many predictions use it.

    Args:
        routing: Who answers; None: that has never been known here, so nobody may.
        slots: What has been loaded. What is missing cannot be.
    """

    def __init__(self, routing: Routing | None, slots: Mapping[SlotKey, Slot] = NOTHING) -> None:
        self.routing = routing
        self.slots = slots
        self.inside = 0  # predictions that go by this plan, and may still ask any of its slots

    def slot(self, release: Release, *, background: bool = False) -> Slot | None:
        """Find what has been loaded for a release."""
        key = SlotKey.of(release, background=background)
        return self.slots.get(key) if key else None

    @property
    def can_answer(self) -> bool:
        """Whether somebody is there for every request: the live release, or who helps out."""
        routing = self.routing
        if routing is None:
            return False
        if routing.live.specification is None or routing.stand_in_fallback:
            return True
        helper = routing.previous
        return bool(self.slot(routing.live) or (helper and self.slot(helper)))

    def same_as(self, other: "Plan") -> bool:
        """Tell whether it would make no difference to go by another."""
        return (self.routing, dict(self.slots)) == (other.routing, dict(other.slots))
