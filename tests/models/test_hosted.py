"""A model in its own process: whatever it does, the worker lives, and so does the next model."""

import asyncio
import math
import os
import re
import resource
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any, cast

import pytest
from tests.front.loops import in_a_loop
from tests.models.hostile import BAD, GOOD
from tests.models.slots import (
    DEADLINE,
    SOURCE,
    back,
    group,
    hostile,
    models,
    open_files,
    opened,
    outcome,
    outcomes,
    row,
    started,
)

from stopgap.contracts.loading import load_contract
from stopgap.contracts.madcompany import contract
from stopgap.contracts.row import Row
from stopgap.models.bringing import bring
from stopgap.models.failures import (
    ModelDied,
    ModelFailed,
    ModelLate,
    ModelRaised,
    ModelUnavailable,
    ModelUnloadable,
)
from stopgap.models.frames import ANSWER, Frame, Frames
from stopgap.models.loaded import file_hash
from stopgap.models.restarting import Restarts
from stopgap.models.running_model import RunningModel
from stopgap.models.slot import open_slot
from stopgap.models.specification import Specification

HARMLESS: dict[str, Any] = {
    "raises": ModelRaised,
    "raises_unspeakably": ModelRaised,
    "TooFew": ModelRaised,
    "OneText": ModelRaised,
    "odd": ModelRaised,
    "odd_deep_inside": ModelRaised,
    "enormous": ModelRaised,
    "nested": ModelRaised,
    "infinite": math.inf,
    "text": "3000",
    "unwritable": "\ud800",
    "nothing": None,
    "out_of_range": 10**9,
    "prints": GOOD,
    "forks": GOOD,
    "leaves_a_child": GOOD,
}
"""Models that live on, and what comes of the bad row: what the guard will see, or a failure."""


@pytest.mark.parametrize("name", HARMLESS)
@in_a_loop
async def test_a_harmless_row_costs_nothing_else(name: str) -> None:
    """A bad row in a batch of good ones fails none of them, and its process lives on."""
    async with started(hostile(name)) as slot:
        (process,) = models()
        good = list(range(20, 30))
        *found, bad = await outcomes(slot, [*map(row, good), row(BAD)])
        assert [GOOD + each for each in good] == found or name in {"TooFew", "OneText"}
        assert all(each in range(GOOD, GOOD + 1000) for each in found)
        expected = HARMLESS[name]
        if isinstance(expected, type):
            assert type(bad) is expected
        else:
            assert bad == expected
        assert models() == [process]
    see_gone(process)


@in_a_loop
async def test_nan_comes_back_as_nan() -> None:
    """NaN is no failure of the model's process; the guard is to see it."""
    async with started(hostile("not_a_number")) as slot:
        found = await outcome(slot, row(BAD))
    assert math.isnan(found)
    assert slot.waiting == 0


@in_a_loop
async def test_a_leak_ends_the_process() -> None:
    """A model that holds more memory than it may is ended, and what it held comes back."""
    async with started(hostile("Leaking", memory=2**28)) as slot:
        before = slot.memory
        assert 2**23 < before < 2**28
        found: object = None
        for _ in range(60):
            found = await outcome(slot, row(BAD))
            if isinstance(found, ModelFailed):
                break
            await asyncio.sleep(0.01)
        assert isinstance(found, ModelFailed)
        assert "memory" in found.reason
        await back(slot, 20)
        assert slot.memory < before + 2**24


@pytest.mark.parametrize("name", ["Hungry", "Endless"])
@in_a_loop
async def test_memory_taken_in_one_call_ends_the_process(name: str) -> None:
    """A single call that takes too much memory is stopped while it takes it."""
    async with started(hostile(name, memory=2**28, deadline=5)) as slot:
        began = time.monotonic()
        found = await outcome(slot, row(BAD))
        assert isinstance(found, ModelDied)
        assert "memory" in found.reason
        assert time.monotonic() - began < 4
        await back(slot, 20)


