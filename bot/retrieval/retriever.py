"""Search as the conversation asks for it, over whichever snapshot is current."""

from __future__ import annotations

from collections.abc import Mapping

from bot.domain import Domain, Entry, Findings, Match
from bot.retrieval.embedder import Embedder
from bot.retrieval.index import Evidence, Index
from bot.retrieval.judge import Judge


class Retriever:
    """Any number of threads may search while another swaps the index."""

    def __init__(self, embedder: Embedder, judge: Judge, index: Index) -> None:
        self._embedder = embedder
        self._judge = judge
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
        """The `top_k` best entries, how likely they are right, and the nearest question that is
        known to have no answer, if it leads them."""
        index = self._index
        if not index.entries:
            return Findings()
        return self._findings(index, self._weigh(index, text), top_k)

    def explain(self, text: str) -> tuple[Findings, Evidence]:
        """What `search` gives, with all that led there; the base holds an entry."""
        index = self._index
        evidence = self._weigh(index, text)
        return self._findings(index, evidence, 10), evidence

    def _weigh(self, index: Index, text: str) -> Evidence:
        return index.weigh(self._embedder.queries([text])[0], text)

    def _findings(self, index: Index, evidence: Evidence, top_k: int) -> Findings:
        right, among = self._judge.odds(evidence.signals)
        matches = tuple(
            Match(index.entries[one], float(evidence.fused[one]), evidence.nearest[one])
            for one in evidence.order[:top_k].tolist()
        )
        is_known = evidence.rule_lead >= self._judge.decline_lead
        return Findings(matches, right, among, evidence.rule if is_known else None)

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.base.entries.get(entry_id)

    def domains(self) -> Mapping[str, Domain]:
        return self._index.base.domains
