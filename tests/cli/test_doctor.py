"""`stopgap doctor`: what is wrong with a set-up, found without changing it."""

import errno
import fcntl
import json
import os
import re
import shutil
import socket
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.collectors import collector
from tests.commands import Run, opened
from tests.databases import PostgresqlServer
from tests.fakes import FakeClock
from tests.journal.filling import add
from tests.journal.records import record
from tests.releases.making import report
from tests.valkeys import PASSWORD, ValkeyServer

from stopgap.cli.diagnosis import machine
from stopgap.cli.diagnosis.diagnosis import Weight
from stopgap.clock import SystemClock
from stopgap.contracts.madcompany import contract
from stopgap.models.specification import Specification
from stopgap.releases.release import Stage
from stopgap.settings import Settings
from stopgap.storage.database import open_database
from stopgap.storage.history import JOURNAL, migrate

Damage = Callable[[Path], object]


def weights(run: Run, *words: str, **environment: str) -> dict[str, str]:
    """Tell the worst that is found of each thing."""
    free = {"STOPGAP_PORT": "0"} | environment
    lines = run("doctor", "--json", *words, **free).stdout.splitlines()
    found: dict[str, str] = {}
    for row in map(json.loads, lines):
        assert row["weight"] == "fine" or row["fix"]
        if found.get(row["what"], "fine") == "fine":
            found[row["what"]] = row["weight"]
    return found


def test_all_is_well(run: Run, data: Path) -> None:
    """Of a good set-up nothing is wrong, and the exit code is 0."""
    with opened(data):
        pass  # makes what the first start makes
    url = "https://example.com/stopgap"
    assert set(weights(run, STOPGAP_SOURCE_URL=url).values()) == {"fine"}
    result = run("doctor", STOPGAP_SOURCE_URL=url, STOPGAP_PORT="0")
    assert result.exit_code == 0
    assert all(line.startswith("✓") for line in result.stdout.splitlines())


def test_a_fresh_machine(run: Run, tmp_path: Path) -> None:
    """Where nothing is there yet, nothing is wrong, and nothing is made."""
    fresh = tmp_path / "not" / "there"
    assert "wrong" not in weights(run, STOPGAP_DATA=str(fresh)).values()
    assert not (tmp_path / "not").exists()


def test_an_empty_folder(run: Run, tmp_path: Path) -> None:
    """An empty data folder stays empty."""
    empty = tmp_path / "empty"
    empty.mkdir()
    assert "wrong" not in weights(run, STOPGAP_DATA=str(empty)).values()
    assert list(empty.iterdir()) == []


def foreign(path: Path) -> None:
    """Put somebody else's table into an empty database."""
    path.unlink()
    connection = sqlite3.connect(path)
    connection.execute("CREATE TABLE theirs (id INTEGER)")
    connection.close()


def written_over(path: Path) -> None:
    """Lose the last page of a database."""
    with path.open("r+b") as file:
        file.seek(-4096, os.SEEK_END)
        file.write(bytes(range(256)) * 16)


def journal_of(data: Path) -> Path:
    """Tell where the journal is, as it is before a stop has tidied it up."""
    path = data / "journal.db"
    path.touch()
    return path


def set_aside(spool: Path) -> None:
    """Leave a segment that could not be moved whole."""
    spool.mkdir()
    (spool / "1.damaged").touch()


def left(spool: Path, size: int) -> None:
    """Leave a segment of so many bytes, as if nobody had drained for long."""
    spool.mkdir()
    with (spool / "1.spool").open("wb") as segment:
        segment.truncate(size)


def left_by_another(spool: Path, size: int) -> None:
    """Leave a segment that was moved into another database than the one that is there now."""
    left(spool, size)
    (spool / "drained.json").write_text(json.dumps({"1.spool": size}))


