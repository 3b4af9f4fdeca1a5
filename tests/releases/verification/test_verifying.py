"""Verification: a good model passes; each bad one fails by the right rule, by its simplest inputs.

The models run in processes of their own, as in the server.
"""

import asyncio
import json
import random
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tests.fakes import FakeClock

from stopgap.contracts.contract import Contract, Example
from stopgap.contracts.madcompany import Sales, contract
from stopgap.models.failures import ModelUnloadable
from stopgap.models.slot import open_slot
from stopgap.models.specification import Specification
from stopgap.releases.verification.report import RULES, Finding, Report
from stopgap.releases.verification.verifying import verify

SOURCE = "stopgap.contracts.madcompany:contract"
MODELS = Path(__file__).parent / "models.py"
SIMPLEST = {"seller_available": 0, "month": "january", "customer_visiting_website": 0}
SHOWN = {"seller_available": 20, "month": "january", "customer_visiting_website": 100}
CROWD = {**SIMPLEST, "seller_available": 1001}


def verified(
    name: str, *, held_to: Contract = contract, seconds: float = 30.0, **how: Any
) -> Report:
    """Verify one of the models with a few hundred inputs."""
    specification = Specification(
        uri=f"python:{MODELS}:{name}", **({"deadline": 2.0, "batch": 16} | how)
    )
    slot = open_slot(specification, contract, contract_source=SOURCE)
    source = random.Random(7)
    return asyncio.run(
        verify(
            slot,
            held_to,
            specification,
            clock=FakeClock(),
            source=source,
            samples=320,
            seconds=seconds,
            progress=lambda _done, _of: None,
        )
    )


def by_rule(report: Report) -> Mapping[str, Finding]:
    """Look findings up by their rule."""
    return {finding.rule: finding for finding in report.findings}


def test_a_good_model_passes() -> None:
    """A model that keeps the contract passes every rule, each with its figure."""
    report = verified("good")
    assert {each.rule: each.outcome for each in report.findings} == {
        rule.name: "held" for rule in RULES
    }, report
    assert (report.passed, report.fingerprint) == (True, contract.fingerprint)
    assert all(finding.figure for finding in report.findings)
    assert report.findings[0].figure.endswith(
        "; month, varied alone, changed no answer of 256 inputs"
    )
    assert report.loaded["kind"] == "python"
    assert Report.of(json.loads(json.dumps(report.document()))) == report


BAD = [
    ("raises", "answers", CROWD, "too many sellers"),
    ("not_a_number", "contract", CROWD, "it is nan"),
    ("infinite", "contract", CROWD, "it is inf"),
    ("text", "contract", CROWD, "it is '3000'"),
    ("out_of_range", "contract", CROWD, "must be an integer from 2000 to 5000; it is 5001"),
    ("always_wrong", "contract", SIMPLEST, "it is 0"),
    ("hangs", "survives", None, "no answer after 0.4 s"),
    ("segfaults", "survives", None, "SIGSEGV"),
    ("exits", "survives", None, "ended"),
    ("Hungry", "survives", None, "may hold 300; see --memory"),
    ("moody", "repeats", None, "and was"),
    ("Crowded", "batches", None, "2001, and was 2016"),
]


@pytest.mark.parametrize(("name", "rule", "inputs", "said"), BAD, ids=[row[0] for row in BAD])
def test_bad_models_fail(name: str, rule: str, inputs: object, said: str) -> None:
    """Each fault breaks its rule, with inputs that show it, as simple as they can be."""
    deadline = 0.4 if name == "hangs" else 3.0
    report = verified(name, memory=300 * 2**20, deadline=deadline)
    finding = by_rule(report)[rule]
    assert finding.outcome == "broken", report
    first = finding.failures[0]
    assert said in first.said
    if inputs is not None:
        assert first.inputs == inputs
    assert not report.passed
    assert rule in report.obstacles


@pytest.mark.parametrize(
    ("name", "rule", "figure"),
    [
        ("TooFew", "batches", "answered only alone"),
        ("Slow", "latency", "which may take 500 ms"),
        ("Leaking", "memory", "second half"),
    ],
)
def test_models_that_are_bad_in_numbers(name: str, rule: str, figure: str) -> None:
    """What shows only in a crowd or over time breaks its rule, too, with the figure."""
    slow = name == "Slow"
    report = verified(name, batch=48 if slow else 16, deadline=1.0 if slow else 2.0)
    finding = by_rule(report)[rule]
    assert finding.outcome == "broken"
    assert figure in finding.figure
    told = "changed no answer" in by_rule(report)["loads"].figure
    assert told is (name == "Leaking")  # the others have no answers, or too late


def test_no_input_is_counted_twice() -> None:
    """The inputs of the first batch are asked once more later, and told once."""
    figure = by_rule(verified("TooFew", batch=368))["batches"].figure
    assert figure == "320 of 368 inputs answered only alone"


