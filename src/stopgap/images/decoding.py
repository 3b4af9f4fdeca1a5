"""Drawing images anew: what is seen is kept, and nothing else of the upload.

The upload is unpacked to pixels and packed again in its own format: upright, in sRGB, without
metadata, thumbnails or anything hidden behind the picture. Equal uploads give equal bytes.
"""

import threading
import warnings
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from io import BytesIO
from typing import Any

from PIL import Image as Pillow
from PIL import ImageCms
from PIL.ExifTags import Base as ExifTag
from PIL.GifImagePlugin import GifImageFile
from PIL.ImageFile import ImageFile
from PIL.JpegImagePlugin import JpegImageFile, get_sampling
from PIL.PngImagePlugin import PngImageFile
from PIL.WebPImagePlugin import WebPImageFile

from stopgap.errors import Overloaded
from stopgap.images.image import (
    ImageBroken,
    ImageTooLarge,
    ImageTooManyPixels,
    Kind,
)
from stopgap.images.outline import Outline, read_outline
from stopgap.images.packing import pack
from stopgap.images.profile import needed

OPENERS: Mapping[Kind, Callable[[BytesIO], ImageFile]] = {
    Kind.JPEG: JpegImageFile,
    Kind.PNG: PngImageFile,
    Kind.WEBP: WebPImageFile,
    Kind.GIF: GifImageFile,
}
"""Called by name rather than through `Image.open`, which guesses, takes a phone's JPEG for another
format, and has a bound on pixels of its own that can only be set for the whole process."""


TURN_SECONDS = 4.0
"""For which an upload waits until the one before it has been drawn."""

SMALL_SIDE, SMALL_QUALITY = 240, 50
"""Pixels of a small copy's longer side, and its quality: 2 to 8 kB, so eight fit on a page."""

SMALL_MODES = frozenset({"RGB", "RGBA"})
"""What WebP packs, so that a large frame is not copied before it is made small."""


@dataclass(frozen=True, kw_only=True)
class Picture:
    """An image that has been drawn anew."""

    kind: Kind
    content: bytes
    width: int
    height: int
    small: bytes | None  # a copy to be shown among others; None where the picture itself is small


class Decoder:
    """Draws images anew, one at a time, so that uploads do not take the machine from predictions.

    One at a time also bounds memory. The peak for 40 megapixels: JPEG 460 MB, PNG and
    animations 420 MB, WebP 610 MB, lossless WebP 800 MB. It must be the only one of its process,
    because Python's warnings can only be silenced for a whole process.
    """

    def __init__(self, *, bytes_max: int, pixels_max: int) -> None:
        self._bytes_max = bytes_max
        self._pixels_max = pixels_max
        self._drawing = threading.Lock()

    def decode(self, content: bytes) -> Picture:
        """Draw an upload anew.

        Raises:
            ImageUnrecognised, ImageBroken: it is no image, or not all of one.
            ImageTooLarge: it takes too many bytes, as it arrived or drawn anew.
            ImageTooManyPixels: it would take too many unpacked.
            Overloaded: its turn does not come in time.
        """
        if len(content) > self._bytes_max:
            raise ImageTooLarge(len(content), self._bytes_max)
        with self._turn():
            outline = read_outline(content)
            if outline.cost > self._pixels_max:
                size = outline.width, outline.height, outline.frames
                raise ImageTooManyPixels(*size, self._pixels_max)
            picture = redraw(outline)
        if len(picture.content) > self._bytes_max:
            raise ImageTooLarge(len(picture.content), self._bytes_max, redrawn=True)
        return picture

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if not self._drawing.acquire(timeout=TURN_SECONDS):
            raise Overloaded("Too many images wait to be drawn.")
        try:
            yield
        finally:
            self._drawing.release()


