"""The data folder is private, and its secret is made once."""

import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from stopgap.storage.data_folder import DataFolderUnwritable, kept_secret, open_data_folder


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
    secret = kept_secret(tmp_path)
    assert len(secret) == 64
    assert kept_secret(tmp_path) == secret
    assert stat.S_IMODE((tmp_path / "secret").stat().st_mode) == 0o600


def test_several_first_starts_agree(tmp_path: Path) -> None:
    """Processes that start at once end up with one secret, and no drafts."""
    with ThreadPoolExecutor(8) as pool:
        secrets = set(pool.map(kept_secret, [tmp_path] * 8))
    assert len(secrets) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
