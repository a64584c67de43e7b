"""The searchable form of a knowledge base; the one module that knows FAISS."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import faiss

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from bot.domain import Entry, KnowledgeBase, OutOfScope
    from bot.retrieval.embedder import Embedder, Vectors
    from bot.retrieval.vectors import VectorCache


@dataclass(frozen=True, slots=True)
class EntryUnit:
    """A text by which an entry is found: its title, a phrasing or its short answer."""

    text: str
    entry: Entry


@dataclass(frozen=True, slots=True)
class OutOfScopeUnit:
    """A question by which an out-of-scope rule is found."""

    text: str
    rule: OutOfScope


class Index:
    """An immutable snapshot: a knowledge base and the vectors of its units. Scores are exact
    inner products, which are cosines because vectors have length 1."""

    def __init__(
        self,
        base: KnowledgeBase,
        fingerprint: str,
        entries: _Shelf[EntryUnit],
        out_of_scope: _Shelf[OutOfScopeUnit],
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
        entries, out_of_scope = list(_entry_units(base)), list(_out_of_scope_units(base))
        texts = [unit.text for unit in (*entries, *out_of_scope)]
        vectors = cache.passages(embedder, texts, progress)
        return cls(
            base,
            embedder.fingerprint,
            _Shelf(entries, vectors[: len(entries)]),
            _Shelf(out_of_scope, vectors[len(entries) :]),
        )

    def __len__(self) -> int:
        """How many units can be found."""
        return len(self._entries.units) + len(self._out_of_scope.units)

    def search(self, query: Vectors, top_k: int) -> list[tuple[EntryUnit, float]]:
        """The best unit of each of the `top_k` best entries for one query vector, best first."""
        wanted = min(top_k, len(self.base.entries))
        count = 4 * wanted
        while True:
            best: dict[str, tuple[EntryUnit, float]] = {}
            for unit, score in self._entries.nearest(query, count):
                best.setdefault(unit.entry.id, (unit, score))
            if len(best) >= wanted or count >= len(self._entries.units):
                return list(best.values())[:wanted]
            count *= 4  # one entry's phrasings took all the places

    def nearest_out_of_scope(self, query: Vectors) -> tuple[OutOfScopeUnit, float] | None:
        return next(iter(self._out_of_scope.nearest(query, 1)), None)


class _Shelf[Unit]:
    """Units and, in the same order, their vectors."""

    def __init__(self, units: Sequence[Unit], vectors: Vectors) -> None:
        self.units = units
        self._flat: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(vectors)

    def nearest(self, query: Vectors, count: int) -> list[tuple[Unit, float]]:
        """At most `count` units, best first; of equals the first comes first."""
        count = min(count, len(self.units))
        if not count:
            return []
        scores, rows = self._flat.search(query.reshape(1, -1), count)
        found = sorted(zip(scores[0].tolist(), rows[0].tolist(), strict=True), key=_best_first)
        return [(self.units[row], score) for score, row in found]


def _best_first(hit: tuple[float, int]) -> tuple[float, int]:
    score, row = hit
    return -score, row


def _entry_units(base: KnowledgeBase) -> Iterator[EntryUnit]:
    """In the order of ids, so that equal scores fall out alike whatever was read first."""
    for _, entry in sorted(base.entries.items()):
        for text in (entry.title, *entry.questions, entry.short_answer):
            yield EntryUnit(text, entry)


def _out_of_scope_units(base: KnowledgeBase) -> Iterator[OutOfScopeUnit]:
    for _, domain in sorted(base.domains.items()):
        for rule in domain.out_of_scope:
            for text in rule.questions:
                yield OutOfScopeUnit(text, rule)