def test_a_batch_that_takes_too_long() -> None:
    """A model that needs its time for each row has no fatal row: fewer in a call, it is told."""
    report = verified("Slow", batch=64, deadline=0.5)
    assert by_rule(report)["survives"].outcome == "held"
    latency = by_rule(report)["latency"]
    assert latency.outcome == "broken"
    assert "try --batch " in latency.figure
    repeats = by_rule(report)["repeats"]
    assert repeats.figure.endswith(" had no answer this time")
    assert "differ" not in repeats.figure


@pytest.mark.parametrize(
    ("name", "said"),
    [("Greedy", "and may hold"), ("Wordy", "It sent what cannot be read: A frame")],
)
def test_a_batch_that_is_fatal(name: str, said: str) -> None:
    """Where no row is, it is their number, and told as that: what fits, and what came of more."""
    finding = by_rule(verified(name, memory=300 * 2**20))["survives"]
    assert finding.outcome == "broken"
    assert re.fullmatch("not 16 inputs at once, but 8 of them; try --batch 8", finding.figure)
    assert said in finding.failures[0].said
    assert "16 at once, never alone" in finding.failures[0].said


def test_a_batch_that_was_fatal_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no less fatal for being the first of all, and no fault of its size."""
    monkeypatch.setenv("DIED", str(tmp_path / "died"))
    finding = by_rule(verified("DiesOnce"))["survives"]
    assert finding.outcome == "broken"
    assert finding.figure == "it ended over 16 inputs that it answered the next time"


def test_a_row_that_was_fatal_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Who ended the process from outside, or by chance, makes no row a fatal one; it is told."""
    monkeypatch.setenv("DIED", str(tmp_path / "died"))
    finding = by_rule(verified("DiesOnceAlone"))["survives"]
    assert finding.outcome == "broken"
    assert finding.figure == "it ended over 1 input that it answered the next time"
    assert finding.failures[0].said == "Model died: Its process ended with exit code 3."


def test_a_process_that_ends_while_it_is_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whichever step sees it end, it has not survived; a call without answers took too long."""
    monkeypatch.setenv("DIED", str(tmp_path / "died"))
    report = verified("DiesOnceTimed")
    found = by_rule(report)
    assert found["survives"].outcome == "broken"
    assert found["survives"].figure == "it ended over 16 inputs that it answered the next time"
    assert found["latency"].outcome == "broken"
    assert found["latency"].figure.endswith("; 1 of 5 full batches had no answer to all")
    assert [finding.rule for finding in report.findings] == [rule.name for rule in RULES]


def test_inputs_that_are_fatal_where_one_is_varied() -> None:
    """Who looks which inputs a model heeds may meet the first that are fatal."""
    finding = by_rule(verified("fatal_as_shown"))["survives"]
    assert finding.outcome == "broken"
    assert finding.failures[0].inputs == SHOWN
    assert "Model died" in finding.failures[0].said


def test_a_golden_example_that_is_fatal() -> None:
    """It is no mere miss, which could be overridden, and nothing is asked after it."""
    example = Example(inputs=SHOWN, output=2240)
    found = by_rule(verified("fatal_as_shown", held_to=replace(contract, examples=[example])))
    assert (found["examples"].outcome, found["survives"].outcome) == ("broken", "broken")
    assert found["survives"].failures[0].inputs == SHOWN
    assert found["batches"].figure == "its process did not survive"


def test_a_first_batch_that_is_late() -> None:
    """What goes wrong over the batch that warms it up counts like any other."""
    assert by_rule(verified("SlowAtFirst", in_process=True))["batches"].outcome == "broken"


def test_room_that_is_taken_once() -> None:
    """What a model keeps from its first full batch on is no leak."""
    assert by_rule(verified("Scratch"))["memory"].outcome == "held"


def test_an_answer_that_changes_is_told_as_one() -> None:
    """That answers differ is not said of those that were not there."""
    assert by_rule(verified("moody"))["repeats"].figure.endswith(" differ")


@pytest.mark.parametrize("name", ["unordered", "remembers"])
def test_a_model_that_is_another_in_each_process(name: str) -> None:
    """What two workers would answer otherwise is no repetition, and is told as that."""
    report = verified(name)
    assert report.obstacles == ("repeats",), report
    finding = by_rule(report)["repeats"]
    assert finding.figure.startswith("another process answers otherwise (the order of a set, ")
    assert finding.figure.endswith(" differ")
    assert "and was" in finding.failures[0].said
    assert by_rule(verified(name, in_process=True))["repeats"].outcome == "held"


def test_what_is_fatal_in_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A process that ends has not survived, be it the second."""
    monkeypatch.setenv("DIED", str(tmp_path / "first"))
    found = by_rule(verified("dies_in_another"))
    assert (found["survives"].outcome, found["repeats"].outcome) == ("broken", "broken")
    assert found["survives"].failures[0].inputs["seller_available"] > 1_000


