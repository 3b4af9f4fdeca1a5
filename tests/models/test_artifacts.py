"""Models' files: kept by content, held against it at every load, swept when nobody needs them."""

import errno
import hashlib
import os
import threading
import tracemalloc
from pathlib import Path
from typing import BinaryIO

import pytest

from stopgap.models import artifacts
from stopgap.models.artifacts import ArtifactDamaged, ArtifactMissing, Artifacts
from stopgap.models.failures import ModelUnloadable
from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import DiskFull, ObjectStore

CONTENT = bytes(range(256)) * 100
DIGEST = hashlib.sha256(CONTENT).hexdigest()


@pytest.fixture
def objects(tmp_path: Path) -> ObjectStore:
    """Give an empty store."""
    prepare_objects(str(tmp_path / "objects"))
    return open_objects(str(tmp_path / "objects"))


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Name a folder that is not there yet."""
    return tmp_path / "data" / "models"


@pytest.fixture
def kept(objects: ObjectStore, cache: Path) -> Artifacts:
    """Give an empty store of artifacts."""
    return Artifacts(objects, cache)


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """Write a model's file."""
    path = tmp_path / "model.onnx"
    path.write_bytes(CONTENT)
    return path


def test_what_is_put_is_fetched(kept: Artifacts, model: Path, cache: Path) -> None:
    """A file is kept by its SHA-256, and fetched whole; putting it again changes nothing."""
    assert kept.put(model) == kept.put(model) == DIGEST
    model.unlink()
    assert kept.fetch(DIGEST).read_bytes() == CONTENT
    assert [file.name for file in cache.iterdir()] == [DIGEST]
    assert cache.stat().st_mode & 0o077 == 0


def test_a_large_file_is_never_held(kept: Artifacts, tmp_path: Path) -> None:
    """A model of gigabytes is put, fetched and looked at by a server that has no such memory."""
    large = tmp_path / "large.onnx"
    with large.open("wb") as file:
        file.truncate(64 * 2**20)
    tracemalloc.start()
    digest = kept.put(large)
    assert kept.fetch(digest).stat().st_size == 64 * 2**20
    kept.secure(digest)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 * 2**20


