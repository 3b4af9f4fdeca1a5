"""The access log: nothing unless it is asked for; then a line for every answer."""

import json
from pathlib import Path
from typing import Any

from tests.acceptance.predictions import INPUTS, QUERY
from tests.acceptance.server import Server, running


def requests_in(server: Server) -> list[dict[str, Any]]:
    """Read the lines about requests that a server has written."""
    lines = [line for line in server.said.splitlines() if '"stopgap.access"' in line]
    return [json.loads(line) for line in lines]


def ask(server: Server) -> list[tuple[str, str, int, str | None]]:
    """Ask for a bit of everything; tell what a log should have of it."""
    client = server.client()
    asked = [
        ("GET", "/status", client.get("/status")),
        ("GET", "/predict/5/january/100", client.get("/predict/5/january/100")),
        ("GET", "/predict", client.get(f"/predict?{QUERY}")),
        ("POST", "/predict", client.post_json("/predict", INPUTS)),
        ("GET", "/predict/5/ao%C3%BBt/1", client.get("/predict/5/ao%C3%BBt/1")),
        ("GET", "/predict/5/never/100", client.get("/predict/5/never/100")),
        ("POST", "/login", client.sign_in("orhan", "12345")),
        ("GET", "/nowhere", client.get("/nowhere?password=hunter2")),
    ]
    return [
        (method, path, answer.status, answer.header("X-Request-Id"))
        for method, path, answer in asked
    ]


def test_off_by_default(tmp_path: Path) -> None:
    """Without a word about it, no request is logged."""
    with running(tmp_path) as server:
        ask(server)
    assert requests_in(server) == []


def test_every_request_is_a_line(tmp_path: Path) -> None:
    """Each request is a line with the id that its client was told, and none of its secrets."""
    with running(tmp_path, {"STOPGAP_ACCESS_LOG": "true"}) as server:
        expected = ask(server)
    found = [
        (line["method"], line["path"], line["status"], line["request_id"])
        for line in requests_in(server)
    ]
    assert found[-len(expected) :] == expected
    assert "hunter2" not in server.said
    assert "12345" not in "".join(map(json.dumps, requests_in(server)))
