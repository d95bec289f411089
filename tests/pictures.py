"""Pictures that the tests hand in."""

import io

from PIL import Image

COLOURS = ((200, 30, 30), (30, 160, 30), (30, 30, 200), (220, 220, 40))


def quarters(width: int = 64, height: int = 64, mode: str = "RGB") -> Image.Image:
    """Four quarters: red, green, blue, yellow, from the top left one by lines."""
    image = Image.new("RGB", (width, height))
    for at, colour in enumerate(COLOURS):
        left, top = (at % 2) * width // 2, (at // 2) * height // 2
        image.paste(colour, (left, top, left + width // 2, top + height // 2))
    return image.convert(mode)


def encoded(image: Image.Image, format_: str, **how: object) -> bytes:
    """The file of a picture."""
    out = io.BytesIO()
    image.save(out, format_, **how)
    return out.getvalue()


def png(width: int = 64, height: int = 64) -> bytes:
    return encoded(quarters(width, height), "PNG")


def opened(content: bytes) -> Image.Image:
    """What a file holds."""
    image = Image.open(io.BytesIO(content))
    image.load()
    return image


def colours(image: Image.Image) -> list[int]:
    """Which of the four colours each quarter is nearest to, as numbers from 0."""
    plain, found = image.convert("RGB"), []
    for at in range(4):
        where = (plain.width * (1 + 2 * (at % 2)) // 4, plain.height * (1 + 2 * (at // 2)) // 4)
        pixel = plain.getpixel(where)
        assert isinstance(pixel, tuple)
        off = [sum(abs(a - b) for a, b in zip(pixel, one, strict=True)) for one in COLOURS]
        found.append(off.index(min(off)))
    return found
