from threading import Event, Thread

import pytest

from bot.domain import Findings
from bot.retrieval.embedder import HashingEmbedder
from bot.retrieval.index import Index
from bot.retrieval.judge import Judge
from bot.retrieval.retriever import Retriever
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import BASE, RUST, SUBSIDY, SWARM, CountingEmbedder, base_of

EMBEDDER = HashingEmbedder()
JUDGE = Judge.load()


@pytest.fixture
def build(tmp_path):
    return lambda base: Index.build(base, EMBEDDER, VectorCache(tmp_path / "vectors.npz"))


@pytest.fixture
def retriever(build):
    return Retriever(EMBEDDER, JUDGE, build(BASE))


def test_an_entry_comes_once_with_the_phrasing_nearest_to_the_question(retriever):
    findings = retriever.search("花椒叶子起锈了")
    assert findings.matches[0].entry == RUST
    assert len({match.entry.id for match in findings.matches}) == len(findings.matches) == 3
    assert findings.matches[0].phrasing == "花椒叶子起锈"
    assert findings.matches[0].score > findings.matches[1].score


def test_no_more_than_top_k_entries_come(retriever):
    assert len(retriever.search("花椒", top_k=2).matches) == 2


def test_a_known_out_of_scope_question_comes_when_it_leads(retriever):
    findings = retriever.search("养蜂有没得补助拿")
    assert findings.out_of_scope == SUBSIDY
    assert retriever.search("花椒叶子起锈").out_of_scope is None


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