@pytest.mark.parametrize(
    ("what", "damage"),
    [
        ("data folder", lambda data: data.rename(data.with_name("x")) and data.write_text("file")),
        ("data folder", lambda data: data.chmod(0o755)),
        ("data folder", lambda data: (data / "metrics" / "0.lock").mkdir(parents=True)),
        ("secret", lambda data: (data / "secret").chmod(0o644)),
        ("secret", lambda data: (data / "secret").write_text("short")),
        ("database", lambda data: (data / "stopgap.db").write_text("no database" * 100)),
        ("database", lambda data: os.truncate(data / "stopgap.db", 16)),
        ("database", lambda data: foreign(data / "stopgap.db")),
        ("database", lambda data: written_over(data / "stopgap.db")),
        ("journal", lambda data: foreign(journal_of(data))),
        ("journal", lambda data: (data / "spool" / "drainer.lock").mkdir(parents=True)),
        ("journal", lambda data: (data / "spool" / "1.spool").mkdir(parents=True)),
        ("journal", lambda data: (data / "spool").touch()),
        ("journal", lambda data: set_aside(data / "spool")),
        ("journal", lambda data: left(data / "spool", 80_000_000)),
        ("journal", lambda data: left_by_another(data / "spool", 80_000_000)),
        (
            "images",
            lambda data: (data / "objects").rename(data / "x") and (data / "objects").touch(),
        ),
    ],
)
def test_damage(run: Run, data: Path, what: str, damage: Damage) -> None:
    """What is damaged is found, with its fix, and left as it is."""
    with opened(data):
        pass
    damage(data)
    before = {path: path.stat().st_mtime_ns for path in data.rglob("*")}
    assert weights(run)[what] in {"warning", "wrong"}
    assert {path: path.stat().st_mtime_ns for path in data.rglob("*")} == before


SECURE = {"STOPGAP_SECURE_COOKIES": "true"}


@pytest.mark.parametrize(
    ("environment", "what", "weight"),
    [
        ({"STOPGAP_TYPO": "1"}, "settings", "wrong"),
        ({"STOPGAP_PORT": "no"}, "settings", "wrong"),
        ({"STOPGAP_PROFILE": "production"}, "settings", "wrong"),
        ({"STOPGAP_CONTRACTS": "no.such:contract"}, "contracts", "wrong"),
        ({"STOPGAP_DATABASE_URL": "mysql://x"}, "database", "wrong"),
        ({"STOPGAP_DATABASE_URL": "postgresql://u:secretword@127.0.0.1:1/x"}, "database", "wrong"),
        ({"STOPGAP_JOURNAL_URL": "mysql://x"}, "journal", "wrong"),
        ({"STOPGAP_JOURNAL_URL": "postgresql://u:secretword@127.0.0.1:1/x"}, "journal", "wrong"),
        ({"STOPGAP_LIMITS": "carrier-pigeon://"}, "limits", "wrong"),
        ({"STOPGAP_LIMITS": "valkey://:secretword@127.0.0.1:none"}, "limits", "wrong"),
        ({"STOPGAP_LIMITS": "valkey://:secretword@127.0.0.1:9"}, "limits", "warning"),
        ({"REDIS_URL": "redis://:secretword@127.0.0.1:9"}, "limits", "warning"),
        ({"STOPGAP_TRACES": "http://u:secretword@127.0.0.1:9/v1/traces"}, "traces", "warning"),
        ({"STOPGAP_OBJECTS": "ftp://x"}, "images", "wrong"),
        ({"STOPGAP_OBJECTS": "s3://Not_A_Bucket"}, "images", "wrong"),
        ({"STOPGAP_HOST": "192.0.2.1"}, "port", "wrong"),
        ({"STOPGAP_HOST": "0.0.0.0"}, "who may sign in", "warning"),
        ({"STOPGAP_HOST": "0.0.0.0"}, "proxies", "warning"),
        ({"STOPGAP_TRUSTED_PROXIES": "0.0.0.0/0"}, "proxies", "warning"),
        ({"STOPGAP_HOST": "0.0.0.0"}, "cookies", "fine"),
        (SECURE, "cookies", "fine"),
        (SECURE | {"STOPGAP_HOST": "0.0.0.0"}, "cookies", "warning"),
        (
            SECURE | {"STOPGAP_HOST": "0.0.0.0", "STOPGAP_TRUSTED_PROXIES": "192.0.2.1"},
            "cookies",
            "fine",
        ),
        ({}, "source link", "warning"),
    ],
)
def test_settings_that_do_not_fit(
    run: Run, environment: dict[str, str], what: str, weight: str
) -> None:
    """A setting that keeps the server from running is wrong; one to think about is a warning."""
    assert weights(run, **environment)[what] == weight
    result = run("doctor", **({"STOPGAP_PORT": "0"} | environment))
    assert result.exit_code == (1 if weight == "wrong" else 0)
    assert "secretword" not in result.output


