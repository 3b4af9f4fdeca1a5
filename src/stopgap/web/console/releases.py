"""Releases, for operators: looked at, and moved by clicking.

No model is added here: a kind of model that can run code never comes over the web.
"""

import re
from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.permissions import Permission
from stopgap.contracts.contract import Contract
from stopgap.errors import StopgapError
from stopgap.releases.gate import ReasonMissing
from stopgap.releases.move import latest
from stopgap.releases.release import STAND_IN_NUMBER, ContractNotServed
from stopgap.releases.stages import StandingChanged
from stopgap.web import callers
from stopgap.web.answers import page as plain_page
from stopgap.web.answers import problem
from stopgap.web.console import said
from stopgap.web.console.moving import FALLBACKS, OF_ALL, Wish, read_number
from stopgap.web.console.release_facts import address, all_of, one_of
from stopgap.web.current import parts

views = Blueprint("console_releases", __name__, url_prefix="/console/releases")

SEEN = re.compile(r"[0-9]{1,18}")
"""A version, within 64 bits."""


@views.get("")
def page() -> Response:
    """Show who answers, all releases of a contract, and what was done to them."""
    callers.signed_in(Permission.OPERATE)
    contract = _contract(request.args.get("contract") or parts().contracts[0].name)
    return said.telling("releases.html", **all_of(contract))


@views.get("/<contract>/<number>")
def show(contract: str, number: str) -> Response:
    """Show one release: its model, its verification, how it does, and what can be done with it."""
    callers.signed_in(Permission.OPERATE)
    return said.telling("release.html", **one_of(_contract(contract), read_number(number)))


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
        return address(_contract(wish.contract))
    return url_for("console_releases.show", contract=wish.contract, number=wish.number)


def _again(refusal: StopgapError, wish: Wish) -> Response:
    """Ask once more, by how the releases stand now, and tell what changed them."""
    try:
        question = _question(wish)
        if isinstance(refusal, StandingChanged):
            question["latest"] = latest(parts().releases.moves(wish.contract))
        return problem(refusal, "release_change.html", **question)
    except StopgapError as impossible:
        return _refused(impossible, wish)


def _refused(refusal: StopgapError, wish: Wish) -> Response:
    """Show the page that a change was asked on, and why it cannot be."""
    contract = _contract(wish.contract)
    if wish.action in OF_ALL:
        return problem(refusal, "releases.html", **all_of(contract))
    return problem(refusal, "release.html", **one_of(contract, wish.number))


def _question(wish: Wish) -> dict[str, Any]:
    version = parts().releases.routing(wish.contract).version  # first: what is newer is refused
    return {
        "contract": _contract(wish.contract),
        "contracts": parts().contracts,
        "wish": wish,
        "words": wish.words(parts().releases),
        "seen": version,
        "back": _after(wish),
    }


def _contract(name: str) -> Contract:
    if found := parts().contract(name):
        return found
    raise ContractNotServed(name, [each.name for each in parts().contracts])
