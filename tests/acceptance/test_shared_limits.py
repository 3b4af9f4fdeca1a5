"""Limits that servers share: guesses and predictions count wherever they are sent."""

import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.acceptance.client import Client
from tests.acceptance.server import SECRET, running
from tests.relay import relayed
from tests.valkeys import PASSWORD, ValkeyServer

from stopgap.accounts.shared_counts import EXCHANGE_SECONDS

FAILURES, PREDICTIONS, SERVERS = 5, 20, 2
PAUSE = 2 * EXCHANGE_SECONDS
"""After which everybody has been told."""


def test_a_server_whose_counts_are_away(tmp_path: Path, valkey: ValkeyServer) -> None:
    """It serves, counts by itself, and says so once, without the password."""
    with relayed(valkey.url) as relay:
        place = relay.endpoint.removeprefix("http://")
        settings = {
            "STOPGAP_LIMITS": f"redis://:{PASSWORD}@{place}",
            "STOPGAP_LOGIN_FAILURES": "3",
        }
        relay.cut()
        with running(tmp_path, settings) as server:
            client = server.client()
            statuses = []
            for number in range(5):
                statuses.append(client.sign_in("orhan", f"wrong{number}").status)
                time.sleep(PAUSE)
            assert statuses == [401, 401, 401, 429, 429]
            assert client.get("/predict/5/may/1").status == 200
            assert client.get("/health").status == 200
            assert server.said.count("counts are not shared now") == 1
            assert PASSWORD not in server.said
            assert valkey.keys() == {}
            relay.mend()
            client.sign_in("orhan", "wrong again")
            time.sleep(PAUSE)
            assert valkey.keys()


@pytest.fixture(scope="module")
def clients(
    tmp_path_factory: pytest.TempPathFactory, valkey_of_the_run: ValkeyServer
) -> Iterator[list[Client]]:
    """Run two servers that have nothing in common but the secret and the counts."""
    settings = {
        "STOPGAP_SECRET": SECRET,
        "STOPGAP_LIMITS": valkey_of_the_run.url,
        "STOPGAP_LOGIN_FAILURES": str(FAILURES),
        "STOPGAP_PREDICTION_LIMIT": f"{PREDICTIONS}/hour",
    }
    with ExitStack() as stack:
        yield [
            stack.enter_context(running(tmp_path_factory.mktemp("server"), settings)).client()
            for _ in range(SERVERS)
        ]


def test_guesses(clients: list[Client]) -> None:
    """Whoever guesses at one server after the other has hardly more guesses than at one."""
    told = Counter[int]()
    for number in range(3 * FAILURES):
        told[clients[number % SERVERS].sign_in("orhan", f"wrong{number}").status] += 1
        time.sleep(PAUSE)

    assert set(told) == {401, 429}
    assert FAILURES <= told[401] < FAILURES + SERVERS
    refused = clients[0].sign_in("orhan", "12345")
    assert refused.status == 429
    assert int(refused.header("Retry-After") or 0) > 800


def test_predictions(clients: list[Client]) -> None:
    """A limit of predictions holds over all servers, to what they are asked in half a second."""
    told = Counter[int]()
    for number in range(3 * PREDICTIONS):
        told[clients[number % SERVERS].get(f"/predict/5/may/{number}").status] += 1
        if number % 4 == 0:
            time.sleep(PAUSE)

    assert set(told) == {200, 429}
    assert PREDICTIONS <= told[200] <= PREDICTIONS + 4 * SERVERS