def test_counts_that_are_shared(run: Run, valkey: ValkeyServer) -> None:
    """A Valkey that answers is fine, and named without its password."""
    assert weights(run, STOPGAP_LIMITS=valkey.url)["limits"] == "fine"
    result = run("doctor", STOPGAP_PORT="0", STOPGAP_LIMITS=valkey.url)
    assert "are counted at valkey://127.0.0.1:" in result.output
    assert PASSWORD not in result.output


def test_traces_that_are_taken(run: Run) -> None:
    """A collector that takes them is fine; where there are to be none, nothing is said of them."""
    with collector() as collects:
        assert weights(run, STOPGAP_TRACES=collects.url)["traces"] == "fine"
        collects.status = 404
        assert weights(run, STOPGAP_TRACES=collects.url)["traces"] == "warning"
    assert "traces" not in weights(run)


def handed_in(data: Path, model: Path, *stages: Stage) -> None:
    """Send releases of one model to stages; what is kept of each is its own."""
    with opened(data) as parts:
        specification = Specification(uri=f"python:{model}:predict")
        for number, stage in enumerate(stages, 1):
            parts.releases.add(contract.name, specification, "ann")
            parts.releases.keep_report(contract.name, number, report(contract), "ann")
            percent = 10.0 if stage == "canary" else None
            parts.releases.promote(contract.name, number, "ann", stage=stage, percent=percent)


def of_releases(run: Run) -> list[str]:
    """Tell what is found of the releases."""
    lines = run("doctor", STOPGAP_PORT="0").stdout.splitlines()
    return [line for line in lines if line[2:].split()[1] == "releases:"]


def test_releases_that_can_answer(run: Run, data: Path, tmp_path: Path) -> None:
    """Who answers is told; what it needs is looked for, and it is not run."""
    model = tmp_path / "model.py"
    model.write_text("raise RuntimeError('it was run')\n")
    with opened(data):
        pass
    assert of_releases(run) == ["✓ fine    releases: madcompany is answered by the stand-in."]
    handed_in(data, model, "live")
    (told,) = of_releases(run)
    assert told == "✓ fine    releases: madcompany is answered by release 1; what it needs is here."


def test_releases_that_cannot(run: Run, data: Path, tmp_path: Path) -> None:
    """Each that has traffic and cannot be loaded here is told, with why and what to do."""
    model = tmp_path / "model.py"
    model.touch()
    handed_in(data, model, "live", "live", "shadow", "canary")
    model.unlink()
    live, canary, shadow, before = of_releases(run)
    why = f"There is no file {model}."
    at = "--contract madcompany"
    assert live.startswith("✗ wrong ")
    assert f"Release 2 of madcompany is live, and cannot be loaded here: {why} -> " in live
    assert f"`stopgap release rollback {at}`" in live
    assert f"Release 4 of madcompany is a canary, and cannot be loaded here: {why} -> " in canary
    assert f"`stopgap release withdraw 4 {at}`" in canary
    assert f"Release 3 of madcompany is a shadow, and cannot be loaded here: {why} -> " in shadow
    told = "Release 1 of madcompany is to help out or be gone back to, and cannot be loaded here: "
    assert f"{told}{why} -> " in before
    assert {line[0] for line in (canary, shadow, before)} == {"!"}
    assert run("doctor", STOPGAP_PORT="0").exit_code == 1