@in_a_loop
async def test_a_signal_to_all_processes_ends_no_answer() -> None:
    """A platform that ends the server tells every process; the model goes on to the last answer."""
    async with started(hostile("prints")) as slot:
        (process,) = models()
        os.kill(process, signal.SIGTERM)
        await asyncio.sleep(0.2)
        assert slot.trouble is None
        assert await outcome(slot, row(BAD)) == GOOD
        assert models() == [process]


@in_a_loop
async def test_pauses_grow() -> None:
    """A model that keeps dying is started again less and less often."""
    async with started(hostile("exits_at_once")) as slot:
        pauses = []
        for _ in range(3):
            await outcome(slot, row(BAD))
            refused = await outcome(slot, row(1))
            assert isinstance(refused, ModelUnavailable)
            assert slot.trouble == refused.reason
            pauses.append(refused.retry_after or 0)
            await back(slot, 20)
            assert slot.trouble is None
        assert pauses[0] < pauses[1] < pauses[2]


@in_a_loop
async def test_whatever_keeps_it_from_starting_again_passes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A contract whose own code raises for a while is told in full, and the model comes back."""
    file, broken = tmp_path / "moody.py", tmp_path / "broken"
    file.write_text(
        "import os\n"
        "from pydantic import BaseModel, field_validator\n"
        "from stopgap import Contract\n"
        "class Asked(BaseModel):\n"
        "    number: int\n"
        "    @field_validator('number')\n"
        "    def be_moody(cls, number):\n"
        f"        if os.path.exists({str(broken)!r}):\n"
        "            raise ZeroDivisionError\n"
        "        return number\n"
        "contract = Contract(\n"
        "    name='moody', version='1', path='/moody/{number}', inputs=Asked, output=bool\n"
        ")\n"
        "def predict(asked):\n"
        f"    return os._exit(3) if asked.number == {BAD} else True\n"
    )
    moody = load_contract(f"{file}:contract")
    good, bad = (Row.of(moody.inputs.model_validate({"number": each})) for each in (1, BAD))
    specification = Specification(uri=f"python:{file}:predict")
    slot = open_slot(specification, moody, contract_source=f"{file}:contract")
    await slot.start()
    assert isinstance(await outcome(slot, bad), ModelDied)
    broken.touch()
    async with asyncio.timeout(20):
        while not any(each.exc_info for each in caplog.records):  # noqa: ASYNC110  # no event
            await asyncio.sleep(0.02)
        broken.unlink()
        while await outcome(slot, good) is not True:  # noqa: ASYNC110  # another process
            await asyncio.sleep(0.02)
    await slot.stop()


@in_a_loop
async def test_a_batch_is_one_call() -> None:
    """A batch of verification's is asked once, and fails as one: no second try hides it."""
    async with started(hostile("raises")) as slot:
        good = list(await slot.answer_batch([row(1), row(2)]))
        assert good == [GOOD + 1, GOOD + 2]
        bad = await slot.answer_batch([row(1), row(BAD)])
        assert [type(each) for each in bad] == [ModelRaised, ModelRaised]
        assert "a model's own words" in bad[0].reason
        assert list(await slot.answer_batch([])) == []


@in_a_loop
async def test_a_caller_may_leave() -> None:
    """Cancelling one caller neither disturbs the others nor the model."""
    async with started(hostile("Slow", batch=4)) as slot:
        callers = [asyncio.create_task(outcome(slot, row(each))) for each in range(6)]
        await asyncio.sleep(0.02)
        callers[1].cancel()
        callers[5].cancel()
        found = await asyncio.gather(*callers, return_exceptions=True)
        kept = [each for place, each in enumerate(found) if place not in {1, 5}]
        assert kept == [GOOD] * 4
        assert slot.waiting == 0


