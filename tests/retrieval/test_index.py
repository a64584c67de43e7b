import random
from dataclasses import replace

import numpy as np
import pytest

from bot.domain import OutOfScope, Unanswerable
from bot.retrieval.dense import COUNTED
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import AFTER_WEIGHT, Index
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import APHID, BASE, PRICE, RUST, SUBSIDY, SWARM, WIDE, base_of

EMBEDDER = HashingEmbedder()
QUESTIONS = ("叶背黄粉", "蜂团在树上咋个收", "血橙好多钱", "今天天气", "", "🐝", "花椒锈病")


@pytest.fixture
def build(tmp_path):
    return lambda base: Index.build(base, EMBEDDER, VectorCache(tmp_path / "vectors.npz"))


def weigh(index, text, **more):
    return index.weigh(EMBEDDER.queries([text])[0], text, **more)


def best(index, text):
    return index.entries[weigh(index, text).order[0]]


def many_entries(count):
    chance = random.Random(7)
    letters = "花椒蜂蜜叶黄粉树箱子价钱收摘打药虫烂根"

    def text():
        return "".join(chance.choices(letters, k=chance.randint(2, 30)))

    for number in range(count):
        questions = tuple(text() for _ in range(chance.randint(1, 14)))
        yield replace(RUST, id=f"e-{number:03}", title=text(), questions=questions)


def centred(vectors, mean):
    rows = vectors - mean
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def test_dense_evidence_is_that_of_brute_force(build):
    base = base_of(*many_entries(120))
    index = build(base)
    rows = [EMBEDDER.queries([text for _, text in texts]) for texts in index.texts if texts]
    mean = np.concatenate(rows).mean(axis=0)
    for question in QUESTIONS[:3]:
        evidence = weigh(index, question)
        query = centred(EMBEDDER.queries([question]), mean)[0]
        first = int(evidence.order[0])
        cosines = np.sort(centred(rows[first], mean) @ query)[::-1]
        assert evidence.signals["near"] == pytest.approx(cosines[:COUNTED].mean(), abs=1e-5)
        assert evidence.signals["nearest"] == pytest.approx(cosines[0], abs=1e-5)


def test_each_entry_is_found_by_title_phrasing_and_short_answer(build):
    index = build(BASE)
    for entry in BASE.entries.values():
        for text in (entry.title, *entry.questions, entry.short_answer):
            evidence = weigh(index, text)
            assert index.entries[evidence.order[0]] == entry
            assert evidence.nearest[evidence.order[0]] == text


def test_a_text_left_out_gives_what_an_index_without_it_gives(build):
    """But for the centre of all vectors and the rarity of terms, which one text hardly moves."""
    entries = [*many_entries(60)]
    owner, left_out = 7, entries[7].questions[0]
    whole = build(base_of(*entries))
    shorter = replace(entries[7], questions=entries[7].questions[1:])
    without = build(base_of(*entries[:7], shorter, *entries[8:]))
    place = [text for _, text in whole.texts[owner]].index(left_out)
    one, other = weigh(whole, left_out, without=(owner, place)), weigh(without, left_out)
    np.testing.assert_allclose(one.fused, other.fused, atol=0.15)
    assert weigh(whole, left_out).fused[owner] > one.fused[owner] + 0.5


def test_what_is_said_differently_is_found_by_the_vectors_and_the_reverse(build):
    signals = weigh(build(BASE), "花椒叶子起锈").signals
    assert signals["dense_rank"] == signals["lexical_rank"] == 0
    assert 0 < signals["covered"] <= 1
    assert signals["unheard"] == 0
    assert (signals["names_subject"], signals["names_others"]) == (1, 0)
    strange = weigh(build(BASE), "蜂窝煤炉子打不燃").signals
    assert strange["unheard"] > 0.5
    assert all(np.isfinite(value) for value in strange.values())