def test_releases_that_workers_cannot_ask(run: Run, data: Path, tmp_path: Path) -> None:
    """What is here, and does not work in the server, is told as its workers say it."""
    model = tmp_path / "model.py"
    model.touch()
    handed_in(data, model, "live", "shadow")
    with opened(data) as parts:
        parts.watch.trouble("w1", {(contract.name, number): "it died\x1b[2J" for number in (1, 2)})
    live, shadow = of_releases(run)
    assert "Release 1 of madcompany is live, and cannot answer in 1 worker: it died·[2J -> " in live
    assert "Release 2 of madcompany is a shadow, and cannot answer in 1 worker: it died" in shadow
    assert (live[0], shadow[0]) == ("✗", "!")


def test_a_release_whose_contract_was_renamed(run: Run, data: Path, tmp_path: Path) -> None:
    """Where a contract of another name is answered by the stand-in, that is told."""
    model = tmp_path / "model.py"
    model.touch()
    handed_in(data, model, "live")
    renamed = tmp_path / "renamed.py"
    renamed.write_text(
        "from dataclasses import replace\n"
        "from stopgap.contracts.madcompany import contract as old\n"
        "contract = replace(old, name='shop')\n"
    )
    lines = run("doctor", STOPGAP_PORT="0", STOPGAP_CONTRACTS=f"{renamed}:contract").stdout
    told = "Release 1 of madcompany is live, and no contract called madcompany is served here. -> "
    assert [line[0] for line in lines.splitlines() if told in line] == ["!"]


@pytest.mark.parametrize("gone", ["objects", "objects/models"])
def test_a_release_whose_file_is_lost(run: Run, data: Path, tmp_path: Path, gone: str) -> None:
    """A model's file that is kept is fine; a lost one is told, and the folder is not made anew."""
    file = tmp_path / "model.onnx"
    file.write_bytes(b"model")
    with opened(data) as parts:
        artifact = parts.artifacts.put(file)
        specification = Specification(uri=f"onnx:{file}", artifact=artifact)
        parts.releases.add(contract.name, specification, "ann")
        parts.releases.keep_report(contract.name, 1, report(contract), "ann")
        parts.releases.promote(contract.name, 1, "ann")
    shutil.rmtree(data / "models")
    assert of_releases(run)[0].startswith("✓")
    assert not (data / "models").exists()
    shutil.rmtree(data / gone)
    (told,) = of_releases(run)
    assert f"The model's file {artifact} is not in the artifact store; hand it in again." in told
    assert not (data / gone).exists()


