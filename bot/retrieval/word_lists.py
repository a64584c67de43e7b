"""The part of config/lexicon.yaml that is for search, as staff may write it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, field_validator

from bot.reading.fields import Line, Lines, Shape, wrong
from bot.retrieval.words import Words


def _term(value: str) -> str:
    if not re.fullmatch(r"[一-鿿]{2,6}", value):
        raise wrong(f"“{value}”不能按读音认。", "只写两到六个汉字的词，别的写到 words 里。")
    return value


_Term = Annotated[Line, AfterValidator(_term)]
_Class = Literal["crop", "organ", "sign", "pest", "action", "person"]


class WordLists(Shape):
    words: dict[Line, Lines] = Field(default_factory=dict)
    by_sound: tuple[_Term, ...] = ()
    whole: tuple[Line, ...] = ()
    classes: dict[_Class, dict[Line, Lines]] = Field(default_factory=dict)

    @field_validator("words")
    @classmethod
    def _each_means_one(cls, words: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        meant: dict[str, str] = {}
        for standard, variants in words.items():
            for variant in variants:
                _check(variant, standard, words, meant)
                meant[variant] = standard
        return words

    def for_search(self, other_subjects: Iterable[str]) -> Words:
        """An other subject is a whole word: 海椒 is no 椒."""
        whole = (*self.whole, *other_subjects)
        return Words(self.words, self.by_sound, whole, dict(self.classes.items()))


def _check(
    variant: str, standard: str, words: Mapping[str, object], meant: Mapping[str, str]
) -> None:
    """Refuses what would leave open which word is meant."""
    if variant == standard:
        raise wrong(f"“{standard}”后面又写了它自己。", "删掉后面那个，只写别的说法。")
    if variant in words:
        message = f"“{variant}”写在“{standard}”后面，自己又是一个标准说法。"
        raise wrong(message, "只留一处，把它的说法并到一起。")
    if variant in meant:
        message = f"“{variant}”写了两处：“{meant[variant]}”和“{standard}”。"
        raise wrong(message, "想好是哪个意思，只留一处。")
