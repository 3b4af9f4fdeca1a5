"""Drawing anew: what is seen stays, everything else is gone, and hostile uploads are refused."""

import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from io import BytesIO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as Pillow
from PIL import ImageChops, ImageFile, ImageStat
from PIL.JpegImagePlugin import JpegImageFile
from tests import pictures

from stopgap.errors import Overloaded, StopgapError
from stopgap.images import decoding
from stopgap.images.decoding import Decoder, Picture, redraw
from stopgap.images.image import (
    ImageBroken,
    ImageTooLarge,
    ImageTooManyPixels,
    ImageUnrecognised,
    Kind,
)
from stopgap.images.outline import Outline, read_outline

ANIMATED = [Kind.GIF, Kind.PNG, Kind.WEBP]


def decoder(bytes_max: int = 10_485_760, pixels_max: int = 40_000_000) -> Decoder:
    """Make a decoder of the default bounds."""
    return Decoder(bytes_max=bytes_max, pixels_max=pixels_max)


def redrawn(content: bytes) -> Picture:
    """Draw an upload anew."""
    return decoder().decode(content)


def delta(one: Pillow.Image, other: Pillow.Image) -> ImageStat.Stat:
    """Tell how two images differ; a colour under full transparency is not seen."""
    seen = [image.convert("RGBA").convert("RGBa") for image in (one, other)]
    bands = zip(seen[0].split(), seen[1].split(), strict=True)
    apart = Pillow.merge("RGBA", [ImageChops.difference(mine, theirs) for mine, theirs in bands])
    return ImageStat.Stat(apart)


def same(one: Pillow.Image, other: Pillow.Image) -> bool:
    """Tell whether two images are seen exactly alike."""
    return one.size == other.size and max(high for _, high in delta(one, other).extrema) == 0


def alike(one: Pillow.Image, other: Pillow.Image) -> bool:
    """Tell whether two images look alike; JPEG's and WebP's colours run a little over edges."""
    return one.size == other.size and max(delta(one, other).mean) < 12


@pytest.mark.parametrize("kind", list(Kind))
def test_keeps_kind_size_and_look(kind: Kind) -> None:
    """A sound image comes out as the same kind, of the same size, looking the same."""
    content = pictures.each_kind()[kind]
    picture = redrawn(content)
    image = pictures.unpacked(picture.content)

    assert picture.kind == kind
    assert (picture.width, picture.height) == image.size == pictures.SIZE
    assert image.format == kind.name
    assert alike(image, pictures.unpacked(content))


@pytest.mark.parametrize("kind", list(Kind))
def test_keeps_no_metadata(kind: Kind) -> None:
    """Exif, GPS, XMP, comments, texts and trailing bytes are gone, in the bytes and when read."""
    content = pictures.with_metadata(kind)
    assert pictures.SECRET in content
    picture = redrawn(content)
    image = pictures.unpacked(picture.content)

    for trace in (pictures.SECRET, b"Exif", b"xmp", b"GPS", b"PK\x03\x04", b"tEXt", b"prVt"):
        assert trace not in picture.content
    assert not image.getexif()
    assert {"exif", "xmp", "comment", "icc_profile", "dpi"}.isdisjoint(image.info)


@pytest.mark.parametrize("kind", [Kind.JPEG, Kind.PNG, Kind.WEBP])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_turns_upright(kind: Kind, orientation: int) -> None:
    """However the camera was held, the picture comes out as it was meant to be seen."""
    stored = pictures.quarters()
    meant = {
        1: stored,
        2: stored.transpose(Pillow.Transpose.FLIP_LEFT_RIGHT),
        3: stored.rotate(180),
        4: stored.transpose(Pillow.Transpose.FLIP_TOP_BOTTOM),
        5: stored.rotate(-90, expand=True).transpose(Pillow.Transpose.FLIP_LEFT_RIGHT),
        6: stored.rotate(-90, expand=True),
        7: stored.rotate(90, expand=True).transpose(Pillow.Transpose.FLIP_LEFT_RIGHT),
        8: stored.rotate(90, expand=True),
    }[orientation]
    picture = redrawn(pictures.with_metadata(kind, orientation))

    assert (picture.width, picture.height) == meant.size
    assert alike(pictures.unpacked(picture.content), meant)


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA"])
def test_keeps_every_sort_of_png_exactly(mode: str) -> None:
    """A PNG of any mode comes out with the very same pixels, transparency included."""
    content = pictures.png(mode)

    assert same(pictures.unpacked(redrawn(content).content), pictures.unpacked(content))


