"""What the characters say: BM25 over entries, and whether a question sounds answerable at all.

The terms are runs of one and two characters; Chinese needs no word splitter for that, and a slip
spoils three terms instead of a whole word.
"""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix

Scores = NDArray[np.float32]

# BM25 (Robertson and Zaragoza, 2009, eq. 3.15). An entry's text is its units, and a term counts
# once a unit; with some forty phrasings an entry, counts go on telling far beyond the usual 1.2.
K1 = 6.0
B = 0.3
_NOISE = re.compile(r"[\W_]+")
_FEWEST_TERMS = 6  # a fragment of two characters is no evidence for either side
_PRIOR = 600.0  # terms' worth of belief that answerable and unanswerable sound alike


@lru_cache(maxsize=1 << 15)  # the texts of a base of 240 entries: an edit counts only its own anew
def terms(text: str) -> frozenset[str]:
    """The runs of one and two characters, without punctuation, width and case."""
    bare = _NOISE.sub("", unicodedata.normalize("NFKC", text).lower())
    return frozenset(bare) | {bare[at : at + 2] for at in range(len(bare) - 1)}


@lru_cache(maxsize=1 << 11)
def _counted(texts: tuple[str, ...]) -> Counter[str]:
    """How many of the texts hold each term; not to be changed by the caller."""
    return Counter(term for text in texts for term in terms(text))


class Bm25:
    """Scores owners of texts; `owners` lists the texts of each."""

    def __init__(self, owners: Sequence[Sequence[str]]) -> None:
        counts = [_counted(tuple(texts)) for texts in owners]
        spread = Counter(term for each in counts for term in each)
        self._numbers = {term: number for number, term in enumerate(spread)}
        among = np.array([*spread.values()], np.float32)
        self._rarity = np.log(1 + (len(owners) - among + 0.5) / (among + 0.5))
        self._unheard = float(np.log(1 + (len(owners) + 0.5) / 0.5))
        self._lengths = np.array([sum(each.values()) for each in counts], np.float32)
        self._mean_length = float(self._lengths.mean()) if counts else 1.0
        self._counts = self._matrix(counts)
        self._weights = self._counts.copy()
        row_of = np.repeat(np.arange(len(spread)), np.diff(self._counts.indptr))
        owner_of = self._counts.indices
        self._weights.data = self._weight(row_of, self._counts.data, self._lengths[owner_of])

    def _matrix(self, counts: Sequence[Counter[str]]) -> csr_matrix:
        cells = [
            (self._numbers[term], owner, count)
            for owner, each in enumerate(counts)
            for term, count in each.items()
        ]
        rows, columns, data = np.array(cells, np.int64).reshape(-1, 3).T
        shape = len(self._numbers), len(counts)
        return csr_matrix((data.astype(np.float32), (rows, columns)), shape=shape)

    def _weight(self, rows: NDArray[np.intp], counts: Scores, lengths: Scores) -> Scores:
        saturation = K1 * (1 - B + B * lengths / self._mean_length)
        weights: Scores = self._rarity[rows] * counts * (K1 + 1) / (counts + saturation)
        return weights

    def scores(self, text: str, without: tuple[int, str] | None = None) -> Scores:
        """The score of every owner; `without` takes one text out of its owner's."""
        rows = self._rows(terms(text))
        scores = np.asarray(self._weights[rows].sum(axis=0), np.float32).ravel()
        if without:
            owner, left_out = without
            out = self._rows(terms(left_out))
            counts = self._counts[rows, owner].toarray().ravel() - np.isin(rows, out)
            length = np.full(len(rows), self._lengths[owner] - len(out), np.float32)
            scores[owner] = self._weight(rows, counts, length).sum()
        return scores

    def coverage(self, text: str, owner: int) -> tuple[float, float]:
        """By rarity, the share of the text's terms that the owner has, and that nobody has."""
        heard = terms(text)
        rows = self._rows(heard)
        rarity = self._rarity[rows]
        unheard = (len(heard) - len(rows)) * self._unheard
        whole = float(rarity.sum()) + unheard or 1.0  # an empty text
        held = self._counts[rows, owner].toarray().ravel() > 0 if len(rows) else rows
        return float(rarity[held].sum()) / whole if len(rows) else 0.0, unheard / whole

    @property
    def most(self) -> float:
        """What one wholly telling term can add to a score, by its rarity."""
        return K1 + 1

    def mass(self, text: str) -> float:
        """The rarity of all terms of the text."""
        heard = terms(text)
        rows = self._rows(heard)
        return float(self._rarity[rows].sum()) + (len(heard) - len(rows)) * self._unheard

    def _rows(self, heard: Iterable[str]) -> NDArray[np.intp]:
        return np.array([self._numbers[term] for term in heard if term in self._numbers], np.intp)


class Leaning:
    """Whether a text sounds like those that have no answer (above 0) or like those that have."""

    def __init__(self, answered: Sequence[Sequence[str]], unanswered: Sequence[str]) -> None:
        yes: Counter[str] = Counter()
        for texts in answered:
            yes.update(_counted(tuple(texts)))
        no = _counted(tuple(unanswered))
        both = yes + no
        names = list(both)
        prior = np.array([both[term] + 1 for term in names]) / (both.total() + len(both))
        odds = _log_share(no, names, prior) - _log_share(yes, names, prior)
        self._weights: dict[str, float] = dict(zip(names, odds.tolist(), strict=True))

    def of(self, text: str) -> float:
        """Mean log odds of the text's terms."""
        heard = terms(text)
        total = sum(self._weights.get(term, 0.0) for term in heard)
        return total / max(len(heard), _FEWEST_TERMS)


def _log_share(
    counts: Counter[str], names: Sequence[str], prior: NDArray[np.float64]
) -> NDArray[np.float64]:
    seen = np.array([counts[term] for term in names])
    shares: NDArray[np.float64] = np.log((seen + _PRIOR * prior) / (counts.total() + _PRIOR))
    return shares
