"""Texts to vectors: the Embedder protocol, the sentence-transformers one and its fake."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any, Protocol
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from bot.errors import ModelError

Vectors = NDArray[np.float32]


class Embedder(Protocol):
    """Turns texts into rows of length 1; may be called from several threads at once."""

    @property
    def fingerprint(self) -> str:
        """Changes whenever new vectors must not be compared with old ones."""

    @property
    def dimension(self) -> int: ...

    def queries(self, texts: Sequence[str]) -> Vectors:
        """Embed what farmers ask: one row a text, in order, shape (len(texts), dimension)."""

    def passages(self, texts: Sequence[str]) -> Vectors:
        """Embed what the knowledge base holds, shaped like `queries`."""


class SentenceTransformerEmbedder:
    """Any sentence-transformers model; `load` makes one.

    Text beyond the model's limit (512 tokens for the bundled one, some 700 Chinese characters)
    is cut off.
    """

    def __init__(
        self,
        model: Any,
        *,
        query_prefix: str,
        passage_prefix: str,
        fingerprint: str,
        batch_size: int,
    ) -> None:
        self._model = model
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._fingerprint = fingerprint
        self._batch_size = batch_size
        self._tokenizing = Lock()  # two threads in one fast tokenizer: "Already borrowed"

    @classmethod
    def load(
        cls,
        model: str | Path,
        *,
        query_prefix: str,
        passage_prefix: str,
        identity: str | None = None,
        batch_size: int = 32,
        threads: int = 2,
    ) -> SentenceTransformerEmbedder:
        """Load a folder, or a model of that name on the Hugging Face hub if there is no folder.

        Takes seconds. A folder never causes network traffic. `identity` names the weights where
        they are known; otherwise they are hashed. `threads` counts for the whole process: torch
        splits one forward pass over so many. Raises ModelError.
        """
        loaded = _loaded(model, threads)
        return cls(
            loaded,
            query_prefix=query_prefix,
            passage_prefix=passage_prefix,
            fingerprint=fingerprint(identity or _identity(loaded), query_prefix, passage_prefix),
            batch_size=batch_size,
        )

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return int(self._model.get_embedding_dimension())

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._query_prefix + text for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._passage_prefix + text for text in texts])

    def _embed(self, texts: list[str]) -> Vectors:
        rows = np.empty((len(texts), self.dimension), np.float32)
        by_length = sorted(range(len(texts)), key=lambda index: len(texts[index]))
        for start in range(0, len(texts), self._batch_size):
            batch = by_length[start : start + self._batch_size]
            rows[batch] = self._forward([texts[index] for index in batch])
        return unit(rows)

    def _forward(self, texts: list[str]) -> Vectors:
        """Do what SentenceTransformer.encode does, 2 ms sooner for a single question."""
        with self._tokenizing:
            features = self._model.preprocess(texts)
        on_device = {
            name: value.to(self._model.device) if hasattr(value, "to") else value
            for name, value in features.items()
        }
        vectors: Vectors = self._model(on_device)["sentence_embedding"].float().cpu().numpy()
        return vectors


class HashingEmbedder:
    """The fake: counts of hashed character n-grams, so texts that share wording are close."""

    _SIZES = (1, 2, 3)

    def __init__(self, dimension: int = 512) -> None:
        if dimension < 1:
            raise ValueError(f"dimension must be positive, got {dimension}")
        self._dimension = dimension

    @property
    def fingerprint(self) -> str:
        return f"hashing-{self._dimension}"

    @property
    def dimension(self) -> int:
        return self._dimension

    def queries(self, texts: Sequence[str]) -> Vectors:
        rows = np.zeros((len(texts), self._dimension), np.float32)
        for row, text in zip(rows, texts, strict=True):
            for gram in self._grams(text):
                row[crc32(gram.encode()) % self._dimension] += 1
        return unit(rows)

    passages = queries

    def _grams(self, text: str) -> Iterator[str]:
        marked = f"^{''.join(text.lower().split())}$"  # the marks give an empty text a length too
        for size in self._SIZES:
            for start in range(len(marked) - size + 1):
                yield marked[start : start + size]


def fingerprint(identity: str, query_prefix: str, passage_prefix: str) -> str:
    """Hash all that decides a vector.

    The engine is left out: OpenVINO and torch give the bundled model's vectors alike to six
    digits, so what one has encoded serves the other, and a fallback costs no encoding.
    """
    parts = json.dumps([identity, query_prefix, passage_prefix])
    return hashlib.sha256(parts.encode()).hexdigest()


def unit(rows: Vectors) -> Vectors:
    """Give every row length 1, in place."""
    lengths: Vectors = np.linalg.norm(rows, axis=1, keepdims=True)
    rows /= np.maximum(lengths, np.finfo(np.float32).tiny)
    return rows


def _loaded(model: str | Path, threads: int) -> Any:
    is_folder = Path(model).is_dir()
    if isinstance(model, Path) and not is_folder:
        raise ModelError(f"没有向量模型文件夹 {model}。")
    try:
        # Late, because torch takes seconds to import and most commands need no model.
        import torch  # noqa: PLC0415
        from sentence_transformers import SentenceTransformer  # noqa: PLC0415
        from transformers.utils.logging import disable_progress_bar  # noqa: PLC0415

        torch.set_num_threads(threads)
        disable_progress_bar()
        loaded = SentenceTransformer(str(model), local_files_only=is_folder)
        loaded.eval().requires_grad_(requires_grad=False)
        loaded.encode("")  # the first pass is slow, and shows that the parts fit together
    except Exception as error:
        raise ModelError(f"向量模型 {model} 无法加载，可能缺失或损坏：{error}") from error
    return loaded


def _identity(model: Any) -> str:
    """Hash the model as it was loaded, from wherever it came."""
    digest = hashlib.sha256()
    limits = (model.get_max_seq_length(), model.truncate_dim)
    digest.update(json.dumps([limits, str(model), _tokenization(model)]).encode())
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}".encode())
        digest.update(tensor.cpu().contiguous().flatten().numpy())
    return digest.hexdigest()


def _tokenization(model: Any) -> str:
    tokenizer = getattr(model.tokenizer, "backend_tokenizer", model.tokenizer)
    if hasattr(tokenizer, "to_str"):
        return str(tokenizer.to_str())
    return json.dumps(tokenizer.get_vocab(), sort_keys=True)
