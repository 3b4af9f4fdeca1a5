"""`stopgap release`: from a model's file to the live release and back, by hand."""

import hashlib
import json
import os
import sys
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from click.testing import Result
from tests.commands import Run, opened
from tests.journal.filling import add, at
from tests.journal.records import record
from tests.models.trained import train
from tests.releases.making import report

from stopgap.cli.release.lines import print_replay, replay_facts
from stopgap.contracts import kinds
from stopgap.contracts.madcompany import contract
from stopgap.models.specification import Specification
from stopgap.releases.accuracy import Accuracy
from stopgap.releases.comparing import Comparison
from stopgap.releases.replay import Replay
from stopgap.releases.tally import Tally
from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, migrate

MODELS = Path(__file__).parents[1] / "releases" / "verification" / "models.py"
QUICK = ("--samples", "40", "--batch", "8")
DELIVERY = str(Path(__file__).parents[2] / "examples" / "delivery.py") + ":contract"


def uri(name: str) -> str:
    """Name one of the models."""
    return f"python:{MODELS}:{name}"


def told(result: Result) -> list[dict[str, object]]:
    """Read what a command has printed with --json."""
    assert result.exit_code in {0, 1}, result.output
    return [json.loads(line) for line in result.stdout.splitlines()]


@pytest.fixture
def ready(run: Run, data: Path) -> int:
    """Add a release that has passed verification; tell its number."""
    run("release", "list")
    with opened(data) as parts:
        number = parts.releases.add("madcompany", Specification(uri=uri("good")), "ann").number
        parts.releases.keep_report("madcompany", number, report(contract), "ann")
    return number


def stages(run: Run) -> dict[object, object]:
    """Tell the stage of each release."""
    return {each["number"]: each["stage"] for each in told(run("release", "list", "--json"))}


@pytest.mark.parametrize(
    "words", [("add", "python:a:b"), ("verify", "python:a:b"), ("list",), ("replay", "1")]
)
def test_a_contract_that_is_not_served(run: Run, words: tuple[str, ...]) -> None:
    """Every command about releases tells, in a line, which contracts there are."""
    result = run("release", *words, "--contract", "delivery-time")
    assert result.exit_code == os.EX_NOINPUT
    assert "No contract 'delivery-time' is served here; madcompany is." in result.stderr


def test_the_whole_way(run: Run) -> None:
    """Add and verify, shadow, canary, live, and back to the stand-in: a command each."""
    added = run("release", "add", uri("good"), "--note", "first", *QUICK)
    assert added.exit_code == 0, added.output
    assert "✓ held        contract: Every answer keeps the contract." in added.stdout
    assert "Added as release 1, a candidate." in added.stdout
    assert "1       candidate  python:" in run("release", "list").stdout
    for words, stage in (
        (["--shadow"], "shadow"),
        (["--percent", "10"], "canary"),
        (["--percent", "50", "--sticky", "inputs"], "canary"),
        ([], "live"),
    ):
        result = run("release", "promote", "1", "--yes", *words)
        assert result.exit_code == 0, result.output
        assert stages(run)[1] == stage
    assert stages(run) == {1: "live", 0: "retired"}
    back = run("release", "rollback", "--reason", "wrong in May")
    assert back.stdout.splitlines() == [
        "The stand-in answers the requests.",
        "Release 1 (live) gets no traffic any more.",
    ]
    again = run("release", "rollback")
    assert (again.exit_code, again.stdout) == (os.EX_CANTCREAT, "")
    history = told(run("release", "history", "1", "--json"))
    assert [each["action"] for each in history] == [
        *("rolled back", "promoted", "promoted", "promoted", "promoted", "verified", "added")
    ]
    assert history[0]["reason"] == "wrong in May"
    assert "wrong in May" in run("release", "history").stdout