@pytest.mark.parametrize("make", [pictures.png, pictures.gif])
def test_keeps_a_transparent_palette_colour(make: Callable[..., bytes]) -> None:
    """A palette colour that stands for nothing stands for nothing afterwards."""
    content = pictures.packed(
        pictures.quarters().quantize(8), "PNG" if make is pictures.png else "GIF", transparency=1
    )
    image = pictures.unpacked(redrawn(content).content)

    assert image.convert("RGBA").getchannel("A").getextrema() == (0, 255)
    assert same(image, pictures.unpacked(content))


@pytest.mark.parametrize(
    ("kind", "mode", "frames"),
    [("PNG", "LA", 1), ("PNG", "RGBA", 1), ("PNG", "RGBA", 2), ("WEBP", "RGBA", 1)],
)
def test_keeps_no_colour_below_transparency(kind: str, mode: str, frames: int) -> None:
    """What was rubbed out of a picture is gone, not only out of sight; the rest stays as it was."""
    image = pictures.quarters(mode)
    image.putalpha(Pillow.linear_gradient("L").resize(image.size).point([0] * 99 + [255] * 157))
    more = {"save_all": True, "append_images": [image.rotate(180)]} if frames > 1 else {}
    content = pictures.packed(image, kind, lossless=True, exact=True, **more)
    with Pillow.open(BytesIO(redrawn(content).content)) as drawn:
        assert same(drawn, pictures.unpacked(content))
        for number in range(frames):
            drawn.seek(number)
            *colours, alpha = drawn.convert("RGBA").split()
            clear = alpha.point([255] + [0] * 255)
            assert clear.getbbox()
            assert all(ImageStat.Stat(each, clear).sum == [0] for each in colours)


@pytest.mark.parametrize(
    ("kind", "clear"),
    [("PNG", None), ("PNG", 1), ("PNG", bytes((255, 0, 99, 77, 255, 77))), ("GIF", None)]
    + [("GIF", 1)],
)
def test_keeps_no_colour_that_no_pixel_has(kind: str, clear: int | bytes | None) -> None:
    """In a palette is what is seen; no text can be hidden beside it, nor below transparency."""
    image = Pillow.new("P", (600, 600))
    for index in range(3):
        image.paste(index, (200 * index, 0, 200 * index + 200, 600))
    rest = pictures.SECRET.ljust(756)
    image.putpalette(bytes((*pictures.RED, 101, 102, 103, *pictures.BLUE)) + rest)
    more = {} if clear is None else {"transparency": clear}
    content = pictures.packed(image, kind, optimize=False, **more)
    assert pictures.SECRET in content
    drawn = redrawn(content).content
    assert pictures.SECRET not in drawn
    assert (b"efg" in drawn) is (clear is None)  # the second colour, where it is seen
    assert 77 not in bytes(pictures.unpacked(drawn).info.get("transparency", b""))
    assert same(pictures.unpacked(drawn), pictures.unpacked(content))


@pytest.mark.parametrize(
    ("mode", "seen"),
    [
        ("I;16", [(0,) * 3 + (255,), (128,) * 3 + (255,), (128,) * 3 + (255,), (255,) * 4]),
        (
            "I;16 clear",
            [(0,) * 3 + (255,), (128,) * 3 + (255,), (128,) * 3 + (255,), (0, 0, 0, 0)],
        ),
        ("RGB", [(0, 0, 0, 0), (128, 0, 255, 255), (128, 0, 255, 255), (255, 0, 255, 255)]),
    ],
)
def test_reduces_sixteen_bits_to_eight(mode: str, seen: list[tuple[int, ...]]) -> None:
    """16 bits a channel become the 8 that are seen, neither clipped nor wrapped around."""
    image = pictures.unpacked(redrawn(pictures.sixteen_bit_png(mode)).content).convert("RGBA")

    assert [image.getpixel((x, 0)) for x in range(4)] == seen


