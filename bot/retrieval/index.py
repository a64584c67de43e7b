"""The searchable form of a knowledge base: what speaks for every entry, each kind by its name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bot.domain import Entry, KnowledgeBase, OutOfScope
from bot.retrieval.dense import Dense
from bot.retrieval.embedder import Embedder, Vectors
from bot.retrieval.lexical import Bm25, Leaning, Scores, terms
from bot.retrieval.vectors import Role, VectorCache

# What the vectors say beside what the characters say, both in standard deviations over entries.
# Chosen on our own check questions (tests/questions): flat from 1.0 to 1.5.
DENSE_WEIGHT = 1.2
# What the question before found counts, for one that goes on from it: flat from 0.5 to 0.7.
AFTER_WEIGHT = 0.6
_FLAT = 2.0  # a domain scores by the soft maximum of its entries, in standard deviations
_MOST_NAMED = 4  # characters of a domain's words that count, one standard deviation each
# Words that point at something said before.
_LEANING = re.compile(
    "^[那它他她这还再]|^要是|^然后|那[个种样些点]|这[个种样些]|它|剩下?的|后头|接着"
)
_VOTERS = 10
_LEAST_SPREAD = 1e-6

Plain = Callable[[str], str]
Unit = tuple[int, int]  # number of an owner, number of one of its texts


@dataclass(frozen=True, slots=True)
class Evidence:
    """What one question met. `order` are the entries' numbers, best first, by `fused`; `signals`
    tell how well the first of them fits."""

    order: NDArray[np.intp]
    fused: Scores
    own: Scores  # without what the question before adds
    nearest: Sequence[str]  # of every entry, the text nearest to the question
    signals: Mapping[str, float]
    domain: str  # the one that the question most likely belongs to
    rule: OutOfScope | None  # the known question without an answer that is nearest
    rule_lead: float  # by how much it is ahead of the best entry


class Index:
    """An immutable snapshot. Its owners of texts are the entries by id (title, phrasings, short
    answer, paragraphs), then the out-of-scope rules, and last the questions without an answer."""

    def __init__(
        self, base: KnowledgeBase, fingerprint: str, vectors: Vectors, plain: Plain
    ) -> None:
        self.base = base
        self.fingerprint = fingerprint
        self.entries = tuple(entry for _, entry in sorted(base.entries.items()))
        self.rules = tuple(rule for rule, _ in _rules(base))
        self.texts = _texts(base)
        self._starts = np.cumsum([0, *map(len, self.texts)])
        self._every_text = [text for texts in self.texts for _, text in texts]
        self._dense = Dense(vectors, [len(texts) for texts in self.texts])
        self._plain = plain
        self._lexical = Bm25([[plain(text) for _, text in texts] for texts in self.texts[:-1]])
        answered = [[plain(q) for q in entry.questions] for entry in self.entries]
        without_answer = self.texts[len(self.entries) :]
        unanswered = [plain(text) for texts in without_answer for _, text in texts]
        self._leaning = Leaning(answered, unanswered)
        self._domains = np.array([entry.domain for entry in self.entries])

    @classmethod
    def build(
        cls,
        base: KnowledgeBase,
        embedder: Embedder,
        cache: VectorCache,
        progress: Callable[[int, int], None] | None = None,
        *,
        plain: Plain = str,
    ) -> Index:
        """Takes as long as the new texts need; `progress` as in VectorCache.vectors. What words
        say is compared after `plain`, which puts them in standard form."""
        texts = [text for texts in _texts(base) for text in texts]
        return cls(base, embedder.fingerprint, cache.vectors(embedder, texts, progress), plain)

    def __len__(self) -> int:
        """How many texts can be found."""
        return len(self._dense)

    def weigh(
        self,
        query: Vectors,
        text: str,
        *,
        without: Unit | None = None,
        after: Scores | None = None,
    ) -> Evidence:
        """Look at every entry; there must be one. `without` leaves one text out; `after` is
        what the question before found, where this one may go on from it."""
        count, owner = len(self.entries), without[0] if without else -1
        number = int(self._starts[owner] + without[1]) if without else None
        near, nearest, texts = self._dense.look(query, number)
        text, out = self._plain(text), None
        if without and owner < count:
            out = owner, self._plain(self.texts[owner][without[1]][1])
        said = self._lexical.scores(text, out)
        dense, lexical = _standard(near[:-1], count), _standard(said, count)
        fused = lexical + DENSE_WEIGHT * dense
        own = fused[:count]
        if after is not None:
            fused = np.concatenate([own + AFTER_WEIGHT * after, fused[count:]])
        order = np.argsort(-fused[:count], kind="stable")
        rules = fused[count:]
        best_rule = int(np.argmax(rules)) if len(rules) else None
        before = None if after is None else int(np.argmax(after))
        parts = _Parts(
            near, nearest, said, dense[:count], lexical[:count], fused[:count], own, order, before
        )
        return Evidence(
            order,
            fused[:count],
            own,
            [self._every_text[one] for one in texts[:count].tolist()],
            self._signals(text, parts),
            self._domain(text, parts.fused),
            None if best_rule is None else self.rules[best_rule],
            -np.inf if best_rule is None else float(rules[best_rule] - fused[order[0]]),
        )

    def glance(self, text: str) -> tuple[Entry, float]:
        """The entry that the characters alone point to, and how far it stands out in standard
        deviations; takes a tenth of `weigh` and no vector."""
        said = _standard(self._lexical.scores(self._plain(text)), len(self.entries))
        best = int(np.argmax(said[: len(self.entries)]))
        return self.entries[best], float(said[best])

    def _signals(self, text: str, parts: _Parts) -> dict[str, float]:
        order, fused, best = parts.order, parts.fused, int(parts.order[0])
        second, fourth = order[min(1, len(order) - 1)], order[min(3, len(order) - 1)]
        share = np.exp(fused - fused[best])
        held, unheard = self._lexical.coverage(text, best)
        mass = self._lexical.mass(text) * self._lexical.most
        voters = self._domains[order[:_VOTERS]]
        named, named_others = self._named(text, self.entries[best].domain)
        return {
            "fused": float(fused[best]),
            "lead": float(fused[best] - fused[second]),
            "lead_of_four": float(fused[best] - fused[fourth]),
            "share": float(1 / share.sum()),
            "sharp_share": float(1 / (share**2).sum()),
            "near": float(parts.near[best]),
            "nearest": float(parts.nearest[best]),
            "nearer_elsewhere": float(parts.nearest[: len(order)].max() - parts.nearest[best]),
            "covered": held,
            "saturation": float(parts.said[best]) / (mass or 1.0),
            "unheard": unheard,
            "dense_rank": float(np.log1p((parts.dense > parts.dense[best]).sum())),
            "lexical_rank": float(np.log1p((parts.lexical > parts.lexical[best]).sum())),
            "dense": float(parts.dense[best]),
            "lexical": float(parts.lexical[best]),
            "dense_lead": _lead(parts.dense),
            "lexical_lead": _lead(parts.lexical),
            "one_subject": float((voters == self._domains[best]).mean()),
            "pulled": float(parts.own.max() - parts.own[best]),
            "leans": float(len(_LEANING.findall(text))),
            "stays": float(best == parts.before),
            "linked": float(parts.before is not None and self._are_linked(best, parts.before)),
            "length": float(np.log1p(len(terms(text)))),
            "sounds_unanswerable": self._leaning.of(text),
            "near_unanswerable": float(parts.near[-1]),
            "nearer_unanswerable": float(parts.near[-1] - parts.near[best]),
            "names_subject": named,
            "names_others": named_others,
        }

    def _domain(self, text: str, fused: Scores) -> str:
        scores = {
            name: _soft_maximum(fused[self._domains == name])
            + min(domain.named_in(text), _MOST_NAMED)
            for name, domain in self.base.domains.items()
            if (self._domains == name).any()
        }
        return max(scores, key=scores.__getitem__)

    def _are_linked(self, one: int, other: int) -> bool:
        entry, id_ = self.entries[one], self.entries[other].id
        return id_ in entry.confusable_with or id_ in entry.see_also

    def _named(self, text: str, domain: str) -> tuple[float, float]:
        """Whether the question names the entry's subject, and whether it names another."""
        named = {name for name, one in self.base.domains.items() if one.named_in(text)}
        return float(domain in named), float(bool(named - {domain}))


