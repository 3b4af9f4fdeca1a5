"""A model's file that is not what it should be: one clear line, and nothing has changed."""

import pickle
import subprocess
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.acceptance.callers import Callers
from tests.acceptance.desk import NAME, add, desk
from tests.acceptance.server import STOPGAP, Server, environment, running
from tests.models.trained import Trained, train

MISSING = "/no/such/python"


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train a small pipeline."""
    return train(tmp_path_factory.mktemp("trained"))


def release(server: Server, *words: str) -> subprocess.CompletedProcess[str]:
    """Run a command about the server's releases."""
    return subprocess.run(
        [*STOPGAP, "release", *words],
        env=environment(STOPGAP_DATA=str(server.data)),
        capture_output=True,
        text=True,
        check=False,
    )


def refused(server: Server, *words: str) -> str:
    """Run a command that is refused, as all are: in a line, and with nothing changed."""
    with desk(server.data) as releases:
        before = releases.list(NAME), releases.moves(NAME)
        ended = release(server, *words)
        assert (releases.list(NAME), releases.moves(NAME)) == before
    assert ended.returncode > 1, ended.stdout
    assert ended.stderr.startswith("stopgap: "), ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def cut(file: Path) -> None:
    """Leave half of a file."""
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


def alter(file: Path) -> None:
    """Change one byte of a file."""
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 1
    file.write_bytes(content)


@pytest.mark.parametrize("harm", [cut, alter, Path.unlink])
def test_a_file_that_is_harmed_where_it_is_kept(
    tmp_path: Path, trained: Trained, harm: Callable[[Path], None]
) -> None:
    """A release whose file is cut, altered or gone by now is given no traffic at all."""
    with running(tmp_path) as server, Callers(server.port, number=2) as callers:
        options = ("--bring", "round", "--samples", "60")
        added = release(server, "add", f"sklearn:{trained.skops}", *options)
        assert added.returncode == 0, added.stdout + added.stderr
        for kept in (server.data / "objects" / "models", server.data / "models"):
            for file in filter(Path.is_file, kept.rglob("*")):
                harm(file)
        line = refused(server, "promote", "1", "--yes")
        assert "hand it in again" in line
        callers.listen(1.0)
    assert callers.failures == {}
    assert {each.release for each in callers.told} == {"stand-in"}


def test_a_file_that_is_harmed_before_a_rollback(tmp_path: Path, trained: Trained) -> None:
    """There is no way back to a release whose file is damaged; who answers goes on."""
    with running(tmp_path) as server, Callers(server.port, number=2) as callers:
        options = ("--bring", "round", "--samples", "60")
        for number, uri in enumerate((f"sklearn:{trained.skops}", f"onnx:{trained.onnx}"), start=1):
            assert release(server, "add", uri, *options).returncode == 0
            assert release(server, "promote", str(number), "--yes").returncode == 0
            callers.settle({str(number)})
        with desk(server.data) as releases:
            first = next(each for each in releases.list(NAME) if each.number == 1)
        assert first.specification
        assert first.specification.artifact
        harmed = list(server.data.rglob(f"*{first.specification.artifact}*"))
        assert harmed
        for file in harmed:
            alter(file)
        line = refused(server, "rollback")
        assert "hand it in again" in line
        callers.listen(1.0)
    assert callers.failures == {}
    assert callers.told[-1].release == "2"


def test_what_cannot_be_handed_in(tmp_path: Path, trained: Trained) -> None:
    """Half a file, one of another kind, a pickle, a Python that is not there: none is added."""
    half, other, pickled = (tmp_path / name for name in ("half.skops", "other.onnx", "p.skops"))
    half.write_bytes(trained.skops.read_bytes()[:2_000])
    other.write_bytes(trained.skops.read_bytes())
    pickled.write_bytes(pickle.dumps({"a": "model"}))
    with running(tmp_path / "server") as server:
        for words in (
            (f"sklearn:{half}",),
            (f"onnx:{other}",),
            (f"sklearn:{pickled}",),
            (f"sklearn:{trained.skops}", "--python", MISSING),
        ):
            named = MISSING if MISSING in words else Path(words[0].partition(":")[2]).name
            assert named in refused(server, "add", *words)
        assert server.client().get("/predict/5/may/1").header("Stopgap-Release") == "stand-in"


def until(server: Server, told: str) -> None:
    """Wait until that, and nothing else, is told of the releases."""
    for _ in range(40):
        listed = release(server, "list")
        if listed.stderr == told:
            return
        time.sleep(0.2)
    raise AssertionError(listed.stderr)


def test_a_model_that_does_not_load_in_the_server(tmp_path: Path) -> None:
    """An operator is told why, by whichever command; once the cause is gone it answers by itself.

    It is what a library or a file does that only the machine of whoever verified it has.
    """
    model, needed = tmp_path / "model.py", tmp_path / "needed"
    model.write_text(
        f"open({str(needed)!r}).close()\ndef predict(row): return 2000 + row.seller_available\n"
    )
    with running(tmp_path / "server", troubled=True) as server:
        with desk(server.data) as releases:
            number = add(releases, "predict", file=model)
            releases.promote(NAME, number, "ann")
        reason = f"{model}:predict cannot be imported: FileNotFoundError: [Errno 2] "
        reason += f"No such file or directory: '{needed}' (line 1)"
        until(server, f"Release 1 (live) cannot answer in 1 worker: {reason}\n")
        assert server.client().get("/predict/5/may/1").status == 503
        needed.touch()
        until(server, "")
        answer = server.client().get("/predict/5/may/1")
        assert (answer.body, answer.header("Stopgap-Release")) == (b"2005", "1")
