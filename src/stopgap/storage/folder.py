"""A folder of objects: each a file, whole or not there at all, whatever gets killed."""

import errno
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BytesIO
from pathlib import Path
from typing import BinaryIO

from stopgap.errors import StopgapError
from stopgap.storage.files import DRAFT_SECONDS, flush
from stopgap.storage.objects import NAME, PIECE_BYTES, DiskFull, ObjectNotFound, ObjectsUnwritable

DRAFTS = ".drafts"

FULL = frozenset((errno.ENOSPC, errno.EDQUOT))
ABSENT = frozenset((errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.EISDIR))
DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW


class FolderObjects:
    """Objects as files of a folder, for this user alone.

    An object lies in a folder of its name's first two characters, so that no folder grows large. It
    is written to a draft beside them, which takes its place in one step. Below the root no symbolic
    link is followed.
    """

    def __init__(self, root: Path) -> None:
        self._root = root

    def prepare(self) -> None:
        """Make the folder if it is not there, and see that it can be written.

        Raises:
            ObjectsUnwritable: it cannot.
            DiskFull: there is no room even for the folder.
        """
        with self._said_in_our_words():
            self._root.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._make_folder(DRAFTS)
        self.tidy()

    def put(self, name: str, content: bytes | BinaryIO) -> None:
        """Keep an object; it is on the disk when this returns.

        Raises:
            DiskFull: there is no room.
            ObjectsUnwritable: the folder is not to be written any more.
        """
        if not NAME.fullmatch(name):
            raise ValueError(name)  # names are made by us
        with self._said_in_our_words():
            self._make_folder(name[:2])
            with self._folder(DRAFTS) as drafts, self._folder(name[:2]) as shelf:
                draft = secrets.token_hex(16)
                try:
                    _write(draft, content, drafts)
                    os.rename(draft, name, src_dir_fd=drafts, dst_dir_fd=shelf)
                except BaseException:
                    with suppress(FileNotFoundError):
                        os.unlink(draft, dir_fd=drafts)
                    raise
                os.fsync(shelf)

    def get(self, name: str) -> bytes:
        """Fetch an object.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable: the folder is not to be read any more.
        """
        return b"".join(self.pieces(name))

    def pieces(self, name: str) -> Iterator[bytes]:
        """Fetch an object piece by piece.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable: the folder is not to be read any more.
        """
        with self._shelf_of(name) as shelf:
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK
            with os.fdopen(os.open(name, flags, dir_fd=shelf), "rb") as file:
                while piece := file.read(PIECE_BYTES):
                    yield piece

    def delete(self, name: str) -> None:
        """Delete an object, quietly if it is gone already.

        Raises:
            ObjectsUnwritable: the folder is not to be written any more.
        """
        if not NAME.fullmatch(name):
            return
        gone = suppress(FileNotFoundError)
        with self._said_in_our_words(), gone, self._folder(name[:2]) as shelf:
            os.unlink(name, dir_fd=shelf)

    def names(self) -> Iterator[str]:
        """List the names of all objects, in no order.

        Raises:
            ObjectsUnwritable: the folder is not to be read any more.
        """
        with self._said_in_our_words():
            for folder in self._root.iterdir():
                if folder.name != DRAFTS and folder.is_dir() and not folder.is_symlink():
                    for file in folder.iterdir():
                        if NAME.fullmatch(file.name) and file.name.startswith(folder.name):
                            yield file.name

    def age(self, name: str) -> float:
        """Tell how many seconds ago an object was put last.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable: the folder is not to be read any more.
        """
        with self._shelf_of(name) as shelf:
            put = os.stat(name, dir_fd=shelf, follow_symlinks=False).st_mtime
        return self._now() - put

    def tidy(self) -> None:
        """Remove drafts of killed writers.

        Raises:
            ObjectsUnwritable: the folder is not to be written any more.
        """
        now = self._now()
        with self._said_in_our_words():
            for draft in (self._root / DRAFTS).iterdir():
                with suppress(FileNotFoundError):  # its writer has just finished
                    if now - draft.lstat().st_mtime > DRAFT_SECONDS:
                        draft.unlink()

    def _now(self) -> float:
        """Tell the time by the file system's own clock, which may be another machine's."""
        probe = self._root / DRAFTS / secrets.token_hex(16)
        with self._said_in_our_words():
            probe.touch(mode=0o600)
            try:
                return probe.stat().st_mtime
            finally:
                probe.unlink()

    def _make_folder(self, name: str) -> None:
        with suppress(FileExistsError):
            (self._root / name).mkdir(mode=0o700)
            flush(self._root)  # else a power cut may take it, with what is in it

    @contextmanager
    def _shelf_of(self, name: str) -> Iterator[int]:
        """Open the folder in which an object lies; what is not there is told as such."""
        if not NAME.fullmatch(name):
            raise ObjectNotFound
        try:
            with self._folder(name[:2]) as shelf:
                yield shelf
        except OSError as error:
            if error.errno in ABSENT:
                raise ObjectNotFound from error
            raise self._in_our_words(error) from error

    @contextmanager
    def _folder(self, name: str) -> Iterator[int]:
        root = os.open(self._root, os.O_RDONLY | os.O_DIRECTORY)
        try:
            folder = os.open(name, DIRECTORY, dir_fd=root)
        finally:
            os.close(root)
        try:
            yield folder
        finally:
            os.close(folder)

    @contextmanager
    def _said_in_our_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise self._in_our_words(error) from error

    def _in_our_words(self, error: OSError) -> StopgapError:
        if error.errno in FULL:
            return DiskFull()
        return ObjectsUnwritable(f"The folder {self._root}", error.strerror or str(error))


def _write(name: str, content: bytes | BinaryIO, folder: int) -> None:
    """Write a new file, through to the disk."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
    descriptor = os.open(name, flags, stat.S_IRUSR | stat.S_IWUSR, dir_fd=folder)
    with os.fdopen(descriptor, "wb") as file:
        shutil.copyfileobj(BytesIO(content) if isinstance(content, bytes) else content, file)
        file.flush()
        os.fsync(file.fileno())