def test_a_port_that_is_taken(run: Run) -> None:
    """A port on which something listens, perhaps this very server, is a warning."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = str(listener.getsockname()[1])
        assert weights(run, STOPGAP_PORT=port)["port"] == "warning"


def test_a_clock_that_may_have_leapt(run: Run, data: Path) -> None:
    """Where all that was recorded was long ago, the clock is to be looked at."""
    with opened(data):
        pass
    with closing(open_database(f"sqlite:///{data / 'journal.db'}")) as journal:
        add(journal, [record(at=1_000_000)])
    told = run("doctor", STOPGAP_PORT="0").stdout
    assert "! warning journal: Nothing was recorded for " in told


def test_a_clock_that_is_not_the_databases(data: Path, postgresql_url: str) -> None:
    """A clock that differs from the database's by more than an hour is wrong, and both are told."""
    settings = Settings(data=data, database_url=postgresql_url)
    (right,) = machine.clock(settings, SystemClock())
    assert right.weight is Weight.FINE
    (found,) = machine.clock(settings, FakeClock(datetime.now(UTC) + timedelta(hours=2)))
    assert found.weight is Weight.WRONG
    assert re.fullmatch(r"It is [-: 0-9]+ UTC here, and [-: 0-9]+ in the database\.", found.told)
    gone = replace(settings, database_url="postgresql://127.0.0.1:1/x")
    assert [each.weight for each in machine.clock(gone, FakeClock())] == [Weight.FINE]


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_real_postgresql(run: Run, data: Path, database_url: str) -> None:
    """An empty PostgreSQL database is fine, and stays empty."""
    (data / "stopgap.db").unlink()
    assert weights(run, STOPGAP_DATABASE_URL=database_url)["database"] == "fine"
    again = run("doctor", STOPGAP_DATABASE_URL=database_url, STOPGAP_PORT="0")
    assert "empty; the next start" in again.stdout


@pytest.mark.parametrize("kind", ["postgresql"])
def test_what_does_not_move_to_a_postgresql(run: Run, data: Path, database_url: str) -> None:
    """Who leaves a file of the demo behind is told how to keep it; who names it, nothing."""
    own = f"sqlite:///{data / 'stopgap.db'}"
    told = run("doctor", STOPGAP_DATABASE_URL=database_url, STOPGAP_PORT="0").stdout
    assert f"-> To keep it, set DATABASE_URL={own}; otherwise" in told
    assert weights(run, STOPGAP_DATABASE_URL=database_url)["database"] == "warning"
    assert weights(run, STOPGAP_DATABASE_URL=own)["database"] == "fine"


@pytest.fixture
def reader(postgresql: PostgresqlServer) -> Iterator[str]:
    """Make a user of PostgreSQL who may connect, and nothing else."""
    name = "reader"
    postgresql.execute(f"CREATE ROLE {name} LOGIN")
    yield name
    postgresql.execute(f"DROP ROLE {name}")


