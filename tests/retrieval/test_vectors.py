import random
from threading import Thread

import numpy as np
import pytest

from bot.retrieval import vectors
from bot.retrieval.vectors import VectorCache
from tests.retrieval.bases import CountingEmbedder

TEXTS = ["花椒锈病", "叶背黄粉", "蜂团", "血橙价钱"]


@pytest.fixture
def path(tmp_path):
    return tmp_path / "data" / "vectors.npz"


def encoded(path, texts, embedder=None):
    """What had to be encoded, after checking that the vectors are right."""
    embedder = embedder or CountingEmbedder()
    rows = VectorCache(path).vectors(embedder, [("passage", text) for text in texts])
    assert rows.dtype == np.float32
    np.testing.assert_array_equal(rows, embedder.queries(texts))
    assert len(embedder.encoded) == len(set(embedder.encoded))
    return [text for text in dict.fromkeys(texts) if text in embedder.encoded]


def test_only_new_and_changed_texts_are_encoded(path):
    assert encoded(path, TEXTS) == TEXTS
    assert encoded(path, TEXTS) == []
    assert encoded(path, [TEXTS[3], "新问法", *TEXTS[:2]]) == ["新问法"]


def test_a_text_that_stands_twice_is_encoded_once(path):
    assert encoded(path, ["蜂团", "花椒", "蜂团"]) == ["蜂团", "花椒"]


def test_another_model_or_prefix_never_meets_old_vectors(path):
    encoded(path, TEXTS)
    assert encoded(path, TEXTS, CountingEmbedder("other prefix")) == TEXTS
    assert encoded(path, TEXTS, CountingEmbedder("other model", 32)) == TEXTS
    assert encoded(path, TEXTS) == TEXTS


def test_a_fingerprint_kept_with_another_dimension_counts_as_damage(path):
    encoded(path, TEXTS, CountingEmbedder("same", 32))
    assert encoded(path, TEXTS, CountingEmbedder("same", 64)) == TEXTS


def test_a_file_damaged_anywhere_is_rebuilt(path):
    encoded(path, TEXTS)
    whole = path.read_bytes()
    chance = random.Random(3)
    for _ in range(200):
        damaged = bytearray(whole)
        damaged[chance.randrange(len(whole))] ^= 1 << chance.randrange(8)
        path.write_bytes(damaged)
        encoded(path, TEXTS)
    for length in (0, 1, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        assert encoded(path, TEXTS) == TEXTS
        assert encoded(path, TEXTS) == []


@pytest.mark.parametrize("rubbish", [b"\x80\x04N.", b"not an archive", b"\x93NUMPY\x01\x00"])
def test_a_foreign_file_is_replaced(path, rubbish):
    path.parent.mkdir()
    path.write_bytes(rubbish)
    assert encoded(path, TEXTS) == TEXTS
    assert encoded(path, TEXTS) == []


def test_a_single_array_in_place_of_the_archive_is_replaced(path):
    path.parent.mkdir()
    with path.open("wb") as file:
        np.save(file, np.ones(3))
    assert encoded(path, TEXTS) == TEXTS


def test_a_cache_that_cannot_be_written_costs_only_time(path, caplog):
    path.parent.write_text("a file where the folder should be")
    assert encoded(path, TEXTS) == TEXTS
    assert encoded(path, TEXTS) == TEXTS
    assert "can't be written" in caplog.text
    assert "花椒" not in caplog.text


def test_unused_texts_stay_for_a_while_and_then_go(path, monkeypatch):
    monkeypatch.setattr(vectors, "_SPARE", 0)
    encoded(path, TEXTS)
    encoded(path, TEXTS[:2])
    assert encoded(path, TEXTS) == []
    encoded(path, TEXTS[:1])
    assert encoded(path, TEXTS) == TEXTS[1:]


def test_nothing_to_keep_is_kept_as_nothing(path):
    encoded(path, TEXTS)
    assert encoded(path, []) == []
    assert encoded(path, []) == []


def test_work_done_before_a_failure_is_not_lost(path):
    class Breaking(CountingEmbedder):
        def passages(self, texts):
            if len(self.encoded) >= 256:
                raise RuntimeError("power cut")
            return super().passages(texts)

    texts = [f"问法{number}" for number in range(300)]
    with pytest.raises(RuntimeError):
        VectorCache(path).vectors(Breaking(), [("passage", text) for text in texts])
    assert encoded(path, texts) == texts[256:]
    assert sorted(each.name for each in path.parent.iterdir()) == [".vectors.npz.lock", path.name]


def test_progress_tells_how_many_of_the_missing_are_done(path):
    texts = [f"问法{number}" for number in range(300)]
    told = []
    encoded(path, texts[:10])
    VectorCache(path).vectors(
        CountingEmbedder(), [("passage", text) for text in texts], lambda *step: told.append(step)
    )
    VectorCache(path).vectors(
        CountingEmbedder(), [("passage", text) for text in texts], lambda *step: told.append(step)
    )
    assert told == [(256, 290), (290, 290)]


def test_writers_at_the_same_time_leave_a_whole_file(path):
    def write(number):
        texts = [("passage", text) for text in (*TEXTS, f"第{number}个")]
        VectorCache(path).vectors(CountingEmbedder(), texts)

    threads = [Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert encoded(path, TEXTS) == []


def test_what_is_asked_and_what_is_told_are_kept_apart(path):
    embedder = CountingEmbedder()
    VectorCache(path).vectors(embedder, [("passage", "花椒"), ("query", "花椒")])
    assert encoded(path, ["花椒"]) == []
    asked = CountingEmbedder()
    VectorCache(path).vectors(asked, [("query", "花椒"), ("query", "蜂")])
    assert asked.asked == ["蜂"]