def test_a_question_before_it_is_done(run: Run, ready: int) -> None:
    """A promotion says what will happen and asks; without an answer nothing is done."""
    for typed in ("n\n", None):
        result = run("release", "promote", str(ready), "--percent", "5", typed=typed)
        assert result.exit_code == 1
        assert "Release 1 (candidate) answers 5% of the requests" in result.stderr
        assert stages(run)[ready] == "candidate"
    result = run("release", "promote", str(ready), typed="y\n")
    assert (result.exit_code, result.stdout.splitlines()[0]) == (0, "Done.")
    assert stages(run)[ready] == "live"


def test_a_question_about_whose_share_it_is(run: Run, ready: int) -> None:
    """The same percentage of others is asked about, kept with its reason, and shown."""
    share = ("promote", str(ready), "--percent", "5")
    run("release", *share, "--yes")
    assert "canary 5% of the callers" in run("release", "show", str(ready)).stdout
    result = run("release", *share, "--sticky", "inputs", "--reason", "fair", typed="y\n")
    assert "; its share is of the inputs from now on." in result.stderr
    last = told(run("release", "history", "--json"))[0]
    assert (last["action"], last["reason"]) == ("promoted", "its share is of the inputs. fair")
    assert "canary 5% of the inputs" in run("release", "list").stdout


