"""What every embedder promises, and what each of them adds."""

import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from bot.errors import ModelError
from bot.retrieval.batching import BatchingEmbedder
from bot.retrieval.bundled import OPENVINO, TORCH, WEIGHTS, identity, unpack
from bot.retrieval.embedder import HashingEmbedder, SentenceTransformerEmbedder
from bot.retrieval.openvino_embedder import OpenVinoEmbedder
from bot.retrieval.openvino_graph import GRAPH
from tests.retrieval.test_bundled_model import TEXTS as VARIED

TEXTS = [
    "花椒叶子背面一层黄粉粉",
    "蜂子爬起走不动，是啥子病？",
    "",
    "柑子" * 150,
    "今年柑橘卖不脱，咋个办",
    "   ",
    "🐝 bees 死了20～30只",
]
PREFIXES = {"query_prefix": "query: ", "passage_prefix": "passage: "}


@pytest.fixture(scope="session")
def model_folder():
    default = Path.home() / ".cache" / "tianwen-test" / "e5-small"
    return unpack(Path(os.environ.get("TIANWEN_TEST_MODEL_DIR", default)), TORCH)


@pytest.fixture(scope="session")
def openvino_folder(model_folder):
    return unpack(model_folder.with_name(f"{model_folder.name}-openvino"), OPENVINO)


@pytest.fixture(scope="session")
def bundled(model_folder):
    return SentenceTransformerEmbedder.load(model_folder, **PREFIXES, batch_size=3)


@pytest.fixture(scope="session")
def on_openvino(openvino_folder):
    known = identity(openvino_folder)
    return OpenVinoEmbedder.load(openvino_folder, identity=known, **PREFIXES)


@pytest.fixture(
    params=[
        "hashing",
        "batching",
        pytest.param("bundled", marks=pytest.mark.model),
        pytest.param("on_openvino", marks=pytest.mark.model),
    ]
)
def embedder(request):
    if request.param == "hashing":
        return HashingEmbedder()
    if request.param == "batching":
        return BatchingEmbedder(HashingEmbedder())
    return request.getfixturevalue(request.param)


@pytest.fixture(params=["queries", "passages"])
def embed(request, embedder):
    return getattr(embedder, request.param)


# --- every embedder ------------------------------------------------------------------------------


def test_every_text_gives_a_row_of_length_one(embed, embedder):
    rows = embed(TEXTS)
    assert rows.shape == (len(TEXTS), embedder.dimension)
    assert rows.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(rows, axis=1), 1, atol=1e-6)


def test_no_texts_give_no_rows(embed, embedder):
    assert embed([]).shape == (0, embedder.dimension)
    assert embed([]).dtype == np.float32


def test_the_same_text_gives_the_same_row(embed):
    assert (embed(TEXTS) == embed(TEXTS)).all()


def test_rows_stand_in_the_order_of_the_texts(embed):
    np.testing.assert_allclose(embed(TEXTS), embed(TEXTS[::-1])[::-1], atol=1e-5)


def test_a_batch_gives_what_single_texts_give(embed):
    singly = np.concatenate([embed([text]) for text in TEXTS])
    np.testing.assert_allclose(embed(TEXTS), singly, atol=1e-5)


def test_threads_may_embed_at_once(embed):
    alone = embed(TEXTS)
    with ThreadPoolExecutor(4) as pool:
        for rows in pool.map(embed, [TEXTS[: 1 + n % 7] for n in range(16)]):
            np.testing.assert_allclose(rows, alone[: len(rows)], atol=1e-5)


def test_a_question_is_nearest_to_the_passage_about_the_same_thing(embedder):
    passages = embedder.passages(["花椒锈病：叶背有黄色粉末", "蜜蜂爬蜂病", "柑橘怎样卖出好价钱"])
    questions = embedder.queries(["花椒叶子背面黄粉", "蜜蜂在地上爬", "柑橘卖不出去"])
    assert (questions @ passages.T).argmax(axis=1).tolist() == [0, 1, 2]


