"""The rules of what every server of contracts answers, whatever its contracts."""

import secrets
from http import HTTPStatus

from stopgap.contracts.conformance.calling import HTML, Request
from stopgap.contracts.conformance.image_rules import IMAGE_RULES
from stopgap.contracts.conformance.login_rules import LOGIN_RULES
from stopgap.contracts.conformance.visiting import (
    Broken,
    Visit,
    expect_header,
    expect_problem,
    expect_status,
    expect_text,
    rules,
)


def _status(visit: Visit) -> None:
    expect_text(visit.call(Request(target="/status")), HTTPStatus.OK, "Alive!")


def _status_head(visit: Visit) -> None:
    answer = visit.call(Request(method="HEAD", target="/status"))
    expect_status(answer, HTTPStatus.OK)


def _status_trailing_slash(visit: Visit) -> None:
    expect_text(visit.call(Request(target="/status/")), HTTPStatus.OK, "Alive!")


def _home(visit: Visit) -> None:
    answer = visit.call(Request(target="/", headers={"Accept": HTML}))
    expect_status(answer, HTTPStatus.OK)
    if answer.media_type != "text/html" or b"Hello, world!" not in answer.body:
        raise Broken(answer.request, "a page with Hello, world!", answer)


def _not_found(visit: Visit) -> None:
    target = f"/nothing-{secrets.token_hex(8)}"
    expect_problem(visit.call(Request(target=target)), HTTPStatus.NOT_FOUND)


def _method(visit: Visit) -> None:
    answer = visit.call(Request(method="DELETE", target="/status"))
    expect_problem(answer, HTTPStatus.METHOD_NOT_ALLOWED)
    expect_header(answer, "Allow", "GET")


def _address_too_long(visit: Visit) -> None:
    request = Request(target="/status?" + "a" * 10_000)
    answer = visit.call(request, kept=False)  # a proxy in front may refuse it in its own words
    expect_status(answer, HTTPStatus.REQUEST_URI_TOO_LONG)


def _health(visit: Visit) -> None:
    expect_status(visit.call(Request(target="/health")), HTTPStatus.OK)


PLATFORM_RULES = (
    *rules(
        {
            _status: "GET /status is Alive!",
            _status_head: "HEAD /status is answered.",
            _status_trailing_slash: "/status/ answers the same, without a redirect.",
            _health: "GET /health is 200.",
            _home: "GET / is a page that says Hello, world!",
        }
    ),
    *LOGIN_RULES,
    *IMAGE_RULES,
    *rules(
        {
            _not_found: "An unknown page is 404.",
            _method: "A wrong method is 405, with Allow.",
            _address_too_long: "An address of 10,000 bytes is 414.",
        }
    ),
)
"""What holds for every server, whatever its contracts."""
