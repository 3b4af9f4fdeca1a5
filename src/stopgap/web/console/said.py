"""What has just been said: a sentence that the next page shows, once.

The browser carries nothing but the sentence's name, so there is no secret to keep and nothing that
somebody else could have a page say.
"""

from typing import Any

from flask import Response, request

from stopgap.web import cookies
from stopgap.web.answers import page, see_other

COOKIE = "stopgap_said"
SECONDS = 60

SENTENCES = {
    "key-revoked": "Revoked. Programs that send this key are refused, within a second.",
    "session-ended": "Ended. Whoever used that session has to sign in again.",
    "sessions-ended": "Ended. You are signed in here alone.",
    "password-changed": "Changed. Every other session of yours has ended.",
    "actual-kept": "Kept. Another report would take this one's place.",
    "account-disabled": "Disabled. Its sessions have ended, and its keys are refused.",
    "account-enabled": "Enabled. Its keys work as before.",
    "release-moved": "Done. Each worker follows once it has loaded the model; until then whoever "
    "answered before goes on.",
    "release-back": "Done. Each worker follows, within a second if the model still loads.",
    "release-retired": "Done. It is retired for good.",
    "release-overridden": "On record. It holds until the release is verified again.",
    "account-signed-out": "Signed out everywhere. Its keys work as before.",
}


def then(address: str, said: str) -> Response:
    """Send a browser on to a page, after a form has done its work, and say so there."""
    response = see_other(address)
    cookies.keep(response, COOKIE, said, seconds=SECONDS)
    return response


def telling(template: str, **values: Any) -> Response:
    """Show a page, with what was said before it."""
    sentence = SENTENCES.get(request.cookies.get(COOKIE, ""))
    response = page(template, said=sentence, **values)
    if COOKIE in request.cookies:
        cookies.forget(response, COOKIE)
    return response
