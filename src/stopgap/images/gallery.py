"""The images that are kept: taken in, shown to who may see them, and removed in time."""

import hashlib
import hmac
import logging
import re
from collections.abc import Callable, Iterator, Sequence
from datetime import timedelta
from itertools import islice
from typing import Any

from stopgap.address import network_of
from stopgap.clock import Clock, Ids
from stopgap.images.decoding import Decoder, Picture
from stopgap.images.image import (
    Bounds,
    Image,
    ImageNotFound,
    ImageQuotaReached,
    Kind,
    Uploader,
    UploaderGone,
)
from stopgap.images.store import BATCH, ImageRows, Usage
from stopgap.storage.database import Database
from stopgap.storage.database_faults import DatabaseUnreachable
from stopgap.storage.objects import (
    ObjectDamaged,
    ObjectNotFound,
    ObjectStore,
    ObjectsUnavailable,
)

logger = logging.getLogger(__name__)

NAME = re.compile(r"[0-9a-f]{64}([0-9a-f]{8})\.(?:jpg|png|webp|gif)")
"""A secret, and the second of its making: tells the age of an object that has no row."""

HoldsAccount = Callable[[Any, str], bool]
"""Keeps an account as it is until a transaction ends (its connection, the account's id), and tells
whether it may have more: an upload takes its time, and who brought it may be deleted meanwhile."""

SMALL = ".small"
"""Ends the name of the object that holds an image's small copy."""

ORPHAN_AGE_MIN = timedelta(hours=1)
"""An object this old without a row is left from an interruption: a row follows within seconds."""

ORPHAN_AGE_MAX = timedelta(days=7)
"""What is older and has no row was not missed by the sweeps before: the database is another."""

ORPHAN_GRACE = timedelta(days=1)
"""For so long an object has to be without a row, seen by one process, before it is deleted: a
database that is the wrong one, or not restored yet, is noticed by then."""