@pytest.mark.parametrize(
    ("uri", "reason"),
    [
        ("python:no.such.module:x", "no.such"),
        ("python:hostile.py", "file.py:attribute"),
        (f"python:{Path(__file__).with_name('hostile.py')}:no_such_name", "no_such_name"),
        (f"python:{Path(__file__).with_name('hostile.py')}:BAD", "cannot be called"),
        (f"python:{Path(__file__).with_name('hostile.py')}:NotMade", "weights are missing"),
        ("onnx:/no/such/model.onnx", "/no/such/model.onnx"),
    ],
)
@in_a_loop
async def test_says_why_it_cannot_be_loaded(uri: str, reason: str) -> None:
    """A model that cannot be loaded is refused with the reason, and leaves nothing behind."""
    files = open_files()
    slot = opened(Specification(uri=uri))
    with pytest.raises(ModelUnloadable, match=reason):
        await slot.start()
    await slot.stop()
    assert open_files() <= files
    assert models() == []


@in_a_loop
async def test_a_model_without_a_first_answer_is_given_up() -> None:
    """A model that hangs over its first row is not ready, nor waited for beyond the limit."""
    slot = opened(hostile("HangsAtFirst", load_timeout=3))
    with pytest.raises(ModelUnloadable, match="first answer within 3 s; see --load-timeout"):
        await slot.start()
    await slot.stop()
    assert models() == []


@in_a_loop
async def test_a_model_that_waits_for_something_is_told_with_its_words(tmp_path: Path) -> None:
    """What it has printed until it was given up says what it waited for."""
    module = tmp_path / "patient.py"
    module.write_text("import time\nprint('no answer from the feature store')\ntime.sleep(60)\n")
    slot = opened(Specification(uri=f"python:{module}:predict", load_timeout=3))
    with pytest.raises(
        ModelUnloadable, match=r"3 s; see --load-timeout\. no answer from the feature store"
    ):
        await slot.start()
    await slot.stop()
    assert models() == []


@in_a_loop
async def test_a_module_that_reads_the_command_line_is_told_with_its_words(tmp_path: Path) -> None:
    """The number by which it ends says nothing."""
    module = tmp_path / "script.py"
    module.write_text(
        "import argparse\nparser = argparse.ArgumentParser()\n"
        "parser.add_argument('--weights', required=True)\nparser.parse_args([])\n"
    )
    slot = opened(Specification(uri=f"python:{module}:predict"))
    with pytest.raises(ModelUnloadable, match=r"SystemExit: 2 .*said last: .*required: --weights"):
        await slot.start()
    await slot.stop()
    assert models() == []


@in_a_loop
async def test_a_model_that_ends_over_its_first_rows_is_told_with_them(tmp_path: Path) -> None:
    """Whoever handed it in can ask the same."""
    module = tmp_path / "fragile.py"
    module.write_text("import os\ndef predict(row):\n    os._exit(3)\n")
    slot = opened(Specification(uri=f"python:{module}:predict"))
    with pytest.raises(ModelUnloadable, match=r"exit code 3\. .*asked {\"seller_available\":\d+"):
        await slot.start()
    await slot.stop()


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("the licence\nhas \x1b[1mexpired", r"the licence has \ufffd\[1mexpired"),
        ("x" * 5_000, "…x{200}"),
        ("", None),
    ],
)
@in_a_loop
async def test_what_it_said_before_it_ended_is_told(
    tmp_path: Path, said: str, told: str | None
) -> None:
    """Operators read why a model has ended in its own words, in one short line; no client does."""
    module = tmp_path / "licensed.py"
    module.write_text(
        "import sys\n"
        "def predict(row):\n"
        f"    return 3000 if row.seller_available != {BAD} else sys.exit({said!r} or 1)\n"
    )
    async with started(Specification(uri=f"python:{module}:predict")) as slot:
        died = await outcome(slot, row(BAD))
        assert isinstance(died, ModelDied)
        words = rf" It said last: ({told})" if told else ""
        assert re.fullmatch(rf"Its process ended with exit code 1\.{words}", died.reason)
        assert slot.trouble == died.reason.partition(" It said last: ")[0]
        assert str(died) == ModelDied.told


