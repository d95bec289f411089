"""Pictures of strangers, made small and harmless: read within bounds, drawn anew, without what they carry.

Only the points of a picture are kept. EXIF with its places, comments, colour profiles, further frames and
whatever stands behind the end are gone, since a new file is written. What EXIF says of the orientation is
obeyed first. Bounds: octets of the file, points of the picture (Pillow looks at every size it finds, that
inside an icon too), scans of a progressive JPEG, whose decoding each costs a pass over the whole picture.
"""

import hashlib
import io
import struct
import warnings
import zlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from config.language import Phrase

if TYPE_CHECKING:
    from PIL import Image

MOST_PHOTO = 1024 * 1024  # octets of a photo that is handed in (R036)
PHOTO_SIDE = 512  # points
MOST_LOGO = 512 * 1024  # octets (R159)
LOGO_SIDE = 256  # points
SMALLEST_LOGO = 8  # points: a spy pixel is no logo
MOST_POINTS = 25_000_000  # 200 MB while it is read; telephones make 12 million
MOST_SCANS = 40  # of a JPEG; usual progressive ones have 10, and each may cost 60 ms
QUALITY = 88  # of a JPEG that is written

JPEG, PNG = "image/jpeg", "image/png"
_START_OF_SCAN = b"\xff\xda"  # never inside of coded points, where FF is followed by 00 (ITU T.81, B.1.1.5)
_ICO = b"\0\0\1\0"
_UPRIGHT = 1
_ORIENTATION = 0x0112  # EXIF tag 274

# What Pillow's readers raise on damaged files.
_BROKEN = (
    OSError, SyntaxError, ValueError, TypeError, ArithmeticError, LookupError, AttributeError, EOFError,
    NotImplementedError, RuntimeError, struct.error, zlib.error, Warning,
)  # fmt: skip


class BadPicture(ValueError):
    """It is no picture that is taken. The text says why, in one line, and nothing of what it holds."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture that was drawn anew."""

    mime: str  # image/jpeg or image/png
    width: int  # points
    height: int
    content: bytes = field(repr=False)

    @property
    def sha256(self) -> str:
        """Of the content, in hex."""
        return hashlib.sha256(self.content).hexdigest()


def photo(data: bytes) -> Picture:
    """The photo of a person: a JPEG or PNG of at most 1 MiB to one of at most 512 by 512 points. A PNG stays
    one, so that what is transparent stays so. Raises BadPicture."""
    if len(data) > MOST_PHOTO:
        raise BadPicture(Phrase("is larger than 1 MiB: make it smaller first"))
    image, format_ = _drawn(data, ("JPEG", "PNG"), PHOTO_SIDE)
    return _written(image, JPEG if format_ == "JPEG" else PNG)


def logo(data: bytes) -> Picture:
    """A company's logo: a PNG, JPEG, GIF, WebP or icon of at most 512 KiB to a PNG of at most 256 by 256
    points. Raises BadPicture."""
    if len(data) > MOST_LOGO:
        raise BadPicture(Phrase("is larger than 512 KiB"))
    image, _ = _drawn(data, ("PNG", "JPEG", "GIF", "WEBP", "ICO"), LOGO_SIDE)
    if min(image.size) < SMALLEST_LOGO:
        raise BadPicture(Phrase("is smaller than {least} by {least} points", least=SMALLEST_LOGO))
    return _written(image, PNG)


