"""What wrk says is read right, above all when something went wrong."""

import json

import pytest
from bench.load import Round, read_round

HEADING = "Running 4s test @ http://127.0.0.1:5871\nRequests/sec:  30000.00\n"
SAID = {"requests": 120_000, "microseconds": 4_000_000, "p50": 756, "p99": 7_242}
SAID |= dict.fromkeys(("status", "connect", "read", "write", "timeout"), 0)


def output(**changed: int) -> str:
    """Write what wrk prints."""
    return HEADING + json.dumps(SAID | changed) + "\n"


def test_a_round() -> None:
    """Answers a second, and milliseconds."""
    assert read_round(output()) == Round(rate=30_000, p50=0.756, p99=7.242)


@pytest.mark.parametrize(
    ("changed", "fault"),
    [
        ({"status": 3}, "3 not answered with a success"),
        ({"connect": 1}, "1 not connected"),
        ({"read": 2, "timeout": 5}, "2 not read to the end, 5 not answered in time"),
        ({"write": 1}, "1 not written"),
        ({"requests": 0}, "nothing was answered"),
    ],
)
def test_a_round_with_faults(changed: dict[str, int], fault: str) -> None:
    """Whatever went wrong is told, with how often."""
    assert read_round(output(**changed)).fault == fault


@pytest.mark.parametrize(
    "said", ["", "unable to connect to 127.0.0.1:1 Connection refused\n", "[]", "7", '{"p50": 1}']
)
def test_no_round(said: str) -> None:
    """Without the line of our script there are no figures to believe."""
    with pytest.raises(ValueError, match="wrk said nothing"):
        read_round(said)
