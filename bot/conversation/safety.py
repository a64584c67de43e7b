"""Is a person in danger? Word groups and a learnt sense decide, before anything else is done."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from bot.conversation.sense import NEGATIONS, Sense

_NEGATED = "".join(f"(?<!{word})" for word in NEGATIONS)
LINES_HEARD = 6  # of a message; more would take too long
_GROUP = re.compile(r"<.+>")


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger: a word of every group in `all_of` must occur un-negated, and none of
    `unless`, but a word of `despite` (刚才, 救命) outweighs those."""

    name: str
    all_of: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...] = ()
    despite: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.all_of or not all(self.all_of):
            raise ValueError(f"danger {self.name} needs at least one group of words")

    def is_in(self, text: str) -> bool:
        if not all(_occurs(group, text) for group in self.all_of):
            return False
        is_excused = any(word in text for word in self.unless)
        return not is_excused or any(word in text for word in self.despite)


@dataclass(frozen=True, slots=True)
class Lookout:
    """The rules that staff wrote and the sense learnt from sentences: either sees danger alone,
    but where the sense is quite calm (猪触电死了), a rule is not believed."""

    rules: tuple[Danger, ...]
    sense: Sense

    def heard_in(self, text: str) -> str | None:
        """The kind of danger in the whole text, or in its last lines, each by itself and to the
        end: what came in pieces must not be lost behind a harmless first one."""
        lines = text.splitlines()[-LINES_HEARD:]
        ends = ("\n".join(lines[start:]) for start in range(1, len(lines)))
        return next(filter(None, map(self.danger_in, dict.fromkeys([text, *lines, *ends]))), None)

    def danger_in(self, text: str) -> str | None:
        """The kind of danger that the text speaks of."""
        plain = squeezed(text)
        score = self.sense.score(text)
        ruled = next((rule.name for rule in self.rules if rule.is_in(plain)), None)
        if ruled and ("120" in plain or score >= self.sense.calm):  # who names 120 means it
            return ruled
        return self.sense.kind(text) if score >= self.sense.alarm else None


def squeezed(text: str) -> str:
    """Without spaces and full-width letters, which hide words."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def _occurs(words: tuple[str, ...], text: str) -> bool:
    """Whether one of them stands there un-negated; plain search first, it is much faster."""
    return any(word in text for word in words) and _pattern(words).search(text) is not None


@cache
def _pattern(words: tuple[str, ...]) -> re.Pattern[str]:
    return re.compile(f"{_NEGATED}(?:{'|'.join(map(re.escape, words))})")


def spelled_out(words: Iterable[str], groups: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """The words with every <name> replaced by that group's words; KeyError for an unknown name."""
    return tuple(
        spelled
        for word in words
        for spelled in (groups[word[1:-1]] if _GROUP.fullmatch(word) else (word,))
    )
