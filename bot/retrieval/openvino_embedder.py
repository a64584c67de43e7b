"""The bundled model on OpenVINO: what `tianwen` embeds with where it can.

Measured in November 2026 on two AVX2 cores, beside torch: a question in half the processor time, a
start without the seconds and the 470 MB that torch and float32 weights take, the same vectors to
six digits. 4-bit, 8-bit and float32 weights are equally fast there, so the source's own 4-bit ones
stay; they cost no accuracy, as the arithmetic is float32.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from bot.errors import ModelError
from bot.retrieval.embedder import Vectors, fingerprint, unit
from bot.retrieval.openvino_graph import GRAPH, IDS, MASK, TOKENIZER, library

# Tokens of one forward pass: from about 200 on a token costs the same, and few keep padding small.
_TOKENS_AT_ONCE = 512
_THREADS = 8  # for one question more do not help

# Left to itself, OpenVINO rounds to bfloat16 or 8 bits where a processor is fast at that: vectors
# and so decisions would then depend on the machine.
_EXACT = {"INFERENCE_PRECISION_HINT": "f32", "DYNAMIC_QUANTIZATION_GROUP_SIZE": 0}


class OpenVinoEmbedder:
    """The bundled model without torch; `load` makes one. Text beyond 512 tokens is cut off."""

    def __init__(
        self,
        tokenizer: Tokenizer,
        compiled: Any,
        *,
        query_prefix: str,
        passage_prefix: str,
        fingerprint: str,
    ) -> None:
        self._tokenizer = tokenizer
        self._request = compiled.create_infer_request()
        self._dimension = int(compiled.output(0).partial_shape[1].get_length())
        self._query_prefix = query_prefix
        self._passage_prefix = passage_prefix
        self._fingerprint = fingerprint
        self._inferring = Lock()  # one request, which uses all threads

    @classmethod
    def load(
        cls,
        folder: Path,
        *,
        identity: str,
        query_prefix: str,
        passage_prefix: str,
        threads: int | None = None,
    ) -> OpenVinoEmbedder:
        """Load what `bundled.unpack` wrote for OpenVINO; `identity` is that of the bundled model.

        Takes a second or two. `threads` defaults to the processors this process may use, eight at
        most. Raises ModelError, also where OpenVINO itself is missing or does not run here.
        """
        try:
            made = cls(
                Tokenizer.from_file(str(folder / TOKENIZER)),
                _compiled(folder / GRAPH, threads or min(len(os.sched_getaffinity(0)), _THREADS)),
                query_prefix=query_prefix,
                passage_prefix=passage_prefix,
                fingerprint=fingerprint(identity, query_prefix, passage_prefix),
            )
            made.queries([""])  # the first pass is slow, and shows that the parts fit together
        except Exception as error:
            raise ModelError(f"OpenVINO 用不了向量模型 {folder}：{error}") from error
        return made

    @property
    def fingerprint(self) -> str:
        return self._fingerprint

    @property
    def dimension(self) -> int:
        return self._dimension

    def queries(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._query_prefix + text for text in texts])

    def passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed([self._passage_prefix + text for text in texts])

    def _embed(self, texts: list[str]) -> Vectors:
        rows = np.empty((len(texts), self.dimension), np.float32)
        tokens = [encoding.ids for encoding in self._tokenizer.encode_batch_fast(texts)]
        for batch in _batches([len(ids) for ids in tokens]):
            rows[batch] = self._forward([tokens[index] for index in batch])
        return unit(rows)

    def _forward(self, tokens: list[list[int]]) -> Vectors:
        ids, mask = _padded(tokens)
        with self._inferring:
            (rows,) = self._request.infer({IDS: ids, MASK: mask}).values()
        return np.asarray(rows, np.float32)


def _compiled(graph: Path, threads: int) -> Any:
    hints = {"PERFORMANCE_HINT": "LATENCY", "INFERENCE_NUM_THREADS": threads}
    return library().Core().compile_model(graph, "CPU", hints | _EXACT)


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices of texts that are nearly of one length, so that little is padded."""
    batch: list[int] = []
    for index in sorted(range(len(lengths)), key=lengths.__getitem__):
        if batch and (len(batch) + 1) * lengths[index] > _TOKENS_AT_ONCE:
            yield batch
            batch = []
        batch.append(index)
    if batch:
        yield batch


def _padded(tokens: list[list[int]]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Ids and mask; which id fills the masked places makes no difference."""
    ids = np.zeros((len(tokens), max(map(len, tokens))), np.int64)
    mask = np.zeros_like(ids)
    for row, marks, content in zip(ids, mask, tokens, strict=True):
        row[: len(content)] = content
        marks[: len(content)] = 1
    return ids, mask
