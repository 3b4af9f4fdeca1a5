"""The data folder is private, and its secret is made once."""

import errno
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stopgap.storage.data_folder import (
    DataFolderUnwritable,
    SecretDamaged,
    _make_secret,
    kept_secret,
    open_data_folder,
)


def test_it_is_made_for_this_user_alone(tmp_path: Path) -> None:
    """A new data folder can be entered by nobody else, and nothing is left in it by looking."""
    folder = open_data_folder(tmp_path / "deep" / "data")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert list(folder.iterdir()) == []


def test_one_that_cannot_be_made(tmp_path: Path) -> None:
    """A folder that cannot be made is told with its name."""
    (tmp_path / "file").touch()
    with pytest.raises(DataFolderUnwritable, match="file/data"):
        open_data_folder(tmp_path / "file" / "data")


def test_the_secret_stays(tmp_path: Path) -> None:
    """The secret is 256 random bits, private, and the same at every start."""
    secret = kept_secret(tmp_path / "secret")
    assert len(secret) == 64
    assert kept_secret(tmp_path / "secret") == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_several_first_starts_agree(tmp_path: Path) -> None:
    """Processes that start at once end up with one secret, and no drafts."""
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(kept_secret, [tmp_path / "secret"] * 8))
    assert len(secrets) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]


@pytest.mark.parametrize("left", ["", "\n", "0123456789abcdef"])
def test_a_secret_that_is_not_whole(tmp_path: Path, left: str) -> None:
    """A secret that is empty or short, and could be guessed, is refused and left as it is."""
    (tmp_path / "secret").write_text(left)
    with pytest.raises(SecretDamaged, match="delete it"):
        kept_secret(tmp_path / "secret")
    assert (tmp_path / "secret").read_text() == left


def test_a_volume_where_no_file_has_two_names(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There, too, a secret is made whole, once, for this user alone."""

    def link(*_paths: Path) -> None:
        raise PermissionError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", link)
    path = tmp_path / "secret"
    made = kept_secret(path)
    assert kept_secret(path) == made
    assert path.stat().st_mode & 0o777 == 0o600
    assert list(tmp_path.iterdir()) == [path]


def test_a_new_secret_is_on_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its content is flushed before it has its name, and then the name is."""
    flushed: list[tuple[str, bool]] = []
    fsync = os.fsync

    def note(descriptor: int) -> None:
        what = Path(f"/proc/self/fd/{descriptor}").readlink()
        flushed.append((what.name, (tmp_path / "secret").exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    kept_secret(tmp_path / "secret")
    (draft, named), folder = flushed
    assert draft.startswith(".secret-")
    assert not named
    assert folder == (tmp_path.name, True)


def test_the_first_secret_stays(tmp_path: Path) -> None:
    """Who finds no secret, and another's when its own is to be named, leaves the other's."""
    path = tmp_path / "secret"
    first = kept_secret(path)
    _make_secret(path)
    assert kept_secret(path) == first
    assert list(tmp_path.iterdir()) == [path]