def test_turns_print_colours_into_screen_colours() -> None:
    """A CMYK JPEG, which browsers show in odd colours, comes out as RGB."""
    image = pictures.unpacked(redrawn(pictures.jpeg("CMYK")).content)

    assert image.mode == "RGB"
    assert alike(image, pictures.quarters())


@pytest.mark.parametrize("mode", ["L", "RGB", "CMYK"])
@pytest.mark.parametrize("quality", [50, 90, 95, 100])
@pytest.mark.parametrize("subsampling", [0, 2])
@pytest.mark.parametrize("progressive", [False, True])
def test_draws_a_dense_jpeg(
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    mode: str,
    quality: int,
    subsampling: int,
    progressive: bool,
) -> None:
    """A JPEG that is nothing but noise, which no code makes short, is drawn as any other is."""
    options = {"quality": quality, "subsampling": subsampling, "progressive": progressive}
    for size in ((300, 300), (179, 181)):
        with monkeypatch.context() as camera:
            camera.setattr(ImageFile, "MAXBLOCK", 1_000_000)  # a camera's buffer ends nowhere
            content = pictures.packed(pictures.noise(mode, size), "JPEG", **options)
        drawn = pictures.unpacked(redrawn(content).content)

        assert drawn.size == size
        assert mode == "CMYK" or alike(drawn, pictures.unpacked(content))
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize("progressive", [False, True])
def test_packs_a_photograph_as_tightly_as_it_came(progressive: bool) -> None:
    """A JPEG comes out no larger than it came, and in passes if it came in passes."""
    photograph = pictures.unpacked(pictures.photograph((800, 600)))
    options = {"quality": 90, "optimize": True, "progressive": progressive}
    content = pictures.packed(photograph, "JPEG", **options)
    drawn = redrawn(content).content

    assert len(drawn) < 1.01 * len(content)
    assert bool(pictures.unpacked(drawn).info.get("progressive")) == progressive


@pytest.mark.parametrize(
    ("mode", "numbers"), [("L", [1]), ("L", [3]), ("RGB", [0, 2]), ("RGB", [1, 0]), ("RGB", [3, 2])]
)
def test_keeps_the_tables_of_a_jpeg(mode: str, numbers: list[int]) -> None:
    """Each channel is rounded as it was, whatever numbers the tables for that bear."""
    fine, coarse = [3] * 64, [40] * 64
    tables = [fine, coarse][: len(numbers)]
    plain = pictures.packed(pictures.quarters(mode), "JPEG", qtables=tables)
    content = pictures.numbered(plain, numbers)
    drawn = Pillow.open(BytesIO(redrawn(content).content))

    assert isinstance(drawn, JpegImageFile)
    assert [drawn.quantization[number] for *_, number in drawn.layer] == (
        [fine] if mode == "L" else [fine, coarse, coarse]
    )
    assert alike(drawn, pictures.quarters(mode))


@pytest.mark.parametrize("mode", ["RGB", "P", "RGBA"])
def test_applies_the_colour_profile(mode: str) -> None:
    """Colours by another profile become the sRGB colours they mean, and the profile is gone."""
    tinted = pictures.png(mode, icc_profile=pictures.tinted_profile())
    image = pictures.unpacked(redrawn(tinted).content)

    assert "icc_profile" not in image.info
    red, _, blue = image.convert("RGB").getpixel((2, 2))  # type: ignore[misc]  # RGB: three
    assert blue > red  # it was plain red by its numbers
    alphas = [page.convert("RGBA").getchannel("A") for page in (image, pictures.unpacked(tinted))]
    assert same(*alphas)


