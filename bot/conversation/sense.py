"""A sense for danger, learnt from sentences: it knows wordings that no list foresees.

A linear model over characters, pairs of characters, classes of words (kin, livestock, breath) and
pairs of classes; long texts are read in passages too. Plain arithmetic: first aid must not wait
for, or fail with, a model's libraries.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations
from math import sqrt

NEGATIONS = ("没", "没得", "没有", "莫得", "不", "未")
ALWAYS = ""  # the mark that every text has: a kind's head start
_BREAK = re.compile(r"[。!?;,、…\n]+")
_PASSAGE = 20  # characters: a cry for help between two other matters is about as long
_ASIDE = 1.5  # by so much a passage must be clearer than a whole text


def readings(text: str) -> tuple[str, ...]:
    """The whole text, then its passages: runs of clauses of about twenty characters. All in lower
    case, without spaces and full-width signs."""
    plain = unicodedata.normalize("NFKC", text).lower()
    clauses = [clause for clause in map(_squeezed, _BREAK.split(plain)) if clause]
    return (_squeezed(plain), *_passages(clauses)) if len(clauses) > 1 else (_squeezed(plain),)


def clearest(scores: Sequence[float]) -> float:
    """Of a whole text and its passages."""
    whole, *passages = scores
    return max([whole, *(score - _ASIDE for score in passages)])


def _passages(clauses: Sequence[str]) -> Iterator[str]:
    for first in range(len(clauses)):
        last = first + 1
        while last < len(clauses) and len("，".join(clauses[first : last + 1])) <= _PASSAGE:
            last += 1
        yield ",".join(clauses[first:last])
        if last == len(clauses):
            return


def _squeezed(text: str) -> str:
    return "".join(text.split())


class Vocabulary:
    """Word classes, found by word; after a negation a word is of another class (!心).
    Texts come as from `readings`."""

    def __init__(self, classes: Mapping[str, tuple[str, ...]]) -> None:
        if not all(word for words in classes.values() for word in words):
            raise ValueError("a class holds an empty word")
        self._of: dict[str, list[str]] = {}
        for name, words in classes.items():
            for word in words:
                self._of.setdefault(word, []).append(name)
        self._longest: dict[str, int] = {}  # by first character
        for word in self._of:
            self._longest[word[0]] = max(len(word), self._longest.get(word[0], 0))

    def traits(self, text: str) -> frozenset[str]:
        """What tells danger from none."""
        framed = f"^{text}$"
        pairs = (framed[at : at + 2] for at in range(len(framed) - 1))
        classes = sorted(self._classes(text))
        joined = (one + other for one, other in combinations(classes, 2))
        return frozenset((*framed, *pairs, *classes, *joined))

    def marks(self, text: str) -> frozenset[str]:
        """What tells one kind of danger from another."""
        return frozenset((ALWAYS, *text, *self._classes(text)))

    def _classes(self, text: str) -> set[str]:
        return {f"<{name}>" for name in self._named(text)}

    def _named(self, text: str) -> Iterator[str]:
        for start, first in enumerate(text):
            lengths = range(1, self._longest.get(first, 0) + 1)
            words = {text[start : start + length] for length in lengths} & self._of.keys()
            sign = "!" if words and text.endswith(NEGATIONS, 0, start) else ""
            yield from (sign + name for word in words for name in self._of[word])


@dataclass(frozen=True, slots=True)
class Sense:
    """Weights by trait. From `alarm` up somebody is in danger; below `calm` nobody is, even where
    a rule thinks so. `kinds` weighs the marks of a text, to name the kind of danger."""

    vocabulary: Vocabulary = field(repr=False)
    weights: Mapping[str, float] = field(repr=False)
    kinds: Mapping[str, Mapping[str, float]] = field(repr=False)
    bias: float
    alarm: float
    calm: float

    def __post_init__(self) -> None:
        if self.calm >= self.alarm:
            raise ValueError("calm must lie below alarm")
        if not self.kinds:
            raise ValueError("a sense needs kinds of danger to name")

    def score(self, text: str) -> float:
        """Above 0 danger is likelier than not."""
        return clearest([self._score(reading) for reading in readings(text)])

    def _score(self, text: str) -> float:
        """Damped by length, or a long talk would shout."""
        traits = self.vocabulary.traits(text)
        known = [self.weights[trait] for trait in traits if trait in self.weights]
        return self.bias + sum(known) / sqrt(max(len(known), 1))

    def kind(self, text: str) -> str:
        marks = self.vocabulary.marks(readings(text)[0])

        def likelihood(kind: str) -> float:
            return sum(self.kinds[kind].get(mark, 0.0) for mark in marks)

        return max(self.kinds, key=likelihood)
