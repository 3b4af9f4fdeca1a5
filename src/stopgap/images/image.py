"""An image that is kept, who brings it, how much may be kept, and what can be wrong with one."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Self

from stopgap.errors import StopgapError


class Kind(StrEnum):
    """What an image is; the value is the ending of its name."""

    JPEG = "jpg"
    PNG = "png"
    WEBP = "webp"
    GIF = "gif"

    @property
    def media_type(self) -> str:
        """Tell the Content-Type of this kind."""
        return "image/jpeg" if self is Kind.JPEG else f"image/{self.value}"


@dataclass(frozen=True, kw_only=True)
class Image:
    """One image that is kept. It is the drawn-anew one: the bytes that arrived are not kept."""

    name: str  # unguessable, made here: `<hex>.png`
    owner: str  # the id of an account or of a guest
    media_type: str
    width: int
    height: int
    bytes: int
    etag: str  # SHA-256 of the content, without quotes
    created_at: datetime
    expires_at: datetime | None  # None: an account's, kept until it is deleted


@dataclass(frozen=True, kw_only=True)
class Uploader:
    """Who brings an image."""

    id: str
    guest: bool
    address: str  # kept for guests only, and only as a keyed hash


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How much of images is taken and kept."""

    bytes: int  # of one image, as it arrives and as it is kept
    pixels: int  # of one image, all its frames together
    account_images: int  # of one account
    guest_images: int  # of all guests at one address
    guest_bytes: int  # of all guests' images together
    guest_lifetime: timedelta


class ImageUnrecognised(StopgapError):
    """The upload is no JPEG, PNG, WebP or GIF, whatever its name or Content-Type says."""

    def __init__(self) -> None:
        super().__init__(
            "An image must be a JPEG, PNG, WebP or GIF; this is none of them. Neither its name "
            "nor its declared type counts, only what it holds."
        )


class ImageBroken(StopgapError):
    """The upload begins like an image, but is cut short or damaged."""

    def __init__(self, kind: Kind) -> None:
        super().__init__(
            f"This begins like a {kind.name}, but cannot be read to its end: it is cut short or "
            "damaged. Send the whole file again, or save it anew."
        )


class ImageTooLarge(StopgapError):
    """The image takes more bytes than one image may."""

    def __init__(self, received: int, allowed: int, *, redrawn: bool = False) -> None:
        which = "Drawn anew, without its metadata, the image" if redrawn else "The image"
        super().__init__(
            f"{which} takes {received:,} bytes; {allowed:,} are allowed. Send a smaller one."
        )


class ImageTooManyPixels(StopgapError):
    """The image, unpacked, would be larger than one image may be; it has not been unpacked."""

    def __init__(self, width: int, height: int, frames: int, allowed: int) -> None:
        animated = f", {frames:,} times" if frames > 1 else ""
        super().__init__(
            f"The image is {width:,} by {height:,} pixels{animated}; {allowed:,} pixels are "
            "allowed in all, and each frame counts as 10,000 at least. Send a smaller one."
        )


class ImageQuotaReached(StopgapError):
    """The image quota of this account, of this address or of all guests together is used up.

    An account deletes some of its images. Guests' images go by themselves, and Retry-After tells
    when the first of them does.
    """

    @classmethod
    def of_account(cls, allowed: int) -> Self:
        """Say that an account keeps as many images as it may; time alone does not help."""
        return cls(f"An account may keep {allowed:,} images, and this one does. Delete some first.")

    @classmethod
    def of_address(cls, allowed: int, wait: float) -> Self:
        """Say that the guests at an address keep as many images as they may."""
        error = cls(
            f"Guests at one address may keep {allowed:,} images, and yours do. Delete some, wait "
            "until they expire, or sign in to an account."
        )
        error.retry_after = wait
        return error

    @classmethod
    def of_guests(cls, allowed: int, wait: float) -> Self:
        """Say that all guests' images together take as much as they may."""
        error = cls(
            f"All guests' images together may take {allowed:,} bytes, and this one does not fit "
            "in. Wait until some expire, or sign in to an account."
        )
        error.retry_after = wait
        return error


class ImageNotFound(StopgapError):
    """There is no such image, it has expired, or it is somebody else's: all three look the same."""

    def __init__(self) -> None:
        super().__init__("There is no such image here, or it is not yours to see.")


class UploaderGone(StopgapError):
    """The account that brought an image was disabled or deleted before it could be kept."""

    def __init__(self) -> None:
        super().__init__("The account was ended meanwhile. Nothing was kept.")
