"""The searchable form of a knowledge base; the one module that knows FAISS."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import faiss
import numpy as np
from numpy.typing import NDArray

from bot.domain import Entry, KnowledgeBase, OutOfScope
from bot.retrieval.embedder import Embedder, Vectors
from bot.retrieval.vectors import VectorCache

# An entry scores by the mean of its three best units. With the bundled model and 42 entries, a
# phrasing left out of the index found its entry first in 64 of 100 cases, by the best unit alone
# in 54; at 3 wrong in 100 answered, 109 of 673 could be answered instead of 2 (November 2026).
UNITS_COUNTED = 3

Owner = TypeVar("Owner")
Texts = tuple[Owner, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Hit(Generic[Owner]):
    """What was found, the mean score of its three best units, and the text of the best."""

    owner: Owner
    score: float
    text: str


class Index:
    """An immutable snapshot: a knowledge base and the vectors of its units, which are an entry's
    title, phrasings and short answer, and the questions of an out-of-scope rule.

    Scores come from exact inner products, which are cosines because vectors have length 1.
    """

    def __init__(
        self,
        base: KnowledgeBase,
        fingerprint: str,
        entries: _Shelf[Entry],
        out_of_scope: _Shelf[OutOfScope],
    ) -> None:
        self.base = base
        self.fingerprint = fingerprint
        self._entries = entries
        self._out_of_scope = out_of_scope

    @classmethod
    def build(
        cls,
        base: KnowledgeBase,
        embedder: Embedder,
        cache: VectorCache,
        progress: Callable[[int, int], None] | None = None,
    ) -> Index:
        """Takes as long as the new texts need; `progress` as in VectorCache.passages."""
        entries, rules = _entry_texts(base), _rule_texts(base)
        of_entries = [text for _, texts in entries for text in texts]
        of_rules = [text for _, texts in rules for text in texts]
        vectors = cache.passages(embedder, of_entries + of_rules, progress)
        border = len(of_entries)
        shelves = _Shelf(entries, vectors[:border]), _Shelf(rules, vectors[border:])
        return cls(base, embedder.fingerprint, *shelves)

    def __len__(self) -> int:
        """How many units can be found."""
        return len(self._entries) + len(self._out_of_scope)

    def search(self, query: Vectors, top_k: int) -> list[Hit[Entry]]:
        """The `top_k` best entries for one query vector, best first; of equals the lower id."""
        return self._entries.best(query, top_k)

    def nearest_out_of_scope(self, query: Vectors) -> Hit[OutOfScope] | None:
        return next(iter(self._out_of_scope.best(query, 1)), None)


class _Shelf(Generic[Owner]):
    """Owners of texts and, in the same order, the vectors of the texts."""

    def __init__(self, owners: Sequence[Texts[Owner]], vectors: Vectors) -> None:
        self._owners = [owner for owner, _ in owners]
        self._texts = [text for _, texts in owners for text in texts]
        self._places = _places([len(texts) for _, texts in owners])
        self._flat: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(vectors)

    def __len__(self) -> int:
        return len(self._texts)

    def best(self, query: Vectors, count: int) -> list[Hit[Owner]]:
        """At most `count` owners, best first; of equals the first comes first."""
        if not self._owners:
            return []
        scores = self._scores(query)[self._places]
        order_within = np.argsort(-scores, axis=1, kind="stable")[:, :UNITS_COUNTED]
        means = np.nanmean(np.take_along_axis(scores, order_within, axis=1), axis=1)
        winners = np.take_along_axis(self._places, order_within[:, :1], axis=1)[:, 0]
        return [
            Hit(self._owners[row], float(means[row]), self._texts[winners[row]])
            for row in np.argsort(-means, kind="stable")[:count].tolist()
        ]

    def _scores(self, query: Vectors) -> NDArray[np.float32]:
        """The score of every unit and, behind the last, NaN for the places without a unit."""
        found, rows = self._flat.search(query.reshape(1, -1), len(self._texts))
        scores = np.full(len(self._texts) + 1, np.nan, np.float32)
        scores[rows[0]] = found[0]
        return scores


def _places(sizes: list[int]) -> NDArray[np.intp]:
    """The numbers of every owner's units, one row each, filled up with the number after the
    last."""
    counts = np.array(sizes, np.intp)[:, None]
    columns = np.arange(max(sizes, default=0))
    return np.where(columns < counts, np.cumsum(counts)[:, None] - counts + columns, counts.sum())


def _entry_texts(base: KnowledgeBase) -> list[Texts[Entry]]:
    """In the order of ids, so that equal scores fall out alike whatever was read first."""
    return [
        (entry, (entry.title, *entry.questions, entry.short_answer))
        for _, entry in sorted(base.entries.items())
    ]


def _rule_texts(base: KnowledgeBase) -> list[Texts[OutOfScope]]:
    return [
        (rule, rule.questions)
        for _, domain in sorted(base.domains.items())
        for rule in domain.out_of_scope
    ]