def test_the_fingerprint_stays_while_vectors_are_made(embedder):
    before = embedder.fingerprint
    embedder.queries(TEXTS)
    assert embedder.fingerprint == before


# --- the fake ------------------------------------------------------------------------------------


def test_hashing_gives_the_same_rows_in_every_process():
    code = (
        "from bot.retrieval.embedder import *; print(HashingEmbedder(8).queries(['蜂']).tolist())"
    )
    root = Path(__file__).parents[2]
    found = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip() == str(HashingEmbedder(8).queries(["蜂"]).tolist())


def test_hashing_tells_its_dimension_in_the_fingerprint():
    assert HashingEmbedder(64).fingerprint != HashingEmbedder(128).fingerprint


def test_hashing_refuses_an_empty_space():
    with pytest.raises(ValueError, match="dimension"):
        HashingEmbedder(0)


def test_importing_the_modules_loads_no_engine():
    code = """import sys, bot.retrieval.embedder, bot.retrieval.openvino_embedder
sys.exit(bool({'torch', 'openvino'} & set(sys.modules)))"""
    root = Path(__file__).parents[2]
    assert subprocess.run([sys.executable, "-c", code], cwd=root, check=False).returncode == 0


# --- sentence-transformers -----------------------------------------------------------------------


@pytest.mark.model
def test_a_question_and_a_passage_of_the_same_words_differ(bundled):
    assert not np.allclose(bundled.queries(TEXTS), bundled.passages(TEXTS), atol=1e-3)


@pytest.mark.model
def test_vectors_are_those_of_sentence_transformers_own_encode(bundled, model_folder):
    from sentence_transformers import SentenceTransformer  # noqa: PLC0415

    model = SentenceTransformer(str(model_folder), local_files_only=True)
    expected = model.encode(TEXTS, prompt="query: ", batch_size=3)
    np.testing.assert_allclose(bundled.queries(TEXTS), expected, atol=1e-5)


@pytest.mark.model
@pytest.mark.usefixtures("socket_disabled")
def test_a_folder_is_loaded_without_network_and_again_has_the_same_fingerprint(
    bundled, model_folder
):
    again = SentenceTransformerEmbedder.load(str(model_folder), **PREFIXES)
    assert again.fingerprint == bundled.fingerprint


@pytest.mark.model
@pytest.mark.parametrize("prefix", PREFIXES)
def test_another_prefix_gives_another_fingerprint(bundled, model_folder, prefix):
    other = SentenceTransformerEmbedder.load(model_folder, **PREFIXES | {prefix: ""})
    assert other.fingerprint != bundled.fingerprint


@pytest.mark.model
def test_swapped_prefixes_give_another_fingerprint(bundled, model_folder):
    other = SentenceTransformerEmbedder.load(
        model_folder, query_prefix="passage: ", passage_prefix="query: "
    )
    assert other.fingerprint != bundled.fingerprint


@pytest.mark.model
def test_one_bit_of_the_weights_gives_another_fingerprint(bundled, model_folder, tmp_path):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    with (copy / WEIGHTS).open("r+b") as weights:
        weights.seek(-1_000_000, os.SEEK_END)  # in the last layer
        bits = weights.read(1)[0]
        weights.seek(-1, os.SEEK_CUR)
        weights.write(bytes([bits ^ 1]))
    other = SentenceTransformerEmbedder.load(copy, **PREFIXES)
    assert other.fingerprint != bundled.fingerprint


@pytest.mark.model
def test_another_tokenizer_gives_another_fingerprint(bundled, model_folder, tmp_path):
    copy = shutil.copytree(model_folder, tmp_path / "copy")
    rules = (copy / "tokenizer.json").read_text("utf-8")
    (copy / "tokenizer.json").write_text(rules.replace('"NFKC"', '"NFC"'), "utf-8")
    other = SentenceTransformerEmbedder.load(copy, **PREFIXES)
    assert other.fingerprint != bundled.fingerprint


def test_a_missing_folder_is_named_to_staff(tmp_path):
    with pytest.raises(ModelError, match="没有向量模型文件夹"):
        SentenceTransformerEmbedder.load(tmp_path / "nothing", **PREFIXES)


