"""Search as the conversation asks for it, over whichever snapshot is current."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain import Domain, Entry, Findings, Match
from bot.retrieval.embedder import Embedder
from bot.retrieval.index import Index


class Retriever:
    """Any number of threads may search while another swaps the index."""

    def __init__(self, embedder: Embedder, index: Index) -> None:
        self._embedder = embedder
        self.swap(index)

    @property
    def index(self) -> Index:
        return self._index

    def swap(self, index: Index) -> None:
        """Search `index` from now on; a search under way ends on the one it began with."""
        if index.fingerprint != self._embedder.fingerprint:
            raise ValueError("the index was built with another model or prefix")
        self._index = index

    def search(self, text: str, *, top_k: int = 10) -> Findings:
        """The `top_k` nearest entries and the nearest out-of-scope question."""
        index = self._index
        query = self._embedder.queries([text])[0]
        hits = index.search(query, top_k)
        matches = tuple(Match(hit.owner, hit.score, hit.text) for hit in hits)
        rule = index.nearest_out_of_scope(query)
        return Findings(matches, rule.owner, rule.score) if rule else Findings(matches)

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.base.entries.get(entry_id)

    def domains(self) -> Mapping[str, Domain]:
        return self._index.base.domains
