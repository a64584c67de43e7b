"""Many askers at once: each gets his own row, and a mishap stays within its batch."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier, Event

import numpy as np
import pytest

from bot.retrieval.batching import BatchingEmbedder
from bot.retrieval.embedder import HashingEmbedder


class GatedEmbedder(HashingEmbedder):
    """Holds every pass until it is let go, and remembers what each was asked."""

    def __init__(self):
        super().__init__(64)
        self.passes = []
        self.entered = Event()
        self.gate = Event()

    def queries(self, texts):
        self.passes.append(list(texts))
        self.entered.set()
        assert self.gate.wait(10)
        if "毒" in texts:
            raise RuntimeError("spoiled")
        return super().queries(texts)


@pytest.fixture
def gated():
    return GatedEmbedder()


@pytest.fixture
def batching(gated):
    return BatchingEmbedder(gated)


@pytest.fixture
def pool():
    with ThreadPoolExecutor(16) as pool:
        yield pool


def asked_while_busy(pool, batching, gated, texts):
    """One asks first; `texts` arrive while he is served."""
    first = pool.submit(batching.queries, ["头一个"])
    assert gated.entered.wait(10)
    later = [pool.submit(batching.queries, [text]) for text in texts]
    while len(batching._waiting) < len(texts):
        pass
    gated.gate.set()
    return first, later


def test_a_lone_question_goes_alone_and_at_once(batching, gated):
    gated.gate.set()
    batching.queries(["花椒"])
    assert gated.passes == [["花椒"]]


def test_questions_that_arrive_during_a_pass_share_the_next(pool, batching, gated):
    texts = [f"第{n}个" for n in range(10)]
    first, later = asked_while_busy(pool, batching, gated, texts)
    rows = [each.result(10) for each in (first, *later)]
    assert [sorted(each) for each in gated.passes] == [["头一个"], sorted(texts)]
    expected = HashingEmbedder(64).queries(["头一个", *texts])
    assert (np.concatenate(rows) == expected).all()


def test_a_mishap_reaches_everyone_of_its_pass_and_nobody_else(pool, batching, gated):
    first, later = asked_while_busy(pool, batching, gated, ["毒", "花椒"])
    assert first.result(10).shape == (1, 64)
    for each in later:
        with pytest.raises(RuntimeError, match="spoiled"):
            each.result(10)
    assert (batching.queries(["花椒"]) == HashingEmbedder(64).queries(["花椒"])).all()


def test_who_brings_many_texts_holds_nobody_up(pool, gated, batching):
    many = pool.submit(batching.queries, ["甲", "乙"])
    assert gated.entered.wait(10)
    gated.entered.clear()
    one = pool.submit(batching.queries, ["丙"])
    assert gated.entered.wait(10)  # though the many are still under way
    gated.gate.set()
    assert (many.result(10).shape, one.result(10).shape) == ((2, 64), (1, 64))


def test_a_question_asked_again_is_not_embedded_again(batching, gated):
    gated.gate.set()
    batching.queries(["花椒"])[:] = 0  # nor does it matter what a caller does with his row
    assert batching.queries(["花椒"]).any()
    assert gated.passes == [["花椒"]]


def test_a_question_that_failed_is_tried_again(batching, gated):
    gated.gate.set()
    for _ in range(2):
        with pytest.raises(RuntimeError):
            batching.queries(["毒"])
    assert len(gated.passes) == 2


def test_in_any_crowd_each_gets_his_own_rows():
    batching, reference = BatchingEmbedder(HashingEmbedder(64)), HashingEmbedder(64)
    together = Barrier(16)

    def ask(asker):
        together.wait(10)
        for turn in range(50):
            texts = [f"{asker}问{turn}的{part}" for part in range(1 + (asker + turn) % 4 // 3)]
            assert (batching.queries(texts) == reference.queries(texts)).all()

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(ask, range(16)))
