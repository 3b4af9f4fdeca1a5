"""The Flask application: its routes, and what happens around every request."""

import time

from flask import Flask, Request, Response, g, request
from werkzeug.exceptions import HTTPException
from werkzeug.routing import MapAdapter

from stopgap.errors import StopgapError
from stopgap.parts import Parts
from stopgap.problems import SignInNeeded
from stopgap.request_notes import ARRIVED
from stopgap.telemetry.logs import Seldom
from stopgap.web import client_api, faults, image_api, operations, reference
from stopgap.web.answers import in_json
from stopgap.web.bodies import StrictRequest
from stopgap.web.console import (
    account,
    accounts,
    appearance,
    history,
    images,
    keys,
    predict,
    releases,
    service,
    welcome,
)
from stopgap.web.console.frame import frame
from stopgap.web.console.ticks import ticked
from stopgap.web.cross_site import refuse_cross_site, refuse_strange_name
from stopgap.web.current import NAME, parts

Application = Flask
"""What `create_app` builds, for those who may not know Flask."""

FORM_ROOM = 65_536
"""Bytes that a multipart form may add around an image."""

HEADERS = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
"""On every answer that does not say otherwise itself."""

UNHEEDED = ("HTTP_RANGE", "HTTP_IF_RANGE", "HTTP_IF_MATCH", "HTTP_IF_UNMODIFIED_SINCE")
"""What Flask would heed: nothing here is sent in parts, or changed only in a certain state."""

PAGE_HEADERS = {
    "Referrer-Policy": "same-origin",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
        "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
}
"""On every page as well (OWASP Secure Headers Project); a program has no use for them."""

ROOMS = (
    *(client_api.api, image_api.api, operations.views, reference.views),
    *(welcome.views, predict.views, images.views, appearance.views),
    *(history.views, keys.views, account.views, accounts.views, service.views),
    releases.views,
)
"""Every view but the contracts': the routes for programs, then the console's pages."""


class Hostless(Flask):
    """An application whose routes are the same under every name, also one that can be no host."""

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Find routes by the path alone: a host such as `a..b` would raise in the name's codec."""
        if request is None:
            return super().create_url_adapter(None)
        return self.url_map.bind_to_environ(request.environ | {"HTTP_HOST": "localhost"})


def create_app(built: Parts) -> Flask:
    """Build the application from its parts."""
    app = Hostless("stopgap.web")
    app.request_class = StrictRequest
    app.extensions[NAME] = built
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.config["MAX_CONTENT_LENGTH"] = built.settings.image_bytes + FORM_ROOM
    for room in ROOMS:
        app.register_blueprint(room)
    for contract in built.contracts:
        client_api.add_predict_routes(app, contract)
    app.context_processor(frame)
    app.add_template_filter(ticked)
    app.add_template_filter(in_json)
    app.jinja_options = {"trim_blocks": True, "lstrip_blocks": True}
    app.before_request(begin)
    app.after_request(finish)
    app.register_error_handler(StopgapError, faults.teller(Seldom(built.clock.monotonic)))
    app.register_error_handler(SignInNeeded, faults.ask_to_sign_in)
    app.register_error_handler(HTTPException, faults.refuse)
    app.register_error_handler(Exception, faults.fail)
    return app


def route_of(app: Flask, method: str, path: str) -> str | None:
    """Tell the rule under which a request is answered; None: there is none."""
    try:
        rule, _ = app.url_map.bind("").match(path, method, return_rule=True)
    except HTTPException:
        return None
    return rule.rule


def begin() -> None:
    """Give the request its id, and refuse what another site's page may have sent."""
    g.arrived = request.environ.get(ARRIVED, time.perf_counter())
    g.request_id = parts().ids.new()
    for header in UNHEEDED:
        request.environ.pop(header, None)
    refuse_cross_site(request)
    refuse_strange_name(request, parts().settings, parts().accounts.is_demo_open)


def finish(response: Response) -> Response:
    """Add the headers that every answer has."""
    is_page = response.mimetype == "text/html"
    for name, value in (HEADERS | PAGE_HEADERS if is_page else HEADERS).items():
        response.headers.setdefault(name, value)
    response.headers["X-Request-Id"] = g.request_id
    response.headers.pop("Accept-Ranges", None)
    route = request.url_rule.rule if request.url_rule else "other"
    seconds = time.perf_counter() - g.arrived
    parts().metrics.request(route, request.method, response.status_code, seconds)
    return response
