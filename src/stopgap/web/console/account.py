"""One's own account: its password, and the sessions that are open."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.password_change import change_own_password
from stopgap.accounts.passwords import PasswordTooLong, PasswordTooWeak
from stopgap.accounts.permissions import Permission
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.web import callers
from stopgap.web.answers import problem
from stopgap.web.console import said
from stopgap.web.current import parts

views = Blueprint("console_account", __name__, url_prefix="/console/account")

ROWS = 40
"""Sessions that are shown; an account that many share has more."""


@views.get("")
def page() -> Response:
    """Show who is signed in, the form for a new password, and the open sessions."""
    return said.telling("account.html", **_account())


@views.post("/password")
def change_password() -> Response:
    """Change one's own password; every other session ends."""
    owner = callers.in_person(Permission.HOLD_KEYS)
    current, new = request.form.get("current", ""), request.form.get("new", "")
    try:
        session_id = change_own_password(
            parts().accounts, parts().sign_in, owner, current, new, address=callers.address()
        )
    except (SignInRefused, SignInThrottled) as refusal:
        parts().metrics.login_failed(refusal.code)
        return problem(refusal, "account.html", at="current", **_account())
    except (PasswordTooWeak, PasswordTooLong) as refusal:
        return problem(refusal, "account.html", at="new", **_account())
    response = said.then(url_for("console_account.page"), "password-changed")
    callers.remember(response, session_id, guest=False)
    return response


@views.post("/sessions/<number>/end")
def end_session(number: str) -> Response:
    """End one of one's own sessions."""
    owner = callers.in_person(Permission.HOLD_KEYS)
    parts().sessions.end(owner.id, number)
    return said.then(url_for("console_account.page"), "session-ended")


@views.post("/sessions/end-others")
def end_other_sessions() -> Response:
    """End all of one's own sessions but the one that asks."""
    owner = callers.in_person(Permission.HOLD_KEYS)
    parts().sessions.revoke_all(owner.id, except_=callers.session_id())
    return said.then(url_for("console_account.page"), "sessions-ended")


def _account() -> dict[str, Any]:
    owner = callers.signed_in(Permission.MANAGE_OWN)
    if not owner.account:
        return {"sessions": [], "others": 0, "fixed": False}
    sessions = parts().sessions
    return {
        "sessions": sessions.list(owner.id, callers.session_id(), limit=ROWS),
        "others": max(0, sessions.count(owner.id) - ROWS),
        "fixed": parts().accounts.get(owner.name).fixed_password,
    }
