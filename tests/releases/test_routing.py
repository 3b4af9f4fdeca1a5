"""Routing: sticky, in the promised shares, the same in every worker."""

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.releases.making import release, routing

from stopgap.releases.release import stand_in_release
from stopgap.releases.routing import Routing, chosen, sticky_key

KEYS = [b"caller %d" % number for number in range(20_000)]
PERCENTS = st.floats(0, 100)


def share(of: Routing) -> int:
    """Count the keys that a canary has."""
    return sum(chosen(of, key).stage == "canary" for key in KEYS)


@pytest.mark.parametrize("percent", [0.1, 1, 10, 50, 90, 99.9])
@pytest.mark.parametrize("canary", [2, 3, 17])
def test_the_share_is_the_percentage(percent: float, canary: int) -> None:
    """Of distinct keys, the canary's share lies in the binomial interval (5 deviations)."""
    expected = len(KEYS) * percent / 100
    deviation = math.sqrt(expected * (1 - percent / 100))
    assert abs(share(routing(percent, canary=canary)) - expected) < 5 * deviation


@given(PERCENTS, PERCENTS, st.binary(max_size=40))
def test_more_percent_keeps_who_was_in(one: float, other: float, key: bytes) -> None:
    """A key that a canary has, it has at every greater percentage as well."""
    less, more = sorted((one, other))
    if chosen(routing(less), key).stage == "canary":
        assert chosen(routing(more), key).stage == "canary"


def test_ends() -> None:
    """At 0 a canary has nobody, at 100 everybody; without one, the live release has everybody."""
    assert share(routing(0)) == 0
    assert share(routing(100)) == len(KEYS)
    assert share(replace(routing(100), canary=None)) == 0


def test_another_canary_has_other_keys() -> None:
    """Nobody is always among the first to try: two canaries share no more keys than by chance."""
    both = sum(
        chosen(routing(10, canary=2), key).stage == chosen(routing(10, canary=3), key).stage
        for key in KEYS
    )
    assert abs(both / len(KEYS) - 0.82) < 0.02


def test_who_is_chosen_never_changes() -> None:
    """The choice is the same in every process, machine and version: it is a hash's."""
    picked = [chosen(routing(30), key).number for key in KEYS[:12]]
    assert picked == [1, 1, 1, 1, 2, 1, 2, 1, 1, 1, 2, 1]


@given(st.text(), st.binary())
def test_sticky_by_caller_or_inputs(caller: str, inputs: bytes) -> None:
    """A canary sticks to callers or to inputs; a caller whom nobody knows goes by the inputs."""
    by_caller, by_inputs = release(2, "canary", 5, "caller"), release(2, "canary", 5, "inputs")
    assert sticky_key(by_caller, caller, inputs) == sticky_key(by_caller, caller, b"others")
    assert sticky_key(by_inputs, caller, inputs) == sticky_key(by_inputs, None, inputs)
    assert sticky_key(by_caller, None, inputs) == sticky_key(by_inputs, None, inputs)
    assert sticky_key(by_caller, caller, inputs) != sticky_key(by_caller, None, inputs)


WHOLE = Routing(
    contract="test",
    version=9,
    live=release(4, "live"),
    canary=release(6, "canary", 2.5),
    shadows=(release(7, "shadow"), release(5, "shadow")),
    previous=release(3, "retired"),
    stand_in_fallback=True,
)
BARE = Routing(contract="test", version=0, live=stand_in_release("test", "0" * 16, "live"))


@pytest.mark.parametrize("written", [WHOLE, BARE])
def test_written_and_read(written: Routing) -> None:
    """A routing that went through JSON is the same routing."""
    assert Routing.of(json.loads(json.dumps(written.document()))) == written
