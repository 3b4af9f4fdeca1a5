"""Releases, for operators: who answers, how each release does, and moving them by clicking.

No model is added here: a kind of model that can run code never comes over the web.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.permissions import Permission
from stopgap.contracts import kinds
from stopgap.contracts.contract import Contract
from stopgap.errors import StopgapError
from stopgap.releases.gate import ReasonMissing, ReleaseUnverified, check_verified
from stopgap.releases.move import Move
from stopgap.releases.moves import StandingChanged
from stopgap.releases.release import STAND_IN_NUMBER, ContractNotServed, Release
from stopgap.releases.tally import OUTCOMES, Tally
from stopgap.releases.verification.report import BY_NAME, Report
from stopgap.web import callers
from stopgap.web.answers import page as plain_page
from stopgap.web.answers import problem
from stopgap.web.console import answering, charts, said
from stopgap.web.console.moving import FALLBACKS, OF_ALL, Wish, read_number
from stopgap.web.parts import parts

views = Blueprint("console_releases", __name__, url_prefix="/console/releases")

SEEN = re.compile(r"[0-9]{1,18}")
"""A version, within 64 bits."""

ROWS = 40
"""Releases, and moves, of a page."""

LARGEST = 10
"""Of the differences between two releases, how many a page shows."""

COUNTED = timedelta(hours=1)
"""How far back requests are counted."""

SHARES = (("Median", 0.5), ("p90", 0.9), ("p99", 0.99))
"""Shares of the answers whose durations are told."""

FAILED = {
    "raised": "raised",
    "late": "late",
    "died": "died",
    "unavailable": "not ready",
    "breach": "against the contract",
}
"""The ways to have no valid answer, in words."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """A release as a line of the list."""

    release: Release
    gate: str  # why it is given no traffic; empty: it may have some
    overridden: Sequence[str]


@dataclass(frozen=True, kw_only=True)
class Doing:
    """How a release has done lately."""

    name: str
    requests: int
    failures: Sequence[tuple[str, int]]
    durations: Sequence[tuple[str, str]]  # a share of its answers, and within which time it came


@views.get("")
def page() -> Response:
    """Show who answers, all releases of a contract, and what was done to them."""
    callers.signed_in(Permission.OPERATE)
    contract = _contract(request.args.get("contract") or parts().contracts[0].name)
    return said.telling("releases.html", **_all(contract))


@views.get("/<contract>/<number>")
def show(contract: str, number: str) -> Response:
    """Show one release: its model, its verification, how it does, and what can be done with it."""
    callers.signed_in(Permission.OPERATE)
    return said.telling("release.html", **_one(_contract(contract), read_number(number)))


@views.get("/<contract>/change")
def ask(contract: str) -> Response:
    """Say what a change would do to each release, and ask for confirmation."""
    callers.signed_in(Permission.OPERATE)
    wish = Wish.of(_contract(contract).name, request.args)
    try:
        return plain_page("release_change.html", **_question(wish))
    except StopgapError as refusal:
        return _refused(refusal, wish)


@views.post("/<contract>/change")
def change(contract: str) -> Response:
    """Do what was confirmed, unless the releases have changed since."""
    operator = callers.in_person(Permission.OPERATE)
    wish = Wish.of(_contract(contract).name, request.form)
    try:
        wish.grant(parts().releases.as_seen(_seen()), operator.name)
    except (ReasonMissing, StandingChanged) as refusal:
        return _again(refusal, wish)
    except StopgapError as refusal:
        return _refused(refusal, wish)
    return said.then(_after(wish), _done(wish))


def _done(wish: Wish) -> str:
    """Name what is to be said of what was done: no worker has a model to load for going back."""
    own = {"override": "release-overridden", "retire": "release-retired"}
    if wish.action in own:
        return own[wish.action]
    drawn = parts().releases.routing(wish.contract).live.number == STAND_IN_NUMBER
    back = wish.action in {"withdraw", *FALLBACKS} or (
        drawn and wish.action in {"live", "rollback"}
    )
    return "release-back" if back else "release-moved"


def _seen() -> int:
    """Tell at which version the operator decided; none at all is as good as an old one."""
    text = request.form.get("seen", "")
    return int(text) if SEEN.fullmatch(text) else -1


def _after(wish: Wish) -> str:
    if wish.action in OF_ALL:
        return _address(_contract(wish.contract))
    return url_for("console_releases.show", contract=wish.contract, number=wish.number)


def _again(refusal: StopgapError, wish: Wish) -> Response:
    """Ask once more, by how the releases stand now."""
    try:
        return problem(refusal, "release_change.html", **_question(wish))
    except StopgapError as impossible:
        return _refused(impossible, wish)


def _refused(refusal: StopgapError, wish: Wish) -> Response:
    """Show the page that a change was asked on, and why it cannot be."""
    contract = _contract(wish.contract)
    if wish.action in OF_ALL:
        return problem(refusal, "releases.html", **_all(contract))
    return problem(refusal, "release.html", wish=wish, **_one(contract, wish.number))


def _question(wish: Wish) -> dict[str, Any]:
    version = parts().releases.routing(wish.contract).version  # first: what is newer is refused
    return {
        "wish": wish,
        "words": wish.words(parts().releases),
        "seen": version,
        "back": _after(wish),
    }


def _contract(name: str) -> Contract:
    if found := parts().contract(name):
        return found
    raise ContractNotServed(name, [each.name for each in parts().contracts])


def _address(contract: Contract, **query: int) -> str:
    return url_for("console_releases.page", contract=contract.name, **query)  # type: ignore[arg-type]  # Flask's own options are named, too


def _all(contract: Contract) -> dict[str, Any]:
    found = parts().releases.list(contract.name)
    below = request.args.get("below", "")
    shown = [each for each in found if not below or each.number < read_number(below)]
    more = len(shown) > ROWS
    shown = shown[:ROWS]
    return {
        "contract": contract,
        "contracts": parts().contracts,
        "lines": [_line(contract, each) for each in shown],
        "no_model": len(found) == 1,  # the stand-in, which is always there
        "first": _address(contract) if below else None,
        "next": _address(contract, below=shown[-1].number) if more else None,
        "moves": _moves(contract),
        **_standing(contract),
    }


def _standing(contract: Contract) -> dict[str, Any]:
    routing = parts().releases.routing(contract.name)
    return {
        "answering": answering.told(routing, contract.fingerprint),
        "verdict": parts().watch.judge(contract.name),
        "canary": routing.canary,
        "live": routing.live,
        "stand_in_helps": routing.stand_in_fallback,
        "can_go_back": parts().releases.can_go_back(contract.name),
    }


def _moves(contract: Contract, number: int | None = None) -> Sequence[Move]:
    return parts().releases.moves(contract.name, number)[:ROWS]


def _line(contract: Contract, release: Release) -> Line:
    known, number = parts().releases, release.number
    return _gated(
        contract,
        release,
        known.report(contract.name, number),
        known.overridden(contract.name, number),
    )


def _gated(
    contract: Contract, release: Release, report: Report | None, overridden: Sequence[str]
) -> Line:
    gate = ""
    if release.number:
        try:
            check_verified(release.number, report, overridden, contract.fingerprint)
        except ReleaseUnverified as refusal:
            gate = refusal.detail
    return Line(release=release, gate=gate, overridden=overridden)


def _one(contract: Contract, number: int) -> dict[str, Any]:
    release = parts().releases.show(contract.name, number)
    report = parts().releases.report(contract.name, number)
    overridden = parts().releases.overridden(contract.name, number)
    return {
        "contract": contract,
        "release": release,
        "name": answering.name(release),
        "line": _gated(contract, release, report, overridden),
        "report": report,
        "rules": BY_NAME,
        "allowed": parts().releases.possible(contract.name, number),
        "doing": _lately(contract, release),
        "compared": _compared(contract, number),
        "moves": _moves(contract, number),
        **_standing(contract),
    }


def _lately(contract: Contract, release: Release) -> Sequence[Doing]:
    """Tell how a release and the live one have done in the last hour, side by side."""
    live = parts().releases.routing(contract.name).live
    tallies = parts().watch.tallies(contract.name, parts().clock.now() - COUNTED)
    asked = dict.fromkeys([release.number, live.number])
    return [_doing(number, tallies[number]) for number in asked if number in tallies]


def _doing(number: int, tally: Tally) -> Doing:
    return Doing(
        name=answering.name(number),
        requests=tally.requests,
        failures=[
            (FAILED[each], count)
            for each in OUTCOMES
            if each != "ok" and (count := tally.outcomes[each])
        ],
        durations=[(words, _duration(tally.within(share))) for words, share in SHARES],
    )


def _duration(micros: float | None) -> str:
    return "none" if micros is None else f"{micros / 1_000:,.3g} ms"


def _compared(contract: Contract, number: int) -> Sequence[Mapping[str, Any]]:
    """Set a release's answers beside those of each that answered the same requests."""
    found, name = [], answering.name(number)
    for other in parts().watch.compared_with(contract.name, number):
        given = answering.name(other)
        whole = parts().watch.comparison(contract.name, number, other)
        if whole.compared:
            found.append(
                {
                    "other": other,
                    "name": given,
                    "pairs": whole.compared,
                    "agreement": whole.agreement,
                    "charts": [
                        (part, charts.differences(spread, given, name, _width(contract, part)))
                        for part, spread in whole.spreads.items()
                    ],
                    "largest": whole.largest[:LARGEST],
                }
            )
    return found


def _width(contract: Contract, part: str) -> float:
    """Tell how wide the promised range of an output, or of a part of it, is; words have none."""
    kind: kinds.Kind | None = contract.output_kind
    if isinstance(kind, kinds.Record):
        kind = next((each.kind for each in kind.fields if each.name == part), None)
    return kind.high - kind.low if isinstance(kind, kinds.Integer | kinds.Number) else 0.0
