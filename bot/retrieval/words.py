"""The words staff list for search, and whether a question and an entry speak of other things."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

Concepts = Mapping[str, frozenset[str]]  # class → what of it a text names: {"organ": {"叶"}}

CROP, ORGAN = "crop", "organ"  # the classes that can keep an entry from a question

# Of 8849 stored phrasings, each taken out of its own entry, 0.5 % conflict with it; counting every
# part an entry merely mentions made it 1.1 %. Of wrong first entries by BM25, 4 % conflict.
_MUCH = 0.3


@dataclass(frozen=True, slots=True)
class Words:
    """`standards`: a word and what else people say for it. `by_sound`: terms to be known from a
    slip that sounds alike. `whole`: words that are no slips, nor named by what stands in them.
    `classes`: class → concept → words."""

    standards: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    by_sound: tuple[str, ...] = ()
    whole: tuple[str, ...] = ()
    classes: Mapping[str, Mapping[str, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Subject:
    """What an entry speaks of: `named` anywhere, `about` in its title or in much of its text."""

    named: Concepts
    about: Concepts

    @classmethod
    def of(cls, title: Concepts, questions: Sequence[Concepts]) -> Self:
        named, about = {}, {}
        for name, in_title in title.items():
            counts = Counter(concept for each in questions for concept in each[name])
            named[name] = in_title.union(counts)
            most = {concept for concept, count in counts.items() if count >= _MUCH * len(questions)}
            about[name] = in_title | most
        return cls(named, about)


def conflict(question: Concepts, entry: Subject) -> str | None:
    """The class that speaks against the entry, if any: the question names crops, and the entry only
    others; or it names one part, and the entry is about others and nowhere names this one."""
    crops, parts = question.get(CROP, frozenset()), question.get(ORGAN, frozenset())
    if crops and entry.named.get(CROP) and not crops & entry.named[CROP]:
        return CROP
    if len(parts) == 1 and entry.about.get(ORGAN) and not parts & entry.named[ORGAN]:
        return ORGAN
    return None
