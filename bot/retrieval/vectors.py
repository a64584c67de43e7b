"""Keeps the vectors of texts on disk, so that only new or changed texts are encoded."""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import numpy as np

from bot.retrieval.embedder import Embedder, Vectors

Known = dict[bytes, Vectors]
Role = Literal["query", "passage"]  # what a text is to the model: e5 prefixes them differently

logger = logging.getLogger(__name__)

_SPARE = (
    20_000  # texts not in the base that are kept, some 30 MB: check questions, edits taken back
)
_AT_ONCE = 256  # texts encoded between two saves: what a kill can cost, some seconds
_KEY = hashlib.sha256().digest_size


class VectorCache:
    """One file of vectors by sha256 of role and text, all of one embedder's fingerprint.

    Replaced whole and atomically. A file that is damaged or another embedder's counts as empty; one
    that can't be written costs time at the next start and nothing else.
    """

    def __init__(self, path: Path) -> None:
        self._path = path

    def vectors(
        self,
        embedder: Embedder,
        texts: Sequence[tuple[Role, str]],
        progress: Callable[[int, int], None] | None = None,
    ) -> Vectors:
        """A row for every text, encoding only what was never encoded before.

        `progress` gets (texts encoded, texts to encode), and no call when nothing is missing.
        """
        keys = [_key(*each) for each in texts]
        known = self._read(embedder)
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        encoded = 0
        for part in _parts(missing):
            known.update(_encoded(part, embedder))
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
        if len(known) > 2 * len(used) + _SPARE:
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


def _key(role: Role, text: str) -> bytes:
    return hashlib.sha256(f"{role} {text}".encode("utf-8", "surrogatepass")).digest()


def _encoded(part: dict[bytes, tuple[Role, str]], embedder: Embedder) -> Known:
    known: Known = {}
    for role, encode in (("query", embedder.queries), ("passage", embedder.passages)):
        texts = {key: text for key, (is_, text) in part.items() if is_ == role}
        if texts:
            known.update(zip(texts, encode(list(texts.values())), strict=True))
    return known


def _parts(missing: dict[bytes, tuple[Role, str]]) -> Iterator[dict[bytes, tuple[Role, str]]]:
    items = sorted(missing.items(), key=lambda item: len(item[1][1]))  # alike in length: no padding
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