@in_a_loop
async def test_one_that_is_late_since_it_prints_too_much_is_told_so(tmp_path: Path) -> None:
    """Nothing is wrong with its answers: what it prints has to be read before it goes on."""
    module = tmp_path / "talkative.py"
    module.write_text(
        "def predict(row):\n"
        f"    for _ in range(1_000 if row.seller_available == {BAD} else 0):\n"
        "        print('x' * 9_999)\n"
        "    return 3000\n"
    )
    async with started(Specification(uri=f"python:{module}:predict", deadline=DEADLINE)) as slot:
        late = await outcome(slot, row(BAD))
        assert isinstance(late, ModelLate)
        burden = "It prints more than is read, 1.3 MB a second, which holds it up."
        assert late.reason == f"There was no answer after {DEADLINE:g} s. {burden}"


@in_a_loop
async def test_tells_what_it_has_loaded() -> None:
    """What was seen of a model is told: its module, its file's hash, the libraries in use."""
    slot = opened(hostile("raises"))
    loaded = await slot.start()
    await slot.stop()
    assert (loaded.kind, loaded.module) == ("python", "hostile")
    assert loaded.file_hash is not None
    assert len(loaded.file_hash) == 64
    assert {"python", "pydantic"} <= set(loaded.packages)
    assert loaded.seconds > 0


@in_a_loop
async def test_what_it_has_loaded_is_left_alone(tmp_path: Path) -> None:
    """Python does not look through the libraries again and again, in the middle of a call."""
    module = tmp_path / "counting.py"
    module.write_text("import gc\n\ndef predict(row):\n    return gc.get_freeze_count()\n")
    async with started(Specification(uri=f"python:{module}:predict")) as slot:
        assert await slot.answer(row(1)) > 10_000


@in_a_loop
async def test_it_may_end_by_itself(tmp_path: Path) -> None:
    """A model that is stopped has a moment to put its things in order."""
    module, left = tmp_path / "tidy.py", tmp_path / "left"
    module.write_text(
        "import atexit, pathlib, time\n"
        "@atexit.register\n"
        "def leave():\n"
        "    time.sleep(0.3)\n"
        f"    pathlib.Path({str(left)!r}).touch()\n"
        "def predict(row):\n"
        "    return 3000\n"
    )
    async with started(Specification(uri=f"python:{module}:predict")) as slot:
        assert await slot.answer(row(1)) == 3000
    assert left.exists()


