"""What people write besides questions: greetings, thanks, 我的问题, 取消, a township's name."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

_NOISE = re.compile(r"[\W_]+")
_COMMAND = re.compile(r"/\w+")
_AROUND_A_PLACE = re.compile(r"^(?:我们?|在|住|是|家|屋头|重庆市?|荣昌区?)+|(?:的|人|这边|那边)+$")
_VILLAGE = re.compile(r"\w{0,6}[村社组队湾]")


class Wish(StrEnum):
    """Names of the word lists under `wishes` in config/lexicon.yaml."""

    GREETING = "greeting"
    THANKS = "thanks"
    HELP = "help"
    DETAILS = "details"
    LIST = "list"
    CANCEL = "cancel"
    PERSON = "person"
    SOLVED = "solved"
    UNSOLVED = "unsolved"
    NONE_FITS = "none_fits"
    SMALL_TALK = "small_talk"
    ADD = "add"
    NEW_QUESTION = "new_question"
    ACCEPT = "accept"  # these only from commissioners
    DECLINE = "decline"
    LEDGER = "ledger"
    KEEP_BEES = "keep_bees"  # these only from farmers
    LEAVE_BEES = "leave_bees"


COURTESY = (Wish.THANKS, Wish.SMALL_TALK, Wish.GREETING)  # weightiest first


@dataclass(frozen=True, slots=True)
class Lexicon:
    """Word lists that staff keep. `fillers` are dropped before a wish is compared."""

    wishes: Mapping[Wish, tuple[str, ...]]
    fillers: tuple[str, ...] = ()
    townships: tuple[str, ...] = ()
    _forms: Mapping[str, Wish] = field(init=False, repr=False)
    _courteous: re.Pattern[str] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        forms = {self._bare(word): wish for wish, words in self.wishes.items() for word in words}
        polite = "|".join(re.escape(form) for form, wish in forms.items() if wish in COURTESY)
        object.__setattr__(self, "_forms", forms)
        object.__setattr__(self, "_courteous", re.compile(f"(?:{polite})+"))

    def wish(self, text: str) -> Wish | None:
        """The wish that the whole message is, fillers and punctuation aside. Courtesy steps back
        behind what is really wanted: 好的，谢谢老师，取消 means 取消."""
        if _COMMAND.fullmatch(text.strip()):
            return self._forms.get(self._bare(text), Wish.HELP)
        if whole := self._forms.get(self._bare(text)):
            return whole
        parts = [bare for part in _NOISE.split(text) if (bare := self._bare(part))]
        wishes = [wish for bare in parts if (wish := self._part(bare))]
        if len(wishes) < len(parts):
            return None
        wanted = [wish for wish in wishes if wish not in COURTESY]
        polite = [wish for wish in COURTESY if wish in wishes]
        return next(iter(wanted[-1:] + polite), Wish.SMALL_TALK)  # nothing left: only emoji, signs

    def _part(self, bare: str) -> Wish | None:
        courtesy = Wish.THANKS if self._courteous.fullmatch(bare) else None
        return self._forms.get(bare, courtesy)

    def _bare(self, text: str) -> str:
        bare = _NOISE.sub("", text).lower()
        for filler in self.fillers:
            bare = bare.replace(filler, "")
        return bare or _NOISE.sub("", text).lower()

    def township(self, text: str) -> str | None:
        """The township a message names: its full name anywhere, its short name as a place."""
        for name in self.townships:
            short = re.escape(_short(name))
            place = (
                rf"^{short}$|(?:在|住|是|我们?|这边|荣昌){short}|{short}(?:的|镇|街道|这边|那边|人)"
            )
            if name in text or re.search(place, text):
                return name
        return None

    def is_township(self, text: str) -> bool:
        """Whether the message is nothing but a township's name, perhaps with the village."""
        bare = _NOISE.sub("", text)
        name = self.township(bare)
        if name is None:
            return False
        place = _AROUND_A_PLACE.sub("", bare)
        rest = place.removeprefix(name if name in place else _short(name))
        return not rest or _VILLAGE.fullmatch(rest) is not None


def _short(township: str) -> str:
    return re.sub(r"(镇|街道|乡)$", "", township)
