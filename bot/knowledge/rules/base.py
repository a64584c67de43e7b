"""What a rule is.

A rule is one small function: it takes the shelf and yields what is wrong and where. To add one,
write it into the module of its subject with `@rule(name, level)` and give it a good and a bad file
in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from typing import Literal, NamedTuple

from opencc import OpenCC

from bot.knowledge.lists import Lists
from bot.knowledge.load import DomainFile, EntryFile
from bot.knowledge.markdown import Placed
from bot.reading.report import Place

_SIMPLIFIED = OpenCC("t2s")
_NOISE = re.compile(r"[\W_]+")


@dataclass(frozen=True)
class Shelf:
    """All that could be read, and the day the check is made."""

    entries: tuple[EntryFile, ...]
    drafts: tuple[EntryFile, ...]
    domains: tuple[DomainFile, ...]
    ids: frozenset[str]  # of every entry file, readable or not, but for drafts
    lists: Lists
    today: date

    @cached_property
    def by_id(self) -> dict[str, EntryFile]:
        return {file.entry.id: file for file in self.entries}

    def domain(self, name: str) -> DomainFile | None:
        return next((file for file in self.domains if file.domain.id == name), None)

    @cached_property
    def questions(self) -> tuple[tuple[EntryFile | DomainFile, Place, str], ...]:
        """Every phrasing and every out-of-scope question, and where it stands."""
        return (*self._phrasings(), *self._out_of_scope())

    def _phrasings(self) -> Iterator[tuple[EntryFile, Place, str]]:
        for file in self.entries:
            for index, question in enumerate(file.entry.questions):
                yield file, file.front.find("questions", index), question

    def _out_of_scope(self) -> Iterator[tuple[DomainFile, Place, str]]:
        for file in self.domains:
            for number, known in enumerate(file.domain.out_of_scope):
                for index, question in enumerate(known.questions):
                    place = file.front.find("out_of_scope", number, "questions", index)
                    yield file, place, question

    def blocks(self) -> Iterator[tuple[EntryFile, Placed]]:
        return ((file, placed) for file in self.entries for placed in file.body)


class Finding(NamedTuple):
    """What a rule found; the rule's name and level are added by `check`."""

    file: EntryFile | DomainFile
    place: Place
    message: str
    mend: str


Look = Callable[[Shelf], Iterator[Finding]]
Level = Literal["error", "warning"]


class Rule(NamedTuple):
    name: str
    level: Level
    look: Look


RULES: list[Rule] = []


def rule(name: str, level: Level) -> Callable[[Look], Look]:
    """Enters the function below it in RULES."""

    def enter(look: Look) -> Look:
        RULES.append(Rule(name, level, look))
        return look

    return enter


@lru_cache(maxsize=1 << 16)  # every rule on phrasings asks again
def essence(text: str) -> str:
    """The text without width, case, spaces, punctuation and traditional characters: what makes
    two questions the same."""
    folded = unicodedata.normalize("NFKC", _SIMPLIFIED.convert(text)).casefold()
    return _NOISE.sub("", folded)