def told_to(user: str, run: Run, url: str) -> list[str]:
    """Tell what is wrong with a database for one of its users."""
    theirs = url.replace("//postgres:", f"//{user}:")
    lines = run("doctor", STOPGAP_DATABASE_URL=theirs, STOPGAP_PORT="0").stdout.splitlines()
    return [line.partition("cannot be used: ")[2] for line in lines if line.startswith("✗")]


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_user_without_rights(run: Run, reader: str, migrated_url: str) -> None:
    """A user who may read the database, but not write it, cannot be the server's."""
    with closing(open_database(migrated_url)) as database:
        migrate(database, JOURNAL)
    with closing(open_database(migrated_url)) as database, database.write() as connection:
        connection.execute(text(f"GRANT SELECT ON ALL TABLES IN SCHEMA public TO {reader}"))
    first, second = told_to(reader, run, migrated_url)
    assert first.startswith("its user may not read and write all of it (accounts, ")
    assert second.startswith("its user may not read and write all of it (journal_actuals, ")
    with closing(open_database(migrated_url)) as database, database.write() as connection:
        connection.execute(text(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {reader}"))
    assert told_to(reader, run, migrated_url) == []
    with closing(open_database(migrated_url)) as database, database.write() as connection:
        connection.execute(text(f"DROP OWNED BY {reader}"))


@pytest.mark.parametrize("kind", ["postgresql"])
def test_a_user_who_cannot_begin(run: Run, reader: str, database_url: str) -> None:
    """A user who may not make tables, as nobody but the owner may by default, is told of."""
    first, second = told_to(reader, run, database_url)
    assert first.startswith("its user may not make tables in this schema")
    assert second.startswith("its user may not make tables in this schema")


def disk(*, files: int = 0, left: int = 0) -> os.statvfs_result:
    """Make what the system tells of a disk with 4 TB free, and room for so many more files."""
    blocks, size = 10**9, 4_096
    return os.statvfs_result((size, size, blocks, blocks, blocks, files, left, left, 0, 255))


@pytest.mark.parametrize(
    ("files", "left", "weight"),
    [(10**6, 0, "wrong"), (10**6, 5_000, "warning"), (10**6, 10**5, "fine"), (0, 0, "fine")],
)
def test_a_disk_full_of_files(
    run: Run, monkeypatch: pytest.MonkeyPatch, files: int, left: int, weight: str
) -> None:
    """A disk with free bytes may take no further file; a limit of 0 is none."""
    monkeypatch.setattr(os, "statvfs", lambda _: disk(files=files, left=left))
    assert weights(run)["disk"] == weight


def test_a_full_disk_for_images(run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder for images on a disk of its own is looked at, too."""
    full, objects = disk(files=10, left=0), tmp_path / "objects"
    objects.mkdir()
    monkeypatch.setattr(os, "statvfs", lambda path: full if path == objects else disk())
    found = weights(run, STOPGAP_OBJECTS=str(objects))
    assert (found["images"], found["disk"]) == ("wrong", "fine")


def test_no_room_for_temporary_files(
    run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where large bodies wait until they are whole is looked at, too, and whether there is such."""
    full = disk(files=10, left=0)
    monkeypatch.setattr(os, "statvfs", lambda path: full if path == tmp_path else disk())
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    found = weights(run)
    assert (found["temporary files"], found["disk"]) == ("wrong", "fine")

    def nowhere() -> str:
        raise FileNotFoundError(errno.ENOENT, "No usable temporary directory found")

    monkeypatch.setattr(tempfile, "gettempdir", nowhere)
    assert weights(run)["temporary files"] == "wrong"


def test_a_volume_without_locks(run: Run, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no file can be locked, no answer can be put on record."""

    def flock(_descriptor: int, _how: int) -> None:
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    with opened(data):
        pass
    assert weights(run)["journal"] == "fine"
    monkeypatch.setattr(fcntl, "flock", flock)
    assert weights(run)["journal"] == "wrong"


@pytest.mark.usefixtures("nfs")
def test_a_volume_of_nfs(run: Run, data: Path) -> None:
    """Where only what is open for writing can be locked, answers can be put on record."""
    with opened(data):
        pass
    assert weights(run)["journal"] == "fine"


def test_a_database_in_a_folder_that_is_not_there(run: Run, tmp_path: Path) -> None:
    """The server makes the data folder, and no other."""
    url = f"sqlite:///{tmp_path}/no/such/folder.db"
    for name in ("DATABASE_URL", "STOPGAP_JOURNAL_URL"):
        told = run("doctor", **{name: url})
        assert told.exit_code == 1
        assert f"{tmp_path}/no/such is no folder. -> Make it, or correct {name}" in told.stdout


def test_the_settings_table(run: Run) -> None:
    """Every setting is listed with its value, default, range and help; a secret's value is not."""
    result = run("doctor", "--settings", STOPGAP_SECRET="s" * 40, STOPGAP_PORT="8000")
    assert "STOPGAP_PORT (also PORT) = 8000\n" in result.stdout
    assert "STOPGAP_SECRET = (hidden)\n" in result.stdout
    assert "0 to 65535; default: 5000" in result.stdout
    rows = [json.loads(line) for line in run("doctor", "--settings", "--json").stdout.splitlines()]
    assert {"name", "value", "default", "allowed", "help"} <= rows[0].keys()


def test_the_settings_table_in_spite_of_a_typo(run: Run) -> None:
    """Whoever is told to look the settings up can do so before the mistake is mended."""
    result = run("doctor", "--settings", STOPGAP_TYPO="1")
    assert "STOPGAP_PORT" in result.stdout
    assert "STOPGAP_TYPO is not a setting" in result.stderr
    assert result.exit_code == os.EX_CONFIG
