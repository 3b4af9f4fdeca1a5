"""Object stores: which one a URL names."""

import importlib
import re
import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from stopgap.errors import StartRefused
from stopgap.storage.folder import FolderObjects
from stopgap.storage.objects import BucketUnusable, ObjectStore

KNOWN = ("file", "s3")
"""What a URL may begin with."""

BUCKET = re.compile(r"s3://([a-z0-9][a-z0-9.-]{1,61}[a-z0-9])((?:/[\w.-]+)*)/?", re.ASCII)
"""A bucket's name (docs.aws.amazon.com, "General purpose bucket naming rules"), and a prefix."""


class ObjectsUnknown(StartRefused):
    """The place for objects names no kind of place that this server speaks."""

    def __init__(self, scheme: str) -> None:
        known = ", ".join(f"{name}://" for name in KNOWN)
        super().__init__(f"Objects cannot be kept at {scheme}://; name a folder, or one of {known}")


def open_objects(url: str) -> ObjectStore:
    """Open the place where objects are kept; nothing is asked of it before it is used.

    Args:
        url: A folder's path, `file:///` and an absolute path with percent signs, or
            `s3://bucket/prefix`.

    Raises:
        ObjectsUnknown: the URL has another scheme.
        BucketUnusable: the bucket is named wrongly, or what it takes to speak to it is missing.
    """
    folder = folder_of(url)
    if folder is None:
        return _open_bucket(url)
    return FolderObjects(folder.absolute())


def prepare_objects(url: str) -> None:
    """Make the folder that a URL names, if it is not there, and see that it can be written.

    Raises:
        ObjectsUnknown, BucketUnusable: as `open_objects`.
        ObjectsUnwritable: it cannot.
        DiskFull: there is no room even for the folder.
    """
    objects = open_objects(url)
    if isinstance(objects, FolderObjects):
        objects.prepare()


def folder_of(url: str) -> Path | None:
    """Tell which folder a URL names; None if it is a bucket's.

    Raises:
        ObjectsUnknown: it is neither.
    """
    scheme, separator, _ = url.partition("://")
    if not separator:
        return Path(url)
    if scheme not in KNOWN:
        raise ObjectsUnknown(scheme)
    if scheme == "s3":
        return None
    parts = urlsplit(url)
    if parts.netloc not in ("", "localhost"):
        raise ObjectsUnknown(f"file://{parts.netloc}")
    return Path(unquote(parts.path))


def _open_bucket(url: str) -> ObjectStore:
    found = BUCKET.fullmatch(url)
    if found is None:
        raise BucketUnusable(
            "it is named as s3://BUCKET or s3://BUCKET/PREFIX, in letters, digits, points, hyphens "
            "and underscores; keys and another server's address are given as AWS_... variables"
        )
    try:
        s3 = importlib.import_module("stopgap.storage.s3")
    except ModuleNotFoundError as error:
        needed = f"{sys.executable} -m pip install boto3"
        raise BucketUnusable(f"{error.name} is not installed: {needed}") from error
    bucket, prefix = found.groups()
    opened: ObjectStore = s3.open_bucket(bucket, prefix.removeprefix("/"))
    return opened
