"""The routes for those who run the server."""

from flask import Blueprint, Response

from stopgap.web.answers import json_answer
from stopgap.web.parts import parts

views = Blueprint("operations", __name__)


@views.get("/health")
def health() -> Response:
    """Tell a load balancer whether this server can serve: 503 while its database is away."""
    parts().database.check()
    return json_answer({"status": "ok"})
