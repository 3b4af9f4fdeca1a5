"""Keys: what one's own programs send instead of signing in; made, shown once, revoked."""

from typing import Any

from flask import Blueprint, Response, request, url_for

from stopgap.accounts.keys import KeyLabelInvalid, KeyQuotaReached
from stopgap.accounts.permissions import Permission
from stopgap.contracts.examples import example_inputs
from stopgap.web import callers
from stopgap.web.answers import page as plain_page
from stopgap.web.answers import problem
from stopgap.web.console import said
from stopgap.web.current import parts

views = Blueprint("console_keys", __name__, url_prefix="/console/keys")


@views.get("")
def page() -> Response:
    """Show one's own keys, newest first, and the form for a new one."""
    return said.telling("keys.html", **_keys())


@views.post("")
def create() -> Response:
    """Make a key, and show it once: it is stored nowhere, so no other page can."""
    owner = callers.in_person(Permission.HOLD_KEYS)
    label = request.form.get("label", "").strip()
    try:
        key, secret = parts().keys.create(owner.name, label, account_id=owner.id)
    except (KeyLabelInvalid, KeyQuotaReached) as refusal:
        return problem(refusal, "keys.html", label=label, **_keys())
    return plain_page("keys.html", 201, made=key, secret=secret, **_keys())


@views.post("/<key_id>/revoke")
def revoke(key_id: str) -> Response:
    """Revoke a key of one's own."""
    owner = callers.in_person(Permission.HOLD_KEYS)
    parts().keys.revoke(key_id, owner.id)
    return said.then(url_for("console_keys.page"), "key-revoked")


def _keys() -> dict[str, Any]:
    owner = callers.signed_in(Permission.MANAGE_OWN)
    contract = parts().contracts[0]
    own = parts().keys.list(owner.name, account_id=owner.id) if owner.account else []
    return {
        "keys": own,
        "example": contract.address(example_inputs(contract)),
    }
