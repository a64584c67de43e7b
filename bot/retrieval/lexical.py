"""What the characters say: BM25 over entries, and whether a question sounds answerable at all.

The terms are runs of one and two characters; Chinese needs no word splitter for that, and a slip
spoils three terms instead of a whole word. A term is a number made of its code points.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csc_matrix, csr_matrix

Scores = NDArray[np.float32]
Terms = NDArray[np.int64]  # ascending, each once

# BM25 (Robertson and Zaragoza, 2009, eq. 3.15). An entry's text is its units, and a term counts
# once a unit; with some forty phrasings an entry, counts go on telling far beyond the usual 1.2.
K1 = 6.0
B = 0.3
_NOISE = re.compile(r"[^\w\n]+|_+")
_SIGN_BITS = 21  # hold every code point
_LINE_BITS = 20
_FEWEST_TERMS = 6  # a fragment of two characters is no evidence for either side
_PRIOR = 600.0  # terms' worth of belief that answerable and unanswerable sound alike


@lru_cache(maxsize=1 << 8)  # each is asked for several times
def terms(text: str) -> Terms:
    """The runs of one and two characters, without punctuation, width and case; not to be
    changed."""
    return _count((text,))[0]


def _count(texts: tuple[str, ...]) -> tuple[Terms, Scores]:
    """The terms of the texts, and how many of the texts hold each; not to be changed."""
    joined = "\n".join(text.replace("\n", " ") for text in texts)
    bare = _NOISE.sub("", unicodedata.normalize("NFKC", joined).lower())
    signs = np.frombuffer(bare.encode("utf-32-le", "surrogatepass"), np.uint32).astype(np.int64)
    is_break = signs == ord("\n")
    line = np.cumsum(is_break)
    is_pair = ~(is_break[:-1] | is_break[1:])
    pairs = (signs[:-1] << _SIGN_BITS | signs[1:])[is_pair]
    found = np.concatenate([signs[~is_break], pairs])
    held_by = np.concatenate([line[~is_break], line[:-1][is_pair]])
    once_a_line = np.unique(found << _LINE_BITS | held_by) >> _LINE_BITS
    each, counts = np.unique(once_a_line, return_counts=True)
    return each, counts.astype(np.float32)


_counted = lru_cache(maxsize=1 << 11)(_count)  # owners of texts: an edit counts only its own anew


def _together(owners: Sequence[tuple[Terms, Scores]]) -> tuple[Terms, Scores, NDArray[np.intp]]:
    """All terms and counts of some owners on end, and where each owner begins."""
    found = np.concatenate([np.zeros(0, np.int64), *(each for each, _ in owners)])
    counts = np.concatenate([np.zeros(0, np.float32), *(count for _, count in owners)])
    return found, counts, np.cumsum([0, *(len(each) for each, _ in owners)])


class Bm25:
    """Scores owners of texts; `owners` lists the texts of each."""

    def __init__(self, owners: Sequence[Sequence[str]]) -> None:
        found, counts, starts = _together([_counted(tuple(texts)) for texts in owners])
        self._terms, rows, among = np.unique(found, return_inverse=True, return_counts=True)
        self._rarity = np.log(1 + (len(owners) - among + 0.5) / (among + 0.5)).astype(np.float32)
        self._unheard = float(np.log(1 + (len(owners) + 0.5) / 0.5))
        owner_of = np.repeat(np.arange(len(owners)), np.diff(starts))
        self._lengths = _summed(owner_of, counts, len(owners)).astype(np.float32)
        self._mean_length = float(self._lengths.mean()) if len(owners) else 1.0
        shape = len(self._terms), len(owners)
        weights = self._weight(rows, counts, self._lengths[owner_of])
        self._counts = csr_matrix(csc_matrix((counts, rows, starts), shape=shape))
        self._weights = csr_matrix(csc_matrix((weights, rows, starts), shape=shape))

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

    def _rows(self, heard: Terms) -> NDArray[np.intp]:
        """Of the terms that some owner has."""
        return _places(self._terms, heard)


class Leaning:
    """Whether a text sounds like those that have no answer (above 0) or like those that have."""

    def __init__(self, answered: Sequence[Sequence[str]], unanswered: Sequence[str]) -> None:
        heard, counts, _ = _together([_counted(tuple(texts)) for texts in answered])
        unheard, refused = _counted(tuple(unanswered))
        both = np.concatenate([heard, unheard])
        self._terms, rows = np.unique(both, return_inverse=True)
        size = len(self._terms)
        yes = _summed(rows[: len(heard)], counts, size)
        no = _summed(rows[len(heard) :], refused, size)
        prior = (yes + no + 1) / ((yes + no).sum() + size)
        self._odds = _log_share(no, prior) - _log_share(yes, prior)

    def of(self, text: str) -> float:
        """Mean log odds of the text's terms."""
        heard = terms(text)
        total = float(self._odds[_places(self._terms, heard)].sum())
        return total / max(len(heard), _FEWEST_TERMS)


def _summed(rows: NDArray[np.intp], counts: Scores, size: int) -> NDArray[np.float64]:
    return np.bincount(rows, counts, size).astype(np.float64)


def _places(known: Terms, heard: Terms) -> NDArray[np.intp]:
    """Where those of the terms heard that are known stand among them."""
    places = np.searchsorted(known, heard)
    return places[known.take(places, mode="clip") == heard] if len(known) else places[:0]


def _log_share(counts: NDArray[np.float64], prior: NDArray[np.float64]) -> NDArray[np.float64]:
    shares: NDArray[np.float64] = np.log((counts + _PRIOR * prior) / (counts.sum() + _PRIOR))
    return shares
