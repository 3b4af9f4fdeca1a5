"""The service's numbers, for operators: over all workers, since the first start."""

from flask import Blueprint, Response

from stopgap.accounts.permissions import Permission
from stopgap.telemetry.metrics import JOURNAL_LOST, LOGIN_FAILURES, SHED
from stopgap.telemetry.summary import by_release, by_route, total_of
from stopgap.web import callers
from stopgap.web.answers import page as plain_page
from stopgap.web.current import parts

views = Blueprint("console_service", __name__, url_prefix="/console/service")


@views.get("")
def page() -> Response:
    """Show requests by route, predictions by release, and what waits for the journal."""
    callers.signed_in(Permission.OPERATE)
    published = parts().metrics.of_all()
    return plain_page(
        "service.html",
        routes=by_route(published),
        releases=by_release(published),
        in_flight=int(published.gauges.get("stopgap_requests_in_flight", 0)),
        shed=total_of(published, SHED),
        refused_sign_ins=total_of(published, LOGIN_FAILURES),
        lost=total_of(published, JOURNAL_LOST),
        backlog=parts().journal.backlog(),
    )
