"""The knowledge of the moment: loaded, indexed, and replaced while the bot runs."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.app.calendar import today
from bot.domain import Kept, KnowledgeBase, Picture, Problem
from bot.errors import KnowledgeError
from bot.knowledge import Lists, Reader, Watch, banned, shelve, unsafe, worries
from bot.retrieval.embedder import Embedder, Vectors
from bot.retrieval.index import Index
from bot.retrieval.judge import Judge
from bot.retrieval.normalising import Normaliser
from bot.retrieval.retriever import Retriever
from bot.retrieval.vectors import Role, VectorCache

logger = logging.getLogger(__name__)

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Status:
    """What staff see of the knowledge folder: good, or what to mend while the old one serves."""

    revision: str
    entries: int
    at: datetime
    problems: tuple[Problem, ...] = ()

    def as_note(self) -> dict[str, Any]:
        return {
            "ok": not self.problems,
            "revision": self.revision,
            "entries": self.entries,
            "problems": [str(problem) for problem in self.problems],
            "at": self.at.isoformat(),
        }


class Bookshelf:
    """Builds an index aside and swaps one pointer; the last good one stays on any failure."""

    def __init__(
        self,
        folder: Path,
        embedder: Embedder,
        judge: Judge,
        cache: VectorCache,
        normaliser: Normaliser,
    ) -> None:
        self._embedder = embedder
        self._judge = judge
        self._cache = cache
        self._normaliser = normaliser
        self._folder = folder
        self._watch = Watch(folder)
        self._reader = Reader(folder)
        self._seen = ""
        self._lists = Lists()
        self._retriever: Retriever | None = None

    @property
    def retriever(self) -> Retriever:
        if self._retriever is None:
            raise RuntimeError("open() comes first")
        return self._retriever

    def retriever_by(self, judge: Judge, index: Index) -> Retriever:
        return Retriever(self._embedder, judge, index)

    def query_vectors(self, texts: Sequence[tuple[Role, str]]) -> Vectors:
        return self._cache.vectors(self._embedder, texts)

    def worries(self, text: str, domain: str | None) -> tuple[str, ...]:
        """See `bot.knowledge.worries`, by the list of what law bans as it was read last."""
        return worries(text, domain, self._lists)

    def plain(self, text: str) -> str:
        return self._normaliser.plain(text)

    def picture(self, name: str) -> Picture | None:
        return self.retriever.index.base.pictures.get(name)

    def keep(self, kept: Kept) -> Path:
        """See `bot.knowledge.shelve`; the watch takes it over like any other change."""
        return shelve(self._folder, kept, self.retriever.index.base.domains[kept.domain])

    def open(self, now: datetime, progress: Progress | None = None) -> Status:
        """The first index; raises KnowledgeError where there is no good one to fall back on."""
        self._seen = self._watch.fingerprint()
        index, guard = self._build(progress), self._normaliser.conflict
        self._retriever = Retriever(self._embedder, self._judge, index, guard)
        return self._status(now)

    def refresh(self, now: datetime) -> Status | None:
        """Look at the folder; None where nothing has changed since the last look."""
        seen = self._watch.fingerprint()
        if seen == self._seen:
            return None
        try:
            self.retriever.swap(self._build())
        except KnowledgeError as error:
            self._seen = seen
            count = len(error.problems)
            logger.error("knowledge not replaced, %d problems:\n%s", count, error)  # noqa: TRY400 - the list says it all
            return self._status(now, error.problems)
        self._seen = seen  # only now: anything unforeseen above is tried again at the next look
        logger.info("knowledge replaced: %s", self.retriever.index.base.revision[:12])
        return self._status(now)

    def _build(self, progress: Progress | None = None) -> Index:
        base = self._reader.load(lambda reading: unsafe(reading, self._folder, today()))
        self._lists, _ = banned(self._folder)
        return self.index_of(base, progress)

    def index_of(self, base: KnowledgeBase, progress: Progress | None = None) -> Index:
        return Index.build(
            base, self._embedder, self._cache, progress, plain=self._normaliser.plain
        )

    def _status(self, now: datetime, problems: tuple[Problem, ...] = ()) -> Status:
        base = self.retriever.index.base
        return Status(base.revision, len(base.entries), now, problems)