def test_an_empty_question_and_a_base_of_one_entry_give_numbers(build):
    for base in (BASE, base_of(RUST, rules=())):
        for text in QUESTIONS:
            signals = weigh(build(base), text).signals
            assert all(np.isfinite(value) for value in signals.values()), (text, signals)


def test_the_order_in_which_entries_were_read_changes_nothing(build):
    twins = [replace(RUST, id="twin-b"), RUST, replace(RUST, id="twin-a"), SWARM, PRICE]
    found = []
    for entries in (twins, twins[::-1]):
        index = build(base_of(*entries))
        found.append([[index.entries[one].id for one in weigh(index, q).order] for q in QUESTIONS])
    assert found[0] == found[1]
    assert found[0][0][:3] == ["pepper-rust", "twin-a", "twin-b"]


def test_the_nearest_out_of_scope_rule_is_found_and_how_far_it_leads(build):
    other = OutOfScope(("蜂蜜治胃病不",), "看病请到医院。")
    index = build(base_of(RUST, SWARM, rules=(SUBSIDY, other)))
    evidence = weigh(index, "买蜂箱贴钱不")
    assert evidence.rule == SUBSIDY
    assert evidence.rule_lead > 0
    assert weigh(index, "花椒叶子起锈").rule_lead < 0
    assert weigh(build(base_of(RUST, rules=())), "花椒").rule is None


def test_a_question_known_to_have_no_answer_is_told_from_others(build):
    known = Unanswerable("明天哪个老师在上班"), Unanswerable("哪个老师的电话好多", "beekeeping")
    base = replace(BASE, unanswerable=known)
    signals = weigh(build(base), "老师的电话").signals
    rust = weigh(build(base), "叶子背面黄粉").signals
    assert signals["sounds_unanswerable"] > 0 > rust["sounds_unanswerable"]
    assert signals["nearer_unanswerable"] > 0 > rust["nearer_unanswerable"]


def test_the_question_before_counts_beside_what_a_text_says_itself(build):
    index = build(BASE)
    before = weigh(index, "蜂子团在树上").own
    alone, going_on = weigh(index, "一层粉"), weigh(index, "一层粉", after=before)
    np.testing.assert_array_equal(alone.own, alone.fused)
    np.testing.assert_array_equal(going_on.own, alone.own)
    np.testing.assert_allclose(going_on.fused, alone.own + AFTER_WEIGHT * before, rtol=1e-5)
    assert (index.entries[going_on.order[0]], going_on.signals["pulled"]) == (RUST, 0)


def test_a_few_words_that_say_nothing_are_about_the_question_before(build):
    index = build(WIDE)
    for entry in (RUST, APHID, SWARM, PRICE):
        before = weigh(index, entry.questions[0]).own
        evidence = weigh(index, "要隔几周", after=before)
        assert index.entries[evidence.order[0]] == entry
        assert evidence.signals["pulled"] > 0


def test_the_domain_is_the_one_that_most_speaks_for(build):
    index = build(WIDE)
    assert weigh(index, "嫩尖上爬满油虫").domain == "sichuan-pepper"
    assert weigh(index, "蜂子飞出来团在树上").domain == "beekeeping"


def test_where_entries_are_even_the_subject_named_decides_the_domain(build):
    index = build(base_of(RUST, SWARM))
    for text, domain in (("花椒", "sichuan-pepper"), ("蜂", "beekeeping")):
        levelled = -weigh(index, text).own / AFTER_WEIGHT
        assert weigh(index, text, after=levelled).domain == domain


def test_characters_alone_point_to_an_entry_and_tell_how_clearly(build):
    index = build(WIDE)
    entry, clearness = index.glance("嫩尖爬满油虫")
    assert entry == APHID
    assert clearness > 5
    assert index.glance("🐝")[1] == 0


def test_an_index_knows_its_base_and_its_size(build):
    index = build(BASE)
    assert (index.base, len(index), index.fingerprint) == (BASE, 16, EMBEDDER.fingerprint)
