"""Photos from strangers become plain JPEG, or are refused with a reason."""

from __future__ import annotations

import struct
import zlib
from io import BytesIO

import pytest
from PIL import Image

from bot.channels.photos import MAX_SIDE, clean_photo
from bot.errors import Refused
from tests.channels.web_world import photo


def opened(media) -> Image.Image:
    return Image.open(BytesIO(media.content))


def with_exif(**tags) -> bytes:
    exif = Image.Exif()
    exif[0x010F] = "拍照手机"
    exif.get_ifd(0x8825)[2] = (29.0, 24.0, 10.0)  # GPS latitude
    exif.update(tags.get("tags", {}))
    return photo(40, 20, exif=exif, comment=b"my farm")


def test_a_photo_becomes_jpeg_of_the_same_size():
    media = clean_photo(photo(40, 30))
    assert (media.mime, opened(media).format, opened(media).size) == (
        "image/jpeg",
        "JPEG",
        (40, 30),
    )


def test_position_and_camera_are_gone():
    media = clean_photo(with_exif())
    assert len(opened(media).getexif()) == 0
    assert not {"exif", "comment"} & set(opened(media).info)
    assert b"my farm" not in media.content


def test_a_photo_taken_sideways_stands_upright():
    media = clean_photo(with_exif(tags={0x0112: 6}))
    assert opened(media).size == (20, 40)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
def test_the_longer_side_is_at_most_2048(kind):
    media = clean_photo(photo(4100, 2050, kind))
    assert opened(media).size == (MAX_SIDE, MAX_SIDE // 2)


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "BMP"])
def test_other_pictures_become_jpeg_too(kind):
    assert opened(clean_photo(photo(kind=kind))).format == "JPEG"


def test_what_is_transparent_becomes_white():
    target = BytesIO()
    Image.new("RGBA", (10, 10), (255, 0, 0, 0)).save(target, "PNG")
    assert min(opened(clean_photo(target.getvalue())).getpixel((5, 5))) > 250


def bomb(side: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be side × side."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + data))
        return struct.pack(">I", len(data)) + kind + data + check

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    body = (
        chunk(b"IHDR", header) + chunk(b"IDAT", zlib.compress(b"\0" * 1000)) + chunk(b"IEND", b"")
    )
    return b"\x89PNG\r\n\x1a\n" + body


@pytest.mark.parametrize("side", [8_000, 10_000, 60_000])
def test_a_bomb_is_refused_before_it_is_unpacked(side):
    with pytest.raises(Refused, match="尺寸太大"):
        clean_photo(bomb(side))


def test_too_many_bytes_are_refused_unread():
    with pytest.raises(Refused, match="1 MB 以内"):
        clean_photo(b"x" * (2**20 + 1), max_bytes=2**20)


@pytest.mark.parametrize(
    "content",
    [b"", b"hello", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"%PDF-1.7", b"\0" * 99],
)
def test_what_is_no_photo_is_refused(content):
    with pytest.raises(Refused, match="不是能看的照片"):
        clean_photo(content)


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP"])
@pytest.mark.parametrize("part", [0.3, 0.6, 0.9])
def test_half_a_photo_is_refused_in_chinese(kind, part):
    whole = photo(900, 700, kind)
    with pytest.raises(Refused):
        clean_photo(whole[: int(len(whole) * part)])
