"""What each kind of error means over HTTP: its status, and its problem document (RFC 9457).

No framework here: the door, the Flask application and the tests say errors in these same words.
"""

from collections.abc import Mapping
from html import escape
from math import ceil
from typing import Any

from stopgap.accounts.account import (
    AccountExists,
    AccountNameInvalid,
    AccountNotFound,
    OwnAccountKept,
)
from stopgap.accounts.keys import KeyLabelInvalid, KeyNotFound, KeyQuotaReached
from stopgap.accounts.passwords import PasswordFixed, PasswordTooLong, PasswordTooWeak
from stopgap.accounts.sessions import SessionNotFound
from stopgap.accounts.sign_in import SignInRefused, SignInThrottled
from stopgap.contracts.json_object import JsonMalformed
from stopgap.contracts.parsing import InputMalformed, InputNotAllowed
from stopgap.errors import Fault, Overloaded, StartRefused, StopgapError
from stopgap.images.image import (
    ImageBroken,
    ImageNotFound,
    ImageQuotaReached,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageUnrecognised,
    UploaderGone,
)
from stopgap.journal.actual import OutcomeInvalid
from stopgap.journal.conditions import FilterInvalid
from stopgap.journal.downloads import DownloadsBusy
from stopgap.journal.journal import JournalRowNotFound
from stopgap.journal.record import RecordUnreadable
from stopgap.journal.spool import SpoolUnwritable
from stopgap.models.failures import ModelFailed, ModelUnloadable
from stopgap.models.specification import SpecificationInvalid
from stopgap.predicting.guard import PredictionFailed
from stopgap.predicting.serving import ModelBusy
from stopgap.releases.gate import (
    ReasonMissing,
    ReleaseSentBack,
    ReleaseUnverified,
    RuleFixed,
    RuleHeld,
    RuleUnknown,
)
from stopgap.releases.release import ContractNotServed, ReleaseNotFound
from stopgap.releases.stages import (
    MoveNotAllowed,
    NothingBefore,
    PercentageInvalid,
    StandingChanged,
)
from stopgap.storage.database_faults import DatabaseFull, DatabaseUnreachable
from stopgap.storage.objects import DiskFull, ObjectNotFound, ObjectsUnavailable


class AddressTooLong(StopgapError):
    """The request's path and query are longer than 8,192 bytes."""


class BodyTooLarge(StopgapError):
    """The request's body is larger than this address takes."""


class BodyLate(StopgapError):
    """The request's body did not arrive whole in the time that it may take."""


class BodyMalformed(StopgapError):
    """The request's body cannot be read as what its Content-Type says it is."""


class MediaTypeUnsupported(StopgapError):
    """The request's Content-Type is none that this address reads."""


class PageNotFound(StopgapError):
    """There is nothing at this address."""


class MethodNotAllowed(StopgapError):
    """This address exists, but does not take this method; Allow lists those that it takes."""


class PredictionsThrottled(StopgapError):
    """This account, or this address, has asked for as many predictions as it may for now."""

    def __init__(self, limit: str, wait: float) -> None:
        super().__init__(f"There may be {limit} from one account or address.")
        self.retry_after = wait


class CrossSiteRefused(StopgapError):
    """A browser sent this from a page of another site, so nobody here may have wanted it."""


class SignInNeeded(StopgapError):
    """This needs a session (sign in first) or an API key."""

    def __init__(
        self, detail: str = "Sign in at POST /login, or send `Authorization: Bearer` with a key."
    ) -> None:
        super().__init__(detail)


class KeyRefused(StopgapError):
    """The API key is unknown or revoked, or its account is disabled."""


class PermissionMissing(StopgapError):
    """The account is known, but its role does not allow this."""


class InternalFault(StopgapError):
    """A fault of the server's own; its log has more under the same request id."""

    def __init__(self) -> None:
        super().__init__("The server cannot answer; its log says more under this request id.")


