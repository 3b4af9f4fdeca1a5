"""Artifacts: models' files, kept by what is in them, so that none can be altered unnoticed."""

import hashlib
import logging
import time
from collections import deque
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import BinaryIO

from stopgap.models.failures import ModelUnloadable
from stopgap.models.loaded import file_hash
from stopgap.models.specification import HASH
from stopgap.storage.files import DRAFT_SECONDS, write_whole
from stopgap.storage.folder import FULL
from stopgap.storage.objects import (
    PIECE_BYTES,
    DiskFull,
    ObjectNotFound,
    ObjectStore,
    ObjectsUnavailable,
)

logger = logging.getLogger(__name__)

SIZE_MAX = 2**31
"""Bytes of a model's file: where ONNX ends as well."""

PUT_SECONDS = 3_600
"""A file is put before its release is verified and written down, which takes no longer."""


class ArtifactMissing(ModelUnloadable):
    """The file of a model is kept nowhere that this server can see."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The model's file {digest} is not in the artifact store; hand it in again."
        )


class ArtifactDamaged(ModelUnloadable):
    """The file of a model is not what was handed in: it is half of it, or has been altered."""

    def __init__(self, digest: str) -> None:
        super().__init__(
            f"The model's file {digest} has been damaged where it is kept; hand it in again."
        )


class ArtifactTooLarge(ModelUnloadable):
    """The file of a model is larger than any that is kept."""

    def __init__(self, path: Path, size: int) -> None:
        super().__init__(f"{path} has {size} bytes; a model's file has at most {SIZE_MAX}.")


class Artifacts:
    """The models' files of one installation.

    Args:
        objects: Where they are kept for all servers; nothing else may be kept there.
        cache: A folder on this machine, for this user alone, from which models are loaded.
    """

    def __init__(self, objects: ObjectStore, cache: Path) -> None:
        self._objects = objects
        self._cache = cache
        self._unneeded: set[str] = set()  # at the last sweep

    def put(self, path: Path) -> str:
        """Keep a file, whole or not at all; tell its SHA-256.

        Raises:
            ModelUnloadable: there is no such file, or it is too large.
            DiskFull: there is no room.
        """
        try:
            size = path.stat().st_size
            if size > SIZE_MAX:
                raise ArtifactTooLarge(path, size)
            with self._copy(path) as (copy, digest):
                self._objects.put(digest, copy)
        except OSError as error:
            if error.errno in FULL:
                raise DiskFull from error
            raise ModelUnloadable(f"{path} cannot be read: {error.strerror}.") from error
        return digest

    @contextmanager
    def _copy(self, path: Path) -> Iterator[tuple[BinaryIO, str]]:
        """Copy a file, since somebody may write to it meanwhile; tell the copy's SHA-256, too."""
        self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
        seen = hashlib.sha256()
        with path.open("rb") as file, TemporaryFile(dir=self._cache) as copy:
            while piece := file.read(PIECE_BYTES):
                seen.update(piece)
                copy.write(piece)
            copy.seek(0)
            yield copy, seen.hexdigest()

    def fetch(self, digest: str) -> Path:
        """Bring a file to this machine, and hold it against its hash: at every load.

        Raises:
            ArtifactMissing: it is not kept any more.
            ArtifactDamaged: what is kept is another.
        """
        if not HASH.fullmatch(digest):
            raise ArtifactMissing(digest)
        path = self._cache / digest
        if file_hash(path) != digest:
            self._cache.mkdir(mode=0o700, parents=True, exist_ok=True)
            write_whole(path, self._pieces(digest))
        return path

    def check(self, digest: str) -> None:
        """See that a file could be fetched, without keeping anything.

        Raises:
            ArtifactMissing: it is not kept any more.
            ArtifactDamaged: what is kept is another.
        """
        if file_hash(self._cache / digest) != digest:
            self._see(digest)

    def secure(self, digest: str) -> Path:
        """Fetch the file of a model that is to get traffic, and see that every machine can.

        Where it is kept for all it may be lost or damaged, and this machine have a whole copy: then
        that is kept again. Where nothing can be kept now, the copy is enough.

        Raises:
            ArtifactMissing, ArtifactDamaged: it is whole nowhere that this machine can see.
        """
        path = self.fetch(digest)
        try:
            self._see(digest)
        except (ArtifactMissing, ArtifactDamaged) as error:
            try:
                with path.open("rb") as file:
                    self._objects.put(digest, file)
            except (DiskFull, ObjectsUnavailable) as refusal:
                logger.warning("only this machine has a model's file: %s", refusal)
            else:
                logger.warning("a model's file is kept again from a copy: %s", error)
        except ObjectsUnavailable as error:
            logger.warning("it is not known whether others have a model's file: %s", error)
        return path

    def sweep(self, needed: Collection[str]) -> int:
        """Delete what no release needs; tell how many files there were.

        Only those that nobody needed at the last sweep either, since the database may have been
        another then, or now; and none that has just been put, for a release that comes.
        """
        self._objects.tidy()
        known = set(filter(HASH.fullmatch, self._objects.names()))
        unneeded = known - set(needed)
        gone = {each for each in unneeded & self._unneeded if not self._is_new(each)}
        for digest in gone:
            self._objects.delete(digest)
        self._unneeded = unneeded - gone
        self._sweep_cache(set(needed) | self._unneeded)
        return len(gone)

    def _is_new(self, digest: str) -> bool:
        with suppress(ObjectNotFound):  # another server sweeps, too
            return self._objects.age(digest) < PUT_SECONDS
        return False

    def _see(self, digest: str) -> None:
        deque(self._pieces(digest), maxlen=0)

    def _pieces(self, digest: str) -> Iterator[bytes]:
        """Fetch a file piece by piece; what it is can only be told at its end."""
        seen = hashlib.sha256()
        try:
            for piece in self._objects.pieces(digest):
                seen.update(piece)
                yield piece
        except ObjectNotFound as error:
            raise ArtifactMissing(digest) from error
        if seen.hexdigest() != digest:
            raise ArtifactDamaged(digest)

    def _sweep_cache(self, needed: Collection[str]) -> None:
        with suppress(FileNotFoundError):
            for file in self._cache.iterdir():
                unneeded = HASH.fullmatch(file.name) and file.name not in needed
                if unneeded or _is_left_behind(file):
                    file.unlink(missing_ok=True)


def _is_left_behind(file: Path) -> bool:
    """Tell a draft whose writer was killed."""
    with suppress(FileNotFoundError):
        return file.name.startswith(".") and time.time() - file.stat().st_mtime > DRAFT_SECONDS
    return False
