"""Search as the conversation asks for it, over whichever snapshot is current."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter

from bot.domain import Domain, Entry, Findings, Match, Part
from bot.retrieval.embedder import Embedder
from bot.retrieval.index import Evidence, Index
from bot.retrieval.judge import Judge
from bot.retrieval.parting import CLEAR, MARKED, Halves, Split, splits

Guard = Callable[[str, Entry], str | None]  # in what a text and an entry contradict each other

_TOP = 10


class Retriever:
    """Any number of threads may search while another swaps the index."""

    def __init__(
        self,
        embedder: Embedder,
        judge: Judge,
        index: Index,
        guard: Guard = lambda *_: None,
    ) -> None:
        self._embedder = embedder
        self._judge = judge
        self._guard = guard
        self.swap(index)

    @property
    def index(self) -> Index:
        return self._index

    def swap(self, index: Index) -> None:
        """Search `index` from now on; a search under way ends on the one it began with."""
        if index.fingerprint != self._embedder.fingerprint:
            raise ValueError("the index was built with another model or prefix")
        self._index = index

    def search(self, text: str, after: str = "") -> Findings:
        """The ten best entries and how likely they are right. `after` is the question before,
        where this text may make sense only as going on from it."""
        return self.explain(text, after)[0] if self._index.entries else Findings()

    def explain(self, text: str, after: str = "") -> tuple[Findings, Evidence]:
        """What `search` gives, with all that led there; the base holds an entry."""
        index = self._index
        evidence = self._weigh(index, text, after)
        return self._findings(index, evidence, text, goes_on=bool(after)), evidence

    def apart(self, text: str, whole: Findings) -> tuple[Part, Part] | None:
        """Two questions in one message and what each finds, what answers the whole best first; None
        where it is most likely one question. `whole` is what `search` gave."""
        halves = self.halves(text)
        if halves is None or halves.first.matches[0].entry == halves.second.matches[0].entry:
            return None
        if self._judge.apart.probability(halves.signals(whole)) < self._judge.part_at:
            return None
        first, second = (halves.cut.first, halves.first), (halves.cut.second, halves.second)
        if halves.second.matches[0].entry == whole.matches[0].entry:
            return second, first
        return first, second

    def halves(self, text: str) -> Halves | None:
        """What the two halves of a text find, cut where their characters point most clearly to
        two entries; the second also read as going on from the first. None where nothing is."""
        index = self._index
        clearest = max(_clear(index, splits(text)), default=None, key=itemgetter(0))
        if clearest is None:
            return None
        clearness, cut = clearest
        first, second = self._embedder.queries([cut.first, cut.second])
        before = index.weigh(first, cut.first)
        alone = self._findings(index, index.weigh(second, cut.second), cut.second)
        evidence = index.weigh(second, cut.second, after=before.own)
        goes_on = self._findings(index, evidence, cut.second, goes_on=True)
        likelier = max(alone, goes_on, key=lambda found: found.right)
        return Halves(cut, clearness, self._findings(index, before, cut.first), likelier)

    def _weigh(self, index: Index, text: str, after: str) -> Evidence:
        if not after:
            return index.weigh(self._embedder.queries([text])[0], text)
        before, query = self._embedder.queries([after, text])
        return index.weigh(query, text, after=index.weigh(before, after).own)

    def _findings(
        self, index: Index, evidence: Evidence, text: str, *, goes_on: bool = False
    ) -> Findings:
        odds = self._judge.odds(evidence.signals, goes_on=goes_on)
        matches = tuple(
            Match(index.entries[one], float(evidence.fused[one]), evidence.nearest[one])
            for one in evidence.order[:_TOP].tolist()
        )
        is_known = not goes_on and evidence.rule_lead >= self._judge.decline_lead
        return Findings(
            matches,
            odds.right,
            odds.among,
            evidence.rule if is_known else None,
            evidence.domain if odds.ours >= self._judge.ours_at else None,
            self._guard(text, matches[0].entry),
        )

    def entry(self, entry_id: str) -> Entry | None:
        return self._index.base.entries.get(entry_id)

    def domains(self) -> Mapping[str, Domain]:
        return self._index.base.domains


def _clear(index: Index, cuts: Sequence[Split]) -> Iterator[tuple[float, Split]]:
    """The cuts whose halves speak of two entries, and how clearly; without a mark between them,
    of two entries of one domain."""
    for cut in cuts if index.entries else ():
        (one, first), (other, second) = index.glance(cut.first), index.glance(cut.second)
        is_apart = one != other and (cut.is_marked or one.domain == other.domain)
        clearness = min(first, second)
        if is_apart and clearness >= CLEAR:
            yield clearness + MARKED * cut.is_marked, cut