def _drawn(data: bytes, formats: tuple[str, ...], side: int) -> "tuple[Image.Image, str]":
    """The picture at its new size, upright, in RGB or RGBA; and what it was."""
    known = Phrase("{formats} or {last}", formats=", ".join(formats[:-1]), last=formats[-1])
    if data[:1000].lstrip().startswith(b"<") and b"<svg" in data[:1000].lower():
        raise BadPicture(
            Phrase("is an SVG, which is a program rather than a picture: give a {known}", known=known)
        )
    if data.count(_START_OF_SCAN) > MOST_SCANS:
        raise BadPicture(Phrase("has more than {most} scans", most=MOST_SCANS))
    _bounded()
    from PIL import Image, UnidentifiedImageError

    try:
        image, format_ = _opened(data, formats)
        turn = _turn(image)
        if format_ == "JPEG":
            image.draft(None, (2 * side, 2 * side))  # decodes what is needed of it
        image = _plain(image)
        image.thumbnail((side, side))
        if turn is not None:
            image = image.transpose(turn)
    except BadPicture:
        raise
    except UnidentifiedImageError:
        raise BadPicture(Phrase("is no picture of a kind that is taken: {known}", known=known)) from None
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):  # raised by `Image.open` too
        raise BadPicture(
            Phrase("has more than {most} million points", most=MOST_POINTS // 1_000_000)
        ) from None
    except _BROKEN:
        raise BadPicture(Phrase("is damaged, or not of the kind that it says it is")) from None
    return image, format_


def _opened(data: bytes, formats: tuple[str, ...]) -> "tuple[Image.Image, str]":
    from PIL import Image
    from PIL.IcoImagePlugin import IcoFile

    if data.startswith(_ICO) and "ICO" in formats:
        icon = IcoFile(io.BytesIO(data))
        if not icon.entry:
            raise BadPicture(Phrase("is an icon without any picture"))
        # The largest one, of several the one with most colours.
        best = max(range(len(icon.entry)), key=lambda at: (icon.entry[at].square, icon.entry[at].color_depth))
        return icon.frame(best), "ICO"
    image = Image.open(io.BytesIO(data), formats=[one for one in formats if one != "ICO"])
    # A JPEG of a telephone may hold a second picture, such as a map of depths (MPO): that is left out.
    return image, "JPEG" if image.format == "MPO" else image.format or ""


def _turn(image: "Image.Image") -> "Image.Transpose | None":
    """How to get the picture upright. A damaged EXIF says nothing."""
    from PIL.Image import Transpose

    turns = {
        2: Transpose.FLIP_LEFT_RIGHT, 3: Transpose.ROTATE_180, 4: Transpose.FLIP_TOP_BOTTOM,
        5: Transpose.TRANSPOSE, 6: Transpose.ROTATE_270, 7: Transpose.TRANSVERSE, 8: Transpose.ROTATE_90,
    }  # fmt: skip
    try:
        said = image.getexif().get(_ORIENTATION, _UPRIGHT)
    except _BROKEN:
        return None
    return turns.get(said) if isinstance(said, int) else None


def _plain(image: "Image.Image") -> "Image.Image":
    if image.mode.startswith("I"):  # 16 bits a point: Pillow would cut off what is above 255
        image = image.convert("I").point(lambda value: value * (1 / 256)).convert("L")
    return image.convert("RGBA" if image.has_transparency_data else "RGB")


def _written(image: "Image.Image", mime: str) -> Picture:
    from PIL import Image

    # A fresh picture has no comments and profiles that would be written again.
    mode = "RGB" if mime == JPEG else image.mode
    clean = Image.new(mode, image.size)
    clean.paste(image)
    out = io.BytesIO()
    if mime == JPEG:
        clean.save(out, "JPEG", quality=QUALITY, optimize=True)
    else:
        clean.save(out, "PNG", optimize=True)
    return Picture(mime, clean.width, clean.height, out.getvalue())


def _bounded() -> None:
    """Has Pillow refuse what is larger, wherever it finds a size. The readers are loaded here, by name: asked
    for one that is not there, Pillow loads all forty."""
    from PIL import GifImagePlugin, Image, JpegImagePlugin, PngImagePlugin, WebPImagePlugin

    del GifImagePlugin, JpegImagePlugin, PngImagePlugin, WebPImagePlugin
    if Image.MAX_IMAGE_PIXELS != MOST_POINTS:
        Image.MAX_IMAGE_PIXELS = MOST_POINTS
        # Beyond twice that number it is an error anyway.
        warnings.filterwarnings("error", category=Image.DecompressionBombWarning)
