"""What a rule is.

A rule is one small function: it takes the shelf and yields what is wrong and where. To add one,
write it into the module of its subject with `@rule(name, level)` and give it a good and a bad file
in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Literal, NamedTuple

from opencc import OpenCC

from bot.knowledge.lists import Lists
from bot.knowledge.load import DomainFile, EntryFile
from bot.knowledge.markdown import Placed
from bot.reading.report import Place

_SIMPLIFIED = OpenCC("t2s")
_NOISE = re.compile(r"[^\w\n]+|_+")
# What NFKC makes of the usual marks; a line without them it need only look at.
_NARROW = tuple(zip("，？！：；（）…", ",?!:;().", strict=True))


class Asked(NamedTuple):
    """A phrasing or an out-of-scope question, where it stands, and its essence."""

    file: EntryFile | DomainFile
    place: Place
    text: str
    essence: str


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
    def questions(self) -> tuple[Asked, ...]:
        """Every phrasing, then every out-of-scope question."""
        found = [*self._phrasings(), *self._out_of_scope()]
        pairs = zip(found, essences(text for *_, text in found), strict=True)
        return tuple(Asked(*each, essence) for each, essence in pairs)

    def _phrasings(self) -> Iterator[tuple[EntryFile | DomainFile, Place, str]]:
        for file in self.entries:
            nodes = file.front.items("questions")
            for node, question in zip(nodes, file.entry.questions, strict=True):
                yield file, node.place, question

    def _out_of_scope(self) -> Iterator[tuple[EntryFile | DomainFile, Place, str]]:
        for file in self.domains:
            for number, known in enumerate(file.domain.out_of_scope):
                nodes = file.front.items("out_of_scope", number, "questions")
                for node, question in zip(nodes, known.questions, strict=True):
                    yield file, node.place, question

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


def essences(lines: Iterable[str]) -> list[str]:
    """Each line without width, case, spaces, punctuation and traditional characters: what makes
    two questions the same. Thousands go through as one text, since nothing here reaches over the
    end of a line: one by one they take three times as long."""
    text = _SIMPLIFIED.convert("\n".join([*lines, ""]))
    for wide, narrow in _NARROW:
        text = text.replace(wide, narrow)
    normal = [unicodedata.normalize("NFKC", line) for line in text.split("\n")]
    return _NOISE.sub("", "\n".join(normal).casefold()).split("\n")[:-1]