def test_what_cannot_be_loaded_once_more(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """No other worker could load it, nor this one after a death."""
    monkeypatch.setenv("DIED", str(tmp_path / "made"))
    with pytest.raises(ModelUnloadable, match=r"loaded, but not once more: .*File exists"):
        verified("LoadedOnce")


def test_another_load_takes_no_time_from_the_questions() -> None:
    """A model that loads for longer than it may be asked is asked all."""
    report = verified("SlowlyMade", seconds=2.5)
    assert report.passed, report


def test_a_dead_model_is_asked_no_more() -> None:
    """Once its process did not survive, no further rule is checked, and none counts as held."""
    report = verified("segfaults")
    outcomes = {each.rule: each.outcome for each in report.findings}
    assert outcomes.pop("loads") == "held"
    assert outcomes.pop("survives") == "broken"
    assert set(outcomes.values()) == {"not checked"}


def test_what_is_fatal_behind_what_raises() -> None:
    """A row that hangs is found though another of its batch raises before it is come to."""
    found = by_rule(verified("raises_before_it_hangs", deadline=0.5, batch=16))
    assert found["survives"].outcome == "broken"
    (failure,) = found["survives"].failures
    assert failure.inputs["seller_available"] > 1_000


def test_a_model_in_the_same_process() -> None:
    """In the server's own process a hang cannot be ended, and is told all the same."""
    report = verified("hangs", in_process=True, seconds=2, deadline=0.4)
    finding = by_rule(report)["survives"]
    assert (finding.outcome, len(finding.failures)) == ("broken", 1)
    assert verified("good", in_process=True).passed


def test_a_fault_is_found_once() -> None:
    """Inputs that raise break one rule: what is answered is still measured and compared."""
    assert verified("raises").obstacles == ("answers",)
    report = verified("always_raises")
    unknown = ("contract", "batches", "repeats", "latency", "memory")
    assert report.obstacles == ("answers", *unknown)
    assert by_rule(report)["answers"].failures[0].inputs == SIMPLEST


def test_it_ends_in_time() -> None:
    """A model that hangs, or is only slow, is done with when the time is over."""
    for name in ("hangs", "Slow"):
        report = verified(name, seconds=3, deadline=0.4)
        assert report.seconds - report.loaded["seconds"] < 3 + 0.4 * 2 + 5
        assert not report.passed
    figure = by_rule(report)["contract"].figure  # of the slow one
    assert re.fullmatch(r"no time for more than \d+ of [\d,]+ inputs; see --seconds, .*", figure)


def test_what_was_seen_until_then_is_told() -> None:
    """A rule that was seen broken is, though no time is left to look for the simplest inputs."""
    finding = by_rule(verified("Tiring", seconds=2.0))["contract"]
    assert finding.outcome == "broken"
    assert finding.failures[0].inputs


def test_an_answer_that_breaks_a_rule_is_told_and_no_other() -> None:
    """Where inputs break nothing when they are asked once more, what was seen is told."""
    finding = by_rule(verified("AtFirst"))["contract"]
    assert finding.outcome == "broken"
    assert all("from 2000 to 5000" in each.said for each in finding.failures)


def test_memory_that_could_not_be_seen() -> None:
    """What was cut short has shown nothing of the memory that it would have taken."""
    report = verified("Leisurely", seconds=2.0)
    assert by_rule(report)["memory"].outcome == "not checked"
    assert by_rule(report)["answers"].outcome == "held"


def test_what_cannot_be_loaded() -> None:
    """A model that cannot even be made is told at once; there is nothing to report."""
    with pytest.raises(ModelUnloadable, match="weights are missing"):
        verified("NotMade")


def test_golden_examples() -> None:
    """The contract's examples are answered within their tolerance, or told with what they miss."""
    inputs = {"seller_available": 5, "month": "may", "customer_visiting_website": 100}
    said = []
    for tolerance, outcome in ((5.0, "held"), (4.0, "broken"), (0.0, "broken")):
        held_to = Contract(
            name="madcompany",
            version="1.0.0",
            path="/predict/{seller_available}/{month}/{customer_visiting_website}",
            inputs=Sales,
            output=contract.output,
            examples=[Example(inputs=inputs, output=2140, tolerance=tolerance)],
        )
        found = verified("good", held_to=held_to)
        assert found.examples == held_to.examples_fingerprint != ""
        finding = by_rule(found)["examples"]
        assert finding.outcome == outcome
        assert all(failure.inputs == inputs for failure in finding.failures)
        said += [failure.said for failure in finding.failures]
    assert said == ["2135; it should be 2140 ± 4", "2135; it should be 2140"]