def redraw(outline: Outline) -> Picture:
    """Unpack an image whose outline has been found to be in bounds, and pack it again.

    Raises:
        ImageBroken: it does not unpack to what its outline claims, or outgrows its own format.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is amiss and readable is not worth a log line
        with _blaming(outline.kind):
            pages, options = _unpack(outline)
            for page in pages:
                _blank(page)
        with _blaming(outline.kind, but=OSError):  # as Pillow calls an encoder's failure
            content = pack(pages, options, outline)
            width, height = pages[0].size
            small = _small(pages[0])
    return Picture(kind=outline.kind, content=content, width=width, height=height, small=small)


@contextmanager
def _blaming(kind: Kind, *, but: type[Exception] = MemoryError) -> Iterator[None]:
    """Call an image broken whatever happens, but for want of memory and what else is our fault."""
    try:
        yield
    except (MemoryError, but):
        raise
    except Exception as error:  # hostile bytes make parsers raise anything
        raise ImageBroken(kind) from error


def _small(page: Pillow.Image) -> bytes | None:
    """Pack a small copy of a frame, which is itself used up, so that memory has no second one."""
    if max(page.size) <= SMALL_SIDE:
        return None
    if page.mode not in SMALL_MODES:
        page = page.convert("RGBA" if page.has_transparency_data else "RGB")
    page.thumbnail((SMALL_SIDE, SMALL_SIDE))
    file = BytesIO()
    page.save(file, "WEBP", quality=SMALL_QUALITY)
    return file.getvalue()


def _unpack(outline: Outline) -> tuple[list[Pillow.Image], dict[str, Any]]:
    """Unpack an image's frames, and tell how they are to be packed again."""
    pages: list[Pillow.Image] = []
    durations: list[float] = []
    with OPENERS[outline.kind](BytesIO(outline.content)) as source:
        to_srgb = Colours(source.info.get("icc_profile"))
        orientation = _orientation(source)
        for page in _pages(source, outline):
            seen = page.convert("RGBA") if outline.frames > 1 else page
            seen = _upright(to_srgb(_eight_bits(seen, outline)), orientation)
            seen.info = _transparency(seen)
            pages.append(seen)
            durations.append(source.info.get("duration", 0))
        options = _grain(source, pages[0].mode, outline)
        if len(pages) > 1:
            options |= {"save_all": True, "duration": durations}
            if "loop" in source.info:  # a GIF without it plays once
                options["loop"] = source.info["loop"]
    return pages, options


def _pages(source: ImageFile, outline: Outline) -> Iterator[Pillow.Image]:
    """Unpack one frame after the other; none of another size than was claimed.

    The plain picture that stands apart from a PNG's animation is left out.
    """
    first = 1 if outline.frames > 1 and source.info.get("default_image") else 0
    for number in range(first, outline.frames):
        source.seek(number)
        if source.width > outline.width or source.height > outline.height:
            raise ValueError(source.size)
        source.load()
        yield source


def _orientation(source: ImageFile) -> int:
    """Tell how the camera was held; upright where that cannot be read."""
    try:
        return int(source.getexif().get(ExifTag.Orientation, 1))
    except Exception:  # noqa: BLE001  # a broken tag does not spoil the picture
        return 1


TURNS: Mapping[int, Pillow.Transpose] = {
    2: Pillow.Transpose.FLIP_LEFT_RIGHT,
    3: Pillow.Transpose.ROTATE_180,
    4: Pillow.Transpose.FLIP_TOP_BOTTOM,
    5: Pillow.Transpose.TRANSPOSE,
    6: Pillow.Transpose.ROTATE_270,
    7: Pillow.Transpose.TRANSVERSE,
    8: Pillow.Transpose.ROTATE_90,
}
"""Exif 2.32, section 4.6.4: the tag says how the picture is stored, this is how to turn it."""


def _upright(image: Pillow.Image, orientation: int) -> Pillow.Image:
    turn = TURNS.get(orientation)
    return image.copy() if turn is None else image.transpose(turn)


def _eight_bits(image: Pillow.Image, outline: Outline) -> Pillow.Image:
    """Reduce 16 bits a channel to 8, and a colour that stands for transparency to an alpha."""
    clear = image.info.get("transparency")
    if outline.deep and clear is not None:
        clear = tuple(part >> 8 for part in clear) if isinstance(clear, tuple) else clear >> 8
        image.info["transparency"] = clear
    if image.mode == "I;16":
        image = image.point(lambda level: level * (1 / 256)).convert("L")
        image.info = {} if clear is None else {"transparency": clear}
    if clear is not None and image.mode in ("1", "L", "RGB") and outline.kind is Kind.PNG:
        return image.convert("RGBA" if image.mode == "RGB" else "LA")
    return image


def _transparency(image: Pillow.Image) -> dict[str | tuple[int, int], Any]:
    """Pick the one thing out of an image's information that is seen: which colour is none."""
    clear = image.info.get("transparency")
    return {} if clear is None or image.mode not in ("P", "L") else {"transparency": clear}


