import io
import struct
import zlib

import numpy as np
import pytest
from PIL import Image, ImageCms

from tests.train.crawl.photographs import body, jpeg, photograph
from train.copies import perceptual_hash
from train.crawl.cleaning import (
    LONGEST_SIDE,
    Clean,
    RefusedError,
    calm_decoders,
    check_size,
    clean,
)


def reopened(cleaned: Clean) -> Image.Image:
    """The picture that would lie on the disk."""
    return Image.open(io.BytesIO(cleaned.jpeg))


def colour(cleaned: Clean) -> tuple[int, ...]:
    """The colour in the middle."""
    pixel = reopened(cleaned).getpixel((cleaned.width // 2, cleaned.height // 2))
    assert isinstance(pixel, tuple)
    return tuple(int(value) for value in pixel)


def refusal(content: bytes) -> str:
    """Return the reason why *content* is refused."""
    with pytest.raises(RefusedError) as refused:
        clean(content)
    return str(refused.value)


def png_claiming(width: int, height: int) -> bytes:
    """A small PNG file whose header speaks of many pixels."""
    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)

    def chunk(name: bytes, content: bytes) -> bytes:
        return (
            struct.pack(">I", len(content))
            + name
            + content
            + struct.pack(">I", zlib.crc32(name + content))
        )

    data = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + data


def test_a_photograph_stays_what_it_was() -> None:
    """It is written again as RGB JPEG, of the same size and within a JPEG's error."""
    cleaned = clean(jpeg(1))
    again = reopened(cleaned)
    assert (again.format, again.mode, again.size) == ("JPEG", "RGB", (400, 300))
    difference = np.abs(np.asarray(again).astype(int) - np.asarray(photograph(1)).astype(int))
    assert difference.mean() < 2


def test_notes_in_the_file_are_not_kept() -> None:
    """A phone writes where the photograph was taken."""
    exif = Image.Exif()
    exif[0x010E] = "hall 3, Jane's shift"
    assert b"Jane" not in clean(body(photograph(1), exif=exif)).jpeg


@pytest.mark.parametrize(
    ("orientation", "top_left"),
    [
        (1, "red"),
        (2, "lime"),
        (3, "yellow"),
        (4, "blue"),
        (5, "red"),
        (6, "blue"),
        (7, "yellow"),
        (8, "lime"),
    ],
)
def test_each_exif_orientation_comes_out_upright(orientation: int, top_left: str) -> None:
    """Stored corners are red, lime, blue, yellow; EXIF 2.32, 4.6.5, says which goes top left."""
    picture = Image.new("RGB", (400, 300))
    for place, name in {
        (0, 0): "red",
        (200, 0): "lime",
        (0, 150): "blue",
        (200, 150): "yellow",
    }.items():
        picture.paste(name, (*place, place[0] + 200, place[1] + 150))
    exif = Image.Exif()
    exif[0x0112] = orientation
    cleaned = clean(body(picture, exif=exif, quality=95))
    assert (cleaned.width, cleaned.height) == ((300, 400) if orientation >= 5 else (400, 300))
    expected = np.asarray(Image.new("RGB", (1, 1), top_left))[0, 0].astype(int)
    assert np.abs(np.asarray(reopened(cleaned))[10, 10].astype(int) - expected).max() < 12


def test_a_palette_keeps_its_colours() -> None:
    """GIF and small PNG files have one."""
    few = Image.new("RGB", (300, 300), (200, 40, 90)).quantize(16)
    assert few.mode == "P"
    for kind in ("PNG", "GIF"):
        assert np.allclose(colour(clean(body(few, kind))), (200, 40, 90), atol=4)


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P"])
def test_transparency_is_laid_on_white(mode: str) -> None:
    """As shops show it; black would come out otherwise."""
    clear = Image.new("RGBA", (300, 300), (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), (0, 0, 100, 100))
    picture = clear.quantize(8) if mode == "P" else clear.convert(mode)
    cleaned = clean(body(picture, "PNG"))
    assert np.allclose(colour(cleaned), (255, 255, 255), atol=3)
    assert np.asarray(reopened(cleaned))[30, 30].max() < 20


def test_ink_colours_come_out_as_they_print() -> None:
    """CMYK as a printer's JPEG has it: full yellow and magenta make red, and not its opposite."""
    red = Image.new("CMYK", (300, 300), (0, 255, 255, 0))
    shade = colour(clean(body(red, "JPEG", quality=95)))
    assert shade[0] > 230
    assert max(shade[1:]) < 40


def test_ink_colours_in_a_tiff_come_out_too() -> None:
    """No Adobe marker there to say which way round they are."""
    cyan = Image.new("CMYK", (300, 300), (255, 0, 0, 0))
    assert np.allclose(colour(clean(body(cyan, "TIFF"))), (0, 255, 255), atol=8)


def test_a_colour_profile_is_obeyed() -> None:
    """In this one red and green have changed places."""
    usual = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
    swapped = usual.replace(b"rXYZ", b"....").replace(b"gXYZ", b"rXYZ").replace(b"....", b"gXYZ")
    content = body(Image.new("RGB", (300, 300), "red"), "PNG", icc_profile=swapped)
    assert np.allclose(colour(clean(content)), (0, 255, 0), atol=4)


def test_a_profile_that_does_not_fit_is_passed_over() -> None:
    """It is another colour space's, or no profile at all."""
    lab = ImageCms.ImageCmsProfile(ImageCms.createProfile("LAB")).tobytes()
    for profile in (lab, b"no profile"):
        content = body(Image.new("RGB", (300, 300), (55, 60, 70)), "PNG", icc_profile=profile)
        assert np.allclose(colour(clean(content)), (55, 60, 70), atol=2)


def test_sixteen_bits_are_scaled_and_not_clipped() -> None:
    """Half of 65535 is half of 255; Pillow alone would make it white."""
    half = Image.fromarray(np.full((300, 300), 32768, np.uint16))
    for kind in ("PNG", "TIFF"):
        assert np.allclose(colour(clean(body(half, kind))), (128, 128, 128), atol=2)


def test_grey_and_black_and_white_become_rgb() -> None:
    """Training reads three channels."""
    for mode in ("L", "1"):
        cleaned = clean(body(photograph(3).convert(mode), "PNG"))
        assert reopened(cleaned).mode == "RGB"


def test_a_large_photograph_is_shrunk() -> None:
    """Its proportions stay."""
    cleaned = clean(jpeg(4, 2400, 1800))
    assert (cleaned.width, cleaned.height) == (LONGEST_SIDE, 1536)


def test_a_phone_s_second_picture_is_passed_over() -> None:
    """MPO: a photograph and a depth map in one file that is named .jpg."""
    content = body(photograph(5), "MPO", save_all=True, append_images=[photograph(6)])
    assert perceptual_hash(reopened(clean(content))) == clean(jpeg(5)).phash


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b"<!doctype html><html>log in first</html>", "no picture: a web page"),
        (b"\0\0\0\x18ftypheic" + b"\0" * 100, "HEIC: set the camera to 'most compatible'"),
        (b"%PDF-1.7 and so on", "no picture: nothing that could be opened"),
        (jpeg(1)[:4000], "damaged: image file is truncated"),
        (body(photograph(1), "PNG")[:2000], "damaged: "),
        (np.random.default_rng(0).bytes(4000), "no picture: nothing that could be opened"),
        (jpeg(1, 199, 600), "too small: 199 x 600 pixels, at least 200 on the short side"),
        (png_claiming(60_000, 60_000), "too many pixels: "),
        (png_claiming(9_000, 8_000), "too many pixels: 9000 x 8000 pixels"),
        (
            body(Image.new("F", (300, 300), 0.5), "TIFF"),
            "no photograph: its values are floating-point",
        ),
        (
            body(Image.new("I", (300, 300), 1_000_000), "TIFF"),
            "no photograph: its values have 32 bits",
        ),
    ],
    ids=[
        "empty",
        "page",
        "heic",
        "pdf",
        "cut jpeg",
        "cut png",
        "noise",
        "tiny",
        "bomb",
        "large",
        "float",
        "32 bit",
    ],
)
def test_what_is_no_photograph_is_refused_with_its_reason(content: bytes, reason: str) -> None:
    """The reason stands in the manifest, and before its colon what the summary counts."""
    assert refusal(content).startswith(reason)


