from dataclasses import replace
from threading import Event, Thread

import pytest

from bot.domain import Findings, Match
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import Index
from bot.retrieval.judge import Judge, Scale
from bot.retrieval.retriever import Retriever
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import (
    APHID,
    BASE,
    RUST,
    SUBSIDY,
    SWARM,
    WIDE,
    CountingEmbedder,
    base_of,
)

EMBEDDER = HashingEmbedder()
JUDGE = Judge.load()
SURE, NEVER, EVEN = Scale(9.0, {}), Scale(-9.0, {}), Scale(0.0, {})
RUSTY, LOUSY = "叶子背面一层黄粉粉", "嫩尖爬满油虫"


@pytest.fixture
def build(tmp_path):
    return lambda base: Index.build(base, EMBEDDER, VectorCache(tmp_path / "vectors.npz"))


@pytest.fixture
def retriever(build):
    return Retriever(EMBEDDER, JUDGE, build(BASE))


@pytest.fixture
def wide(build):
    """By a judge of the shipped one with other values."""
    index = build(WIDE)
    return lambda **other: Retriever(EMBEDDER, replace(JUDGE, **other), index)


def test_an_entry_comes_once_with_the_phrasing_nearest_to_the_question(retriever):
    findings = retriever.search("花椒叶子起锈了")
    assert findings.matches[0].entry == RUST
    assert len({match.entry.id for match in findings.matches}) == len(findings.matches) == 3
    assert findings.matches[0].phrasing == "花椒叶子起锈"
    assert findings.matches[0].score > findings.matches[1].score


def test_the_ten_best_entries_come(wide):
    scores = [match.score for match in wide().search("花椒").matches]
    assert len(scores) == 10
    assert scores == sorted(scores, reverse=True)


def test_a_known_out_of_scope_question_comes_when_it_leads(retriever):
    findings = retriever.search("养蜂有没得补助拿")
    assert findings.out_of_scope == SUBSIDY
    assert retriever.search("花椒叶子起锈").out_of_scope is None


def test_words_that_go_on_from_a_question_are_never_declined(retriever):
    assert retriever.search("养蜂有没得补助拿", "花椒叶子起锈").out_of_scope is None


def test_a_fragment_is_read_as_going_on_from_the_question_before(wide):
    retriever = wide(right=NEVER, right_after=SURE, among=NEVER, among_after=EVEN)
    alone, going_on = retriever.search("要隔几周"), retriever.search("要隔几周", RUSTY)
    assert alone.matches[0].entry != RUST
    assert going_on.matches[0].entry == RUST
    assert (alone.right < 0.1, going_on.right > 0.9) == (True, True)
    assert (alone.among < 0.1, going_on.among) == (True, 0.5)


def test_the_likeliest_domain_comes_where_the_text_is_likely_ours(wide):
    assert wide(ours=EVEN, ours_at=0.5).search(RUSTY).domain == "sichuan-pepper"
    assert wide(ours=EVEN, ours_at=0.5).search("蜂子团在树上").domain == "beekeeping"
    assert wide(ours=EVEN, ours_at=0.51).search(RUSTY).domain is None


def test_in_what_text_and_first_entry_contradict_each_other_is_told(build, retriever):
    asked = []

    def guard(*about):
        asked.append(about)
        return "柑子" if "柑子" in about[0] else None

    guarded = Retriever(EMBEDDER, JUDGE, build(BASE), guard)
    assert guarded.search("柑子叶子起锈").conflict == "柑子"
    assert guarded.search("花椒叶子起锈").conflict is None
    assert asked == [("柑子叶子起锈", RUST), ("花椒叶子起锈", RUST)]
    assert retriever.search("柑子叶子起锈").conflict is None


@pytest.mark.parametrize("text", [f"{RUSTY}，{LOUSY}", f"{RUSTY}还有{LOUSY}"])
def test_two_questions_in_one_message_find_an_answer_each(wide, text):
    retriever = wide(apart=SURE)
    (_, one), (_, other) = retriever.apart(text, retriever.search(RUSTY))
    assert (one.matches[0].entry, other.matches[0].entry) == (RUST, APHID)


def test_what_answers_the_whole_comes_first(wide):
    retriever = wide(apart=SURE)
    orders = [
        [half.matches[0].entry for _, half in retriever.apart(f"{RUSTY}，{LOUSY}", whole)]
        for entry in (RUST, APHID, SWARM)
        for whole in [Findings((Match(entry, 9.0, entry.title),), 0.9, 0.9)]
    ]
    assert orders == [[RUST, APHID], [APHID, RUST], [RUST, APHID]]


