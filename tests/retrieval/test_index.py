import random
from dataclasses import replace

import numpy as np
import pytest

from bot.domain import OutOfScope
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import Index
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import BASE, PRICE, RUST, SUBSIDY, SWARM, base_of

EMBEDDER = HashingEmbedder()
QUESTIONS = ("叶背黄粉", "蜂团在树上咋个收", "血橙好多钱", "今天天气", "", "🐝", "花椒锈病")


@pytest.fixture
def build(tmp_path):
    return lambda base: Index.build(base, EMBEDDER, VectorCache(tmp_path / "vectors.npz"))


def query(text):
    return EMBEDDER.queries([text])[0]


def by_brute_force(base, text):
    """Entry ids, scores and best texts, straight from the definition."""
    found = []
    for entry in base.entries.values():
        texts = [entry.title, *entry.questions, entry.short_answer]
        scores = EMBEDDER.passages(texts) @ query(text)
        mean = np.sort(scores)[::-1][:3].mean()
        found.append((entry.id, mean, texts[int(np.argmax(scores))]))
    return sorted(found, key=lambda each: (-each[1], each[0]))


def many_entries(count):
    chance = random.Random(7)
    letters = "花椒蜂蜜叶黄粉树箱子价钱收摘打药虫烂根"

    def text():
        return "".join(chance.choices(letters, k=chance.randint(2, 30)))

    for number in range(count):
        questions = tuple(text() for _ in range(chance.randint(1, 14)))
        yield replace(RUST, id=f"e-{number:03}", title=text(), questions=questions)


@pytest.mark.parametrize("base", [BASE, base_of(*many_entries(120))])
def test_results_are_those_of_brute_force(build, base):
    index = build(base)
    for text in QUESTIONS:
        expected = by_brute_force(base, text)[:10]
        found = index.search(query(text), 10)
        assert [hit.score for hit in found] == pytest.approx([one[1] for one in expected], abs=1e-6)
        assert [hit.owner.id for hit in found] == [one[0] for one in expected]
        assert found[0].text == expected[0][2]


def test_each_entry_is_found_by_title_phrasing_and_short_answer(build):
    index = build(BASE)
    for entry in BASE.entries.values():
        for text in (entry.title, *entry.questions, entry.short_answer):
            best = index.search(query(text), 1)[0]
            assert (best.owner, best.text) == (entry, text)


def test_the_order_in_which_entries_were_read_changes_nothing(build):
    twins = [replace(RUST, id="twin-b"), RUST, replace(RUST, id="twin-a"), SWARM, PRICE]
    results = []
    for entries in (twins, twins[::-1]):
        index = build(base_of(*entries))
        results.append([index.search(query(text), 10) for text in QUESTIONS])
    assert results[0] == results[1]
    assert [hit.owner.id for hit in results[0][0]][:3] == ["pepper-rust", "twin-a", "twin-b"]


def test_the_nearest_out_of_scope_rule_is_found(build):
    other = OutOfScope(("蜂蜜治胃病不",), "看病请到医院。")
    hit = build(base_of(RUST, rules=(SUBSIDY, other))).nearest_out_of_scope(query("买蜂箱贴钱不"))
    assert (hit.owner, hit.text) == (SUBSIDY, "买蜂箱国家贴钱不")


def test_an_empty_base_finds_nothing(build):
    index = build(base_of(rules=()))
    assert (
        len(index),
        index.search(query("花椒"), 10),
        index.nearest_out_of_scope(query("蜂")),
    ) == (
        0,
        [],
        None,
    )


def test_an_index_knows_its_base_and_its_size(build):
    index = build(BASE)
    assert (index.base, len(index), index.fingerprint) == (BASE, 16, EMBEDDER.fingerprint)