@pytest.mark.model
@pytest.mark.parametrize("name", [WEIGHTS, "tokenizer.json", "modules.json"])
def test_a_damaged_folder_is_named_to_staff(model_folder, tmp_path, name):
    copy = shutil.copytree(model_folder, tmp_path / "copy", ignore=shutil.ignore_patterns(name))
    (copy / name).write_bytes((model_folder / name).read_bytes()[:100])
    with pytest.raises(ModelError, match="无法加载"):
        SentenceTransformerEmbedder.load(copy, **PREFIXES)


@pytest.mark.model
@pytest.mark.usefixtures("socket_disabled")
def test_an_unreachable_hub_model_is_named_to_staff():
    with pytest.raises(ModelError, match="nobody/no-such-model"):
        SentenceTransformerEmbedder.load("nobody/no-such-model", **PREFIXES)


# --- OpenVINO ------------------------------------------------------------------------------------


@pytest.mark.model
def test_vectors_on_openvino_are_those_on_torch(bundled, on_openvino):
    beyond_the_limit = ["柑子 " * 600, "Varroa destructor 大蜂螨。" * 90]
    texts = [*VARIED, *beyond_the_limit, "", " ", "\n", "蜂", "?", "🐝", "a"]
    np.testing.assert_allclose(on_openvino.queries(texts), bundled.queries(texts), atol=1e-5)
    some = texts[::10]
    np.testing.assert_allclose(on_openvino.passages(some), bundled.passages(some), atol=1e-5)


@pytest.mark.model
def test_vectors_of_one_model_may_be_mixed_whatever_the_engine(model_folder, on_openvino):
    known = identity(model_folder)
    on_torch = SentenceTransformerEmbedder.load(model_folder, identity=known, **PREFIXES)
    assert on_torch.fingerprint == on_openvino.fingerprint


@pytest.mark.model
@pytest.mark.parametrize("change", [{"query_prefix": ""}, {"passage_prefix": ""}, {"identity": ""}])
def test_another_model_or_prefix_on_openvino_gives_another_fingerprint(
    openvino_folder, on_openvino, change
):
    arguments = {"identity": identity(openvino_folder), **PREFIXES, **change}
    other = OpenVinoEmbedder.load(openvino_folder, **arguments)
    assert other.fingerprint != on_openvino.fingerprint


QUIET = """
import pathlib, sys
calls = []
sys.addaudithook(lambda event, _: calls.append(event) if event.startswith("socket.") else None)
from bot.retrieval.openvino_embedder import OpenVinoEmbedder
folder = pathlib.Path(sys.argv[1])
OpenVinoEmbedder.load(folder, identity="", query_prefix="", passage_prefix="").queries(["蜂"])
loud = {"torch", "transformers", "openvino_telemetry.main"} & set(sys.modules)
print(sorted(loud), calls, list(pathlib.Path.home().iterdir()))
"""


@pytest.mark.model
def test_openvino_needs_no_torch_and_tells_nobody_of_itself(openvino_folder, tmp_path):
    """Its telemetry would write ~/intel and call Google Analytics at the first import."""
    done = subprocess.run(
        [sys.executable, "-c", QUIET, openvino_folder],
        cwd=Path(__file__).parents[2],
        env=os.environ | {"HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.strip() == "[] [] []"


@pytest.mark.model
@pytest.mark.parametrize("name", [GRAPH, "tokenizer.json"])
def test_a_damaged_openvino_folder_is_named_to_staff(openvino_folder, tmp_path, name):
    copy = shutil.copytree(openvino_folder, tmp_path / "copy")
    (copy / name).write_bytes((copy / name).read_bytes()[:100])
    with pytest.raises(ModelError, match="OpenVINO 用不了"):
        OpenVinoEmbedder.load(copy, identity="", **PREFIXES)


def test_a_missing_openvino_is_named_to_staff(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match="OpenVINO 用不了"):
        OpenVinoEmbedder.load(tmp_path, identity="", **PREFIXES)
