"""The stable stand-in: the same inputs always get the same answer, whichever server is asked."""

from pathlib import Path
from urllib.parse import quote

import pytest
from tests.acceptance.predictions import INPUTS, MONTHS, TEXTS, assert_prediction
from tests.acceptance.server import Server, running

STABLE = {"STOPGAP_STAND_IN": "stable"}


def answers(server: Server) -> list[int]:
    """Ask for predictions from a hundred different inputs."""
    client = server.client()
    return [assert_prediction(client.get(f"/predict/{n % 7}/{n % 12 + 1}/{n}")) for n in range(100)]


def test_equal_across_processes_and_restarts(tmp_path: Path) -> None:
    """The answers are the same after a restart, with several workers, and on another machine."""
    with running(tmp_path / "a", STABLE) as server:
        first = answers(server)
    with running(tmp_path / "a", STABLE) as server:
        assert answers(server) == first
    with running(tmp_path / "b", STABLE | {"STOPGAP_WORKERS": "2"}) as server:
        assert answers(server) == first
    assert len(set(first)) > 80


def test_every_way_to_ask_gets_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    """However the same values are sent, and however a month is written, it is one question."""
    with running(tmp_path_factory.mktemp("ways"), STABLE) as server:
        client = server.client()
        wanted = assert_prediction(client.get("/predict/5/january/100"))
        for answer in (
            client.get("/predict?customer_visiting_website=100&month=1&seller_avaible=05"),
            client.post_json("/predict", INPUTS),
            client.post_form("/predict", TEXTS),
            *(client.get(f"/predict/5/{quote(each)}/100") for each in MONTHS["january"].split()),
        ):
            assert assert_prediction(answer) == wanted
        months = {
            month: {
                assert_prediction(client.get(f"/predict/5/{quote(each)}/100"))
                for each in written.split()
            }
            for month, written in MONTHS.items()
        }
        assert all(len(found) == 1 for found in months.values())
        assert len(set.union(*months.values())) > 6
