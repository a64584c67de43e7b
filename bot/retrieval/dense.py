"""What the vectors say: the nearest texts of every owner; the one module that knows FAISS."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray

from bot.retrieval.embedder import Vectors

# An owner scores by the mean of its five nearest texts: one phrasing may be near by chance.
COUNTED = 5
_NOTHING = -2.0  # below any cosine


class Dense:
    """Vectors of texts, owned in runs: the first `sizes[0]` belong to owner 0, and so on.

    All vectors are centred: e5 vectors share one strong direction, which says nothing. Scores are
    exact cosines of what is left.
    """

    def __init__(self, vectors: Vectors, sizes: Sequence[int]) -> None:
        self._mean = (
            vectors.mean(axis=0) if len(vectors) else np.zeros(vectors.shape[1], np.float32)
        )
        self._flat: Any = faiss.IndexFlatIP(vectors.shape[1])
        self._flat.add(self.centred(vectors))
        held = faiss.rev_swig_ptr(self._flat.get_xb(), len(vectors) * vectors.shape[1])
        self._rows: Vectors = held.reshape(vectors.shape)
        self._places = _places(sizes)

    def __len__(self) -> int:
        return int(self._flat.ntotal)

    def centred(self, vectors: Vectors) -> Vectors:
        rows = vectors - self._mean
        lengths = np.linalg.norm(rows, axis=1, keepdims=True)
        return np.ascontiguousarray(rows / np.maximum(lengths, np.finfo(np.float32).tiny))

    def look(self, query: Vectors, without: int | None = None) -> tuple[Vectors, Vectors, Any]:
        """For every owner the mean of its nearest texts, the nearest, and which text that is;
        `without` leaves one text out."""
        scores = np.full(len(self) + 1, _NOTHING, np.float32)
        centred = self.centred(query.reshape(1, -1))[0]
        # All products as they come: FAISS's own search would spend its time on sorting them.
        np.matmul(self._rows, centred, out=scores[:-1])
        if without is not None:
            scores[without] = _NOTHING
        own = scores[self._places]
        nearest = -np.sort(-own, axis=1)[:, :COUNTED]
        is_there = nearest > _NOTHING
        means = (nearest * is_there).sum(axis=1) / np.maximum(is_there.sum(axis=1), 1)
        winners = np.argmax(own, axis=1)[:, None]
        texts = np.take_along_axis(self._places, winners, axis=1)[:, 0]
        return np.where(is_there[:, 0], means, -1.0).astype(np.float32), nearest[:, 0], texts


def _places(sizes: Sequence[int]) -> NDArray[np.intp]:
    """The numbers of every owner's texts, one row each, filled up with the number after the
    last."""
    counts = np.array(sizes, np.intp)[:, None]
    columns = np.arange(max(sizes, default=0))
    return np.where(columns < counts, np.cumsum(counts)[:, None] - counts + columns, counts.sum())
