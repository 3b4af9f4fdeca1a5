"""Accounts, for operators: who may sign in, and what becomes of them."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.account import AccountExists, AccountNameInvalid, fold_name
from stopgap.accounts.permissions import Permission, Role
from stopgap.web import callers
from stopgap.web.answers import page as plain_page
from stopgap.web.answers import problem
from stopgap.web.console import said
from stopgap.web.current import parts

views = Blueprint("console_accounts", __name__, url_prefix="/console/accounts")

ROWS = 40
"""Accounts of a page."""

ROLES = {str(role): role for role in (Role.CLIENT, Role.OPERATOR)}


@views.get("")
def page() -> Response:
    """Show all accounts, by name, and the form for a new one."""
    return said.telling("accounts.html", **_accounts())


@views.post("")
def add() -> Response:
    """Add an account; its password is generated, and shown once."""
    callers.in_person(Permission.OPERATE)
    name, role = request.form.get("name", ""), ROLES.get(request.form.get("role", ""), Role.CLIENT)
    try:
        account, password = parts().accounts.invite(name, role)
    except (AccountExists, AccountNameInvalid) as refusal:
        return problem(refusal, "accounts.html", sent=request.form, **_accounts())
    return plain_page("accounts.html", 201, told=account.name, password=password, **_accounts())


@views.post("/reset")
def reset() -> Response:
    """Give an account a generated password, shown once; its sessions end."""
    callers.in_person(Permission.OPERATE)
    name = request.form.get("name", "")
    password = parts().accounts.reset_password(name)
    return plain_page("accounts.html", told=name, password=password, **_accounts())


@views.post("/disable")
def disable() -> Response:
    """Disable an account: its sessions end, its keys are refused."""
    operator = callers.in_person(Permission.OPERATE)
    return _do(lambda name: parts().accounts.disable(name, by=operator.id), "account-disabled")


@views.post("/enable")
def enable() -> Response:
    """Enable an account again."""
    callers.in_person(Permission.OPERATE)
    return _do(parts().accounts.enable, "account-enabled")


@views.post("/sign-out")
def sign_out() -> Response:
    """End all sessions of an account."""
    callers.in_person(Permission.OPERATE)
    return _do(parts().accounts.end_sessions, "account-signed-out")


def _do(change: Callable[[str], None], said_then: str) -> Response:
    change(request.form.get("name", ""))
    return said.then(url_for("console_accounts.page"), said_then)


def _accounts() -> dict[str, Any]:
    operator = callers.signed_in(Permission.OPERATE)
    after = request.args.get("after", "")
    found = parts().accounts.list(after=_name(after), limit=ROWS + 1)
    shown = found[:ROWS]
    return {
        "accounts": shown,
        "own": operator.id,
        "first": url_for("console_accounts.page") if after else None,
        "next": (
            url_for("console_accounts.page", after=shown[-1].name) if len(found) > ROWS else None
        ),
    }


def _name(after: str) -> str:
    """Read where a page begins; what is no name begins at the first."""
    with suppress(AccountNameInvalid):
        fold_name(after)
        return after
    return ""
