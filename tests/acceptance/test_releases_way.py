"""The way of a release, from candidate to live and back, under load: no client notices anything."""

import json
import math
import subprocess
import time
from collections import Counter
from pathlib import Path

import pytest
from tests.acceptance.callers import Callers, Told
from tests.acceptance.desk import SHOP, recorded
from tests.acceptance.server import STOPGAP, Server, environment, running

pytestmark = pytest.mark.alone

EVERYWHERE_SECONDS = 1.0
"""After a change, all workers have made it."""

SEEN_SECONDS = 2.5


def shares(told: list[Told]) -> Counter[str]:
    """Count answers by their release."""
    return Counter(each.release for each in told)


def settled(callers: Callers, wanted: set[str]) -> list[Told]:
    """Wait until the releases that answer are those that should; then listen."""
    callers.settle(wanted)
    return callers.listen(SEEN_SECONDS)


def assert_share(told: list[Told], release: str, percent: float) -> None:
    """Hold a canary's share of distinct inputs in the binomial interval of one in 100,000."""
    expected = len(told) * percent / 100
    deviation = math.sqrt(expected * (1 - percent / 100))
    assert abs(shares(told)[release] - expected) < 4.42 * deviation, (shares(told), percent)


def command(server: Server, *words: str) -> str:
    """Have `stopgap release` do something to a running server, as an operator does."""
    done = subprocess.run(
        [*STOPGAP, "release", *words],
        env=environment(STOPGAP_DATA=str(server.data)),
        cwd=server.folder,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_from_the_stand_in_to_live_and_back(tmp_path: Path) -> None:
    """Not one answer fails or breaks the contract; each says who gave it, as the journal does."""
    with (
        running(tmp_path, {"STOPGAP_WORKERS": "2"}) as server,
        Callers(server.port) as callers,
    ):
        command(server, "add", f"python:{SHOP}:Steady", "--samples", "300")
        assert shares(callers.listen(0.5)).keys() == {"stand-in"}
        command(server, "promote", "1", "--shadow", "--yes")
        assert shares(callers.listen(SEEN_SECONDS)).keys() == {"stand-in"}
        for percent in ("10", "50"):
            command(server, "promote", "1", "--percent", percent, "--sticky", "inputs", "--yes")
            assert_share(settled(callers, {"stand-in", "1"}), "1", float(percent))
        command(server, "promote", "1", "--yes")
        time.sleep(EVERYWHERE_SECONDS)
        assert shares(callers.listen(SEEN_SECONDS)).keys() == {"1"}
        command(server, "add", f"python:{SHOP}:Other", "--samples", "300")
        command(server, "promote", "2", "--yes")
        settled(callers, {"2"})
        for left in ("1", "stand-in"):
            command(server, "rollback", "--reason", "to see it")
            time.sleep(EVERYWHERE_SECONDS)
            assert shares(callers.listen(SEEN_SECONDS)).keys() == {left}
        compared = json.loads(command(server, "show", "1", "--json"))["compared"]
        assert compared
    assert callers.failures == {}
    assert len(callers.told) > 1_000
    told = {each.request_id: each.release for each in callers.told}
    assert recorded(server.data) == told
    assert {each.body[:1] for each in callers.told if each.release == "1"} == {b"3"}
    assert {each.body[:1] for each in callers.told if each.release == "2"} == {b"4"}
