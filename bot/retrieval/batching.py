"""Joins the questions that arrive at the same time into one forward pass."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import Future
from functools import lru_cache
from threading import Lock

from bot.retrieval.embedder import Embedder, Vectors

_RECENT = 1024  # rows of 1.5 kB


class BatchingEmbedder:
    """An embedder for many askers: who comes while a pass runs shares the next with all who wait.

    Nobody waits for company: a lone question is embedded at once. One asked again lately is not
    embedded again. Who brings many texts, as a new index does, goes past the queue.
    """

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self._waiting: list[tuple[str, Future[Vectors]]] = []
        self._entering = Lock()
        self._leading = Lock()
        self._recent = lru_cache(_RECENT)(self._joined)

    @property
    def fingerprint(self) -> str:
        return self._embedder.fingerprint

    @property
    def dimension(self) -> int:
        return self._embedder.dimension

    def queries(self, texts: Sequence[str]) -> Vectors:
        if len(texts) == 1:
            return self._recent(texts[0]).copy()
        return self._embedder.queries(texts)

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embedder.passages(texts)

    def _joined(self, text: str) -> Vectors:
        mine: Future[Vectors] = Future()
        with self._entering:
            self._waiting.append((text, mine))
        with self._leading:  # whoever gets here first leads all who wait by then
            if not mine.done():
                self._lead()
        return mine.result()

    def _lead(self) -> None:
        with self._entering:
            batch, self._waiting = self._waiting, []
        try:
            rows = self._embedder.queries([text for text, _ in batch])
        except BaseException as error:  # noqa: BLE001 - those who wait must hear of anything
            for _, asker in batch:
                asker.set_exception(error)
            return
        for number, (_, asker) in enumerate(batch):
            asker.set_result(rows[number : number + 1])
