"""A bucket of objects: Amazon's S3, or any server that speaks its protocol.

Who we are, and which server it is, is found by Amazon's own library, as everywhere: from
`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_ENDPOINT_URL_S3` and their like, its files, or
the machine's role (boto3.amazonaws.com, "Configuration" and "Credentials").
"""

import logging
from collections.abc import Iterator
from contextlib import closing, contextmanager
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any, BinaryIO

from boto3.session import Session
from botocore.config import Config
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
from botocore.exceptions import ConnectionError as ConnectionFailed

from stopgap.errors import StopgapError
from stopgap.storage.objects import (
    NAME,
    PIECE_BYTES,
    BucketUnusable,
    DiskFull,
    ObjectNotFound,
    ObjectsUnreachable,
    ObjectsUnwritable,
)

PATIENCE = Config(
    connect_timeout=3,
    read_timeout=10,
    retries={"mode": "standard", "total_max_attempts": 2},
    max_pool_connections=64,  # four times the usual threads; more would be opened and closed
)
"""How long a request may take: a thread waits for it, and a person."""

TROUBLE = (
    ConnectionFailed,
    CredentialRetrievalError,
    FlexibleChecksumError,
    HTTPClientError,
    IncompleteReadError,
    MetadataRetrievalError,
)
"""What comes of a server or a network that fails. Whatever else the library raises comes of us."""

NONSENSE = (KeyError, RecursionError, TypeError, ValueError)
"""What the library raises over dates that are none, or are missing, and redirects in a circle."""

FULL = frozenset(("QuotaExceeded", "XMinioAdminBucketQuotaExceeded", "XMinioStorageFull"))
"""How servers other than Amazon's say that a bucket takes no more (Ceph's and MinIO's codes)."""

AGAIN = frozenset((HTTPStatus.REQUEST_TIMEOUT, HTTPStatus.TOO_MANY_REQUESTS))
"""Statuses of a refusal that ends by itself, as those from 500 do."""


def open_bucket(bucket: str, prefix: str) -> "BucketObjects":
    """Open a bucket; nothing is asked of it yet.

    Args:
        bucket: Its name.
        prefix: What all keys begin with, as a folder's name; empty: nothing.

    Raises:
        BucketUnusable: the library's own settings are wrong.
    """
    logging.getLogger("botocore").setLevel(logging.WARNING)  # else it tells where it found keys
    try:
        client = Session().client("s3", config=PATIENCE)
    except (BotoCoreError, ValueError) as error:
        raise BucketUnusable(_reason(error)) from error
    return BucketObjects(client, bucket, prefix)


class BucketObjects:
    """Objects as those of a bucket, below a prefix. The server keeps each whole or not at all.

    For the process that opened it alone: connections are not to be shared.
    """

    def __init__(self, client: Any, bucket: str, prefix: str) -> None:
        self._client = client
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    def put(self, name: str, content: bytes | BinaryIO) -> None:
        """Keep an object; the server has it when this returns.

        Raises:
            DiskFull: there is no room.
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        if not NAME.fullmatch(name):
            raise ValueError(name)  # names are made by us
        with self._said_in_our_words():
            self._client.put_object(**self._object(name), Body=content)

    def get(self, name: str) -> bytes:
        """Fetch an object.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        with self._said_in_our_words(), closing(self._fetched(name)) as body:
            content: bytes = body.read()
        return content

    def pieces(self, name: str) -> Iterator[bytes]:
        """Fetch an object piece by piece.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        with self._said_in_our_words(), closing(self._fetched(name)) as body:
            yield from body.iter_chunks(PIECE_BYTES)

    def delete(self, name: str) -> None:
        """Delete an object, quietly if it is gone already.

        Raises:
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        if not NAME.fullmatch(name):
            return
        with self._said_in_our_words():
            self._client.delete_object(**self._object(name))

    def names(self) -> Iterator[str]:
        """List the names of all objects, in no order.

        Raises:
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        pages = self._client.get_paginator("list_objects_v2")
        with self._said_in_our_words():
            for page in pages.paginate(Bucket=self._bucket, Prefix=self._prefix, Delimiter="/"):
                for each in page.get("Contents", ()):
                    name = each["Key"].removeprefix(self._prefix)
                    if NAME.fullmatch(name):
                        yield name

    def age(self, name: str) -> float:
        """Tell how many seconds ago an object was put last, by the server's clock.

        Raises:
            ObjectNotFound: there is none of this name.
            ObjectsUnwritable, ObjectsUnreachable: the bucket refuses it, or does not answer.
        """
        if not NAME.fullmatch(name):
            raise ObjectNotFound
        with self._said_in_our_words():
            told = self._client.head_object(**self._object(name))
            now = parsedate_to_datetime(told["ResponseMetadata"]["HTTPHeaders"]["date"])
            return float((now - told["LastModified"]).total_seconds())

    def tidy(self) -> None:
        """Do nothing: a killed writer leaves nothing behind."""

    def _fetched(self, name: str) -> Any:
        if not NAME.fullmatch(name):
            raise ObjectNotFound
        return self._client.get_object(**self._object(name))["Body"]

    def _object(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": f"{self._prefix}{name}"}

    @contextmanager
    def _said_in_our_words(self) -> Iterator[None]:
        try:
            yield
        except ClientError as error:
            raise self._refusal(error) from error
        except TROUBLE as error:
            raise ObjectsUnreachable(self._place, _reason(error)) from error
        except BotoCoreError as error:
            raise ObjectsUnwritable(self._place, _reason(error)) from error
        except NONSENSE as error:
            raise ObjectsUnwritable(self._place, "it answers as no such server does") from error

    def _refusal(self, error: ClientError) -> StopgapError:
        """Tell what the server's refusal means."""
        told = error.response["Error"]
        code, status = told["Code"], error.response["ResponseMetadata"]["HTTPStatusCode"]
        if code in ("NoSuchKey", "404"):  # the latter where there is no body to say it
            return ObjectNotFound()
        if code in FULL or status == HTTPStatus.INSUFFICIENT_STORAGE:
            return DiskFull()
        if status in AGAIN or status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return ObjectsUnreachable(self._place, code)
        return ObjectsUnwritable(self._place, code)

    @property
    def _place(self) -> str:
        return f"The bucket {self._bucket} at {self._client.meta.endpoint_url}"


def _reason(error: Exception) -> str:
    """Tell what the library says, without the address and the object's name behind it."""
    return str(error).partition(': "')[0].rstrip(".")