@pytest.mark.parametrize("words", [("promote",), ("retire",)])
def test_what_was_changed_during_the_question(
    run: Run, ready: int, data: Path, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who says yes to one thing does not get another: it is asked anew by how all stands now."""
    run("release", "promote", str(ready), "--percent", "5", "--yes")

    def meanwhile(*_question: object, **_told: object) -> bool:
        with opened(data) as parts:
            parts.releases.send_back("madcompany", ready, "9 of 10 requests failed")
        return True

    monkeypatch.setattr("click.confirm", meanwhile)
    result = run("release", *words, str(ready))
    assert (result.exit_code, result.stdout) == (os.EX_CANTCREAT, "")
    assert "changed after this was asked" in result.stderr
    assert stages(run)[ready] == "candidate"


def test_a_script_makes_no_canary_live_that_was_sent_back(run: Run, ready: int, data: Path) -> None:
    """Whoever is not asked has to say why, since they may not know; a person is asked as ever."""
    run("release", "promote", str(ready), "--percent", "90", "--yes")
    with opened(data) as parts:
        parts.releases.send_back("madcompany", ready, "9 of 10 requests failed.")
    for words in ([], ["--percent", "90"], ["--reason", ""]):
        refused = run("release", "promote", str(ready), "--yes", *words)
        assert (refused.exit_code, refused.stdout) == (os.EX_CANTCREAT, "")
        assert "was sent back, the last that was done to it: 9 of 10 requests f" in refused.stderr
        assert "--reason" in refused.stderr
    assert stages(run)[ready] == "candidate"
    assert "answers the requests" in run("release", "promote", str(ready), typed="n\n").stderr
    words = ["--yes", "--reason", "it was the network"]
    assert run("release", "promote", str(ready), *words).exit_code == 0
    assert stages(run)[ready] == "live"


def test_a_bad_model_gets_no_traffic(run: Run) -> None:
    """A model that breaks a rule is added with its report; overriding by name lets it through."""
    added = run("release", "add", uri("moody"), *QUICK)
    assert added.exit_code == 1
    assert "✗ broken      repeats: The same inputs have the same answer twice." in added.stdout
    refused = run("release", "promote", "1", "--yes")
    assert refused.exit_code == os.EX_CANTCREAT
    assert "Release 1 is given no traffic: it broke batches, repeats" in refused.stderr
    assert "`stopgap release show 1` has the report." in refused.stderr
    assert run("release", "override", "1", "repeats").exit_code == 2  # without a reason
    for rule in ("repeats", "batches"):
        result = run("release", "override", "1", rule, "--reason", "it samples, on purpose")
        assert result.exit_code == 0, result.output
        assert f"although it broke the rule {rule}, until it is verified again" in result.stdout
    assert run("release", "override", "1", "loads", "--reason", "why not").exit_code != 0
    assert run("release", "promote", "1", "--percent", "5", "--yes").exit_code == 0
    shown = run("release", "show", "1").stdout
    assert "Overridden: batches." in shown
    assert "it samples, on purpose" in shown


def test_what_cannot_be_loaded_is_not_added(run: Run, tmp_path: Path) -> None:
    """A model that is not there, of no known kind or no file at all: one line, nothing added."""
    wrong = tmp_path / "model.onnx"
    wrong.write_bytes(b"no model")
    for named in (uri("NotMade"), uri("nothing"), "magic:x", "onnx:gone.onnx", f"onnx:{wrong}"):
        result = run("release", "add", named, *QUICK)
        assert result.exit_code == os.EX_DATAERR, result.output
        assert result.stderr.startswith("stopgap: ")
        assert len(result.stderr.splitlines()) == 1, result.stderr
    assert stages(run) == {0: "live"}


def test_verifying_keeps_no_file(run: Run, data: Path, tmp_path: Path) -> None:
    """A model's file that is verified by its URI is kept nowhere, and is known by its hash."""
    file = train(tmp_path).skops
    (found,) = told(run("release", "verify", f"sklearn:{file}", *QUICK, "--json"))
    assert isinstance(loaded := found["loaded"], dict)
    assert loaded["file_hash"] == hashlib.sha256(file.read_bytes()).hexdigest()
    assert [each for each in (data / "objects").rglob("*") if each.is_file()] == []
    assert not (data / "models").exists()
    refused = run("release", "verify", f"sklearn:{tmp_path / 'nowhere.skops'}")
    assert refused.stderr.startswith("stopgap: ")
    assert "nowhere.skops" in refused.stderr


def test_verifying_keeps_nothing_of_a_uri(run: Run) -> None:
    """A model can be held against the contract before it is a release; of a release it is kept."""
    result = run("release", "verify", uri("good"), *QUICK, "--json")
    (found,) = told(result)
    assert (result.exit_code, found["passed"]) == (0, True)
    assert run("release", "verify", uri("out_of_range"), "--samples", "400").exit_code == 1
    assert stages(run) == {0: "live"}
    run("release", "add", uri("good"), *QUICK)
    again = run("release", "verify", "1", "--samples", "40")
    assert again.exit_code == 0, again.output
    actions = [each["action"] for each in told(run("release", "history", "--json"))]
    assert actions == ["verified", "verified", "added"]
    stand_in = run("release", "verify", "0")
    assert (stand_in.exit_code, "that is the stand-in" in stand_in.stderr) == (os.EX_NOINPUT, True)
    assert run("release", "verify", "7").exit_code == os.EX_NOINPUT


PRINTING = """
print("imported")

def model(row):
    print("asked")
    return 3000
"""


def test_what_a_model_prints_is_none_of_the_output(run: Run, tmp_path: Path) -> None:
    """A model that is tried in this process prints to the other stream: --json stays JSON."""
    file = tmp_path / "printing.py"
    file.write_text(PRINTING)
    own = (f"python:{file}:model", "--in-process", *QUICK)
    for words in (("verify", *own), ("add", *own), ("replay", "1")):
        result = run("release", *words, "--json")
        assert len(told(result)) == 1
        assert "imported\n" in result.stderr


def test_shown_in_full(run: Run, ready: int, data: Path) -> None:
    """All that is known of a release is shown, for people and for programs."""
    with opened(data) as parts:
        tally = Tally(contract="madcompany", number=ready)
        tally.add("ok", 900)
        tally.add("late", 900)
        parts.watch.tally("w1", [tally])
        comparison = Comparison(contract.output_kind)
        comparison.add(b'{"seller_available":5}', 3_000, 3_300)
        parts.watch.compare("madcompany", ready, 0, "w1", comparison)
    (found,) = told(run("release", "show", str(ready), "--json"))
    assert set(found) == {
        *("release", "report", "overridden", "troubles", "last_hour", "verdict", "compared"),
        "history",
    }
    assert found["verdict"] is None
    shown = run("release", "show", str(ready)).stdout
    assert "last hour    1 ok, 1 late" in shown
    assert "9 rules in 1.5 s; held." in shown
    for words in (
        *("deadline     1 s", "load_timeout 60 s", "memory       1,024 MiB"),
        "batch        64 rows in one call",
    ):
        assert words in shown
    assert "1 answer beside the stand-in's. It draws its answers" in shown
    assert '{"seller_available":5}  3000   3300' in shown
    (stand_in,) = told(run("release", "show", "0", "--json"))
    assert stand_in["report"] is None
    assert "the stand-in" in run("release", "show", "0").stdout


def test_how_a_canary_is_judged(run: Run, ready: int) -> None:
    """The verdict on a canary is shown as on its page, for people and for programs."""
    run("release", "promote", str(ready), "--percent", "5", "--yes")
    (found,) = told(run("release", "show", str(ready), "--json"))
    verdict = found["verdict"]
    assert isinstance(verdict, dict)
    assert (verdict["action"], verdict["figures"]) == ("keep", {"requests": 0})
    shown = run("release", "show", str(ready)).stdout
    assert f"verdict      It stays. {verdict['reason']}" in shown
    (other,) = told(run("release", "show", "0", "--json"))
    assert other["verdict"] is None


def test_replaying_what_was_asked(run: Run, ready: int, data: Path) -> None:
    """What the journal has is asked again, and the answers are compared with those given."""
    month = b'{"seller_available":%d,"month":"may","customer_visiting_website":0}'
    given = [
        record(
            at=at(datetime(2030, 1, 1, 12, number, tzinfo=UTC)),
            contract="madcompany",
            release="stand-in",
            inputs=month % number,
            output=b"%d" % (2000 + number * 7 + (1_500 if number == 9 else 0)),
        )
        for number in range(10)
    ]
    odd = record(
        at=at(datetime(2030, 1, 1, 11, tzinfo=UTC)), contract="madcompany", inputs=b'{"size":1}'
    )
    with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as journal:
        migrate(journal, JOURNAL)
        add(journal, [*given, odd])
    (found,) = told(run("release", "replay", str(ready), "--json"))
    assert (found["requests"], found["outcomes"], found["unreadable"]) == (10, {"ok": 10}, 1)
    assert (found["drawn"], found["time_over"]) == (10, False)
    assert found["agreement"] == 0.9
    shown = run("release", "replay", str(ready), "--limit", "10").stdout
    assert "10 requests replayed: 10 ok." in shown
    assert "10 were answered by the stand-in. It draws its answers" in shown
    assert "90.0% agree" in shown
    assert "3563   2063" in shown
    assert run("release", "replay", "7").exit_code == os.EX_NOINPUT


def empty_replay(tally: Tally, kind: kinds.Kind = contract.output_kind) -> Replay:
    """Make a replay of which only the tally is known."""
    return Replay(comparison=Comparison(kind), accuracy=Accuracy(kind), tally=tally)


@pytest.mark.parametrize(
    ("known", "words"),
    [
        (40, "given by 100: -100 (95% interval -100 to -100)."),
        (12, "given by 100: too few to tell how certain that is (30 are needed)."),
        (0, None),
    ],
)
def test_a_replay_beside_what_really_came(
    run: Run, ready: int, data: Path, known: int, words: str | None
) -> None:
    """Where outcomes were told, both releases' errors are shown, and whether luck explains them."""
    given = [
        record(
            at=at(datetime(2030, 1, 1, 12, number, tzinfo=UTC)),
            contract="madcompany",
            inputs=b'{"seller_available":%d,"month":"may","customer_visiting_website":0}' % number,
            output=b"%d" % (2_100 + number * 7),
        )
        for number in range(40)
    ]
    with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as journal:
        migrate(journal, JOURNAL)
        add(journal, given)
    outcomes = [f"{each.id} {2_000 + number * 7}" for number, each in enumerate(given)]
    assert run("journal", "actual", "-", typed="\n".join(outcomes[:known])).exit_code == 0
    (found,) = told(run("release", "replay", str(ready), "--json"))
    mean = (100, 0) if known else (None, None)
    interval = [-100, -100] if known == len(given) else None
    assert found["errors"] == {
        "": {"known": known, "given": mean[0], "other": mean[1], "interval": interval}
    }
    shown = run("release", "replay", str(ready)).stdout
    assert ("really came" in shown) == (words is not None)
    if words:
        assert f"It is known what really came of {known} requests." in shown
        assert f"This release is off by 0 on average, the answers {words}" in shown


def test_words_beside_what_really_came(capsys: pytest.CaptureFixture[str]) -> None:
    """Of words it is told how many are wrong, in percent, and the difference in points."""
    kind = kinds.Choice(values=("north", "south"))
    found = empty_replay(Tally(contract="carriers", number=2), kind)
    for number in range(100):
        found.accuracy.add("north", "south" if number % 2 else "north", "north")
    for number in range(4):
        found.accuracy.add("north", "north", "south" if number % 2 else "north")
    print_replay(found, 1_000)
    words = "wrong in 1.9%, the answers given in 48.1%: -46.2 points (95% interval -56.5 to -35.8)."
    assert f"This release is {words}" in capsys.readouterr().out
    found.accuracy = Accuracy(kind)
    for number in range(100):
        found.accuracy.add("north", *(["south", "north"] if number % 2 else ["north", "south"]))
    print_replay(found, 1_000)
    assert "so it may be chance)." in capsys.readouterr().out


def test_a_replay_whose_time_was_over(capsys: pytest.CaptureFixture[str]) -> None:
    """Who looks at what was replayed is told that it is not all, whether a person or a program."""
    tally = Tally(contract="madcompany", number=1)
    tally.add("ok", 900)
    found = empty_replay(tally)
    print_replay(found, 10_000)
    assert "Time was over" not in capsys.readouterr().out
    found.time_over = True
    print_replay(found, 10_000)
    assert "Time was over after 1 of at most 10,000 requests." in capsys.readouterr().out
    assert replay_facts(found)["time_over"] is True


def test_a_replay_without_an_answer(capsys: pytest.CaptureFixture[str]) -> None:
    """Where nothing could be compared, neither a person nor a program is told of an agreement."""
    tally = Tally(contract="madcompany", number=1)
    tally.add("raised", 900)
    found = empty_replay(tally)
    assert replay_facts(found)["agreement"] is None
    print_replay(found, 10)
    assert "agree" not in capsys.readouterr().out


def test_a_question_before_it_is_put_away(run: Run, ready: int) -> None:
    """Who puts a release away reads before what that does to its traffic, and is asked."""
    run("release", "promote", str(ready), "--percent", "5", "--yes")
    result = run("release", "retire", str(ready), typed="n\n")
    assert (result.exit_code, stages(run)[ready]) == (1, "canary")
    assert "Release 1 (canary) answers none any more." in result.stderr
    assert "Put release 1 away for good? Its model's file will not be kept." in result.stderr
    quiet = run("release", "retire", str(ready), "--yes")
    assert (quiet.stderr, stages(run)[ready]) == ("", "retired")


def test_withdrawing_retiring_and_falling_back(run: Run, ready: int, data: Path) -> None:
    """A canary is withdrawn, a release retired, the stand-in allowed as a fallback: on record."""
    run("release", "promote", str(ready), "--percent", "5", "--yes")
    result = run("release", "withdraw", str(ready), "--json")
    assert told(result) == [{"number": 1, "was": "canary", "now": "candidate", "percent": 0.0}]
    assert run("release", "retire", str(ready), typed="n\n").exit_code == 1
    assert run("release", "retire", str(ready), "--yes").exit_code == 0
    assert stages(run) == {1: "retired", 0: "live"}
    for word, allowed in (("stand-in", True), ("nobody", False)):
        assert run("release", "fallback", word).exit_code == 0
        with opened(data) as parts:
            assert parts.releases.routing("madcompany").stand_in_fallback is allowed


def test_several_contracts(run: Run) -> None:
    """Where several contracts are served, it has to be said which is meant."""
    served = {"STOPGAP_CONTRACTS": f"stopgap.contracts.madcompany:contract,{DELIVERY}"}
    result = run("release", "list", **served)
    assert result.exit_code == 2
    assert "--contract, one of madcompany, delivery-time" in result.stderr
    assert run("release", "list", "--contract", "delivery-time", **served).exit_code == 0
    unknown = run("release", "list", "--contract", "x", **served)
    assert unknown.exit_code == os.EX_NOINPUT
    assert "is served here; madcompany, delivery-time are." in unknown.stderr
    assert run("release", "promote", "1", "--shadow", "--percent", "5").exit_code == 2


def test_a_model_that_was_changed_since(run: Run, tmp_path: Path) -> None:
    """A Python file that is another now has to be verified again before it has traffic."""
    file = tmp_path / "shop.py"
    file.write_text("def model(row):\n    return 2500\n")
    assert run("release", "add", f"python:{file}:model", *QUICK).exit_code == 0
    file.write_text("def model(row):\n    return 2501\n")
    for words in (("promote", "1", "--yes"), ("promote", "1", "--shadow", "--yes")):
        refused = run("release", *words)
        assert refused.exit_code != 0
        assert "has changed since it was verified; verify it again" in refused.stderr
    assert run("release", "verify", "1", *QUICK[:2]).exit_code == 0
    assert run("release", "promote", "1", "--yes").exit_code == 0


def kept_python(run: Run) -> str:
    """Tell which Python the one release that was handed in is kept with."""
    match told(run("release", "list", "--json")):
        case [{"specification": {"python": str(python)}}, _]:
            return python
        case other:
            raise AssertionError(other)


def test_another_python_by_a_path_from_here(run: Run) -> None:
    """A Python that is named from this folder is kept by its whole path, as a model's file is."""
    here = os.path.relpath(sys.executable)
    assert not here.startswith("/")
    result = run("release", "add", uri("good"), "--python", here, *QUICK)
    assert result.exit_code == 0, result.output
    kept = Path(kept_python(run))
    assert kept.is_absolute()
    assert kept.samefile(sys.executable)


def test_another_python_by_its_name(run: Run) -> None:
    """A Python that is named alone is kept as it was found: the server may have another PATH."""
    python = Path(sys.executable)
    path = f"{python.parent}{os.pathsep}{os.environ['PATH']}"
    result = run("release", "add", uri("good"), "--python", python.name, *QUICK, PATH=path)
    assert result.exit_code == 0, result.output
    assert kept_python(run) == str(python)
    refused = run("release", "verify", uri("good"), "--python", "python9", *QUICK)
    assert (refused.exit_code, refused.stdout) == (os.EX_DATAERR, "")
    assert "A model's python is the path of a program, or a name in PATH; it is 'python9'." in (
        refused.stderr
    )


def test_a_model_that_takes_its_time(run: Run, tmp_path: Path) -> None:
    """How long it may take is said with an option, which the refusal names; it is kept."""
    model = tmp_path / "model.py"
    model.write_text("import time\ntime.sleep(600)\n")
    refused = run("release", "add", f"python:{model}:predict", "--load-timeout", "1.5", *QUICK)
    assert refused.exit_code == os.EX_DATAERR, refused.output
    assert "It gave no first answer within 1.5 s; see --load-timeout." in refused.stderr
    added = run("release", "add", uri("good"), "--load-timeout", "150", *QUICK)
    assert added.exit_code == 0, added.output
    assert "load_timeout 150 s" in run("release", "show", "1").stdout


def test_what_makes_no_sense_is_said(run: Run, ready: int) -> None:
    """Whatever would be ignored is refused, with what to do instead."""
    number = str(ready)
    for words, said in (
        (("verify", number, "--bring", "clip"), "keeps its own --bring; add it anew"),
        (("verify", number, "--in-process"), "keeps its own --in-process"),
        (("verify", number, "--load-timeout", "90"), "keeps its own --load-timeout"),
        (("promote", number, "--shadow", "--sticky", "inputs"), "--shadow or --sticky"),
        (("promote", number, "--sticky", "inputs"), "Only a canary has a share"),
        (("replay", number, "--answered-by", "standin"), "has answered nothing"),
        (("history", "99"), "no release 99"),
    ):
        refused = run("release", *words)
        assert refused.exit_code > 1, words
        assert said in refused.stderr, (words, refused.stderr)


@pytest.mark.parametrize(
    "words",
    [
        *(("show",), ("history",), ("verify",), ("replay",), ("promote", "--yes"), ("withdraw",)),
        *(("retire", "--yes"), ("override", "repeats", "--reason", "why")),
    ],
)
@pytest.mark.parametrize("number", ["1000000000", "9" * 20, "9" * 5_000])
def test_a_number_that_no_release_has(run: Run, words: tuple[str, ...], number: str) -> None:
    """A number that no database could look for is refused as any other that is none."""
    command, *others = words
    refused = run("release", command, number, *others)
    assert (refused.exit_code, refused.stdout) == (2, "")
    assert "Error: Invalid value" in refused.stderr


def test_what_may_be_done_about_a_broken_rule(run: Run) -> None:
    """Whoever added a model that broke a rule is told how to let it through all the same."""
    added = run("release", "add", uri("moody"), *QUICK)
    assert "stopgap release override 1 repeats --reason" in added.stdout
    assert "override 1 survives" not in added.stdout


def test_nothing_can_be_done_about_what_is_fatal(run: Run) -> None:
    """No way is shown that leads nowhere: a release that does not survive gets no traffic."""
    enough = ("--samples", "500")  # it crashes over one input in twenty, so 40 may meet none
    added = run("release", "add", uri("segfaults"), *enough)
    assert added.exit_code == 1
    assert "in the way: survives, answers, " in added.stdout
    assert "release override" not in added.stdout


def test_a_contract_that_has_changed(run: Run, tmp_path: Path) -> None:
    """A live release that has not passed for it as it is now is told of, with the way out."""
    source = Path(DELIVERY.rpartition(":")[0]).read_text()
    file = tmp_path / "delivery.py"
    file.write_text(source)
    model = tmp_path / "model.py"
    model.write_text("def model(row):\n    return {'days': 2.5, 'carrier': 'north'}\n")
    served = {"STOPGAP_CONTRACTS": f"{file}:contract"}
    options = ("--contract", "delivery-time")
    added = run("release", "add", f"python:{model}:model", *QUICK, *options, **served)
    assert added.exit_code == 0, added.output
    assert run("release", "promote", "1", "--yes", *options, **served).exit_code == 0
    assert run("release", "list", **served).stderr == ""
    file.write_text(source.replace('version="1.0.0"', 'version="2.0.0"').replace("le=14", "le=2"))
    for words in (("list",), ("verify", "1", "--samples", "50"), ("list",), ("show", "1")):
        result = run("release", *words, **served)
        assert result.exit_code == (1 if "verify" in words else 0), result.output
        if "verify" in words:
            continue
        assert "Release 1 (live) answers nothing: it has not passed" in result.stderr
        assert "stopgap release verify 1 --contract delivery-time" in result.stderr


def test_a_release_that_workers_cannot_ask(run: Run, data: Path) -> None:
    """Why a release does not answer is told wherever it is looked at, on one line."""
    added = run("release", "add", uri("good"), *QUICK)
    assert added.exit_code == 0, added.output
    assert run("release", "promote", "1", "--yes").exit_code == 0
    with opened(data) as parts:
        parts.watch.trouble("w1", {("madcompany", 1): "it died:\nmemory"})
    for words in (("list",), ("show", "1")):
        told = run("release", *words).stderr
        assert told == "Release 1 (live) cannot answer in 1 worker: it died:·memory\n"
    shown = json.loads(run("release", "show", "1", "--json").stdout)
    assert shown["troubles"] == [{"reason": "it died:\nmemory", "workers": 1}]
    assert run("release", "show", "0").stderr == ""