def test_a_file_that_is_written_to_meanwhile(
    kept: Artifacts, objects: ObjectStore, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is kept is what was hashed, though a training writes over the file right then."""
    put = objects.put

    def written_over(name: str, content: bytes | BinaryIO) -> None:
        model.write_bytes(b"another")
        put(name, content)

    monkeypatch.setattr(objects, "put", written_over)
    assert kept.put(model) == DIGEST
    assert kept.fetch(DIGEST).read_bytes() == CONTENT


def test_no_room_for_a_copy(kept: Artifacts, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A full disk is told as one, and not as a file that cannot be read."""

    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(artifacts, "TemporaryFile", full)
    with pytest.raises(DiskFull):
        kept.put(model)


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_a_damaged_copy_is_fetched_again(kept: Artifacts, model: Path, damage: bytes) -> None:
    """A copy on this machine that was cut or altered is not loaded, but replaced."""
    path = kept.fetch(kept.put(model))
    path.write_bytes(damage)
    assert kept.fetch(DIGEST).read_bytes() == CONTENT


def test_what_could_be_fetched(
    kept: Artifacts, objects: ObjectStore, model: Path, cache: Path
) -> None:
    """Whether a file could be fetched is seen without keeping it; a copy here is enough."""
    kept.check(kept.put(model))
    assert list(cache.iterdir()) == []
    objects.put(DIGEST, CONTENT[:-1])
    with pytest.raises(ArtifactDamaged):
        kept.check(DIGEST)
    objects.delete(DIGEST)
    with pytest.raises(ArtifactMissing):
        kept.check(DIGEST)
    kept.fetch(kept.put(model))
    objects.delete(DIGEST)
    kept.check(DIGEST)


@pytest.mark.parametrize("damage", [b"", CONTENT[:-1], CONTENT[:-1] + b"x"])
def test_a_damaged_file_never_serves(
    kept: Artifacts, objects: ObjectStore, model: Path, cache: Path, damage: bytes
) -> None:
    """A file that is cut or altered where it is kept is refused, and leaves no copy."""
    kept.put(model)
    objects.put(DIGEST, damage)
    with pytest.raises(ArtifactDamaged, match="hand it in again"):
        kept.fetch(DIGEST)
    assert not cache.exists() or list(cache.iterdir()) == []
    kept.put(model)
    assert kept.fetch(DIGEST).read_bytes() == CONTENT


def test_a_copy_serves_while_the_store_has_lost_it(
    kept: Artifacts, objects: ObjectStore, model: Path
) -> None:
    """Whole copies are loaded without asking the store, so it may be away."""
    kept.fetch(kept.put(model))
    objects.delete(DIGEST)
    assert kept.fetch(DIGEST).read_bytes() == CONTENT


@pytest.mark.parametrize("damage", [None, CONTENT[:-1]])
def test_what_gets_traffic_is_there_for_all(
    kept: Artifacts, objects: ObjectStore, model: Path, tmp_path: Path, damage: bytes | None
) -> None:
    """A file that the store has lost, or damaged, is kept there again from a whole copy."""
    kept.fetch(kept.put(model))
    objects.delete(DIGEST)
    if damage is not None:
        objects.put(DIGEST, damage)
    other_machine = Artifacts(objects, tmp_path / "other" / "models")
    with pytest.raises(ModelUnloadable):
        other_machine.secure(DIGEST)
    assert kept.secure(DIGEST).read_bytes() == CONTENT
    assert other_machine.secure(DIGEST).read_bytes() == CONTENT


def test_a_store_that_is_away_holds_up_nobody(
    kept: Artifacts, model: Path, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Who has a whole copy goes on with it, a rollback in a hurry above all."""
    kept.fetch(kept.put(model))
    (tmp_path / "objects").rename(tmp_path / "elsewhere")
    assert kept.secure(DIGEST).read_bytes() == CONTENT
    assert "only this machine has a model's file" in caplog.text


@pytest.mark.parametrize("name", ["0" * 64, "", "../../etc/passwd", "x" * 64])
def test_what_is_not_there_is_missing(kept: Artifacts, name: str) -> None:
    """What is not kept, or can be no name of it, is missing."""
    with pytest.raises(ArtifactMissing):
        kept.fetch(name)


def test_files_that_cannot_be_kept(
    kept: Artifacts, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, model: Path
) -> None:
    """A file that is not there, or too large, is refused."""
    with pytest.raises(ModelUnloadable, match="cannot be read"):
        kept.put(tmp_path / "none.onnx")
    with pytest.raises(ModelUnloadable, match="cannot be read"):
        kept.put(tmp_path)
    monkeypatch.setattr(artifacts, "SIZE_MAX", 100)  # a file of two gigabytes takes too long
    with pytest.raises(ModelUnloadable, match="has 25600 bytes"):
        kept.put(model)


def grow_old(tmp_path: Path) -> None:
    """Have all files been put long ago."""
    for file in (tmp_path / "objects").glob("??/*"):
        os.utime(file, (0, 0))


def test_sweeps_what_nobody_needs(kept: Artifacts, model: Path, tmp_path: Path) -> None:
    """What no release needs goes at the second sweep, so that a wrong database takes nothing."""
    other = tmp_path / "other.onnx"
    other.write_bytes(b"other")
    needed, left = kept.put(other), kept.put(model)
    for digest in (needed, left):
        kept.fetch(digest)
    grow_old(tmp_path)
    assert kept.sweep({needed}) == 0
    assert kept.fetch(left).exists()
    assert kept.sweep({needed}) == 1
    assert kept.fetch(needed).read_bytes() == b"other"
    with pytest.raises(ArtifactMissing):
        kept.fetch(left)
    assert kept.sweep({needed}) == 0


def test_sweeps_what_killed_workers_left(kept: Artifacts, model: Path, cache: Path) -> None:
    """A copy that was never finished goes; one that may still be written to stays."""
    kept.fetch(digest := kept.put(model))
    left, new = cache / f".{digest}-1", cache / f".{digest}-2"
    for draft in (left, new):
        draft.touch()
    os.utime(left, (0, 0))
    kept.sweep({digest})
    assert {file.name for file in cache.iterdir()} == {digest, new.name}


def test_put_again_is_spared(
    kept: Artifacts, objects: ObjectStore, cache: Path, model: Path, tmp_path: Path
) -> None:
    """What another process hands in again between two sweeps has time to be needed."""
    kept.put(model)
    grow_old(tmp_path)
    kept.sweep(())
    Artifacts(objects, cache).put(model)
    assert kept.sweep(()) == 0
    grow_old(tmp_path)
    assert kept.sweep(()) == 1


def test_many_may_fetch_at_once(objects: ObjectStore, cache: Path, model: Path) -> None:
    """Workers that start together each get the whole file."""
    Artifacts(objects, cache).put(model)
    found: list[bytes] = []

    def fetch() -> None:
        found.append(Artifacts(objects, cache).fetch(DIGEST).read_bytes())

    threads = [threading.Thread(target=fetch) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [CONTENT] * 8
    assert [file.name for file in cache.iterdir()] == [DIGEST]


def test_a_full_store_holds_up_nobody(
    kept: Artifacts, objects: ObjectStore, model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the store has lost a file and has no room for it, a whole copy here is enough."""

    def full(_name: str, _content: bytes) -> None:
        raise DiskFull

    kept.fetch(kept.put(model))
    objects.delete(DIGEST)
    monkeypatch.setattr(objects, "put", full)
    assert kept.secure(DIGEST).read_bytes() == CONTENT
