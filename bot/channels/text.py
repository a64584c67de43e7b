"""Text as platforms bring it and take it: made legible, and cut into pieces."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from collections.abc import Callable

_STOPS = ("\n\n", "\n", "。", "！", "？", "；", "，", " ")
_JOINER = "\u200d"
_MODIFIERS = "\U0001f3fb\U0001f3fc\U0001f3fd\U0001f3fe\U0001f3ff"  # skin tones
_FLAGS = range(0x1F1E6, 0x1F200)  # two of these letters make one flag


def legible(text: str) -> str:
    """Without what a database or a page can't hold: half surrogates, NUL, control characters."""
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return "".join(one for one in whole if one >= " " or one in "\n\t")


def utf16_units(text: str) -> int:
    """Length as Telegram counts it: an emoji outside the basic plane is 2."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def cut(text: str, *, limit: int, size: Callable[[str], int] = utf16_units) -> tuple[str, ...]:
    """Pieces of at most `limit` as `size` measures them, none of them blank.

    Cut after a paragraph, line or sentence where the second half of a piece has one; never
    inside what people see as one character.
    """
    pieces = []
    rest = text.strip()
    while size(rest) > limit:
        end = _end(rest, most=_longest(rest, limit, size))
        pieces.append(rest[:end].rstrip())
        rest = rest[end:].lstrip()
    return (*pieces, rest) if rest else tuple(pieces)


def _longest(text: str, limit: int, size: Callable[[str], int]) -> int:
    length = bisect_right(range(len(text) + 1), limit, key=lambda end: size(text[:end])) - 1
    if length < 1:
        raise ValueError(f"a piece of at most {limit} holds no character")
    return length


def _end(text: str, *, most: int) -> int:
    for stop in _STOPS:
        at = text.rfind(stop, most // 2, most)
        if at >= 0:
            return at + len(stop)
    for end in range(most, most // 2, -1):
        if not _is_inside_character(text[end - 1], text[end]):
            return end
    return most


def _is_inside_character(before: str, after: str) -> bool:
    return (
        _JOINER in (before, after)
        or after in _MODIFIERS
        or unicodedata.category(after) in ("Mn", "Me", "Mc")  # accents, variation selectors
        or (ord(before) in _FLAGS and ord(after) in _FLAGS)
    )
