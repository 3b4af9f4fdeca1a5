"""A folder of objects: for this user alone, nothing outside of it, and never half of anything."""

import errno
import os
import re
import signal
import stat
import subprocess
import sys
import threading
import time
from pathlib import Path

import pytest

from stopgap.storage.files import DRAFT_SECONDS
from stopgap.storage.folder import FolderObjects
from stopgap.storage.object_stores import open_objects, prepare_objects
from stopgap.storage.objects import DiskFull, ObjectNotFound, ObjectsUnwritable


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Give the folder in which the objects lie."""
    return tmp_path / "objects"


@pytest.fixture
def objects(root: Path) -> FolderObjects:
    """Give an empty folder of objects."""
    prepare_objects(str(root))
    opened = open_objects(str(root))
    assert isinstance(opened, FolderObjects)
    return opened


def files(root: Path) -> list[str]:
    """List every file below the root."""
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())


def test_tells_how_old_they_are(objects: FolderObjects, root: Path) -> None:
    """An object is as old as its last content, by the file system's clock."""
    objects.put("ab12.png", b"first")
    os.utime(root / "ab/ab12.png", (0, 0))
    assert objects.age("ab12.png") > 1_000_000_000
    objects.put("ab12.png", b"second")
    assert 0 <= objects.age("ab12.png") < 600


def test_lies_where_no_name_leads(objects: FolderObjects, root: Path) -> None:
    """What is beside the objects, under a name that none of them can have, is left alone."""
    (root / "a").write_bytes(b"not an object")
    for name in ("a", "../a", "a/../a"):
        objects.delete(name)

    assert files(root) == ["a"]
    assert list(objects.names()) == []


def test_is_for_this_user_alone(objects: FolderObjects, root: Path) -> None:
    """Nobody else can read the folders and files."""
    objects.put("ab12.png", b"content")
    modes = {path: stat.S_IMODE(path.stat().st_mode) for path in (root, *root.rglob("*"))}

    assert {mode for path, mode in modes.items() if path.is_dir()} == {0o700}
    assert {mode for path, mode in modes.items() if path.is_file()} == {0o600}


def test_follows_no_link(objects: FolderObjects, root: Path, tmp_path: Path) -> None:
    """A symbolic link below the root, to a file or to a folder, leads nowhere."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "cd12.png").write_bytes(b"secret")
    objects.put("ab12.png", b"content")
    (root / "ab" / "ab34.png").symlink_to(outside / "cd12.png")
    (root / "cd").symlink_to(outside)

    for name in ("ab34.png", "cd12.png"):
        with pytest.raises(ObjectNotFound):
            objects.get(name)
    with pytest.raises(ObjectsUnwritable):
        objects.put("cd34.png", b"content")
    objects.delete("ab34.png")

    assert files(outside) == ["cd12.png"]
    assert list(objects.names()) == ["ab12.png"]


def test_replaces_a_link_rather_than_following_it(objects: FolderObjects, root: Path) -> None:
    """Putting where somebody has laid a link replaces the link, not what it points to."""
    target = root.parent / "target"
    target.write_bytes(b"untouched")
    objects.put("ab12.png", b"content")
    (root / "ab" / "ab34.png").symlink_to(target)
    objects.put("ab34.png", b"new")

    assert objects.get("ab34.png") == b"new"
    assert target.read_bytes() == b"untouched"


@pytest.mark.parametrize("reason", [errno.ENOSPC, errno.EDQUOT])
def test_keeps_nothing_on_a_full_disk(
    objects: FolderObjects, root: Path, monkeypatch: pytest.MonkeyPatch, reason: int
) -> None:
    """A full disk, noticed as late as can be, leaves nothing; with room again, all is well."""

    def refuse(_descriptor: int) -> None:
        raise OSError(reason, os.strerror(reason))

    objects.put("ab12.png", b"before")
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", refuse)  # the operating system's part, not ours
        with pytest.raises(DiskFull):
            objects.put("ab34.png", b"content")
        with pytest.raises(DiskFull):
            objects.put("ab12.png", b"content")
    assert files(root) == ["ab/ab12.png"]
    assert objects.get("ab12.png") == b"before"

    objects.put("ab34.png", b"after")
    assert objects.get("ab34.png") == b"after"


WRITER = """
import sys
from pathlib import Path
from stopgap.storage.folder import FolderObjects
objects = FolderObjects(Path(sys.argv[1]))
content = bytes([7]) * 3_000_000
print("ready", flush=True)
number = 0
while True:
    objects.put(f"ab{number % 5}.png", content)
    number += 1