def test_passes_over_a_broken_profile() -> None:
    """A profile that cannot be read spoils nothing."""
    image = pictures.unpacked(redrawn(pictures.png(icc_profile=b"no profile")).content)

    assert same(image, pictures.quarters())


@pytest.mark.parametrize("kind", ANIMATED)
@pytest.mark.parametrize("clear", [False, True])
def test_keeps_animations(kind: Kind, *, clear: bool) -> None:
    """An animation keeps its frames, their times, its loops and its transparency."""
    content = redrawn(pictures.animation(kind.name, clear=clear)).content
    with Pillow.open(BytesIO(content)) as image:
        times = []
        for number, drawn in enumerate(pictures.animation_frames(clear=clear)):
            image.seek(number)
            image.load()
            times.append(image.info["duration"])
            assert same(image, drawn)
        assert times == [100, 250, 400]
        assert image.info["loop"] == 3


def test_keeps_what_is_clear_around_an_animation() -> None:
    """Where nothing but the canvas around opaque frames is clear, it stays so."""
    frames = [Pillow.new("RGBA", (48, 32)) for _ in range(2)]
    for frame, colour in zip(frames, ("red", "green"), strict=True):
        frame.paste(colour, (8, 8, 24, 24))
    file = BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True)
    file.getbuffer()[20] |= 0x10  # as other programs say it, and this one does not
    with Pillow.open(BytesIO(redrawn(file.getvalue()).content)) as image:
        for number, frame in enumerate(frames):
            image.seek(number)
            assert same(image, frame)


def test_packs_frames_that_differ_only_below_transparency() -> None:
    """Frames that look the same become a still picture, which can be read."""
    frames = [Pillow.new("RGBA", (48, 32), colour) for colour in ("red", "green")]
    for frame in frames:
        frame.putalpha(0)
        frame.paste("blue", (8, 8, 24, 24))
    file = BytesIO()
    frames[0].save(file, "WEBP", save_all=True, append_images=frames[1:], lossless=True, exact=True)
    assert read_outline(file.getvalue()).frames == 2
    seen = pictures.unpacked(redrawn(file.getvalue()).content).convert("RGBA")
    assert seen.getpixel((10, 10)) == (0, 0, 255, 255)
    assert seen.getpixel((0, 0)) == (0, 0, 0, 0)


def test_keeps_an_animation_that_plays_once() -> None:
    """A GIF that does not say how often it plays, plays once, before and after."""
    image = pictures.unpacked(redrawn(pictures.animation("GIF", loop=None)).content)

    assert "loop" not in image.info


def test_shortens_a_pause_that_no_gif_can_hold() -> None:
    """Equal frames in a row become one, shown for as long as a frame of a GIF can be."""
    content = pictures.blinking_gif([(0, 400), (0, 400), (1, 300), (0, 600), (1, 655)])
    with Pillow.open(BytesIO(redrawn(content).content)) as image:
        times = []
        for number in range(getattr(image, "n_frames", 1)):
            image.seek(number)
            times.append(image.info["duration"])
        assert times == [655_350, 300_000, 600_000, 655_000]


def test_turns_animations_upright() -> None:
    """An animation's frames are turned as a still image is."""
    frames = pictures.animation_frames(clear=False)
    content = pictures.packed(
        frames[0], "PNG", save_all=True, append_images=frames[1:], exif=pictures.exif(6)
    )
    image = pictures.unpacked(redrawn(content).content)

    assert image.size == (32, 48)
    assert same(image, frames[0].rotate(-90, expand=True))


def test_leaves_the_picture_beside_an_animation_out() -> None:
    """A PNG's plain picture that is no frame of its animation is not shown, so it is not kept."""
    frames = pictures.animation_frames(clear=False)
    content = pictures.packed(
        pictures.quarters("RGBA"), "PNG", save_all=True, default_image=True, append_images=frames
    )
    with Pillow.open(BytesIO(redrawn(content).content)) as image:
        assert getattr(image, "n_frames", 1) == 3
        assert same(image, frames[0])