STATUSES: dict[type[StopgapError], int] = {
    InputMalformed: 400,
    JsonMalformed: 400,
    BodyMalformed: 400,
    ImageBroken: 400,
    SignInRefused: 401,
    UploaderGone: 401,
    SignInNeeded: 401,
    KeyRefused: 401,
    CrossSiteRefused: 403,
    PermissionMissing: 403,
    PasswordFixed: 403,
    PageNotFound: 404,
    AccountNotFound: 404,
    KeyNotFound: 404,
    SessionNotFound: 404,
    ImageNotFound: 404,
    JournalRowNotFound: 404,
    ReleaseNotFound: 404,
    ContractNotServed: 404,
    ObjectNotFound: 404,
    MethodNotAllowed: 405,
    BodyLate: 408,
    AccountExists: 409,
    MoveNotAllowed: 409,
    NothingBefore: 409,
    StandingChanged: 409,
    ReleaseUnverified: 409,
    ReleaseSentBack: 409,
    RuleFixed: 409,
    RuleHeld: 409,
    OwnAccountKept: 409,
    BodyTooLarge: 413,
    ImageTooLarge: 413,
    ImageTooManyPixels: 413,
    AddressTooLong: 414,
    MediaTypeUnsupported: 415,
    ImageUnrecognised: 415,
    InputNotAllowed: 422,
    AccountNameInvalid: 422,
    PasswordTooLong: 422,
    PasswordTooWeak: 422,
    KeyLabelInvalid: 422,
    PercentageInvalid: 422,
    ReasonMissing: 422,
    RuleUnknown: 422,
    SpecificationInvalid: 422,
    ModelUnloadable: 422,
    FilterInvalid: 422,
    OutcomeInvalid: 422,
    SignInThrottled: 429,
    ImageQuotaReached: 429,
    KeyQuotaReached: 429,
    PredictionsThrottled: 429,
    StartRefused: 500,
    RecordUnreadable: 500,
    InternalFault: 500,
    Overloaded: 503,
    PredictionFailed: 503,
    ModelBusy: 503,
    ModelFailed: 503,
    SpoolUnwritable: 503,
    DownloadsBusy: 503,
    DatabaseUnreachable: 503,
    ObjectsUnavailable: 503,
    DatabaseFull: 507,
    DiskFull: 507,
}
"""Every kind of error -> its status. A kind that is not here has its nearest ancestor's."""

MEDIA_TYPE = "application/problem+json"


def status_of(kind: type[StopgapError]) -> int:
    """Tell the status of an error kind.

    Raises:
        KeyError: nobody has said what the kind means over HTTP.
    """
    return STATUSES[next((base for base in kind.__mro__ if base in STATUSES), kind)]


def document(error: StopgapError, request_id: str) -> dict[str, Any]:
    """Write an error down as a problem document."""
    problem: dict[str, Any] = {
        "type": f"/problems/{error.code}",
        "title": error.title,
        "status": status_of(type(error)),
        "detail": error.for_strangers or error.detail,
        "instance": f"urn:uuid:{request_id}",
        "request_id": request_id,
    }
    if error.faults:
        problem["errors"] = [_fault(fault) for fault in error.faults]
    return problem


ACCEPT_MAX = 1_000
"""Characters of an Accept that are read; browsers send some 150."""

OF_JAVA = "text/html, image/gif, image/jpeg"
"""How the Accept begins that every Java program sends unasked (`sun.net.www.protocol.http`)."""


def wants_page(accept: str) -> bool:
    """Tell whether who sent this Accept is a browser, rather than a program."""
    told = accept[:ACCEPT_MAX].lower()
    if "text/html" not in told or told.startswith(OF_JAVA):
        return False
    quality = dict(map(_quality, told.split(",")))
    json = max(_welcome(each, quality) for each in ("application/json", MEDIA_TYPE))
    return 0 < quality.get("text/html", 0.0) >= json


def prefers_json(accept: str) -> bool:
    """Tell whether who sent this Accept would rather have JSON than a text (RFC 9110, 12.5.1)."""
    quality = dict(map(_quality, accept[:ACCEPT_MAX].lower().split(",")))
    return _welcome("application/json", quality) > _welcome("text/plain", quality)


def _welcome(media_type: str, quality: Mapping[str, float]) -> float:
    """Tell how welcome a media type is, by the narrowest range that holds it."""
    ranges = (media_type, f"{media_type.partition('/')[0]}/*", "*/*")
    return next((quality[each] for each in ranges if each in quality), 0.0)


def _quality(accepted: str) -> tuple[str, float]:
    """Read one media range of an Accept: what it is, and how welcome."""
    media_range, *parameters = (part.strip() for part in accepted.split(";"))
    told = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    try:
        return media_range, float(told)
    except ValueError:
        return media_range, 0.0


def page(document: dict[str, Any]) -> bytes:
    """Write a problem document as a page, for when there is no time to make a finer one."""
    shown = {name: escape(str(value)) for name, value in document.items()}
    return PAGE.format_map(shown).encode()


PAGE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>
:root {{ color-scheme: light dark; font: 1.125rem/1.5 system-ui, sans-serif }}
body {{ max-width: 34rem; margin: 15vh auto; padding: 0 1rem }}
</style>
<h1>{title}</h1>
<p>{detail}</p>
<p><a href="{type}">What this means</a> · <a href="/">First page</a></p>
<p><small>{status} · {request_id}</small></p>
</html>
"""

PAGE_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
"""The Content-Security-Policy of such a page."""


def _fault(fault: Fault) -> dict[str, Any]:
    shown = {"field": fault.field, "message": fault.message}
    return shown if fault.received is None else shown | {"received": fault.received}


def headers(error: StopgapError) -> dict[str, str]:
    """Tell the headers that belong to an error, whatever framework sends it."""
    found = {}
    if error.retry_after is not None:
        found["Retry-After"] = str(max(1, ceil(error.retry_after)))
    if status_of(type(error)) == 401:  # noqa: PLR2004  # RFC 9110, section 15.5.2
        found["WWW-Authenticate"] = 'Bearer realm="stopgap"'
    return found
