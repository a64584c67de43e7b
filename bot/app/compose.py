"""Builds the parts that every command needs from one configuration."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from bot.app.calendar import now
from bot.app.library import Bookshelf, Progress, Status
from bot.app.rehearsal import Rehearsal
from bot.config import Config
from bot.conversation.asking import Library, Rules
from bot.conversation.turn import Conversation
from bot.escalation.desk import Desk
from bot.escalation.letters import Naming
from bot.escalation.roster import Roster
from bot.retrieval.bundled import unpack
from bot.retrieval.embedder import Embedder, HashingEmbedder, SentenceTransformerEmbedder
from bot.retrieval.vectors import VectorCache

BUNDLED = "bundled"
HASHING = "hashing"  # no model at all: for tests and for trying the screens
MODEL_FOLDER = "multilingual-e5-small"


@dataclass(frozen=True, slots=True)
class Core:
    """Knowledge, rules and desk: what answers, without database or channels."""

    config: Config
    bookshelf: Bookshelf
    status: Status
    library: Library
    naming: Naming
    desk: Desk

    @property
    def rules(self) -> Rules:
        config = self.config
        return Rules(config.policy, config.lexicon, config.dangers, config.answers.whole_within)

    def conversation(self, draw_number: Callable[[], int]) -> Conversation:
        phrases = self.config.phrases
        return Conversation(self.library, self.rules, self.desk, phrases, draw_number)

    def rehearsal(self) -> Rehearsal:
        return Rehearsal(self.library, self.rules, self.desk, self.config.phrases, now)


def build_core(config: Config, progress: Callable[[str], Progress]) -> Core:
    """Load model and knowledge; `progress(what)` gives the callback of a progress bar.

    Raises ModelError and KnowledgeError.
    """
    embedder = open_embedder(config, progress)
    cache = VectorCache(config.data / "vectors.npz")
    bookshelf = Bookshelf(config.knowledge, embedder, cache)
    status = bookshelf.open(now(), progress("编码知识库"))
    retriever = bookshelf.retriever
    library = Library(retriever.search, retriever.entry, retriever.domains)
    naming = _naming(library)
    desk = Desk(Roster(config.commissioners), config.phrases, config.timers, naming)
    return Core(config, bookshelf, status, library, naming, desk)


def open_embedder(config: Config, progress: Callable[[str], Progress]) -> Embedder:
    """The model of the settings; the bundled one is unpacked at its first use."""
    chosen = config.embedder
    if chosen.model == HASHING:
        return HashingEmbedder()
    model = chosen.model
    if model == BUNDLED:
        folder = config.data / "models" / MODEL_FOLDER
        model = str(unpack(folder, progress=progress("解开向量模型")))
    return SentenceTransformerEmbedder.load(
        model, query_prefix=chosen.query_prefix, passage_prefix=chosen.passage_prefix
    )


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
