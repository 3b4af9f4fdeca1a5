"""Who asks: from the session cookie or the API key to a caller, and what that caller may do."""

from flask import Response, after_this_request, g, request
from werkzeug.sansio.http import parse_cookie

from stopgap.accounts.account import Caller
from stopgap.accounts.keys import bearer
from stopgap.accounts.permissions import PERMISSIONS, Permission
from stopgap.accounts.recent import Credential
from stopgap.errors import StopgapError
from stopgap.parts import Parts
from stopgap.problems import (
    KeyRefused,
    PermissionMissing,
    PredictionsThrottled,
    SignInNeeded,
)
from stopgap.request_notes import COUNTED, LOOKUP_ERROR
from stopgap.web import cookies
from stopgap.web.current import parts
from stopgap.web.peer import address_of

COOKIE = "stopgap_session"


def caller() -> Caller | None:
    """Find who asks; None for somebody without a session or key.

    Raises:
        KeyRefused: a key was sent that is none.
    """
    if "caller" not in g:
        g.caller = _find()
    found: Caller | None = g.caller
    return found


def _find() -> Caller | None:
    error: StopgapError | None = request.environ.get(LOOKUP_ERROR)
    if error is not None:  # it took the database's whole patience; nobody waits for that twice
        raise error
    authorization = request.headers.get("Authorization", "")
    g.by_key = bearer(authorization) is not None
    if not g.by_key:
        return _whose(parts(), (b"cookie", request.headers.get("Cookie", "").encode("latin-1")))
    found = _whose(parts(), (b"authorization", authorization.encode("latin-1")))
    if found is None:
        raise KeyRefused("The API key is not known here, or it was revoked.")
    return found


def look_up(built: Parts, credential: Credential) -> StopgapError | None:
    """Find whose a header is, so that it is known for a moment; return what was in the way."""
    try:
        _whose(built, credential)
    except StopgapError as error:
        return error
    return None


def _whose(built: Parts, credential: Credential) -> Caller | None:
    """Tell whose a header is, and remember it; a key that is none is looked up each time."""
    name, value = credential
    text = value.decode("latin-1")
    if name == b"authorization":
        key = bearer(text)
        found = built.keys.caller(key) if key else None
        if found is None:
            return None
    else:
        known = parse_cookie(text).get(COOKIE)
        found = built.sessions.caller(known) if known else None
    built.recent.remember(credential, found)
    return found


def session_id() -> str | None:
    """Tell the session id that the browser sent."""
    return request.cookies.get(COOKIE) or None


def caller_id() -> str | None:
    """Tell the id of who asks; None for somebody without a session or key."""
    found = caller()
    return found.id if found else None


def signed_in(permission: Permission) -> Caller:
    """Return the caller, who must be somebody and have the permission.

    Raises:
        SignInNeeded: nobody asks.
        PermissionMissing: the caller's role does not allow it.
    """
    found = caller()
    if found is None:
        raise SignInNeeded
    if permission not in PERMISSIONS[found.role]:
        raise PermissionMissing(f"The role {found.role} may not do this.")
    return found


def in_person(permission: Permission) -> Caller:
    """Return the caller, who must have the permission and a session of their own.

    A key is not enough for what keys, passwords and accounts are: one that leaks must not be able
    to make another, or to lock its owner out.

    Raises:
        SignInNeeded, PermissionMissing: as for `signed_in`, or it is a key that asks.
    """
    found = signed_in(permission)
    if g.by_key:
        raise PermissionMissing("An API key may not do this; sign in with a password.")
    return found


def may_predict() -> None:
    """Let everybody predict where predictions are open, else only who is signed in.

    Raises:
        SignInNeeded, PermissionMissing, KeyRefused: not this one.
    """
    if parts().settings.predictions == "open":
        caller()  # an invalid key is refused even where none is needed
    else:
        signed_in(Permission.PREDICT)


def admit_prediction() -> None:
    """Let who may predict ask for one, and count it; what is refused is counted by its address.

    Raises:
        SignInNeeded, PermissionMissing, KeyRefused: as for `may_predict`.
        PredictionsThrottled: it is one too many.
    """
    try:
        may_predict()
    except (KeyRefused, SignInNeeded):
        _count_prediction(None)
        raise
    found = caller()
    _count_prediction(found.id if found and found.account else None)


def _count_prediction(account: str | None) -> None:
    limit = parts().prediction_limit
    if limit is not None and not request.environ.get(COUNTED):
        wait = limit.count(account, address())
        if wait:
            parts().metrics.shed(PredictionsThrottled.code)
            raise PredictionsThrottled(limit.rate, wait)


def address() -> str:
    """Tell the client's address."""
    return address_of(request, parts().settings.trusted_proxies)


def end_session() -> None:
    """End the session that the browser's cookie names, if there is one."""
    known = session_id()
    if known is not None:
        parts().sessions.revoke(known)


def remember(response: Response, new_session_id: str, *, guest: bool) -> None:
    """Have the browser send the session's id from now on."""
    settings = parts().settings
    hours = settings.guest_hours if guest else settings.session_hours
    cookies.keep(response, COOKIE, new_session_id, seconds=3600 * hours)


def forget(response: Response) -> None:
    """Have the browser drop the session's id."""
    cookies.forget(response, COOKIE)


def forget_with_answer() -> None:
    """Have the browser drop the session's id with whatever this request is answered."""

    @after_this_request
    def forgetting(response: Response) -> Response:
        forget(response)
        return response
