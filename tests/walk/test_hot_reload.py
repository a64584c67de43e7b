"""Staff edit knowledge while the service runs: good edits go live, broken ones never do harm."""

from __future__ import annotations

import random
import re
import shutil
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.app.compose import Core
from bot.domain import Problem
from bot.store import Store
from tests.knowledge.test_knowledge_mutations import MUTATIONS
from tests.walk.homes import furnish
from tests.walk.samples import answerable
from tests.walk.village import core_of, is_busy, open_village, until

# All but the last, which closes files: to root, who runs CI, they stay open.
RUINS = MUTATIONS[:-1]
RUINED = 210
PLACE = re.compile(r"^knowledge.*?:\d+:\d+ ")
TEXT = "锈病来了先看叶背，这是刚改的一句。"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return furnish(tmp_path / "home", every=8)


@pytest.fixture
def own(home: Path) -> Core:
    """A core of its own: this knowledge is going to change."""
    return core_of(home)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store.open(f"sqlite:///{tmp_path}/notes.db", commissioners=())
    yield opened
    opened.close()


def answered_by(core: Core, question: str) -> Path:
    match = core.library.search(question).matches[0]
    return core.config.knowledge / match.entry.domain / f"{match.entry.id}.md"


def with_short_answer(path: Path, words: str) -> None:
    """Staff save another first paragraph."""
    head, front, body = path.read_text(encoding="utf-8").split("---\n", 2)
    _, rest = body.split("\n", 1)
    path.write_text(f"{head}---\n{front}---\n{words}\n{rest}", encoding="utf-8")


async def test_an_edit_is_answered_with_its_new_words_within_seconds(own, url, telegram) -> None:
    question = answerable(own, 1)[0]
    async with open_village(own, url, telegram) as village:
        farmer = village.somebody()
        await farmer.says(question)
        await farmer.is_offered("useful:")
        with_short_answer(answered_by(own, question), TEXT)
        start = time.monotonic()
        while not farmer.times(TEXT):
            assert time.monotonic() - start < 10  # two busy cores; alone it takes one or two
            village.clock.skip(seconds=5)  # he may write as often as he likes
            await farmer.says(question)
            await farmer.is_offered("useful:")
        note = village.store.notes.get("knowledge")
        assert note
        assert note["ok"]


async def test_a_broken_edit_is_noted_for_staff_while_the_old_answer_stands(
    own, url, telegram
) -> None:
    question = answerable(own, 1)[0]
    path = answered_by(own, question)
    async with open_village(own, url, telegram) as village:
        good = path.read_text(encoding="utf-8")
        path.write_text(good.replace("questions:", "questions:\n\t-", 1), encoding="utf-8")
        note = await noted(village.store, ok=False)
        assert any(f"{path.parent.name}/{path.name}:" in problem for problem in note["problems"])
        assert all(PLACE.match(problem) for problem in note["problems"])
        farmer = village.somebody()
        await farmer.says(question)
        await farmer.is_offered("useful:")
        path.write_text(good, encoding="utf-8")
        assert (await noted(village.store, ok=True))["problems"] == []
        assert not is_busy(village.store)


def test_advice_against_the_law_does_not_go_live(own: Core) -> None:
    question = answerable(own, 1)[0]
    before = own.library.search(question).matches[0].entry
    with_short_answer(answered_by(own, question), "先撒克百威，再浇透。")
    status = own.bookshelf.refresh(now())
    assert status
    assert [problem.rule for problem in status.problems] == ["banned"]
    assert own.library.search(question).matches[0].entry == before


async def noted(store: Store, *, ok: bool) -> dict:
    def look() -> dict | None:
        note = store.notes.get("knowledge")
        return note if note and note["ok"] is ok else None

    return await until(look, lambda: store.notes.get("knowledge"))


@pytest.mark.slow
def test_two_hundred_ruined_files_never_take_an_answer_away(own: Core, store: Store) -> None:
    """One after the other on the living folder, which is mended before the next."""
    questions = answerable(own, 8)
    before = {text: own.library.search(text).matches[0].entry for text in questions}
    folder = own.config.knowledge
    whole = shutil.copytree(folder, folder.parent / "whole")
    refused = live = 0
    for seed in range(RUINED):
        chance = random.Random(seed)
        ruin(folder, seed, chance)
        revision = own.bookshelf.retriever.index.base.revision
        status = own.bookshelf.refresh(now())
        if status is None:
            assert content(folder) == content(whole), f"seed {seed}: the change was not seen"
            continue
        store.notes.put("knowledge", status.as_note())
        note = store.notes.get("knowledge")
        assert note
        if note["ok"]:
            live += 1
            assert own.bookshelf.retriever.index.base.revision != revision
        else:
            refused += 1
            check_told(status.problems, note["problems"])
            assert own.bookshelf.retriever.index.base.revision == revision
            found = {text: own.library.search(text).matches[0].entry for text in questions}
            assert found == before, f"seed {seed}"
        mend(folder, whole)
        healed = own.bookshelf.refresh(now())
        assert healed is None or not healed.problems, f"seed {seed}: {healed}"
        found = {text: own.library.search(text).matches[0].entry for text in questions}
        assert found == before, f"seed {seed}"
    print(f"{refused} refused, {live} harmless and live")
    assert refused >= 150
    assert live >= 5


def ruin(folder: Path, seed: int, chance: random.Random) -> None:
    paths = sorted(folder.glob("*/*"))
    RUINS[seed % len(RUINS)](chance.choice(paths), chance)


def content(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.glob("*/*")}


def mend(folder: Path, whole: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder)


def check_told(problems: tuple[Problem, ...], lines: list[str]) -> None:
    assert problems
    for problem in problems:
        assert problem.path.startswith("knowledge")
        assert min(problem.line, problem.column) >= 1
        assert problem.message
        assert problem.mend
    assert all(PLACE.match(line) for line in lines), lines
