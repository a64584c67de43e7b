"""Photos from strangers: read with suspicion, kept as plain JPEG without EXIF."""

from __future__ import annotations

import io
import struct
import zlib
from dataclasses import dataclass

from PIL import Image, ImageOps, UnidentifiedImageError

from bot.channels.photo_checks import flaws_of
from bot.domain import Flaw, Media
from bot.errors import Refused

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "BMP")
MAX_BYTES = 10 * 2**20
MAX_PIXELS = 60_000_000  # 60 MP decode to about 240 MB; phones take 12 to 50
MAX_SIDE = 2048
QUALITY = 85

_DAMAGED = (
    OSError,
    SyntaxError,
    ValueError,
    TypeError,
    LookupError,
    ArithmeticError,
    EOFError,
    MemoryError,
    struct.error,
    zlib.error,
)
_BOMBS = (Image.DecompressionBombError, Image.DecompressionBombWarning)


@dataclass(frozen=True, slots=True)
class Photo(Media):
    """A cleaned photo and what makes it hard to judge."""

    flaws: tuple[Flaw, ...]


def clean_photo(content: bytes, *, max_bytes: int = MAX_BYTES) -> Photo:
    """The photo as JPEG, upright, at most 2048 pixels a side, nothing but pixels inside.

    Raises Refused, in Chinese, for anything that is no photo, too big or damaged.
    """
    if len(content) > max_bytes:
        raise Refused(f"这张照片太大了，请发 {max_bytes // 2**20} MB 以内的照片。")
    try:
        _inspect(content)
        image = _decode(content)
        return Photo("image/jpeg", _encode(image), flaws_of(image))
    except _BOMBS as error:
        raise Refused("这张照片的尺寸太大了，请换一张。") from error
    except UnidentifiedImageError as error:
        raise Refused("这个文件不是能看的照片，请发 JPG 或 PNG 格式的照片。") from error
    except _DAMAGED as error:
        raise Refused("这张照片打不开，可能没传完整，请重新拍一张。") from error


def _inspect(content: bytes) -> None:
    """Judge by the header alone, then by the checksums, before a pixel is decoded."""
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        if image.width * image.height > MAX_PIXELS:
            raise Image.DecompressionBombError
        image.verify()


def _decode(content: bytes) -> Image.Image:
    with Image.open(io.BytesIO(content), formats=FORMATS) as image:
        image.draft("RGB", (MAX_SIDE, MAX_SIDE))  # JPEG decodes at a fraction of its size
        upright = ImageOps.exif_transpose(image)
        upright.thumbnail((MAX_SIDE, MAX_SIDE))
        return _flatten(upright)


def _flatten(image: Image.Image) -> Image.Image:
    if not image.has_transparency_data:
        return image.convert("RGB")
    paper = Image.new("RGBA", image.size, "white")
    paper.alpha_composite(image.convert("RGBA"))
    return paper.convert("RGB")


def _encode(image: Image.Image) -> bytes:
    image.info.clear()  # comments, EXIF and profiles that save() would carry over
    target = io.BytesIO()
    image.save(target, "JPEG", quality=QUALITY, optimize=True)
    return target.getvalue()
