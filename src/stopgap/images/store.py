"""The table of images, and every statement about it."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    Row,
    String,
    Table,
    and_,
    case,
    delete,
    func,
    insert,
    or_,
    select,
    update,
)

from stopgap.images.image import Image
from stopgap.storage.columns import Moment, metadata
from stopgap.storage.database import lock

images = Table(
    "images",
    metadata,
    Column("name", String(80), primary_key=True),
    Column("owner", String(64), nullable=False),
    Column("guest", Boolean, nullable=False),
    Column("address", String(64)),
    Column("media_type", String(20), nullable=False),
    Column("width", Integer, nullable=False),
    Column("height", Integer, nullable=False),
    Column("bytes", BigInteger, nullable=False),
    Column("etag", String(80), nullable=False),
    Column("created_at", Moment, nullable=False),
    Column("expires_at", Moment),
    Index(None, "owner", "created_at"),
    Index(None, "expires_at"),
    Index(None, "address"),
)

SHOWN = [column for column in images.c if column.name not in ("guest", "address")]
BATCH = 500
"""Rows of one statement: short enough that nobody waits for it."""

OVER = datetime(1970, 1, 1, tzinfo=UTC)
"""When the time of an image ended that was deleted: before any moment that a clock may tell."""

BLOCK_BYTES = 4096
"""What a file takes on a disk at least; so the quota bounds the number of guests' images, too."""


@dataclass(frozen=True, kw_only=True)
class Usage:
    """How much of a quota is used, and when the first of it ends by itself."""

    used: int
    first_end: datetime | None


class ImageRows:
    """Every statement about images, in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def lock_quota(self, owner: str | None) -> None:
        """Let nobody else add to an account's images, or to guests' (None), until the end."""
        lock(self._connection, f"images of {owner or 'guests'}")

    def add(self, image: Image, *, address: str | None) -> None:
        """Add an image; an address means that it is a guest's."""
        row = asdict(image) | {"guest": address is not None, "address": address}
        self._connection.execute(insert(images).values(row))

    def find(self, name: str, asker: str | None, now: datetime) -> Image | None:
        """Find an image that the asker may see: a guest's is for everybody who knows its name."""
        visible = or_(images.c.guest.is_(True), images.c.owner == asker)
        chosen = select(*SHOWN).where(images.c.name == name, visible, _current(now))
        row = self._connection.execute(chosen).one_or_none()
        return None if row is None else _image(row)

    def owned(self, owner: str, now: datetime) -> Sequence[Image]:
        """List an owner's images, newest first."""
        chosen = select(*SHOWN).where(images.c.owner == owner, _current(now))
        newest_first = chosen.order_by(images.c.created_at.desc(), images.c.name)
        return [_image(row) for row in self._connection.execute(newest_first)]

    def known(self, names: Sequence[str]) -> frozenset[str]:
        """Tell which of these names are images'."""
        chosen = select(images.c.name).where(images.c.name.in_(names))
        return frozenset(self._connection.scalars(chosen))

    def account_usage(self, owner: str) -> Usage:
        """Count an account's images."""
        return self._usage(
            func.count(), and_(images.c.owner == owner, images.c.expires_at.is_(None))
        )

    def address_usage(self, address: str, now: datetime) -> Usage:
        """Count the guests' images of an address."""
        return self._usage(func.count(), and_(images.c.address == address, _current(now)))

    def guest_bytes(self) -> Usage:
        """Add up what guests' images take on the disk, those that are over but not swept, too."""
        size = case((images.c.bytes < BLOCK_BYTES, BLOCK_BYTES), else_=images.c.bytes)
        guests = and_(images.c.expires_at.is_not(None), images.c.guest.is_(True))
        return self._usage(func.sum(size), guests)

    def _usage(self, measure: ColumnElement[int], chosen: ColumnElement[bool]) -> Usage:
        first_end = func.min(images.c.expires_at, type_=Moment)
        row = self._connection.execute(select(measure, first_end).where(chosen)).one()
        return Usage(used=int(row[0] or 0), first_end=row[1])

    def end(self, name: str, owner: str, now: datetime) -> bool:
        """Have the time of an owner's image be over; tell whether there was one."""
        mine = update(images).where(images.c.name == name, images.c.owner == owner, _current(now))
        return self._connection.execute(mine.values(expires_at=OVER)).rowcount > 0

    def end_owned(self, owner: str) -> int:
        """Have the time of all of an owner's images be over; tell how many there were."""
        mine = update(images).where(images.c.owner == owner)
        return self._connection.execute(mine.values(expires_at=OVER)).rowcount

    def any_expired(self, now: datetime) -> bool:
        """Tell whether there is an image whose time is over."""
        chosen = select(images.c.name).where(images.c.expires_at <= now).limit(1)
        return self._connection.scalar(chosen) is not None

    def expired(self, now: datetime) -> Sequence[str]:
        """Name a batch of the images whose time is over."""
        over = select(images.c.name).where(images.c.expires_at <= now).limit(BATCH)
        return self._connection.scalars(over).all()

    def remove(self, names: Sequence[str]) -> int:
        """Remove images by their names; tell how many there were."""
        gone = delete(images).where(images.c.name.in_(names))
        return self._connection.execute(gone).rowcount


def _current(now: datetime) -> ColumnElement[bool]:
    return or_(images.c.expires_at.is_(None), images.c.expires_at > now)


def _image(row: Row[Any]) -> Image:
    return Image(**row._asdict())