class Images:
    """All images of an installation: contents in the object store, what is known of them in rows.

    An object is put first and its row second, so every row has its object; what an interruption
    leaves is an object that `sweep_orphans` removes. To delete an image is to have its time be
    over: nobody sees it any more, and its object goes before its row, so none is ever forgotten.
    """

    def __init__(
        self,
        *,
        database: Database,
        objects: ObjectStore,
        clock: Clock,
        ids: Ids,
        secret: bytes,
        bounds: Bounds,
        holds_account: HoldsAccount,
    ) -> None:
        self._database = database
        self._objects = objects
        self._clock = clock
        self._ids = ids
        self._secret = secret
        self._bounds = bounds
        self._holds_account = holds_account
        self._orphans: dict[str, float] = {}  # since when each has been seen without a row
        self._decoder = Decoder(bytes_max=bounds.bytes, pixels_max=bounds.pixels)

    def add(self, content: bytes, uploader: Uploader) -> Image:
        """Draw an upload anew and keep it.

        Raises:
            ImageUnrecognised, ImageBroken: it is no image, or not all of one.
            ImageTooLarge, ImageTooManyPixels: it is too large, packed or unpacked.
            ImageQuotaReached: the account, the address or all guests together have enough.
            UploaderGone: the account was ended meanwhile.
            Overloaded: too many images wait to be drawn.
            DiskFull: there is no room; nothing has been kept.
            DatabaseUnreachable, ObjectsUnavailable: it cannot be kept now.
        """
        address = self._hashed(uploader.address) if uploader.guest else None
        if address is not None:
            self._sweep_if_due()
        with self._database.read() as connection:  # refuse before the work rather than after it
            self._refuse_over_quota(ImageRows(connection), uploader, address, 0)
        picture = self._decoder.decode(content)
        image = self._described(picture, uploader)
        try:
            self._objects.put(image.name, picture.content)
            if picture.small is not None:
                self._objects.put(image.name + SMALL, picture.small)
            self._insert(image, uploader, address)
        except (DatabaseUnreachable, ObjectsUnavailable):
            raise  # it may be there nevertheless, whole or in part; sweep_orphans sees to it
        except BaseException:
            self._forget(image.name)
            raise
        return image

    def get(self, name: str, asker_id: str | None) -> Image:
        """Find an image that the asker may see.

        An account's is for that account alone; a guest's for everybody who knows its name, until
        its time is over.

        Raises:
            ImageNotFound: there is none, or it is not for the asker.
        """
        if not NAME.fullmatch(name):
            raise ImageNotFound
        with self._database.read() as connection:
            image = ImageRows(connection).find(name, asker_id, self._clock.now())
        if image is None:
            raise ImageNotFound
        return image

    def content(self, image: Image) -> bytes:
        """Fetch an image's bytes.

        Raises:
            ImageNotFound: it has been deleted in the meantime.
            ObjectDamaged: it is not as long as it was.
        """
        try:
            content = self._objects.get(image.name)
        except ObjectNotFound as error:
            raise ImageNotFound from error
        if len(content) != image.bytes:
            raise ObjectDamaged(image.name)
        return content

    def small(self, image: Image) -> tuple[bytes, str]:
        """Fetch a small copy of an image, and its media type; a small image is its own.

        Raises:
            ImageNotFound: it has been deleted in the meantime.
            ObjectDamaged: it is not as long as it was.
        """
        name = image.name + SMALL
        try:
            content = self._objects.get(name)
        except ObjectNotFound:
            return self.content(image), image.media_type
        if len(content) != _webp_length(content):
            raise ObjectDamaged(name)
        return content, Kind.WEBP.media_type

    def list(self, owner_id: str) -> Sequence[Image]:
        """List an owner's images, newest first."""
        with self._database.read() as connection:
            return ImageRows(connection).owned(owner_id, self._clock.now())

    def delete(self, name: str, owner_id: str) -> None:
        """Delete an image of one's own.

        Raises:
            ImageNotFound: there is none, or it is somebody else's.
        """
        if not NAME.fullmatch(name):
            raise ImageNotFound
        with self._database.write() as connection:
            ended = ImageRows(connection).end(name, owner_id, self._clock.now())
        if not ended:
            raise ImageNotFound
        self._remove([name])

    def delete_all(self, owner_id: str) -> int:
        """Delete every image of an owner who is deleted; tell how many there were."""
        with self._database.write() as connection:
            count = ImageRows(connection).end_owned(owner_id)
        self.sweep()
        return count

    def sweep(self) -> int:
        """Delete the images whose time is over; tell how many there were."""
        count = 0
        while batch := self._sweep_batch():
            count += batch
        return count

    def sweep_orphans(self) -> int:
        """Delete objects that an interruption has left without a row; tell how many there were.

        Only those that a sweep a day ago has found as well: the objects of a database that is
        away, wrong or older than they are have no rows either. Walks all objects: meant for the
        start, and once a day.
        """
        self._objects.tidy()
        now = self._clock.monotonic()
        seen: dict[str, float] = {}
        gone = 0
        for name in self._without_row():
            since = self._orphans.get(name, now)
            if now - since >= ORPHAN_GRACE.total_seconds():
                self._forget(name)
                gone += 1
            else:
                seen[name] = since
        if gone:
            logger.warning("%s images deleted of which the database has had no row for a day", gone)
        if seen.keys() - self._orphans.keys():
            logger.warning("of %s images the database has no row; they go in a day", len(seen))
        self._orphans = seen
        return gone

    def _without_row(self) -> Iterator[str]:
        aged = filter(self._is_aged, self._objects.names())
        while names := list(islice(aged, BATCH)):
            with self._database.read() as connection:
                known = ImageRows(connection).known(names)
            yield from (name for name in names if name not in known)

    def _forget(self, name: str) -> None:
        self._objects.delete(name + SMALL)
        self._objects.delete(name)

    def _is_aged(self, name: str) -> bool:
        found = NAME.fullmatch(name)
        age = self._clock.now().timestamp() - int(found[1], 16) if found else 0
        return ORPHAN_AGE_MIN.total_seconds() < age < ORPHAN_AGE_MAX.total_seconds()

    def _sweep_if_due(self) -> None:
        """Let a guest's upload clear a few that are over, so that room comes back by itself."""
        now = self._clock.now()
        with self._database.read() as connection:
            due = ImageRows(connection).any_expired(now)
        if due:
            self._sweep_batch()

    def _sweep_batch(self) -> int:
        with self._database.read() as connection:
            names = ImageRows(connection).expired(self._clock.now())
        return self._remove(names) if names else 0

    def _remove(self, names: Sequence[str]) -> int:
        """Remove images whose time is over; several may do so at once."""
        for name in names:
            self._forget(name)
        with self._database.write() as connection:
            return ImageRows(connection).remove(names)

    def _insert(self, image: Image, uploader: Uploader, address: str | None) -> None:
        """Insert an image's row, if the quotas allow it at that very moment."""
        with self._database.write() as connection:
            rows = ImageRows(connection)
            rows.lock_quota(None if uploader.guest else uploader.id)
            if not uploader.guest and not self._holds_account(connection, uploader.id):
                raise UploaderGone
            self._refuse_over_quota(rows, uploader, address, image.bytes)
            rows.add(image, address=address)

    def _refuse_over_quota(
        self, rows: ImageRows, uploader: Uploader, address: str | None, size: int
    ) -> None:
        bounds = self._bounds
        if address is None:
            usage = rows.account_usage(uploader.id)
            if usage.used >= bounds.account_images:
                raise ImageQuotaReached.of_account(bounds.account_images)
            return
        usage = rows.address_usage(address, self._clock.now())
        if usage.used >= bounds.guest_images:
            raise ImageQuotaReached.of_address(bounds.guest_images, self._wait(usage))
        usage = rows.guest_bytes()
        if usage.used + size > bounds.guest_bytes:
            raise ImageQuotaReached.of_guests(bounds.guest_bytes, self._wait(usage))

    def _wait(self, usage: Usage) -> float:
        """Tell how long it is, in seconds, until the first guest's image ends."""
        if usage.first_end is None:
            return self._bounds.guest_lifetime.total_seconds()
        return max(1.0, (usage.first_end - self._clock.now()).total_seconds())

    def _hashed(self, address: str) -> str:
        """Hash an address under the secret, for a quota needs to recognise and not to read it."""
        network = f"images from {network_of(address)}"
        return hmac.new(self._secret, network.encode(), hashlib.sha256).hexdigest()

    def _described(self, picture: Picture, uploader: Uploader) -> Image:
        now = self._clock.now()
        return Image(
            name=f"{self._ids.secret()}{int(now.timestamp()):08x}.{picture.kind}",
            owner=uploader.id,
            media_type=picture.kind.media_type,
            width=picture.width,
            height=picture.height,
            bytes=len(picture.content),
            etag=hashlib.sha256(picture.content).hexdigest(),
            created_at=now,
            expires_at=now + self._bounds.guest_lifetime if uploader.guest else None,
        )


def _webp_length(content: bytes) -> int:
    """Tell how long a WebP file says that it is (RFC 9649, section 2.4)."""
    return 8 + int.from_bytes(content[4:8], "little")
