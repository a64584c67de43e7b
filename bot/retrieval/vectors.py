"""Keeps the vectors of texts on disk, so that only new or changed texts are encoded."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from bot.retrieval.embedder import Embedder, Vectors

Known = dict[bytes, Vectors]

logger = logging.getLogger(__name__)

_AT_ONCE = 256  # texts encoded between two saves: what a kill can cost, some seconds
_KEY = hashlib.sha256().digest_size


class VectorCache:
    """One file of passage vectors by sha256 of the text, all of one embedder's fingerprint.

    Replaced whole and atomically. A file that is damaged or another embedder's counts as empty; one
    that can't be written costs time at the next start and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def passages(
        self,
        embedder: Embedder,
        texts: Sequence[str],
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """`embedder.passages(texts)`, encoding only what was never encoded before.

        `progress` gets (texts encoded, texts to encode), and no call when nothing is missing.
        """
        keys = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest() for text in texts]
        known = self._read(embedder)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        encoded = 0
        for part in _parts(missing):
            known.update(zip(part, embedder.passages(list(part.values())), strict=True))
            encoded += len(part)
            self._keep(known, embedder)
            if progress:
                progress(encoded, len(missing))
        self._prune(known, frozenset(keys), embedder)
        rows = np.empty((len(keys), embedder.dimension), np.float32)
        for row, key in zip(rows, keys, strict=True):
            row[:] = known[key]
        return rows

    def _prune(self, known: Known, used: frozenset[bytes], embedder: Embedder) -> None:
        """Drop unused texts once they outnumber the used: an edit taken back stays quick."""
        if len(known) > 2 * len(used):
            self._keep({key: vector for key, vector in known.items() if key in used}, embedder)

    def _read(self, embedder: Embedder) -> Known:
        try:
            # Opened here because np.load leaves a file that is no archive open.
            with self._path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
                return _fitting(archive, embedder)
        except FileNotFoundError:
            return {}
        except Exception as error:  # noqa: BLE001 – numpy and zip meet damage with a dozen kinds
            logger.warning("vector cache %s is damaged, rebuilding it: %s", self._path, error)
            return {}

    def _keep(self, known: Known, embedder: Embedder) -> None:
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with self._one_writer():
                self._replace(known, embedder)
        except OSError as error:
            logger.warning("vector cache %s can't be written: %s", self._path, error)

    def _replace(self, known: Known, embedder: Embedder) -> None:
        part = self._path.with_name(f".{self._path.name}.part")
        with part.open("wb") as file:
            np.savez(
                file,
                fingerprint=np.array(embedder.fingerprint),
                keys=np.frombuffer(b"".join(known), np.uint8).reshape(-1, _KEY),
                vectors=np.array(list(known.values()), np.float32).reshape(-1, embedder.dimension),
            )
            file.flush()
            os.fsync(file.fileno())
        part.replace(self._path)

    @contextmanager
    def _one_writer(self) -> Iterator[None]:
        """Writers of other processes wait; the system lets go when the holder dies."""
        with self._path.with_name(f".{self._path.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def _parts(missing: dict[bytes, str]) -> Iterator[dict[bytes, str]]:
    items = list(missing.items())
    for start in range(0, len(items), _AT_ONCE):
        yield dict(items[start : start + _AT_ONCE])


def _fitting(archive: Any, embedder: Embedder) -> Known:
    """The archive's vectors if they are this embedder's. Raises ValueError on a wrong shape."""
    if str(archive["fingerprint"]) != embedder.fingerprint:
        return {}
    keys, vectors = archive["keys"], archive["vectors"]
    if (
        keys.shape != (len(vectors), _KEY)
        or vectors.shape != (len(keys), embedder.dimension)
        or (keys.dtype, vectors.dtype) != (np.uint8, np.float32)
        or not np.isfinite(vectors).all()
    ):
        raise ValueError("it does not hold what it should")
    return dict(zip((key.tobytes() for key in keys), vectors, strict=True))