def _blank(page: Pillow.Image) -> None:
    """Turn the colours black that nobody sees: what is fully transparent, and what no pixel has.

    Only now that the upload's own pixels are gone, so that it adds nothing to the peak of memory.
    """
    if page.mode == "P":
        _blank_palette(page)
    elif page.mode in ("LA", "RGBA"):
        alpha = page.getchannel("A")
        if alpha.getextrema()[0] == 0:
            page.paste((0,) * len(page.mode), mask=alpha.point([255] + [0] * 255))


def _blank_palette(page: Pillow.Image) -> None:
    clear = page.info.get("transparency")  # one of the colours, or how opaque each of them is
    alphas = bytearray(clear if isinstance(clear, bytes) else b"")
    colours = bytearray(page.getpalette("RGB") or b"")
    for index, count in zip(range(len(colours) // 3), page.histogram(), strict=False):
        if count == 0 or index == clear or alphas[index : index + 1] == b"\0":
            colours[3 * index : 3 * index + 3] = bytes(3)
            alphas[index : index + 1] = bytes(len(alphas[index : index + 1]))
    page.putpalette(colours)
    if alphas:
        page.info["transparency"] = bytes(alphas)


class Colours:
    """Turns the colours that an image's own profile means into sRGB; CMYK becomes RGB in any case.

    A profile that cannot be read, or is for other channels, is passed over, as browsers do.
    """

    def __init__(self, profile: bytes | None) -> None:
        self._profile = needed(profile) if profile else None
        self._transforms: dict[str, ImageCms.ImageCmsTransform | None] = {}

    def __call__(self, image: Pillow.Image) -> Pillow.Image:
        """Turn an image's colours."""
        if self._profile is None:
            return _for_screens(image)
        plain = image
        if image.mode in ("P", "1"):
            plain = image.convert("RGBA" if image.has_transparency_data else "RGB")
        alpha = plain.getchannel("A") if plain.mode in ("LA", "RGBA") else None
        base = plain if alpha is None else plain.convert(plain.mode[:-1])
        transform = self._transform(self._profile, base.mode)
        if transform is None:
            return _for_screens(image)
        turned = transform.apply(base)
        if base.mode == "L":
            turned = turned.convert("L")
        if alpha is not None:
            turned.putalpha(alpha)
        return turned

    def _transform(self, profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
        if mode not in self._transforms:
            self._transforms[mode] = _transform(profile, mode)
        return self._transforms[mode]


def _for_screens(image: Pillow.Image) -> Pillow.Image:
    return image.convert("RGB") if image.mode == "CMYK" else image


def _transform(profile: bytes, mode: str) -> ImageCms.ImageCmsTransform | None:
    try:
        meant = ImageCms.ImageCmsProfile(BytesIO(profile))
        srgb = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
        return ImageCms.ImageCmsTransform(meant, srgb, mode, "RGB")
    except (OSError, ValueError, ImageCms.PyCMSError):
        return None


def _grain(source: ImageFile, mode: str, outline: Outline) -> dict[str, Any]:
    """Tell how finely to pack an image: about as it came, so that its size stays about the same.

    A JPEG whose channels are others now (CMYK) gets 90, at which loss is not seen. Lossless WebP at
    its library's own effort (method 4) takes 0.7 s a megapixel and 28 bytes a pixel;
    this takes 0.1 s, 21 bytes, and a fifth more room (6 megapixels of gradients and noise).
    """
    if isinstance(source, JpegImageFile):
        grain = {"progressive": bool(source.info.get("progressive"))}
        if source.mode != mode:
            return grain | {"quality": 90}
        return grain | {"qtables": _tables(source), "subsampling": get_sampling(source)}
    if outline.kind is Kind.WEBP:
        if outline.lossless:
            return {"lossless": True, "method": 0, "quality": 20}
        return {"method": 2, "quality": 85}
    return {}


def _tables(source: JpegImageFile) -> list[list[int]]:
    """List the table by which each of a JPEG's channels is rounded, whatever number it bears.

    Pillow gives the last to all channels that are left. One that stands between two scans, as it
    may, Pillow does not read.
    """
    known = source.quantization
    tables = [known[number] for *_, number in source.layer if number in known]
    while len(tables) > 1 and tables[-1] == tables[-2]:
        tables.pop()
    return tables