def test_a_bomb_between_pillow_s_two_bounds_is_refused_too() -> None:
    """There Pillow only warns; in a crawl the warning is silenced and our own bound holds."""
    content = png_claiming(12_000, 10_000)
    assert refusal(content).startswith("too many pixels: ")
    with calm_decoders():
        assert refusal(content) == "too many pixels: 12000 x 10000 pixels"


def test_what_moves_is_refused() -> None:
    """An animated GIF is an advert; a TIFF of several pages is a document."""
    first, *others = (photograph(seed, 200, 200) for seed in range(3))
    for kind in ("GIF", "WEBP", "TIFF"):
        assert (
            refusal(body(first, kind, save_all=True, append_images=others))
            == "animated: 3 pictures in one file"
        )


def test_a_body_that_is_too_long_is_refused_unread() -> None:
    """The length alone is enough."""
    with pytest.raises(RefusedError, match="too many bytes: 40000001, at most 40000000"):
        check_size(40_000_001)


def test_damaged_exif_does_not_cost_the_photograph() -> None:
    """The pixels are fine."""
    content = body(photograph(7), exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xff" * 40)
    with calm_decoders():
        assert clean(content).phash == clean(jpeg(7)).phash


def test_the_hash_knows_a_copy_and_not_a_stranger() -> None:
    """Smaller, brighter and saved again is a copy."""
    original = photograph(8)
    copy = clean(body(original.resize((240, 200)).point(lambda v: min(255, v + 12)), quality=60))
    distances = [
        (perceptual_hash(original) ^ hashed).bit_count()
        for hashed in (copy.phash, clean(jpeg(9)).phash)
    ]
    assert distances[0] <= 8
    assert distances[1] > 16