@pytest.mark.parametrize("kind", list(Kind))
def test_draws_equal_uploads_equally(kind: Kind) -> None:
    """Equal uploads give equal bytes, also in another decoder, so that their ETags are equal."""
    content = pictures.with_metadata(kind, orientation=6)

    assert redrawn(content) == redrawn(content)


def test_leaves_nothing_for_a_second_reader() -> None:
    """A file that is an image to some programs and a script to others is only an image after."""
    content = redrawn(pictures.polyglot()).content

    assert b"alert" not in content
    assert b"<script" not in content


@pytest.mark.parametrize("name", pictures.foreign())
def test_refuses_what_is_no_image(name: str) -> None:
    """What is none of the four kinds is unrecognised."""
    with pytest.raises(ImageUnrecognised):
        redrawn(pictures.foreign()[name])


@pytest.mark.parametrize("kind", list(Kind))
@given(share=st.floats(0.1, 0.8))
@settings(max_examples=30)
def test_refuses_a_cut_image(kind: Kind, share: float) -> None:
    """An image that is cut short is refused, never kept with its lower half grey."""
    content = pictures.each_kind()[kind]
    with pytest.raises((ImageBroken, ImageUnrecognised)):
        redrawn(content[: int(len(content) * share)])


@pytest.mark.parametrize("kind", ["PNG", "GIF", "WEBP"])
def test_refuses_too_many_frames(kind: str) -> None:
    """Frames by the ten thousand are refused before the first is unpacked."""
    begin = time.perf_counter()

    with pytest.raises(ImageTooManyPixels, match="10,000 at least"):
        redrawn(pictures.frame_bomb(kind, 10_000))
    assert time.perf_counter() - begin < 1


def test_refuses_too_many_pixels() -> None:
    """An image that would unpack to billions of pixels is refused, telling what is allowed."""
    with pytest.raises(ImageTooManyPixels, match="50,000 by 50,000 pixels; 40,000,000"):
        redrawn(pictures.pixel_bomb())


def test_counts_pixels_exactly() -> None:
    """The bound on pixels is what may be, and one more is too many."""
    content = pictures.png(size=(100, 50))

    assert decoder(pixels_max=5_000).decode(content).width == 100
    with pytest.raises(ImageTooManyPixels):
        decoder(pixels_max=4_999).decode(content)


def test_refuses_a_frame_beyond_its_canvas() -> None:
    """A GIF frame that reaches beyond the declared screen counts with its true size."""
    content = pictures.frame_bomb("GIF", 1).replace(
        b"\x2c" + bytes(4) + b"\x01\0\x01\0", b"\x2c" + bytes(4) + b"\xff\xff\xff\xff"
    )
    with pytest.raises(ImageTooManyPixels, match="65,535 by 65,535"):
        redrawn(content)


def test_unpacks_no_hidden_text() -> None:
    """A text in a PNG that would unpack to 50 MB is dropped unread."""
    picture = redrawn(pictures.text_bomb())

    assert same(pictures.unpacked(picture.content), pictures.quarters())


def test_refuses_a_profile_that_unpacks_to_megabytes() -> None:
    """A PNG whose colour profile is a bomb is refused."""
    with pytest.raises(ImageBroken):
        redrawn(pictures.text_bomb(b"iCCP"))


def test_refuses_too_many_bytes() -> None:
    """The bound on bytes holds for what arrives, and for what would be kept."""
    plain = pictures.png("P", size=(64, 64))
    with pytest.raises(ImageTooLarge, match="The image takes"):
        decoder(bytes_max=len(plain) - 1).decode(plain)
    noise = pictures.packed(Pillow.effect_noise((300, 300), 90).convert("RGB"), "WEBP", quality=1)
    with pytest.raises(ImageTooLarge, match="Drawn anew"):
        decoder(bytes_max=len(noise)).decode(noise)


