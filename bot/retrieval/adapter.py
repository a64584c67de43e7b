"""What `tianwen train` adds to the bundled model: for some of its matrices, two thin factors."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from bot.errors import ModelError

SHIPPED = Path(__file__).with_name("adapter.safetensors")

Matrix = NDArray[np.float32]
Factors = Mapping[
    str, tuple[Matrix, Matrix]
]  # by name of the matrix: (rank, columns), (rows, rank)

_FIRST, _SECOND = ".A", ".B"


@dataclass(frozen=True, slots=True)
class Adapter:
    """The factors, and how they were come by."""

    factors: Factors = field(default_factory=dict)
    made: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def load(cls, path: Path) -> Adapter:
        """Raises ModelError where the file lacks or does not fit."""
        try:
            with safe_open(path, "numpy") as file:
                stored = {name: file.get_tensor(name).astype(np.float32) for name in file.keys()}  # noqa: SIM118 - not a mapping
                made = json.loads((file.metadata() or {}).get("made", "{}"))
            names = [name.removesuffix(_FIRST) for name in stored if name.endswith(_FIRST)]
            factors = {name: (stored[name + _FIRST], stored[name + _SECOND]) for name in names}
        except (OSError, ValueError, KeyError, SafetensorError) as error:
            mend = "重新运行 tianwen train，或者装回原来的文件。"
            raise ModelError(f"模型的微调文件 {path} 读不了（{error}）。{mend}") from error
        return cls(factors, made)

    def save(self, path: Path) -> None:
        """As float16: half the size, and no vector changes by more than a thousandth."""
        tensors = {}
        for name, (first, second) in sorted(self.factors.items()):
            tensors[name + _FIRST] = first.astype(np.float16)
            tensors[name + _SECOND] = second.astype(np.float16)
        path.parent.mkdir(parents=True, exist_ok=True)
        part = path.with_name(f".{path.name}.part")
        save_file(tensors, part, {"made": json.dumps(dict(self.made), ensure_ascii=False)})
        part.replace(path)

    def changed(self, name: str, matrix: Matrix) -> Matrix:
        """The matrix of that name as trained, rounded to what float16 holds, so that every engine
        computes with the same numbers."""
        first, second = self.factors[name]
        rounded: Matrix = (matrix + second @ first).astype(np.float16).astype(np.float32)
        return rounded
