"""Pictures of entries: how they are named, and what their bytes tell without an image library."""

from __future__ import annotations

import hashlib

from bot.domain import Media, Picture
from bot.reading.fields import NAME

FOLDER = "pictures"  # in the domain's folder
MOST_BYTES = 2**20  # read of one file; `check` refuses more
NAME_MEND = (
    "图片放进本领域的 pictures 文件夹，这里只写文件名：小写字母、数字和减号，"
    "以 .jpg 或 .png 结尾，如 pepper-rust-1.jpg。"
)
_PNG, _PNG_END = b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"
_JPEG, _JPEG_END = b"\xff\xd8\xff", b"\xff\xd9"
_FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # ITU-T T.81, table B.1: SOF0 to SOF15


def is_name(text: str) -> bool:
    stem, _, suffix = text.rpartition(".")
    return suffix in {"jpg", "png"} and NAME.fullmatch(stem) is not None


def look(raw: bytes) -> Picture | None:
    """None where it is neither a JPEG nor a PNG, too large, or not all of it."""
    if len(raw) > MOST_BYTES:
        return None
    mime = "image/png" if raw.startswith(_PNG) else "image/jpeg"
    width, height = _png_size(raw) if mime == "image/png" else _jpeg_size(raw)
    if width * height == 0:
        return None
    return Picture(Media(mime, raw), width, height, hashlib.sha256(raw).hexdigest()[:12])


def _png_size(raw: bytes) -> tuple[int, int]:
    if raw[12:16] != b"IHDR" or _PNG_END not in raw:
        return 0, 0
    return int.from_bytes(raw[16:20]), int.from_bytes(raw[20:24])


def _jpeg_size(raw: bytes) -> tuple[int, int]:
    """From segment to segment, up to the one that begins the frame."""
    at = 2 if raw.startswith(_JPEG) else len(raw)
    while raw[at : at + 1] == b"\xff" and at + 9 <= len(raw):
        if raw[at + 1] == 0xFF:  # a marker may be padded
            at += 1
        elif raw[at + 1] not in _FRAMES:
            at += 2 + int.from_bytes(raw[at + 2 : at + 4])
        elif _JPEG_END in raw[at:]:
            return int.from_bytes(raw[at + 7 : at + 9]), int.from_bytes(raw[at + 5 : at + 7])
        else:
            break
    return 0, 0
