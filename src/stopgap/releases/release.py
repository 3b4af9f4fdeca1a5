"""A release: one model put on one contract, under a number."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any, Literal, Self

from stopgap.errors import StopgapError
from stopgap.models.specification import Specification

Stage = Literal["candidate", "shadow", "canary", "live", "retired"]
Sticky = Literal["caller", "inputs"]

WHOSE: Mapping[Sticky, str] = {"caller": "of the callers", "inputs": "of the inputs"}
"""What a canary's share is of, in words."""

ON_DUTY: tuple[Stage, ...] = ("live", "canary", "shadow")
"""Where a release has traffic, the foremost first."""

STAND_IN_NUMBER = 0
STAND_IN = "stand-in"
"""How release 0 is called wherever a client can see it: nobody is told that it is a model."""


class ReleaseNotFound(StopgapError):
    """The contract has no release of this number."""

    def __init__(self, contract: str, number: int) -> None:
        which = str(number) if number else "0 with a model: that is the stand-in"
        super().__init__(f"{contract} has no release {which}.")


class ContractNotServed(StopgapError):
    """No contract of this name is served here."""

    def __init__(self, name: str, served: Collection[str]) -> None:
        verb = "is" if len(served) == 1 else "are"
        super().__init__(f"No contract {name!r:.100} is served here; {', '.join(served)} {verb}.")


@dataclass(frozen=True, kw_only=True)
class Release:
    """One model on one contract."""

    contract: str
    number: int  # from 1 on, without gaps; 0 is the stand-in
    fingerprint: str  # of the contract that it was last verified or added for; "": it failed
    specification: Specification | None  # None: the stand-in
    stage: Stage
    percent: float = 0.0  # of the requests that it answers as a canary
    sticky: Sticky = "caller"  # whose share a canary is: of callers, or of inputs
    created_at: datetime | None = None  # None: the stand-in, which was always there
    created_by: str = ""
    note: str = ""

    @property
    def name(self) -> str:
        """What clients and the journal see: `stand-in`, or the number."""
        return name_of(self.number)

    @property
    def artifact(self) -> str | None:
        """The SHA-256 of its model's file; None: it has none that is kept."""
        return self.specification.artifact if self.specification else None

    def document(self) -> dict[str, Any]:
        """Write it as JSON can hold it."""
        written = asdict(self)
        written["specification"] = self.specification and self.specification.document()
        written["created_at"] = self.created_at and self.created_at.isoformat()
        return written

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` has written."""
        specification, moment = document["specification"], document["created_at"]
        return cls(
            **{
                **document,
                "specification": specification and Specification.of(specification),
                "created_at": moment and datetime.fromisoformat(moment),
            }
        )


def name_of(number: int) -> str:
    """Tell the name that clients and the journal see of a release."""
    return str(number) if number else STAND_IN


def stand_in_release(contract: str, fingerprint: str, stage: Stage) -> Release:
    """Make release 0 of a contract; it has no row, because nobody ever added it."""
    return Release(
        contract=contract,
        number=STAND_IN_NUMBER,
        fingerprint=fingerprint,
        specification=None,
        stage=stage,
    )
