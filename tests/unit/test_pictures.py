"""Pictures of strangers: made small and upright, with nothing of what they carry, and never at any price."""

import io
import struct
import time
import zlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageChops
from PIL.PngImagePlugin import PngInfo

from connectors import pictures
from connectors.pictures import BadPicture
from tests.pictures import colours, encoded, opened, png, quarters


def chunk(name: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))


def png_of(width: int, height: int, data: bytes = b"") -> bytes:
    """A PNG that says it has that size, of one bit a point."""
    head = struct.pack(">IIBBBBB", width, height, 1, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def exif(orientation: int) -> Image.Exif:
    """Where and how it was taken."""
    made = Image.Exif()
    made[0x0112] = orientation
    made[0x010F] = "SECRETCAM"
    made.get_ifd(0x8825)[29] = "2026:11:22"  # GPSDateStamp
    return made


def test_a_large_photo_is_made_small_and_keeps_its_shape_and_kind() -> None:
    made = pictures.photo(encoded(quarters(1600, 800), "JPEG"))
    assert (made.mime, made.width, made.height) == ("image/jpeg", 512, 256)
    there = opened(made.content)
    assert (there.format, there.size, colours(there)) == ("JPEG", (512, 256), [0, 1, 2, 3])
    small = pictures.photo(png(40, 60))
    assert (small.mime, small.width, small.height) == ("image/png", 40, 60)
    assert opened(small.content).format == "PNG"


@pytest.mark.parametrize(
    ("orientation", "seen"),
    [(1, [0, 1, 2, 3]), (3, [3, 2, 1, 0]), (6, [2, 0, 3, 1]), (8, [1, 3, 0, 2]), (2, [1, 0, 3, 2]),
     (4, [2, 3, 0, 1]), (5, [0, 2, 1, 3]), (7, [3, 1, 2, 0]), (99, [0, 1, 2, 3])],
)  # fmt: skip
def test_what_exif_says_of_the_orientation_is_obeyed(orientation: int, seen: list[int]) -> None:
    made = pictures.photo(encoded(quarters(200, 100), "JPEG", exif=exif(orientation)))
    there = opened(made.content)
    assert colours(there) == seen
    assert there.size == ((100, 200) if orientation in {5, 6, 7, 8} else (200, 100))
    assert there.size == (made.width, made.height)


def test_nothing_that_a_photo_carries_is_left() -> None:
    info = PngInfo()
    info.add_text("Author", "SECRETNAME")
    files = [
        encoded(quarters(), "JPEG", exif=exif(1), comment=b"SECRETNOTE", icc_profile=b"SECRETPROFILE" * 20)
        + b"SECRETTAIL",
        encoded(quarters(), "PNG", pnginfo=info, exif=exif(1), icc_profile=b"SECRETPROFILE" * 20),
    ]
    for file in files:
        assert b"SECRET" in file or b"iCCP" in file
        made = pictures.photo(file)
        assert b"SECRET" not in made.content
        assert b"Exif" not in made.content
        assert {b"eXIf", b"iCCP", b"tEXt"} & {made.content[at : at + 4] for at in range(200)} == set()
        there = opened(made.content)
        assert not there.getexif()
        assert there.info.keys() <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGBA", "I;16"])
def test_every_way_of_having_points_is_read(mode: str) -> None:
    image = quarters() if mode == "I;16" else quarters(mode=mode)
    if mode == "I;16":
        image = quarters(mode="L").convert("I").point(lambda value: value * 257).convert("I;16")
    made = pictures.photo(encoded(image, "PNG"))
    there, grey = opened(made.content).convert("L"), quarters(mode="L")
    assert there.size == (64, 64)
    if mode != "1":
        assert max(ImageChops.difference(there, grey).tobytes()) < 60


def test_a_photo_in_the_colours_of_printers_is_read() -> None:
    made = pictures.photo(encoded(quarters(mode="CMYK"), "JPEG"))
    assert colours(opened(made.content)) == [0, 1, 2, 3]


def test_a_photo_of_a_telephone_that_holds_a_second_one_is_a_jpeg() -> None:
    """Multi-picture files (CIPA DC-007): a map of depths stands behind the photo."""
    file = encoded(quarters(), "MPO", save_all=True, append_images=[Image.new("RGB", (32, 32))])
    assert file.startswith(b"\xff\xd8")
    made = pictures.photo(file)
    assert (made.mime, colours(opened(made.content))) == ("image/jpeg", [0, 1, 2, 3])
    assert colours(opened(pictures.logo(file).content)) == [0, 1, 2, 3]


def test_a_photo_that_mentions_svg_is_a_photo() -> None:
    assert pictures.photo(encoded(quarters(), "JPEG", comment=b"<svg")).mime == "image/jpeg"


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP", "ICO"])
def test_a_logo_of_any_kind_becomes_a_small_png(format_: str) -> None:
    size = 256 if format_ == "ICO" else 400
    made = pictures.logo(encoded(quarters(size, size), format_))
    assert (made.mime, made.width, made.height) == ("image/png", 256, 256)
    assert colours(opened(made.content)) == [0, 1, 2, 3]


def test_an_icon_gives_its_largest_picture_and_what_is_clear_stays_so() -> None:
    image = quarters(64, 64, "RGBA")
    image.putpixel((0, 0), (0, 0, 0, 0))
    for bitmap in ("png", "bmp"):
        file = encoded(image, "ICO", sizes=[(16, 16), (64, 64), (32, 32)], bitmap_format=bitmap)
        there = opened(pictures.logo(file).content)
        assert there.size == (64, 64)
        assert there.getpixel((0, 0)) == (0, 0, 0, 0)


def test_of_a_moving_picture_the_first_frame_is_taken() -> None:
    second = Image.new("RGB", (64, 64), (0, 0, 0))
    for format_ in ("GIF", "WEBP"):
        file = encoded(quarters(), format_, save_all=True, append_images=[second] * 5)
        assert colours(opened(pictures.logo(file).content)) == [0, 1, 2, 3]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"", "is no picture of a kind that is taken: JPEG or PNG"),
        (b"hello", "is no picture of a kind that is taken"),
        (b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG"),
        (encoded(quarters(), "GIF"), "is no picture of a kind that is taken"),
        (encoded(quarters(), "BMP"), "is no picture of a kind that is taken"),
        (png()[:100], "is damaged"),
        (encoded(quarters(), "JPEG")[:400], "is damaged"),
        (png_of(60_000, 60_000), "has more than 25 million points"),
        (png_of(6_000, 5_000), "has more than 25 million points"),
        (b"\xff\xd8" + b"\xff\xda\0\x08" * 41, "has more than 40 scans"),
        (bytes(1024 * 1024 + 1), "is larger than 1 MiB"),
    ],
)  # fmt: skip
def test_what_is_no_photo_is_refused_in_clear_words(data: bytes, told: str) -> None:
    with pytest.raises(BadPicture, match=told) as caught:
        pictures.photo(data)
    assert "\n" not in str(caught.value)


