"""Models that turn bad when they serve already: neither clients nor the server suffer for it."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.acceptance.callers import Callers, Told
from tests.acceptance.desk import HOSTILE, NAME, SHOP, add, desk
from tests.acceptance.processes import wait_for, workers
from tests.acceptance.server import Server, running
from tests.models.hostile import BAD

from stopgap.releases.releases import Releases

pytestmark = pytest.mark.alone

DEADLINE_SECONDS = 1.0
MARGIN_SECONDS = 0.5
"""What an answer may take longer on a machine that does other things as well."""

LOADED_SECONDS = 20.0
BACK_SECONDS = 10.0
"""From the first bad request on."""

MEBIBYTE = 1_048_576

MODELS = (
    "hangs",
    "hangs_in_c",
    "raises",
    "not_a_number",
    "infinite",
    "text",
    "TooFew",
    "out_of_range",
    "Leaking",
    "segfaults",
    "exits_at_once",
    "Slow",
)


class Temptation:
    """Inputs that are harmless, until one in four is not."""

    def __init__(self) -> None:
        self.bad = False

    def __call__(self, number: int) -> int:
        """Tell with how many sellers a request asks."""
        return BAD if self.bad and number % 4 == 0 else number % 12


class Shop:
    """A running server, those who ask it, and its releases."""

    def __init__(self, server: Server, callers: Callers, releases: Releases) -> None:
        self.server = server
        self.callers = callers
        self.releases = releases

    def answers(self, release: int) -> bool:
        """Tell whether a release answers now."""
        return any(each.release == str(release) for each in self.callers.listen(0.2))

    def is_canary(self, number: int) -> bool:
        """Tell whether a release is the canary."""
        return self.releases.show(NAME, number).stage == "canary"


@contextmanager
def shop(folder: Path, temptation: Temptation) -> Iterator[Shop]:
    """Run a server under load."""
    with (
        running(folder, {"STOPGAP_WORKERS": "2"}, troubled=True) as server,
        desk(server.data) as releases,
        Callers(server.port, number=8, sellers=temptation) as callers,
    ):
        yield Shop(server, callers, releases)


def assert_in_time(told: Sequence[Told]) -> None:
    """Hold that everybody was told something by the deadline."""
    late = [each for each in told if each.seconds > DEADLINE_SECONDS + MARGIN_SECONDS]
    assert late == []


def live(here: Shop, model: str, file: Path) -> int:
    """Have a model answer everybody; tell its number."""
    number = add(here.releases, model, file=file)
    here.releases.promote(NAME, number, "ann")
    wait_for(lambda: here.answers(number), LOADED_SECONDS, f"{model} answers")
    return number


def try_out(here: Shop, model: str, temptation: Temptation) -> None:
    """Have a model be a canary until it is sent back."""
    number = add(here.releases, model, file=HOSTILE, memory=192 * MEBIBYTE)
    here.releases.promote(NAME, number, "ann", stage="canary", percent=50)
    back_within = LOADED_SECONDS
    if model != "Slow":  # which is late from its first answers on
        wait_for(lambda: here.answers(number), LOADED_SECONDS, f"{model} answers")
        back_within = BACK_SECONDS
    temptation.bad = True
    wait_for(lambda: not here.is_canary(number), back_within, f"{model} goes back")
    temptation.bad = False


def test_a_canary_that_turns_bad(tmp_path: Path) -> None:
    """Whatever it does, every client has a valid answer in time, and it goes back by itself."""
    temptation = Temptation()
    with shop(tmp_path, temptation) as here:
        live(here, "Steady", SHOP)
        serving_now = workers(here.server.process.pid)
        for model in MODELS:
            try_out(here, model, temptation)
        assert workers(here.server.process.pid) == serving_now
    assert here.callers.failures == {}
    assert_in_time(here.callers.told)


@pytest.mark.parametrize("model", ["hangs", "segfaults", "out_of_range"])
def test_a_live_release_that_turns_bad(tmp_path: Path, model: str) -> None:
    """Alone it has honest refusals given, by the deadline; never the stand-in's answers."""
    temptation = Temptation()
    with shop(tmp_path, temptation) as here:
        number = live(here, model, HOSTILE)
        serving_now = workers(here.server.process.pid)
        here.callers.listen(0.5)
        temptation.bad = True
        meanwhile = here.callers.listen(3.0)
        temptation.bad = False
        wait_for(lambda: here.answers(number), LOADED_SECONDS, "it answers again")
        assert workers(here.server.process.pid) == serving_now
    assert {each.release for each in meanwhile if each.status == 200} <= {str(number)}
    refused = [each for each in meanwhile if each.status != 200]
    assert refused
    assert {each.status for each in refused} == {503}
    assert all(b"/problems/" in each.body for each in refused)
    assert {each.status for each in here.callers.told} == {200, 503}
    assert_in_time(here.callers.told)


def test_the_release_before_answers_for_a_live_one_that_turns_bad(tmp_path: Path) -> None:
    """With a real release before it, every client has a valid answer, by the deadline.

    Whether the bad one has one of its own meanwhile is chance; it has when it is good again.
    """
    temptation = Temptation()
    with shop(tmp_path, temptation) as here:
        live(here, "Steady", SHOP)
        bad = live(here, "hangs", HOSTILE)
        temptation.bad = True
        meanwhile = here.callers.listen(4.0)
        temptation.bad = False
        wait_for(lambda: here.answers(bad), LOADED_SECONDS, "it answers again")
    assert {each.release for each in meanwhile} - {str(bad)} == {"1"}
    assert here.callers.failures == {}
    assert_in_time(here.callers.told)