@given(data=st.data())
@settings(max_examples=150)
def test_damage_never_makes_another_error(data: st.DataObject) -> None:
    """Whatever is damaged in an image, it is drawn anew without its metadata, or refused."""
    kind = data.draw(st.sampled_from(list(Kind)))
    content = bytearray(pictures.with_metadata(kind, orientation=6))
    for _ in range(data.draw(st.integers(1, 8))):
        content[data.draw(st.integers(0, len(content) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = redrawn(bytes(content))
    except StopgapError:
        return
    assert pictures.unpacked(picture.content).size == (picture.width, picture.height)
    assert pictures.SECRET not in picture.content


def test_says_nothing_aside(caplog: pytest.LogCaptureFixture) -> None:
    """What Pillow grumbles about, readable or not, reaches neither the log nor a warning."""
    odd = pictures.jpeg(exif=b"Exif\0\0MM\0\x2a\0\0\0\x08\xff\xff nonsense")
    redrawn(odd)

    assert caplog.records == []


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_a_small_copy(kind: Kind, mode: str) -> None:
    """A large image comes with a small copy that looks like it, whatever its mode."""
    try:
        content = pictures.packed(pictures.quarters(mode, (480, 360)), kind.name)
    except (OSError, ValueError):
        content = pictures.packed(pictures.quarters("RGB", (480, 360)), kind.name)  # as it must
    picture = redrawn(content)
    assert picture.small is not None
    assert len(picture.small) < 8_000
    small = pictures.unpacked(picture.small)
    assert small.size == (240, 180)
    assert alike(small, pictures.unpacked(content).convert("RGBA").resize((240, 180)))


def test_no_small_copy_of_a_small_image() -> None:
    """An image that is small itself needs no copy."""
    assert redrawn(pictures.png(size=(240, 240))).small is None
    assert redrawn(pictures.png(size=(241, 1))).small is not None


def test_a_server_without_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where memory ends, that is not told to be the image's fault."""

    def full(_outline: object) -> None:
        raise MemoryError

    monkeypatch.setattr(decoding, "_unpack", full)
    with pytest.raises(MemoryError):
        decoding.redraw(read_outline(pictures.png()))


def test_a_fault_of_the_encoder(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a sound image cannot be packed, that is not told to be the image's fault."""

    def fail(*_: object) -> None:
        raise OSError("encoder error")

    monkeypatch.setattr(decoding, "pack", fail)
    with pytest.raises(OSError, match="encoder error"):
        decoding.redraw(read_outline(pictures.png()))


@pytest.mark.parametrize("claim", ["width", "height"])
def test_claims_bind(claim: str) -> None:
    """What unpacks to more than it has claimed, on either side, is refused as broken."""
    outline = read_outline(pictures.png())
    less = {claim: getattr(outline, claim) - 1}
    with pytest.raises(ImageBroken):
        redraw(replace(outline, **less))


def test_draws_one_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """However many uploads come at once, memory holds the pixels of one."""
    drawing, redraw = threading.Lock(), decoding.redraw

    def alone(outline: Outline) -> Picture:
        assert drawing.acquire(blocking=False)
        time.sleep(0.02)
        drawing.release()
        return redraw(outline)

    monkeypatch.setattr(decoding, "redraw", alone)
    decoder = Decoder(bytes_max=1_000_000, pixels_max=1_000_000)
    with ThreadPoolExecutor(4) as pool:
        drawn = pool.map(decoder.decode, [pictures.png()] * 4)
        assert len({picture.content for picture in drawn}) == 1


def test_waits_for_its_turn_no_longer_than_clients_do(monkeypatch: pytest.MonkeyPatch) -> None:
    """An upload whose turn does not come in time is refused, and the next is drawn."""
    began, over, redraw = threading.Event(), threading.Event(), decoding.redraw

    def slow(outline: Outline) -> Picture:
        began.set()
        over.wait(10)
        return redraw(outline)

    monkeypatch.setattr(decoding, "redraw", slow)
    monkeypatch.setattr(decoding, "TURN_SECONDS", 0.01)
    decoder = Decoder(bytes_max=1_000_000, pixels_max=1_000_000)
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(decoder.decode, pictures.png())
        began.wait(10)
        with pytest.raises(Overloaded):
            decoder.decode(pictures.png())
        over.set()
        assert first.result() == decoder.decode(pictures.png())
