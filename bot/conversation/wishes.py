"""What people write besides questions: greetings, thanks, 我的问题, 取消, a township's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_NOISE = re.compile(r"[\W_]+")


class Wish(StrEnum):
    """Names of the word lists under `wishes` in config/lexicon.yaml."""

    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    LIST = "list"
    CANCEL = "cancel"
    PERSON = "person"
    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NONE_FITS = "none_fits"
    SMALL_TALK = "small_talk"


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word lists that staff keep. `fillers` are dropped before a wish is compared."""

    wishes: Mapping[Wish, tuple[str, ...]]
    fillers: tuple[str, ...] = ()
    townships: tuple[str, ...] = ()
    _forms: Mapping[str, Wish] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        forms = {self._bare(word): wish for wish, words in self.wishes.items() for word in words}
        object.__setattr__(self, "_forms", forms)

    def wish(self, text: str) -> Wish | None:
        """The wish that the whole message is, fillers and punctuation aside."""
        return self._forms.get(self._bare(text))

    def _bare(self, text: str) -> str:
        bare = _NOISE.sub("", text).lower()
        for filler in self.fillers:
            bare = bare.replace(filler, "")
        return bare or _NOISE.sub("", text).lower()

    def township(self, text: str) -> str | None:
        """The township a message names: its full name anywhere, its short name as a place."""
        for name in self.townships:
            short = re.sub(r"(镇|街道|乡)$", "", name)
            place = (
                rf"^{short}$|(?:在|住|是|我们?|这边|荣昌){short}|{short}(?:的|镇|街道|这边|那边|人)"
            )
            if name in text or re.search(place, text):
                return name
        return None

    def is_township(self, text: str) -> bool:
        """Whether the message is nothing but a township's name."""
        bare = _NOISE.sub("", text)
        name = self.township(bare)
        return name is not None and len(bare) <= len(name) + 4