def test_a_bomb_of_any_kind_is_refused_before_it_is_unpacked() -> None:
    gif = b"GIF89a" + struct.pack("<HHBBB", 65_000, 65_000, 0, 0, 0)
    frame = struct.pack("<BHHHHB", 0x2C, 0, 0, 60_000, 60_000, 0) + b"\x02\x02L\x01\0;"
    webp = b"RIFF" + struct.pack("<I", 30) + b"WEBPVP8X" + struct.pack("<I", 10) + b"\0" * 4
    webp += (16_000).to_bytes(3, "little") * 2 + b"\0" * 40
    inner = png_of(40_000, 40_000)
    icon = struct.pack("<HHH", 0, 1, 1) + struct.pack("<BBBBHHII", 16, 16, 0, 0, 1, 32, len(inner), 22)
    # A small file with as many points as are taken, all black: 25 MB of bits are unpacked, and not more.
    started = time.monotonic()
    for data in (gif + frame, b"GIF89a" + struct.pack("<HHBBB", 9, 9, 0, 0, 0) + frame, webp, icon + inner):
        with pytest.raises(BadPicture):
            pictures.logo(data)
    assert time.monotonic() - started < 5
    packed = zlib.compress(bytes((5_000 // 8 + 1) * 5_000))
    assert len(packed) < 10_000
    made = pictures.photo(png_of(5_000, 5_000, packed))
    assert (made.width, made.height) == (512, 512)


def test_a_spy_pixel_is_no_logo() -> None:
    with pytest.raises(BadPicture, match="is smaller than 8 by 8 points"):
        pictures.logo(encoded(quarters(2, 2), "GIF"))


SEEDS = [
    png(20, 20),
    encoded(quarters(20, 20), "JPEG", exif=exif(6)),
    encoded(quarters(20, 20), "JPEG", progressive=True),
    encoded(quarters(20, 20), "GIF"),
    encoded(quarters(20, 20), "WEBP"),
    encoded(quarters(32, 32), "ICO", sizes=[(16, 16), (32, 32)]),
    encoded(quarters(32, 32), "ICO", sizes=[(32, 32)], bitmap_format="bmp"),
]


@settings(max_examples=300, deadline=None)
@given(
    seed=st.sampled_from(SEEDS),
    cuts=st.lists(st.tuples(st.integers(0, 4_000), st.binary(max_size=6)), max_size=6),
    end=st.integers(0, 200),
)
def test_a_damaged_file_is_a_picture_or_refused_and_nothing_else(
    seed: bytes, cuts: list[tuple[int, bytes]], end: int
) -> None:
    data = bytearray(seed)
    for at, new in cuts:
        place = at % len(data)
        data[place : place + len(new)] = new
    del data[len(data) - end % 60 :]
    for read, side in ((pictures.photo, 512), (pictures.logo, 256)):
        try:
            made = read(bytes(data))
        except BadPicture:
            continue
        with Image.open(io.BytesIO(made.content)) as there:
            assert max(there.size) <= side
