"""Builds the parts that every command needs from one configuration."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import TypedDict

from bot.app.calendar import now
from bot.app.library import Bookshelf, Progress, Status
from bot.app.rehearsal import Rehearsal
from bot.config import Config, EmbedderShape
from bot.conversation.asking import Rules
from bot.conversation.decision import Policy
from bot.conversation.turn import Conversation
from bot.conversation.understanding import Library
from bot.errors import ModelError
from bot.escalation.desk import Desk
from bot.escalation.letters import Naming
from bot.escalation.roster import Roster
from bot.retrieval.adapter import SHIPPED
from bot.retrieval.batching import BatchingEmbedder
from bot.retrieval.bundled import OPENVINO, TORCH, Form, identity, unpack
from bot.retrieval.embedder import Embedder, HashingEmbedder, SentenceTransformerEmbedder
from bot.retrieval.judge import Judge
from bot.retrieval.normalising import Normaliser
from bot.retrieval.openvino_embedder import OpenVinoEmbedder
from bot.retrieval.vectors import VectorCache

BUNDLED = "bundled"
HASHING = "hashing"  # no model at all: for tests and for trying the screens

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Core:
    """Knowledge, rules and desk: what answers, without database or channels."""

    config: Config
    bookshelf: Bookshelf
    status: Status
    library: Library
    naming: Naming
    desk: Desk
    judge: Judge

    @property
    def rules(self) -> Rules:
        config = self.config
        policy = Policy(
            answer_at=self.judge.answer_at,
            offer_at=self.judge.offer_at,
            after_at=self.judge.after_at,
            other_subjects=config.other_subjects,
        )
        answers = config.answers
        pause = timedelta(seconds=answers.pause)
        is_mute = config.wechat is not None and not config.wechat.pushes
        return Rules(
            policy,
            config.lexicon,
            config.dangers,
            answers.whole_within,
            pause,
            config.targets,
            mute=frozenset({"wechat"} if is_mute else ()),
        )

    def conversation(self, draw_number: Callable[[], int]) -> Conversation:
        phrases = self.config.phrases
        return Conversation(self.library, self.rules, self.desk, phrases, draw_number)

    def rehearsal(self) -> Rehearsal:
        return Rehearsal(self.library, self.rules, self.desk, self.config.phrases, now)


def build_core(
    config: Config,
    progress: Callable[[str], Progress],
    *,
    judge: Judge | None = None,
    adapter: Path = SHIPPED,
) -> Core:
    """Load model and knowledge; `progress(what)` gives the callback of a progress bar. Without a
    `judge` the shipped one is loaded. An `adapter` that is not there changes nothing.

    Raises ModelError and KnowledgeError.
    """
    embedder, judge = open_embedder(config, progress, adapter), judge or Judge.load()
    cache = VectorCache(config.data / "vectors.npz")
    normaliser = Normaliser(config.words)
    bookshelf = Bookshelf(config.knowledge, embedder, judge, cache, normaliser)
    status = bookshelf.open(now(), progress("编码知识库"))
    retriever = bookshelf.retriever
    library = Library(
        retriever.search, retriever.apart, retriever.entry, retriever.domains, bookshelf.worries
    )
    naming = _naming(library)
    desk = Desk(Roster(config.commissioners), config.phrases, config.timers, naming)
    return Core(config, bookshelf, status, library, naming, desk, judge)


def open_embedder(
    config: Config, progress: Callable[[str], Progress], adapter: Path = SHIPPED
) -> Embedder:
    """The model of the settings; the bundled one is unpacked at first use. Raises ModelError."""
    chosen = config.embedder
    if chosen.model == HASHING:
        return HashingEmbedder()
    if chosen.model == BUNDLED:
        return BatchingEmbedder(_bundled(config, adapter, progress("解开向量模型")))
    if chosen.backend == "openvino":
        raise ModelError("embedder.backend: openvino 只能配自带的模型（model: bundled）。")
    return BatchingEmbedder(SentenceTransformerEmbedder.load(chosen.model, **_prefixes(chosen)))


def bundled_form(chosen: EmbedderShape) -> Form:
    """What is unpacked unless OpenVINO fails."""
    return TORCH if chosen.backend == "torch" else OPENVINO


def _bundled(config: Config, adapter: Path, progress: Progress) -> Embedder:
    chosen, models = config.embedder, config.data / "models"
    if bundled_form(chosen) is OPENVINO:
        try:
            form = replace(OPENVINO, adapter=adapter)
            folder = unpack(models / form.folder, form, progress=progress)
            known = identity(folder)
            return OpenVinoEmbedder.load(folder, identity=known, **_prefixes(chosen))
        except ModelError as error:
            if chosen.backend == "openvino":
                raise
            logger.warning("OpenVINO can't be used, slower torch takes over: %s", error)
    form = replace(TORCH, adapter=adapter)
    folder = unpack(models / form.folder, form, progress=progress)
    known = identity(folder)
    return SentenceTransformerEmbedder.load(folder, identity=known, **_prefixes(chosen))


class _Prefixes(TypedDict):
    query_prefix: str
    passage_prefix: str


def _prefixes(chosen: EmbedderShape) -> _Prefixes:
    return {"query_prefix": chosen.query_prefix, "passage_prefix": chosen.passage_prefix}


def _naming(library: Library) -> Naming:
    def entry(entry_id: str) -> str:
        found = library.entry(entry_id)
        return found.title if found else entry_id

    def domain(domain_id: str | None) -> str:
        found = library.domains().get(domain_id or "")
        return found.title if found else "没分出领域"

    def speciality(domain_id: str | None) -> str | None:
        found = library.domains().get(domain_id or "")
        return found.speciality if found else None

    return Naming(entry, domain, speciality)
