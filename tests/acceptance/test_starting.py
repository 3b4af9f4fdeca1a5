"""Starting: refused in one clear line with nothing changed, or begun as it was left."""

import hashlib
import json
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager, suppress
from datetime import datetime
from pathlib import Path

import psycopg
import pytest
from tests.acceptance.processes import (
    answering,
    drainers,
    is_running,
    kill,
    size,
    wait_for,
    workers,
)
from tests.acceptance.server import (
    ML_SERVER,
    ROOT,
    SECRET,
    START_SECONDS,
    STOP_SECONDS,
    STOPGAP,
    Server,
    environment,
    running,
)
from tests.commands import opened
from tests.pictures import png
from tests.releases.making import report

from stopgap import __version__
from stopgap.contracts.madcompany import contract
from stopgap.models.specification import Specification
from stopgap.storage.history import MIGRATION_LOCK

WAITING = "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
"""Who waits for another's migration."""

PRODUCTION = {"STOPGAP_PROFILE": "production", "STOPGAP_SECRET": SECRET}


def refused(folder: Path, *, command: Sequence[str] = (*STOPGAP, "serve"), **settings: str) -> str:
    """Start a server that should refuse; hold that it does so as all do, and return its line."""
    told = {"PORT": "0", "STOPGAP_DATA": str(folder / "data")} | settings
    ended = subprocess.run(
        command,
        cwd=folder,
        env=environment(**told),
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    assert ended.returncode > 1, (ended.returncode, ended.stderr)
    assert ended.stdout == ""
    assert ended.stderr.startswith("stopgap: "), ended.stderr
    assert ended.stderr.count("\n") == 1, ended.stderr
    return ended.stderr


def test_idle_connections_keep_nobody_out(tmp_path: Path) -> None:
    """A worker takes more connections than a shell's limit of open files would let it have."""
    command = ["/bin/sh", "-c", 'ulimit -Sn 100; exec "$@"', "sh", *ML_SERVER]
    with running(tmp_path, command=command) as server, ExitStack() as idle:
        for _ in range(200):
            idle.enter_context(socket.create_connection(("127.0.0.1", server.port)))
        assert server.client().get("/status").body == b"Alive!"


def fingerprint(folder: Path) -> dict[str, str]:
    """Tell what is in a folder, to the byte."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


@contextmanager
def somebody_listening(*options: int) -> Iterator[int]:
    """Have another program listen on a port."""
    with closing(socket.socket()) as other:
        for option in options:
            other.setsockopt(socket.SOL_SOCKET, option, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield other.getsockname()[1]


@pytest.mark.parametrize(
    "options", [(), (socket.SO_REUSEADDR,), (socket.SO_REUSEADDR, socket.SO_REUSEPORT)]
)
def test_a_port_that_another_program_has(tmp_path: Path, options: tuple[int, ...]) -> None:
    """A port that is taken stops the start, even if who has it would share it."""
    with somebody_listening(*options) as port:
        line = refused(tmp_path, PORT=str(port))
    assert str(port) in line
    assert "taken" in line
    assert fingerprint(tmp_path) == {}


def test_a_port_that_another_stopgap_has(demo: Server, tmp_path: Path) -> None:
    """A second Stopgap does not quietly share the first one's port."""
    for host in ("127.0.0.1", "0.0.0.0", "localhost"):
        line = refused(tmp_path, PORT=str(demo.port), STOPGAP_HOST=host)
        assert str(demo.port) in line
    assert fingerprint(tmp_path) == {}
    assert demo.client().get("/status").body == b"Alive!"


def test_an_address_of_another_machine(tmp_path: Path) -> None:
    """An address that is not this machine's stops the start."""
    assert "192.0.2.1" in refused(tmp_path, STOPGAP_HOST="192.0.2.1")
    assert "nowhere.invalid" in refused(tmp_path, STOPGAP_HOST="nowhere.invalid")


def test_a_data_folder_that_cannot_be_written(tmp_path: Path) -> None:
    """A data folder that cannot be made or written stops the start."""
    (tmp_path / "file").write_text("mine")
    before = fingerprint(tmp_path)
    for place in (tmp_path / "file", tmp_path / "file" / "below", Path("/proc/stopgap")):
        assert str(place) in refused(tmp_path, STOPGAP_DATA=str(place))
    assert fingerprint(tmp_path) == before


def test_an_sqlite_database_that_is_not_ours(tmp_path: Path) -> None:
    """A database of somebody else's stops the start, and not a byte of it changes."""
    path = tmp_path / "shop.db"
    with closing(sqlite3.connect(path)) as shop:
        shop.execute("CREATE TABLE customers (name TEXT)")
        shop.execute("INSERT INTO customers VALUES ('Ann')")
        shop.commit()
    before = fingerprint(tmp_path)
    for settings in ({}, PRODUCTION):
        assert "shop.db" in refused(tmp_path, DATABASE_URL=f"sqlite:///{path}", **settings)
        assert fingerprint(tmp_path) == before


@pytest.mark.parametrize("content", [b"Dear diary, " * 500, b"SQLite format 3\0" + b"\xff" * 5000])
def test_a_file_that_is_no_database(tmp_path: Path, content: bytes) -> None:
    """A file that is no database stops the start, and not a byte of it changes."""
    path = tmp_path / "diary.txt"
    path.write_bytes(content)
    before = fingerprint(tmp_path)
    assert "diary.txt" in refused(tmp_path, DATABASE_URL=f"sqlite:///{path}")
    assert fingerprint(tmp_path) == before


def test_a_postgresql_database_that_is_not_ours(tmp_path: Path, postgresql_url: str) -> None:
    """A PostgreSQL database of somebody else's stops the start, and nothing in it changes."""
    look = "SELECT table_schema || '.' || table_name FROM information_schema.tables ORDER BY 1"
    with psycopg.connect(postgresql_url, autocommit=True) as shop:
        shop.execute("CREATE TABLE customers (name TEXT)")
        shop.execute("INSERT INTO customers VALUES ('Ann')")
        before = shop.execute(look).fetchall()
        line = refused(tmp_path, DATABASE_URL=postgresql_url, **PRODUCTION)
        assert shop.execute(look).fetchall() == before
        assert shop.execute("SELECT name FROM customers").fetchall() == [("Ann",)]
    assert "a-password-of-the-database" not in line
    assert fingerprint(tmp_path) == {}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"STOPGAP_PROT": "5000"}, "STOPGAP_PROT"),
        ({"PORT": "70000"}, "PORT"),
        ({"STOPGAP_WORKERS": "0"}, "STOPGAP_WORKERS"),
        ({"STOPGAP_IMAGE_BYTES": "ten"}, "STOPGAP_IMAGE_BYTES"),
        ({"STOPGAP_SECRET": "hunter22"}, "STOPGAP_SECRET"),
        ({"STOPGAP_SECRET_FILE": "/nowhere"}, "STOPGAP_SECRET_FILE"),
        ({"STOPGAP_CONTRACTS": "nowhere:contract"}, "nowhere"),
        ({"STOPGAP_PROFILE": "production", "STOPGAP_SECRET": SECRET}, "DATABASE_URL"),
        ({"STOPGAP_PROFILE": "production", "DATABASE_URL": "sqlite:///x.db"}, "STOPGAP_SECRET"),
        ({"DATABASE_URL": "mysql://root:hunter22@localhost/x"}, "postgresql://"),
        ({"DATABASE_URL": "postgresql://root:hunter22@127.0.0.1:1/x"}, "PostgreSQL"),
        ({"STOPGAP_OBJECTS": "ftp://host/x"}, "ftp"),
        ({"STOPGAP_LIMITS": "memcached://host"}, "STOPGAP_LIMITS"),
    ],
)
def test_a_setting_that_cannot_be(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    """A setting that is none, out of range or missing stops the start, and no secret is told."""
    line = refused(tmp_path, **settings)
    assert named in line
    assert "hunter22" not in line
    assert fingerprint(tmp_path) == {}


def test_it_stops_before_it_serves(tmp_path: Path, postgresql_url: str) -> None:
    """SIGTERM ends a start that waits for another's migration, also that of a container.

    Its first process gets no signal that it does not handle, as if it ignored them all.
    """
    command = ["/bin/sh", "-c", 'trap "" TERM; exec "$@"', "sh", *ML_SERVER]
    with psycopg.connect(postgresql_url, autocommit=True) as another:
        another.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        server = Server(tmp_path, command, {"DATABASE_URL": postgresql_url})
        try:
            wait_for(lambda: another.execute(WAITING).fetchone(), START_SECONDS, "it waits")
            assert server.stop(alone=True) < STOP_SECONDS
        finally:
            kill(server.process.pid)
    assert (server.process.returncode, server.said) == (0, "")


def test_a_reload_before_it_serves(tmp_path: Path, postgresql_url: str) -> None:
    """SIGHUP, which replaces workers, does nothing to a server that has none yet."""
    with psycopg.connect(postgresql_url, autocommit=True) as another:
        another.execute("SELECT pg_advisory_lock(%s)", [MIGRATION_LOCK])
        server = Server(tmp_path, ML_SERVER, {"DATABASE_URL": postgresql_url})
        try:
            wait_for(lambda: another.execute(WAITING).fetchone(), START_SECONDS, "it waits")
            os.kill(server.process.pid, signal.SIGHUP)
            another.execute("SELECT pg_advisory_unlock(%s)", [MIGRATION_LOCK])
            server.wait_until_up()
            server.stop()
        finally:
            kill(server.process.pid)
    assert server.process.returncode == 0


MINE = "from stopgap.contracts.madcompany import contract"


def test_a_worker_that_cannot_start(tmp_path: Path) -> None:
    """A worker that cannot start says so in one line of the log, and is tried again.

    The pauses grow; SIGHUP ends one, and a stop does.
    """
    contract = tmp_path / "mine.py"
    contract.write_text(MINE)
    settings = {"STOPGAP_CONTRACTS": f"{contract}:contract"}
    with running(tmp_path, settings, stopped=False, troubled=True) as server:
        contract.write_text("a typo")
        kill(*workers(server.process.pid))
        wait_for(lambda: server.said.count("cannot start") == 3, 20, "it is told")
        contract.write_text(MINE)
        os.kill(server.process.pid, signal.SIGHUP)
        server.wait_until_up()
        (worker,) = workers(server.process.pid)
        contract.write_text("a typo")
        time.sleep(2.5)  # the pause that was begun comes to nothing
        assert workers(server.process.pid) == [worker]
        kill(worker)
        wait_for(lambda: server.said.count("cannot start") == 5, 20, "it is told")
        assert server.stop() < STOP_SECONDS
    output = (server.folder / "output").read_text()
    told = [json.loads(line) for line in output.splitlines() if "cannot start" in line]
    assert all("mine.py:contract' cannot be imported" in line["event"] for line in told)
    assert not any("exception" in line for line in told)
    first, second, third, *_ = [datetime.fromisoformat(line["time"]) for line in told]
    assert 1 <= (second - first).total_seconds() < (third - second).total_seconds() - 0.5
    assert "Traceback" not in (server.folder / "errors").read_text()


def test_a_worker_that_starts_without_objects(tmp_path: Path) -> None:
    """Only images, and loading a model, need them: workers that die are replaced meanwhile.

    Nor do commands need them; and nothing has to be restarted.
    """
    with running(tmp_path, troubled=True) as server:
        objects = server.data / "objects"
        objects.rename(tmp_path / "objects")
        objects.touch()
        (worker,) = workers(server.process.pid)
        kill(worker)
        wait_for(lambda: {*workers(server.process.pid)} - {worker}, 10, "it is replaced")
        server.wait_until_up()
        client = server.client()
        assert client.get("/predict/5/january/100").status == 200
        assert client.upload(png()).status == 503
        listed = subprocess.run(
            [*STOPGAP, "account", "list"],
            env=environment(STOPGAP_DATA=str(server.data)),
            capture_output=True,
            text=True,
            check=True,
        )
        assert "orhan" in listed.stdout
        objects.unlink()
        (tmp_path / "objects").rename(objects)
        assert client.upload(png()).status == 201
    assert "a worker cannot start" not in server.said


@pytest.mark.parametrize("name", ["stopgap.db", "journal.db"])
def test_a_worker_that_starts_without_a_database(tmp_path: Path, name: str) -> None:
    """A file that cannot be used is as a server that is away: anonymous predictions go on."""
    with running(tmp_path, troubled=True) as server:
        database = server.data / name
        database.rename(tmp_path / name)
        database.mkdir()
        (worker,) = workers(server.process.pid)
        kill(worker)
        wait_for(lambda: {*workers(server.process.pid)} - {worker}, 10, "it is replaced")
        server.wait_until_up()
        assert server.client().get("/predict/5/january/100").status == 200
        database.rmdir()
        (tmp_path / name).rename(database)
        wait_for(lambda: server.client().get("/health").status == 200, 10, "it is whole again")
        wait_for(lambda: journalled(server) == 1, 10, "it is on record")
    assert "a worker cannot start" not in server.said


def journalled(server: Server) -> int:
    """Count what is in a server's journal."""
    with closing(sqlite3.connect(server.data / "journal.db")) as journal:
        return int(journal.execute("SELECT count(*) FROM journal_records").fetchone()[0])


def test_a_folder_for_objects_that_cannot_be_written(tmp_path: Path) -> None:
    """It stops the start."""
    (tmp_path / "file").touch()
    line = refused(tmp_path, STOPGAP_OBJECTS=str(tmp_path / "file"))
    assert "STOPGAP_OBJECTS" in line


@pytest.mark.parametrize(
    ("number", "code", "level", "event"),
    [
        (signal.SIGKILL, -9, "error", "a worker has died; another follows"),
        (signal.SIGSEGV, -11, "error", "a worker has died; another follows"),
        (signal.SIGTERM, 0, "warning", "somebody has ended a worker; another follows"),
    ],
)
def test_a_worker_that_dies(
    tmp_path: Path, number: signal.Signals, code: int, level: str, event: str
) -> None:
    """A worker's death is one line of the log: who it was, and which signal or code ended it."""
    with running(tmp_path, troubled=True) as server:
        (worker,) = workers(server.process.pid)
        os.kill(worker, number)
        wait_for(lambda: {*workers(server.process.pid)} - {worker}, 10, "it is replaced")
    lines = map(json.loads, (server.folder / "output").read_text().splitlines())
    (told,) = [line for line in lines if line["level"] != "info"]
    assert (told["event"], told["level"]) == (event, level)
    assert (told["pid"], told["exit_code"]) == (worker, code)


FORKING = """
import itertools, os
from stopgap.cli import main

def fork(count=itertools.count(), real=os.fork):
    if next(count) in {refused}:
        raise {error}
    return real()

os.fork = fork
main(["serve"])
"""
"""A server that has no room for a process at some of its tries; the first two are the start's."""


def forking(refused: set[int], error: str) -> tuple[str, ...]:
    """Tell the command of such a server."""
    return (sys.executable, "-c", FORKING.format(refused=refused, error=error))


@pytest.mark.parametrize("refused", [{0}, {2, 3, 4}])
def test_no_room_for_a_process(tmp_path: Path, refused: set[int]) -> None:
    """A worker that cannot be forked is tried again; the others live on, and the drainer does.

    However often it is tried, hardly more stays open than at the first time.
    """
    command = forking(refused, "BlockingIOError(11, 'no room')")
    settings = {"STOPGAP_WORKERS": "2"}
    with running(tmp_path, settings, command=command, troubled=True) as server:
        supervisor = server.process.pid
        wait_for(lambda: both_answer(server), 10, "both are there")
        files, (first, other) = size(supervisor).files, workers(supervisor)
        kill(first)
        wait_for(lambda: server.said.count("no room for a") == len(refused), 10, "it is told")
        wait_for(lambda: both_answer(server), 10, "it is replaced")
        assert other in workers(supervisor)
        assert len(drainers(supervisor)) == 1
        assert size(supervisor).files < files + 8  # four, and what the dead one had
    assert "Traceback" not in server.said


def both_answer(server: Server) -> bool:
    """Tell whether two workers do."""
    with suppress(ConnectionError):  # one has just been killed
        return len(answering(server.port, workers(server.process.pid))) == 2
    return False


def test_an_error_of_the_server_itself(tmp_path: Path) -> None:
    """It ends the whole server, so that whoever keeps it can start another: nobody is left over."""
    settings = {"STOPGAP_WORKERS": "2"}
    server = Server(tmp_path, forking({2}, "KeyError('unforeseen')"), settings)
    try:
        server.wait_until_up()
        wait_for(lambda: len(workers(server.process.pid)) == 2, 10, "both are there")
        first, other = workers(server.process.pid)
        kill(first)
        assert server.process.wait(10) == 1
        assert not is_running(other)
    finally:
        if server.process.poll() is None:
            os.killpg(server.process.pid, signal.SIGKILL)
            server.process.wait()
    assert "unforeseen" in server.said


def test_its_life_is_in_the_log(tmp_path: Path) -> None:
    """When a server began and ended, and which one it was, can be told from its log."""
    with running(tmp_path, {"STOPGAP_WORKERS": "2"}) as server:
        server.client().get("/predict/5/january/100")
    lines = map(json.loads, (server.folder / "output").read_text().splitlines())
    begun, ended = [{**line, "time": ""} for line in lines]
    named = {"time": "", "level": "info", "logger": "stopgap.cli.serving.supervising"}
    pid = server.process.pid
    assert begun == named | {
        "event": "the server starts",
        "version": __version__,
        "pid": pid,
        "workers": 2,
    }
    assert ended == named | {"event": "the server has ended", "pid": pid}


def test_a_restart_forgets_nothing(tmp_path: Path) -> None:
    """Sessions and images are kept over a restart."""
    with running(tmp_path) as server:
        client = server.client()
        client.sign_in("orhan", "12345")
        path = client.upload(png()).text
        content = client.get(path).body
    with running(tmp_path) as server:
        client.port = server.port
        assert client.get(path).body == content
        assert "Login success for user orhan" in client.get("/").text


def test_what_is_kept_is_nobody_elses_to_read(tmp_path: Path) -> None:
    """What the server keeps on disk can be read by its own user alone."""
    with running(tmp_path) as server:
        server.client().upload(png())
        kept = [server.data, *server.data.rglob("*")]
        assert len(kept) > 3
        assert [path for path in kept if path.stat().st_mode & 0o077] == []


def test_without_its_environment(tmp_path: Path) -> None:
    """`python ML_server.py` without its libraries says in one line which command sets them up."""
    bare = (sys.executable, "-I", "-S", str(ROOT / "ML_server.py"))
    ended = subprocess.run(bare, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert ended.returncode != 0
    assert "make run" in ended.stderr
    assert ended.stderr.count("\n") == 1
    assert "Traceback" not in ended.stderr


def test_both_ways_to_start_are_one(tmp_path: Path) -> None:
    """`python ML_server.py` takes what `stopgap serve` takes, and refuses as it does."""
    lines = {
        refused(tmp_path, command=command, STOPGAP_PROT="1")
        for command in (ML_SERVER, (*STOPGAP, "serve"))
    }
    assert len(lines) == 1
    helped = [
        subprocess.run([*each, "--help"], env=environment(), capture_output=True, check=True).stdout
        for each in (ML_SERVER, (*STOPGAP, "serve"))
    ]
    assert helped[0].split(b"\n", 1)[1] == helped[1].split(b"\n", 1)[1]


def test_the_link_that_it_prints(tmp_path: Path) -> None:
    """The server prints the link to open, and who can sign in."""
    with running(tmp_path) as server:
        assert f"http://localhost:{server.port}/" in server.said
        assert "orhan" in server.said
        assert "12345" in server.said


def test_a_release_that_is_left_behind(tmp_path: Path) -> None:
    """Whoever renames a contract is told that its release answers nobody by the new name."""
    renamed = tmp_path / "renamed.py"
    renamed.write_text(
        "from dataclasses import replace\n"
        "from stopgap.contracts.madcompany import contract as old\n"
        "contract = replace(old, name='shop')\n"
    )
    with opened(tmp_path / "data") as parts:
        parts.releases.add(contract.name, Specification(uri="python:shop:model"), "ann")
        parts.releases.keep_report(contract.name, 1, report(contract), "ann")
        parts.releases.promote(contract.name, 1, "ann")
    with running(tmp_path, {"STOPGAP_CONTRACTS": f"{renamed}:contract"}) as server:
        assert "Release 1 of madcompany is live, and no contract called madcompany" in server.said


def test_another_event_loop(tmp_path: Path) -> None:
    """An event loop that is installed beside it, as uvloop often is, is not taken."""
    (tmp_path / "uvloop.py").write_text("def new_event_loop():\n    raise OSError('not this')\n")
    path = os.pathsep.join([environment()["PYTHONPATH"], str(tmp_path)])
    with running(tmp_path, {"PYTHONPATH": path}) as server:
        assert server.client().get("/status").text == "Alive!"
