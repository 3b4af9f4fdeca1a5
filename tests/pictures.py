"""Test images of every sort: sound, turned, animated, hostile. All made here, none downloaded."""

import struct
import zlib
from io import BytesIO
from random import Random
from typing import Any

from PIL import Image, ImageCms, PngImagePlugin
from PIL.ExifTags import GPS, IFD, Base

SECRET = b"51.9244201-4.4777325-metadata-that-must-not-survive"
"""Stands in every piece of hidden metadata, uncompressed, so that a search finds it."""

RED, GREEN, BLUE, WHITE = (255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 255)
SIZE = (48, 32)


def quarters(mode: str = "RGB", size: tuple[int, int] = SIZE) -> Image.Image:
    """Draw four plain quarters: red and green above, blue and white below. Shows how it is held."""
    width, height = size
    image = Image.new("RGB", size, WHITE)
    image.paste(RED, (0, 0, width // 2, height // 2))
    image.paste(GREEN, (width // 2, 0, width, height // 2))
    image.paste(BLUE, (0, height // 2, width // 2, height))
    if mode in ("LA", "RGBA"):
        image.putalpha(Image.linear_gradient("L").resize(size))
    return image.convert(mode)


def packed(image: Image.Image, kind: str, **options: Any) -> bytes:
    """Pack an image as a file of a kind (JPEG, PNG, WEBP, GIF, and those that are refused)."""
    file = BytesIO()
    image.save(file, kind, **options)
    return file.getvalue()


def unpacked(content: bytes) -> Image.Image:
    """Unpack a file, its first frame at least."""
    image = Image.open(BytesIO(content))
    image.load()
    return image


def jpeg(mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    """Make a JPEG."""
    return packed(quarters(mode, size), "JPEG", **({"quality": 92} | options))


def numbered(content: bytes, numbers: list[int]) -> bytes:
    """Give the tables of a plain JPEG other numbers, where they stand and where they are used.

    Args:
        content: A JPEG whose tables have the numbers 0 and up, each in a segment of its own.
        numbers: The new number of each.
    """
    changed = bytearray(content)
    for old, new in enumerate(numbers):
        changed[content.index(b"\xff\xdb\x00\x43" + bytes([old])) + 4] = new
    frame = content.index(b"\xff\xc0")
    for channel in range(content[frame + 9]):
        at = frame + 12 + 3 * channel
        changed[at] = numbers[content[at]]
    return bytes(changed)


def photograph(size: tuple[int, int] = (1600, 1200)) -> bytes:
    """Make a JPEG with about as much in it as a photograph has: shapes, shades and grain."""
    shapes = Image.effect_mandelbrot(size, (-2, -1.5, 1, 1.5), 60)
    shades = Image.linear_gradient("L").resize(size)
    grain = Image.effect_noise(size, 24)
    return packed(Image.merge("RGB", (shapes, shades, grain)), "JPEG", quality=85)


def noise(mode: str, size: tuple[int, int], seed: int = 1) -> Image.Image:
    """Draw the most that an image can hold: every value of every pixel by chance."""
    width, height = size
    values = Random(seed).randbytes(len(mode) * width * height)
    return Image.frombytes(mode, size, values)


def png(mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    """Make a PNG."""
    return packed(quarters(mode, size), "PNG", **options)


def webp(mode: str = "RGB", size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    """Make a WebP."""
    return packed(quarters(mode, size), "WEBP", **options)


def gif(size: tuple[int, int] = SIZE, **options: Any) -> bytes:
    """Make a GIF of one frame."""
    return packed(quarters("RGB", size).quantize(8), "GIF", **options)


def each_kind() -> dict[str, bytes]:
    """Make one sound, still image of each kind, by the ending of its name."""
    return {"jpg": jpeg(), "png": png(), "webp": webp(), "gif": gif()}


def sixteen_bit_png(mode: str = "I;16") -> bytes:
    """Make a PNG of 16 bits a channel: grey, grey with a transparent level, or colour."""
    levels = [0, 0x8000, 0x80FF, 0xFFFF]
    if mode == "RGB":
        rows = b"\0" + b"".join(struct.pack(">3H", level, 0, 0xFFFF) for level in levels)
        return _png_of_chunks(
            (b"IHDR", struct.pack(">IIBBBBB", 4, 1, 16, 2, 0, 0, 0)),
            (b"tRNS", struct.pack(">3H", 0, 0, 0xFFFF)),
            (b"IDAT", zlib.compress(rows)),
        )
    rows = b"\0" + struct.pack(">4H", *levels)
    return _png_of_chunks(
        (b"IHDR", struct.pack(">IIBBBBB", 4, 1, 16, 0, 0, 0, 0)),
        *([(b"tRNS", struct.pack(">H", 0xFFFF))] if mode == "I;16 clear" else []),
        (b"IDAT", zlib.compress(rows)),
    )


def exif(orientation: int = 1) -> Image.Exif:
    """Make Exif data: how the camera was held, who took it and where."""
    tags = Image.Exif()
    tags[Base.Orientation] = orientation
    tags[Base.Artist] = SECRET.decode()
    tags.get_ifd(IFD.GPSInfo).update({GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (51.0, 55.0, 27.9)})
    return tags


def with_metadata(kind: str, orientation: int = 1) -> bytes:
    """Make an image full of hidden data: Exif with GPS, XMP, comments, texts, and bytes behind."""
    xmp = b"<x:xmpmeta>" + SECRET + b"</x:xmpmeta>"
    tags = exif(orientation)
    if kind == "jpg":
        content = jpeg(exif=tags, xmp=xmp, comment=SECRET, dpi=(300, 300))
    elif kind == "png":
        texts = PngImagePlugin.PngInfo()
        texts.add_text("Comment", SECRET.decode())
        texts.add_text("Zipped", SECRET.decode(), zip=True)
        texts.add_itxt("XML:com.adobe.xmp", xmp.decode())
        texts.add(b"prVt", SECRET)
        content = png(exif=tags, pnginfo=texts, dpi=(300, 300))
    elif kind == "webp":
        content = webp(exif=tags, xmp=xmp)
    else:
        content = gif(comment=SECRET)
    return content + b"PK\x03\x04" + SECRET


def blinking_gif(frames: list[tuple[int, int]]) -> bytes:
    """Make a GIF of one pixel, which is black or white (0, 1) for some seconds each time."""
    content = b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(3) + b"\xff" * 3
    for colour, seconds in frames:
        content += b"\x21\xf9\x04\x04" + struct.pack("<HBB", seconds * 100, 0, 0)
        content += b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0)
        content += b"\x02\x02" + bytes([0x44 + 8 * colour, 0x01, 0x00])
    return content + b";"


def animation(kind: str, *, clear: bool = False, loop: int | None = 3) -> bytes:
    """Make an animation of three frames (100, 250 and 400 ms), on nothing or on white."""
    frames = animation_frames(clear=clear)
    options: dict[str, Any] = {"duration": [100, 250, 400]}
    options |= {} if loop is None else {"loop": loop}
    options |= {"lossless": True} if kind == "WEBP" else {}
    options |= {"disposal": 2} if kind == "GIF" and clear else {}
    return packed(frames[0], kind, save_all=True, append_images=frames[1:], **options)


def animation_frames(*, clear: bool) -> list[Image.Image]:
    """Draw the frames of the animation: a square with a hole that moves and changes colour."""
    ground = (0, 0, 0, 0) if clear else (*WHITE, 255)
    frames = []
    for number, colour in enumerate((RED, GREEN, BLUE)):
        frame = Image.new("RGBA", SIZE, ground)
        left, top = number * 12, number * 6
        frame.paste((*colour, 255), (left, top, left + 16, top + 16))
        frame.paste(ground, (left + 6, top + 6, left + 10, top + 10))
        frames.append(frame)
    return frames


def tinted_profile() -> bytes:
    """Make a colour profile that swaps nothing but means other colours than sRGB by its numbers."""
    profile = bytearray(ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes())
    tags = {bytes(profile[at : at + 4]): at for at in range(132, 132 + 12 * profile[131], 12)}
    red, blue = tags[b"rXYZ"], tags[b"bXYZ"]
    profile[red + 4 : red + 8], profile[blue + 4 : blue + 8] = (
        profile[blue + 4 : blue + 8],
        profile[red + 4 : red + 8],
    )
    return bytes(profile)


def pixel_bomb(width: int = 50_000, height: int = 50_000) -> bytes:
    """Make a PNG of a few bytes that claims to be enormous."""
    return _png_of_chunks(
        (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)),
        (b"IDAT", zlib.compress(bytes(1000))),
    )


def text_bomb(chunk: bytes = b"zTXt") -> bytes:
    """Make a PNG with a text, or a colour profile (iCCP), that unpacks to 50 MB."""
    content = png()
    bomb = _chunk(chunk, b"Comment\0\0" + zlib.compress(bytes(50_000_000), 9))
    return content[:33] + bomb + content[33:]


def frame_bomb(kind: str, frames: int = 100_000) -> bytes:
    """Make a small animation of very many frames."""
    if kind == "GIF":
        one = b"\x2c" + struct.pack("<4HB", 0, 0, 1, 1, 0) + b"\x02\x02\x44\x01\x00"
        return b"GIF89a" + struct.pack("<HHBBB", 1, 1, 0x80, 0, 0) + bytes(6) + one * frames + b";"
    if kind == "WEBP":
        still = webp(size=(1, 1), lossless=True)[12:]
        one = b"ANMF" + struct.pack("<I", 16 + len(still)) + bytes(16) + still
        head = b"VP8X" + struct.pack("<I", 10) + b"\x02" + bytes(9)
        body = b"WEBP" + head + b"ANIM" + struct.pack("<I", 6) + bytes(6) + one * frames
        return b"RIFF" + struct.pack("<I", len(body)) + body
    return _png_of_chunks(
        (b"IHDR", struct.pack(">IIBBBBB", 1, 1, 8, 2, 0, 0, 0)),
        (b"acTL", struct.pack(">II", frames, 0)),
        (b"IDAT", zlib.compress(bytes(4))),
    )


def scan_bomb(scans: int = 10_000) -> bytes:
    """Make a progressive JPEG that asks for the same pass over all its pixels again and again."""
    content = jpeg(progressive=True)
    start = content.rindex(b"\xff\xda")
    return content[:start] + content[start:-2] * scans + content[-2:]


def polyglot() -> bytes:
    """Make a file that is a GIF to some and a script to others."""
    return gif(comment=b"*/=1;alert(1);/*") + b";alert(1)//<script>alert(1)</script>"


def foreign() -> dict[str, bytes]:
    """Make files that are none of the four kinds, by the name under which one would send them."""
    image = quarters()
    return {
        "page.png": b"<!DOCTYPE html><script>alert(1)</script>",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>',
        "notes.txt": b"just some words",
        "scan.tiff": packed(image, "TIFF"),
        "old.bmp": packed(image, "BMP"),
        "favicon.ico": packed(image, "ICO"),
        "paper.pdf": packed(image, "PDF"),
        "photo.avif": packed(image, "AVIF"),
        "empty.jpg": b"",
        "short.gif": b"GIF8",
        "sound.webp": b"RIFF\x24\0\0\0WAVEfmt ",
    }


def _png_of_chunks(*chunks: tuple[bytes, bytes]) -> bytes:
    whole = b"".join(_chunk(name, body) for name, body in (*chunks, (b"IEND", b"")))
    return b"\x89PNG\r\n\x1a\n" + whole


def _chunk(name: bytes, body: bytes) -> bytes:
    checksum = struct.pack(">I", zlib.crc32(name + body))
    return struct.pack(">I", len(body)) + name + body + checksum