@pytest.mark.parametrize(
    "text",
    [
        RUSTY,
        f"{RUSTY}，今天天气好得很",  # the other half speaks of nothing
        f"{RUSTY}，花椒叶子起锈",  # both of one entry
        f"{RUSTY}，蜂子团在树上",  # of another subject, and not marked as more
    ],
)
def test_one_question_is_not_taken_apart(wide, text):
    retriever = wide(apart=SURE)
    assert retriever.halves(text) is None
    assert retriever.apart(text, retriever.search(text)) is None


def test_halves_that_find_the_same_entry_are_one_question(wide):
    """What the characters of the second say alone is another than what it means after the first."""
    retriever = wide(apart=SURE, right=NEVER, right_after=SURE)
    text = f"{RUSTY}，这个黄粉有油虫"
    halves = retriever.halves(text)
    assert retriever.index.glance(halves.cut.second)[0] == APHID
    assert [half.matches[0].entry for half in (halves.first, halves.second)] == [RUST, RUST]
    assert retriever.apart(text, retriever.search(text)) is None


def test_what_is_marked_as_more_may_be_of_another_subject(wide):
    retriever = wide(apart=SURE)
    text = f"{RUSTY}，还有蜂子团在树上"
    (_, one), (_, other) = retriever.apart(text, retriever.search(RUSTY))
    assert (one.matches[0].entry, other.matches[0].entry) == (RUST, SWARM)


def test_a_message_is_parted_from_its_threshold_up(wide):
    text = f"{RUSTY}，{LOUSY}"
    for part_at, is_parted in ((0.5, True), (0.51, False)):
        retriever = wide(apart=EVEN, part_at=part_at)
        assert bool(retriever.apart(text, retriever.search(text))) == is_parted


def test_the_second_half_is_read_alone_or_as_going_on_whichever_is_likelier(wide):
    text = f"{RUSTY}，{LOUSY}"
    alone = wide(right=SURE, right_after=NEVER)
    assert alone.halves(text).second == alone.search(LOUSY)
    going_on = wide(right=NEVER, right_after=SURE)
    assert going_on.halves(text).second == going_on.search(LOUSY, RUSTY)


def test_a_message_of_three_clauses_is_cut_where_it_is_clearest(wide):
    cut = wide().halves(f"老师在不在，{RUSTY}，{LOUSY}，谢谢").cut
    assert (cut.first, cut.second) == (f"老师在不在，{RUSTY}", f"{LOUSY}，谢谢")


def test_nothing_comes_from_an_empty_base(build):
    assert Retriever(EMBEDDER, JUDGE, build(base_of(rules=()))).search("花椒") == Findings()


def test_entries_and_domains_are_those_of_the_current_index(retriever, build):
    assert retriever.entry("pepper-rust") == RUST
    retriever.swap(build(base_of(SWARM, revision="r2")))
    assert retriever.entry("pepper-rust") is None
    assert retriever.entry("bee-swarm-catch") == SWARM
    assert set(retriever.domains()) == {"beekeeping", "sichuan-pepper"}
    assert retriever.index.base.revision == "r2"


def test_an_index_of_another_model_is_refused(retriever, tmp_path):
    foreign = CountingEmbedder("another")
    index = Index.build(BASE, foreign, VectorCache(tmp_path / "foreign.npz"))
    with pytest.raises(ValueError, match="another model"):
        retriever.swap(index)
    assert retriever.search("花椒锈病").matches[0].entry == RUST


def test_searches_under_way_see_one_index_or_the_other_while_it_is_swapped(retriever, build):
    snapshots = (build(BASE), build(base_of(SWARM, rules=())))
    whole = {Retriever(EMBEDDER, JUDGE, one).search("蜂子团在树上") for one in snapshots}
    seen, stop = set(), Event()

    def search():
        while not stop.is_set():
            seen.add(retriever.search("蜂子团在树上"))

    threads = [Thread(target=search) for _ in range(4)]
    for thread in threads:
        thread.start()
    for number in range(400):
        retriever.swap(snapshots[number % 2])
    stop.set()
    for thread in threads:
        thread.join()
    assert seen
    assert seen <= whole