@in_a_loop
async def test_it_is_stopped_in_the_middle_of_a_call(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A model whose worker does not wait for its answer any more ends without a word."""
    caplog.set_level("INFO")
    module, asked = tmp_path / "slow.py", tmp_path / "asked"
    module.write_text(
        "import pathlib, time\n"
        "def predict(row):\n"
        "    if row.seller_available == 5:\n"
        f"        pathlib.Path({str(asked)!r}).touch()\n"
        "        time.sleep(0.3)\n"
        "    return 3000\n"
    )
    async with started(Specification(uri=f"python:{module}:predict")) as slot:
        answer = asyncio.ensure_future(outcome(slot, row(5)))
        async with asyncio.timeout(20):
            while not asked.exists():  # noqa: ASYNC110  # another process makes it
                await asyncio.sleep(0.01)
    assert isinstance(await answer, ModelUnavailable | ModelDied)
    assert [each.__dict__["line"] for each in caplog.records if "line" in each.__dict__] == []


@in_a_loop
async def test_one_that_stands_aside() -> None:
    """It runs when nobody else wants to; in our session, since Linux shares out by sessions."""
    specification = hostile("raises")
    slot = open_slot(specification, contract, contract_source=SOURCE, background=True)
    await slot.start()
    try:
        (model,) = models()
        assert os.sched_getscheduler(model) == os.SCHED_IDLE
        assert os.getpriority(os.PRIO_PROCESS, model) == 19
        assert (os.getsid(model), os.getpgid(model)) == (os.getsid(0), model)
    finally:
        await slot.stop()


@in_a_loop
async def test_another_contract_is_noticed(tmp_path: Path) -> None:
    """A contract whose file has changed since the server's start is no longer the same."""
    changed = tmp_path / "changed.py"
    changed.write_text(
        "from stopgap.contracts.madcompany import contract\n"
        "from dataclasses import replace\n"
        "contract = replace(contract, unit='euro')\n"
    )

    slot = open_slot(hostile("raises"), contract, contract_source=f"{changed}:contract")
    with pytest.raises(ModelUnloadable, match="has its file been changed"):
        await slot.start()
    await slot.stop()


@pytest.fixture
def bare_python(tmp_path: Path) -> str:
    """Make an environment with no library at all."""
    folder = tmp_path / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    return str(folder / "bin" / "python")


@in_a_loop
async def test_another_python_without_pydantic_is_told(bare_python: str) -> None:
    """A Python that lacks what is needed says what, and the command that installs it."""
    slot = opened(hostile("raises", python=bare_python))
    with pytest.raises(ModelUnloadable, match="-m pip install pydantic"):
        await slot.start()
    await slot.stop()
    slot = opened(hostile("raises", python="/no/such/python"))
    with pytest.raises(ModelUnloadable, match="/no/such/python"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_another_python_whose_pydantic_is_another_pythons_is_told(bare_python: str) -> None:
    """Of a module inside of a package that is missing, the package is what can be installed."""
    (packages,) = Path(bare_python).parents[1].glob("lib/python*/site-packages")
    (packages / "pydantic_core").mkdir()
    (packages / "pydantic_core" / "__init__.py").write_text("")
    (packages / "pydantic.py").write_text("import pydantic_core._pydantic_core\n")
    slot = opened(hostile("raises", python=bare_python))
    with pytest.raises(ModelUnloadable, match=r"-m pip install pydantic_core$"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_another_python_with_an_old_pydantic_is_told(bare_python: str) -> None:
    """One that does not know names beside aliases would fail at the author's contract."""
    (packages,) = Path(bare_python).parents[1].glob("lib/python*/site-packages")
    (packages / "pydantic.py").write_text("VERSION = '2.6.4'\n")
    slot = opened(hostile("raises", python=bare_python))
    with pytest.raises(ModelUnloadable, match="-m pip install -U pydantic"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_another_python_that_is_too_old_is_told(tmp_path: Path) -> None:
    """It says so itself, whatever else it does not know."""
    script = tmp_path / "python"
    older = "import sys; sys.version_info = (3, 10, 1); exec(sys.argv.pop(1))"
    script.write_text(f'#!/bin/sh\nshift 3\nexec {sys.executable} -c "{older}" "$@"\n')
    script.chmod(0o700)
    slot = opened(hostile("raises", python=str(script)))
    with pytest.raises(ModelUnloadable, match=r"is Python 3\.10, and 3\.11 or newer"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_another_python_by_pyenv(tmp_path: Path) -> None:
    """A python of pyenv is a script that looks for pip in what it is told, and finds none."""
    script = tmp_path / "python"
    script.write_text(
        "#!/usr/bin/env bash\n"
        'if [[ "$*" =~ [[:space:]]-m[[:space:]]pip[[:space:]] ]]; then exit 0; fi\n'
        f'exec {sys.executable} "$@"\n'
    )
    script.chmod(0o700)
    async with started(hostile("raises", python=str(script))) as slot:
        assert await slot.answer(row(1)) == GOOD + 1


@in_a_loop
async def test_another_python_that_is_a_process_between_is_told(tmp_path: Path) -> None:
    """A script that runs Python as a child could not be ended with it; which it runs is told."""
    script = tmp_path / "python"
    script.write_text(f'#!/bin/sh\n{sys.executable} "$@"\nexit $?\n')
    script.chmod(0o700)
    slot = opened(hostile("raises", python=str(script)))
    with pytest.raises(ModelUnloadable, match=f"name the Python itself: {sys.executable}"):
        await slot.start()
    await slot.stop()


@in_a_loop
async def test_another_python_that_ends_at_once_is_told() -> None:
    """However early it ends, and however late the loop sees it: nobody waits for it."""

    async def be_busy() -> None:
        while True:
            time.sleep(0.01)  # noqa: ASYNC251  # so that it has ended before it is looked at
            await asyncio.sleep(0)

    busy = asyncio.create_task(be_busy())
    slot = opened(hostile("raises", python="/bin/true"))
    with pytest.raises(ModelUnloadable, match="exit code 0"):
        await slot.start()
    busy.cancel()
    await slot.stop()


def test_secrets_stay_here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A model's process has the environment, but none of our settings and none of our files."""
    model = tmp_path / "peeping.py"
    model.write_text(
        "import os\n"
        "def peep(row):\n"
        "    files = [os.readlink(f'/proc/self/fd/{n}') for n in os.listdir('/proc/self/fd')\n"
        "             if os.path.exists(f'/proc/self/fd/{n}')]\n"
        "    return {'environment': dict(os.environ), 'files': files}\n"
    )
    monkeypatch.setenv("STOPGAP_SECRET", "a secret of thirty-two characters")
    monkeypatch.setenv("DATABASE_URL", "postgresql://user:password@host/database")
    for name in ("AWS_SECRET_ACCESS_KEY", "PGPASSWORD", "OTEL_EXPORTER_OTLP_HEADERS"):
        monkeypatch.setenv(name, "ours")
    monkeypatch.setenv("HARMLESS", "yes")
    secret = tmp_path / "secret.txt"
    secret.write_text("secret")

    async def scenario() -> Any:
        with secret.open() as file:
            os.set_inheritable(file.fileno(), True)  # noqa: FBT003  # its own signature
            async with started(Specification(uri=f"python:{model}:peep")) as slot:
                return await slot.answer(row(1))

    seen = asyncio.run(scenario())
    assert seen["environment"]["HARMLESS"] == "yes"
    assert not {"STOPGAP_SECRET", "DATABASE_URL"} & set(seen["environment"])
    assert "ours" not in seen["environment"].values()
    assert str(secret) not in seen["files"]


ORPHAN = f"""
import asyncio, sys
sys.path[:0] = {sys.path!r}
from tests.models.slots import hostile, models, opened, outcome, row
from tests.front.loops import in_a_loop
from tests.models.hostile import BAD

async def main():
    slot = opened(hostile(sys.argv[1], deadline=60))
    await slot.start()
    asyncio.get_running_loop().call_later(0.3, lambda: print(*models(), flush=True))
    if sys.argv[2] == "bad":
        await outcome(slot, row(BAD))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("raises", "nothing"),
        ("hangs_in_c", "bad"),
        ("stops", "bad"),
        ("leaves_a_child", "bad"),
        ("leaves_a_child_in_a_thread", "bad"),
    ],
)
def test_no_orphan_is_left(name: str, asked: str) -> None:
    """When the worker is killed its models end with it: idle, hanging in C, stopped, or forked."""
    command = [sys.executable, "-c", ORPHAN, name, asked]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as worker:
        assert worker.stdout is not None
        model = int(worker.stdout.readline())
        assert group(model)
        worker.send_signal(signal.SIGKILL)
    see_gone(model)


def see_gone(leader: int) -> None:
    """See a group end, with all that is in it."""
    end = time.monotonic() + 5
    while (left := alive(leader)) and time.monotonic() < end:
        time.sleep(0.02)
    assert left == []


def alive(leader: int) -> list[int]:
    """List the processes of a group that still run; nobody here buries them."""
    states = {}
    for process in group(leader):
        try:
            stat = Path(f"/proc/{process}/stat").read_text()
        except OSError:
            continue
        states[process] = stat.rpartition(")")[2].split()[0]
    return [process for process, state in states.items() if state not in "ZX"]


def test_contract_source_is_madcompanys() -> None:
    """The tests' rows are of the contract that the models are given."""
    assert f"{contract.inputs.__module__}:contract" == SOURCE


@pytest.mark.parametrize("in_process", [True, False])
@in_a_loop
async def test_a_file_that_was_changed_is_not_loaded(tmp_path: Path, *, in_process: bool) -> None:
    """What was verified answers, or nobody: an edited Python file is no model of this release."""
    model = tmp_path / "model.py"
    model.write_text("def answer(row):\n    return 3000\n")
    uri, verified = f"python:{model}:answer", file_hash(model)
    specified = Specification(uri=uri, file_hash=verified, in_process=in_process)
    async with started(specified) as slot:
        assert await outcome(slot, row(GOOD)) == 3000
    model.write_text("def answer(row):\n    return 4000\n")
    with pytest.raises(ModelUnloadable, match="has been changed since it was verified"):
        await opened(specified).start()


@pytest.mark.parametrize("in_process", [True, False])
@in_a_loop
async def test_a_module_that_was_changed_is_not_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, in_process: bool
) -> None:
    """Nor is one that is found by its name, which shows once it is found."""
    name = f"shop_model_{in_process}".lower()
    model = tmp_path / f"{name}.py"
    model.write_text("def answer(row):\n    return 3000\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", sys.path[:])
    verified = file_hash(model)
    specified = Specification(
        uri=f"python:{name}:answer", file_hash=verified, in_process=in_process
    )
    async with started(specified) as slot:
        assert await outcome(slot, row(GOOD)) == 3000
    model.write_text("def answer(row):\n    return 4000\n")
    monkeypatch.delitem(sys.modules, name, raising=False)
    with pytest.raises(ModelUnloadable, match="has been changed since it was verified"):
        await opened(specified).start()


@in_a_loop
async def test_nothing_is_imported_from_where_the_server_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither by a model nor by processes of its own, whatever files happen to lie there."""
    (tmp_path / "selectors.py").write_text("raise SystemExit('not this one')")
    (tmp_path / "model.py").write_text(
        "import selectors, subprocess, sys\n"
        "def answer(row):\n"
        "    subprocess.run([sys.executable, '-c', 'import selectors'], check=True)\n"
        "    return 3000\n"
    )
    monkeypatch.delenv("PYTHONPATH", raising=False)
    monkeypatch.chdir(tmp_path)
    async with started(Specification(uri=f"python:{tmp_path / 'model.py'}:answer")) as slot:
        assert await outcome(slot, row(GOOD)) == 3000


@in_a_loop
async def test_a_file_that_was_changed_does_not_come_back(tmp_path: Path) -> None:
    """Nor does it after a crash, until the old one is put back."""
    model = tmp_path / "model.py"
    text = (
        "import os\n"
        "def answer(row):\n"
        f"    if row.seller_available == {BAD}:\n"
        "        os.abort()\n"
        "    return 3000\n"
    )
    model.write_text(text)
    verified = Specification(uri=f"python:{model}:answer", file_hash=file_hash(model))
    async with started(verified) as slot:
        model.write_text(text.replace("3000", "4000"))
        assert isinstance(await outcome(slot, row(BAD)), ModelDied)
        deadline = time.monotonic() + 20
        while "has been changed" not in (await outcome(slot, row(GOOD))).reason:
            assert time.monotonic() < deadline
            await asyncio.sleep(0.05)
        model.write_text(text)
        await back(slot, 20)
        assert await outcome(slot, row(GOOD)) == 3000


def score(process: int) -> int:
    """Tell how soon the system ends a process when memory does: 1000 comes first."""
    return int(Path(f"/proc/{process}/oom_score_adj").read_text())


@in_a_loop
async def test_it_gives_way() -> None:
    """It goes first when the machine's memory ends, and a crash leaves no image of it."""
    specification = hostile("raises")
    slot = open_slot(specification, contract, contract_source=SOURCE)
    await slot.start()
    try:
        (model,) = models()
        assert score(model) == 1000
        assert resource.prlimit(model, resource.RLIMIT_CORE) == (0, 0)
    finally:
        await slot.stop()


@pytest.mark.parametrize(("told", "threads"), [(None, 1), ("3", 3)])
@in_a_loop
async def test_threads_of_numeric_libraries(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, told: str | None, threads: int
) -> None:
    """They use one thread, unless the operator's environment says otherwise."""
    if told is None:
        monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", told)
    model = tmp_path / "peeping.py"
    model.write_text("import os\n\ndef peep(row): return int(os.environ['OMP_NUM_THREADS'])\n")
    async with started(Specification(uri=f"python:{model}:peep")) as slot:
        assert await slot.answer(row(1)) == threads


@in_a_loop
async def test_its_children_end_with_it(tmp_path: Path) -> None:
    """A model that dies leaves nothing running: a program that it has started ends with it."""
    model = tmp_path / "parent.py"
    model.write_text(
        "import os, subprocess\n"
        "def answer(row):\n"
        f"    if row.seller_available == {BAD}:\n"
        "        subprocess.Popen(['sleep', '20'])\n"
        "        os._exit(1)\n"
        "    return 3000\n"
    )
    async with started(Specification(uri=f"python:{model}:answer")) as slot:
        (leader,) = models()
        assert isinstance(await outcome(slot, row(BAD)), ModelDied)
        see_gone(leader)


@in_a_loop
async def test_a_helper_outlives_the_thread_that_forked_it(tmp_path: Path) -> None:
    """A process that a model has forked while it loaded, in a thread, helps it from then on."""
    model = tmp_path / "helped.py"
    model.write_text(
        "import multiprocessing, threading\n"
        "ours, theirs = multiprocessing.Pipe()\n"
        "def help():\n"
        "    theirs.send('ready')\n"
        "    while True:\n"
        "        theirs.send(theirs.recv() + 3000)\n"
        "def load():\n"
        "    fork = multiprocessing.get_context('fork')\n"
        "    fork.Process(target=help, daemon=True).start()\n"
        "    ours.recv()\n"
        "loading = threading.Thread(target=load)\n"
        "loading.start()\n"
        "loading.join()\n"
        "def answer(row):\n"
        "    ours.send(row.seller_available)\n"
        "    return ours.recv()\n"
    )
    async with started(Specification(uri=f"python:{model}:answer")) as slot:
        (leader,) = models()
        assert len(alive(leader)) == 2
        for sellers in range(5):
            assert await slot.answer(row(sellers)) == 3000 + sellers
    see_gone(leader)


class Pipe:
    """A process that is only talked to."""

    def __init__(self) -> None:
        self.sent: list[bytes] = []
        self.killed: list[str] = []

    def send(self, frame: bytes) -> None:
        """Take a frame."""
        self.sent.append(frame)

    def kill(self, reason: str) -> None:
        """Note why it is to end."""
        self.killed.append(reason)


@in_a_loop
async def test_an_answer_to_another_call_is_nobodys() -> None:
    """What a process says to a call of before, or of nobody, is given to no caller of now."""
    pipe, specification = Pipe(), hostile("raises")
    running = RunningModel(
        asyncio.get_running_loop(),
        cast("Any", pipe),
        specification,
        bring(contract.output_kind, specification.bring),
        ended=lambda _reason, _lived: None,
    )
    asked = running.batcher.ask((row(1),), whole=False)
    await asyncio.sleep(0)
    (sent,) = Frames().feed(pipe.sent[0])
    running.received(Frame(sent.number - 1, ANSWER, b"[3000]"))
    assert pipe.killed == ["It answered what it had not been asked."]
    assert not asked.done()
    running.received(Frame(sent.number, ANSWER, b"[3001]"))
    assert await asked == 3001
    running.batcher.end(partial(ModelDied, "The test is over."))


@in_a_loop
async def test_who_waits_is_told_of_the_stop() -> None:
    """When a model is stopped, those who wait for their turn have no deadline to wait for."""
    slot = opened(hostile("hangs", deadline=30, batch=1))
    await slot.start()
    asked = [asyncio.ensure_future(outcome(slot, row(BAD))) for _ in range(3)]
    await asyncio.sleep(0.1)
    await slot.stop()
    async with asyncio.timeout(5):
        for failure in await asyncio.gather(*asked):
            assert isinstance(failure, ModelUnavailable | ModelDied)
    assert isinstance(await outcome(slot, row(1)), ModelUnavailable)


@in_a_loop
async def test_a_stop_does_not_wait_for_a_restart(monkeypatch: pytest.MonkeyPatch) -> None:
    """A model that is left alone for a while after its death is stopped at once."""
    monkeypatch.setattr(Restarts, "pause", lambda _restarts, _lived: 30.0)
    slot = opened(hostile("exits_at_once"))
    await slot.start()
    assert isinstance(await outcome(slot, row(BAD)), ModelDied)
    async with asyncio.timeout(5):
        await slot.stop()
