"""The mail's `GET /status`, byte for byte."""

import pytest
from tests.acceptance.client import Client
from tests.acceptance.problem_shape import UUID7


@pytest.mark.parametrize("target", ["/status", "/status/", "/status?x=1"])
def test_status(client: Client, target: str) -> None:
    """`GET /status` answers `Alive!` as plain text, with or without a slash at the end."""
    answer = client.get(target)
    assert (answer.status, answer.body) == (200, b"Alive!")
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"
    assert answer.header("Location") is None


@pytest.mark.parametrize("target", ["/status", "/status/"])
def test_head_status(client: Client, target: str) -> None:
    """`HEAD /status` answers the same, without the body."""
    answer = client.send("HEAD", target)
    assert (answer.status, answer.body) == (200, b"")
    assert answer.header("Content-Length") == "6"
    assert answer.header("Content-Type") == "text/plain; charset=utf-8"


def test_every_request_has_an_id_of_its_own(client: Client) -> None:
    """`X-Request-Id` is always ours, a new UUID, whatever the client sends."""
    answers = [client.get("/status", x_request_id="mine") for _ in range(3)]
    ids = {answer.header("X-Request-Id") or "" for answer in answers}
    assert len(ids) == 3
    assert all(UUID7.fullmatch(each) for each in ids)


def test_answers_are_safe_in_a_browser(client: Client) -> None:
    """No answer is guessed at or kept by a browser, and no page can be framed."""
    for path in ("/status", "/"):
        answer = client.get(path)
        assert answer.header("X-Content-Type-Options") == "nosniff"
        assert answer.header("Cache-Control") == "no-store"
    policy = client.get("/").header("Content-Security-Policy") or ""
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
