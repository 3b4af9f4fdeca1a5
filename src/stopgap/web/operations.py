"""The routes for those who run the server: whether it can serve, and its numbers."""

import hmac
import platform

from flask import Blueprint, Response, request

from stopgap import __version__
from stopgap.accounts.keys import bearer
from stopgap.accounts.permissions import Permission
from stopgap.telemetry.exposition import render
from stopgap.web.answers import json_answer
from stopgap.web.callers import signed_in
from stopgap.web.current import parts

views = Blueprint("operations", __name__)


@views.get("/health")
def health() -> Response:
    """Say whether this server can serve; for load balancers.

    503 while its database is away, while no answer can be put on record and each has to be, and
    after its start until there is somebody to answer for each contract.
    """
    parts().health.check()
    return json_answer({"status": "ok"})


@views.get("/metrics")
def metrics() -> Response:
    """Send the metrics of all workers, to Prometheus or an operator."""
    token = parts().settings.metrics_token
    sent = bearer(request.headers.get("Authorization", "")) or ""
    # Its bytes: WSGI takes each for a character.
    if token is None or not hmac.compare_digest(sent.encode("latin-1"), token.encode()):
        signed_in(Permission.OPERATE)
    journal = parts().journal
    text, content_type = render(
        parts().metrics.of_all(),
        {
            "stopgap_journal_backlog_bytes": lambda: journal.backlog().bytes,
            "stopgap_journal_backlog_files": lambda: journal.backlog().files,
            "stopgap_build_info": lambda: [(__version__, platform.python_version())],
            "stopgap_release_info": parts().predicting.stages,
        },
    )
    return Response(text, content_type=content_type)