@dataclass(frozen=True, slots=True)
class _Parts:
    near: Scores  # of every owner, the mean of its nearest texts; the last are the unanswerable
    nearest: Scores
    said: Scores
    dense: Scores  # of entries, in standard deviations
    lexical: Scores
    fused: Scores
    own: Scores
    order: NDArray[np.intp]
    before: int | None  # the best entry of the question before


def _soft_maximum(scores: Scores) -> float:
    most = float(scores.max())
    return most + _FLAT * float(np.log(np.exp((scores - most) / _FLAT).sum()))


def _standard(scores: Scores, count: int) -> Scores:
    """In standard deviations of the first `count`, the entries."""
    spread = max(float(scores[:count].std()), _LEAST_SPREAD)
    standard: Scores = (scores - scores[:count].mean()) / spread
    return standard


def _lead(scores: Scores) -> float:
    first = np.sort(scores)[::-1][:2]
    return float(first[0] - first[-1])


def _texts(base: KnowledgeBase) -> list[list[tuple[Role, str]]]:
    """The texts of every owner, with what they are to the model: asked or told."""
    entries = [_entry_texts(entry) for _, entry in sorted(base.entries.items())]
    rules = [texts for _, texts in _rules(base)]
    return [*entries, *rules, [("query", one.text) for one in base.unanswerable]]


def _entry_texts(entry: Entry) -> list[tuple[Role, str]]:
    told = [block.text for block in entry.details if block.kind in {"paragraph", "item"}]
    return [
        ("passage", entry.title),
        *(("query", question) for question in entry.questions),
        *(("passage", text) for text in (entry.short_answer, *told)),
    ]


def _rules(base: KnowledgeBase) -> list[tuple[OutOfScope, list[tuple[Role, str]]]]:
    return [
        (rule, [("query", question) for question in rule.questions])
        for _, domain in sorted(base.domains.items())
        for rule in domain.out_of_scope
    ]
