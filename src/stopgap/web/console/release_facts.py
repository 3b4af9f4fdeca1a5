"""What the pages about releases tell: of all releases of a contract, and of one."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import request, url_for

from stopgap.contracts.contract import Contract
from stopgap.releases.gate import ReleaseUnverified, check_verified
from stopgap.releases.move import Move
from stopgap.releases.register import Verification
from stopgap.releases.release import Release
from stopgap.releases.verification.report import BY_NAME
from stopgap.web.console import answering, performance
from stopgap.web.console.moving import read_number
from stopgap.web.current import parts

ROWS = 40
"""Releases, and moves, of a page."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A release as a line of the list."""

    release: Release
    gate: str  # why it is given no traffic; empty: it may have some
    overridden: Sequence[str]


def address(contract: Contract, below: int | None = None) -> str:
    """Tell where a contract's releases are; only those below a number, if one is given."""
    return url_for("console_releases.page", contract=contract.name, below=below)


def all_of(contract: Contract) -> dict[str, Any]:
    """Tell who answers, all releases of a contract, and what was done to them."""
    found = parts().releases.list(contract.name)
    below = request.args.get("below", "")
    shown = [each for each in found if not below or each.number < read_number(below)]
    more = len(shown) > ROWS
    shown = shown[:ROWS]
    return {
        "lines": _lines(contract, shown),
        "no_model": len(found) == 1,  # the stand-in, which is always there
        "first": address(contract) if below else None,
        "next": address(contract, below=shown[-1].number) if more else None,
        "moves": _moves(contract),
        **_standing(contract),
    }


def _standing(contract: Contract) -> dict[str, Any]:
    routing = parts().releases.routing(contract.name)
    return {
        "contract": contract,
        "contracts": parts().contracts,
        "answering": answering.told(routing),
        "failing": answering.failing(
            routing, contract.fingerprint, parts().watch.troubles(contract.name)
        ),
        "verdict": parts().watch.judge(contract.name),
        "canary": routing.canary,
        "live": routing.live,
        "stand_in_helps": routing.stand_in_fallback,
        "can_go_back": parts().releases.can_go_back(contract.name),
    }


def _moves(contract: Contract, number: int | None = None) -> Sequence[Move]:
    return parts().releases.moves(contract.name, number)[:ROWS]


def _lines(contract: Contract, releases: Sequence[Release]) -> list[Line]:
    verifications = parts().releases.verifications(
        contract.name, [each.number for each in releases]
    )
    return [_line(contract, *each) for each in zip(releases, verifications, strict=True)]


def _line(contract: Contract, release: Release, verification: Verification) -> Line:
    gate = ""
    if release.number:
        try:
            answers = release.stage == "live"  # and is sent nowhere, so what is new need not hold
            check_verified(release.number, *verification, contract, again=answers)
        except ReleaseUnverified as refusal:
            gate = refusal.detail
    return Line(release=release, gate=gate, overridden=verification.overridden)


def one_of(contract: Contract, number: int) -> dict[str, Any]:
    """Tell of one release: its model, its verification, how it does, and what can be done with it.

    Raises:
        ReleaseNotFound: there is none of this number.
    """
    release = parts().releases.show(contract.name, number)
    verification = parts().releases.verification(contract.name, number)
    return {
        "release": release,
        "name": answering.name(release),
        "line": _line(contract, release, verification),
        "report": verification.report,
        "rules": BY_NAME,
        "allowed": parts().releases.possible(contract.name, number),
        "performances": performance.lately(contract, release),
        "compared": performance.compared(contract, number),
        "moves": _moves(contract, number),
        **_standing(contract),
    }
