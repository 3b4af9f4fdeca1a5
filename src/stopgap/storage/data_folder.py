"""The data folder: what this installation keeps on its own disk, and nobody else may read."""

import os
import secrets
from pathlib import Path

from stopgap.errors import StartRefused
from stopgap.settings import SECRET_MIN
from stopgap.storage.files import flush


class DataFolderUnwritable(StartRefused):
    """The data folder cannot be made or written."""

    def __init__(self, folder: Path, reason: str) -> None:
        super().__init__(
            f"The data folder {folder} cannot be written ({reason}); "
            "name another in STOPGAP_DATA, or let this user write there."
        )


class SecretDamaged(StartRefused):
    """The secret that is kept is not whole, and everybody could guess what it signs."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The secret in {path} has fewer than {SECRET_MIN} characters; bring it back from a "
            "backup, or delete it: a new one ends all sessions and API keys."
        )


def open_data_folder(folder: Path) -> Path:
    """Make the folder if it is not there, for this user alone, and see that it can be written.

    Raises:
        DataFolderUnwritable: it cannot.
    """
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        probe = folder / f".probe-{secrets.token_hex(8)}"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise DataFolderUnwritable(folder, error.strerror or str(error)) from error
    return folder.resolve()


def kept_secret(path: Path) -> str:
    """Read the secret that is kept in a file; the first to ask makes it.

    Raises:
        DataFolderUnwritable: it can neither be read nor made.
        SecretDamaged: it is too short.
    """
    try:
        if not path.exists():
            _make_secret(path)
        secret = path.read_text(encoding="ascii").strip()
    except (OSError, ValueError) as error:
        raise DataFolderUnwritable(path.parent, f"its secret: {error}") from error
    if len(secret) < SECRET_MIN:
        raise SecretDamaged(path)
    return secret


def _name(draft: Path, path: Path) -> None:
    """Give a file its name, unless there is one of that name: somebody else's is as good."""
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    except OSError:  # not on every volume may a file have two names
        if not path.exists():
            draft.replace(path)


def _make_secret(path: Path) -> None:
    """Write a new secret whole or not at all; of several who try at once, one wins.

    It is on the disk when this returns, lest a power cut leave its name without it.
    """
    draft = path.with_name(f".secret-{secrets.token_hex(8)}")
    draft.touch(mode=0o600)
    try:
        draft.write_text(secrets.token_hex(32) + "\n", encoding="ascii")
        flush(draft)
        _name(draft, path)
    finally:
        draft.unlink(missing_ok=True)
    flush(path.parent)