"""


@pytest.mark.parametrize("code", [errno.EIO, errno.ESTALE, errno.EACCES, errno.EROFS])
def test_says_that_its_folder_fails(
    objects: FolderObjects, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    """A disk that fails, or is another machine's and away, is told of in our words."""

    def fail(*_: object, **__: object) -> None:
        raise OSError(code, os.strerror(code))

    objects.put("abcd", b"something")
    with monkeypatch.context() as broken:
        broken.setattr(os, "open", fail)
        broken.setattr(os, "unlink", fail)
        broken.setattr(os, "scandir", fail)  # by which `iterdir` lists, or by the next
        broken.setattr(os, "listdir", fail)
        broken.setattr(os, "utime", fail)
        for do in (objects.get, objects.age, objects.delete):
            with pytest.raises(ObjectsUnwritable, match=re.escape(os.strerror(code))):
                do("abcd")
        for list_or_tidy in (lambda: list(objects.names()), objects.tidy):
            with pytest.raises(ObjectsUnwritable, match=re.escape(os.strerror(code))):
                list_or_tidy()
    assert objects.get("abcd") == b"something"


def test_has_no_half_objects_after_a_kill(objects: FolderObjects, root: Path) -> None:
    """A writer killed at any moment leaves whole objects only, and a draft that is cleaned up."""
    for wait in (0.01, 0.03, 0.05, 0.08, 0.13):
        writer = subprocess.Popen(
            [sys.executable, "-c", WRITER, str(root)],
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        )
        assert writer.stdout is not None
        with writer.stdout as output:
            assert output.readline() == b"ready\n"
            time.sleep(wait)
            writer.send_signal(signal.SIGKILL)
            writer.wait()
        for name in objects.names():
            assert objects.get(name) == bytes([7]) * 3_000_000
    for draft in (root / ".drafts").iterdir():
        os.utime(draft, (0, 0))
    prepare_objects(str(root))

    assert list((root / ".drafts").iterdir()) == []


def test_spares_drafts_that_are_being_written(objects: FolderObjects, root: Path) -> None:
    """Only a draft that nobody has written to for long is taken for a killed writer's."""
    old, fresh = root / ".drafts" / "old", root / ".drafts" / "fresh"
    for draft in (old, fresh):
        draft.write_bytes(b"half")
    past = fresh.stat().st_mtime - DRAFT_SECONDS - 60
    os.utime(old, (past, past))
    objects.tidy()

    assert [draft.name for draft in (root / ".drafts").iterdir()] == ["fresh"]


def test_readers_never_see_a_half(objects: FolderObjects) -> None:
    """While an object is replaced over and over, a reader gets one whole version or the other."""
    versions = {bytes([number]) * 500_000 for number in (1, 2)}
    objects.put("ab12.png", min(versions))
    done = threading.Event()

    def write() -> None:
        for number in range(60):
            objects.put("ab12.png", sorted(versions)[number % 2])
        done.set()

    writer = threading.Thread(target=write)
    writer.start()
    while not done.is_set():
        assert objects.get("ab12.png") in versions
    writer.join()


def test_refuses_what_is_no_folder(tmp_path: Path) -> None:
    """Where no folder can be made, the start is refused in one clear line."""
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(ObjectsUnwritable, match="STOPGAP_OBJECTS"):
        prepare_objects(str(tmp_path / "file"))
    with pytest.raises(ObjectsUnwritable):
        prepare_objects(str(tmp_path / "file" / "below"))


def test_opening_asks_nothing_of_it(tmp_path: Path) -> None:
    """Who may need no object opens it even where it is away; nothing is made in its place."""
    objects = open_objects(str(tmp_path / "objects"))
    with pytest.raises(ObjectsUnwritable):
        objects.put("ab12.png", b"content")
    with pytest.raises(ObjectNotFound):
        objects.get("ab12.png")
    assert list(tmp_path.iterdir()) == []


def test_lets_go_of_every_folder(objects: FolderObjects) -> None:
    """However often objects are used, no file stays open, whether they are there or not."""
    objects.put("ab12.png", b"content")
    before = len(list(Path("/dev/fd").iterdir()))
    for _ in range(5):
        objects.put("ab12.png", b"content")
        objects.get("ab12.png")
        objects.age("ab12.png")
        for absent in ("ab13.png", "cd14.png"):
            objects.delete(absent)
            with pytest.raises(ObjectNotFound):
                objects.get(absent)
    assert len(list(Path("/dev/fd").iterdir())) == before


def test_outlives_a_power_cut(
    objects: FolderObjects, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An object's content is on the disk before it has its name, and its name before it is told.

    So is the name of its folder, where that is new.
    """
    flushed: list[tuple[Path, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        flushed.append(
            (Path(f"/proc/self/fd/{descriptor}").readlink(), (root / "ab/ab12.png").exists())
        )
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)  # the operating system's part, not ours
    objects.put("ab12.png", b"content")
    made, (draft, named), shelf = flushed
    assert made == (root, False)
    assert (draft.parent, named) == (root / ".drafts", False)
    assert shelf == (root / "ab", True)
