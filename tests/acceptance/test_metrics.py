"""The metrics of a real server: nothing is counted twice, whichever way it was answered."""

import re
from collections.abc import Callable
from pathlib import Path

from tests.acceptance.client import Client
from tests.acceptance.predictions import INPUTS, QUERY, TEXTS
from tests.acceptance.server import Server, running

TOKEN = "a-token-that-reads-the-metrics"
BY_PATH = "/predict/<seller_available>/<month>/<customer_visiting_website>"


def samples(server: Server) -> dict[str, float]:
    """Read all samples, by name and labels."""
    text = server.client(Authorization=f"Bearer {TOKEN}").get("/metrics").text
    return {
        name: float(value) for name, value in re.findall(r"^([^#].*) (\S+)$", text, re.MULTILINE)
    }


def ways(client: Client) -> list[Callable[[], object]]:
    """List ways to ask, some of them refused."""
    return [
        lambda: client.get("/predict/5/january/100"),
        lambda: client.get("/predict/5/ao%C3%BBt/100"),
        lambda: client.get(f"/predict?{QUERY}"),
        lambda: client.post_json("/predict", INPUTS),
        lambda: client.post_form("/predict", TEXTS),
        lambda: client.get("/status"),
        lambda: client.get("/predict/5/never/100"),
        lambda: client.sign_in("orhan", "wrong"),
    ]


def test_every_way_is_counted(tmp_path: Path) -> None:
    """Requests are counted by route and status, predictions by release: at the door as in Flask."""
    with running(tmp_path, {"STOPGAP_METRICS_TOKEN": TOKEN}) as server:
        before = samples(server)
        for times, ask in enumerate(ways(server.client()), 1):
            for _ in range(times):
                ask()
        after = samples(server)
    grown = {name: value - before.get(name, 0) for name, value in after.items()}

    def requests(route: str, method: str, status: int) -> float:
        labels = f'route="{route}",method="{method}",status="{status}"'
        return grown[f"stopgap_requests_total{{{labels}}}"]

    assert requests(BY_PATH, "GET", 200) == 1 + 2
    assert requests("/predict", "GET", 200) == 3
    assert requests("/predict", "POST", 200) == 4 + 5
    assert requests("/status", "GET", 200) == 6
    assert requests(BY_PATH, "GET", 422) == 7
    assert requests("/login", "POST", 401) == 8
    labels = 'contract="madcompany",release="stand-in"'
    assert grown[f'stopgap_predictions_total{{{labels},outcome="ok"}}'] == 1 + 2 + 3 + 4 + 5
    assert grown[f"stopgap_prediction_duration_seconds_count{{{labels}}}"] == 1 + 2 + 3 + 4 + 5
    assert grown['stopgap_login_failures_total{reason="sign-in-refused"}'] == 8
    assert after['stopgap_release_info{contract="madcompany",release="stand-in",stage="live"}'] == 1
    assert after["stopgap_journal_lost_total"] == 0
    assert not any(word in name for name in after for word in ("orhan", "january", "127.0"))
