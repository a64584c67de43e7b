"""Tells cheaply whether anything in the knowledge folder has changed."""

from __future__ import annotations

import hashlib
import stat
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bot.knowledge.pictures import MOST_BYTES


def fingerprint(folder: Path) -> str:
    """A text that changes with any name or byte under the folder; never raises."""
    return Watch(folder).fingerprint()


@dataclass(frozen=True, slots=True)
class _Marks:
    """What the file system tells about a file without opening it."""

    mode: int
    size: int
    inode: int
    changed: tuple[int, int]

    @classmethod
    def of(cls, path: Path) -> _Marks:
        try:
            found = path.stat()
        except (OSError, RuntimeError) as error:
            return cls(0, 0, 0, (getattr(error, "errno", 0) or 0, 0))
        times = (found.st_mtime_ns, found.st_ctime_ns)
        return cls(found.st_mode, found.st_size, found.st_ino, times)


@dataclass(frozen=True, slots=True)
class _Seen:
    marks: _Marks
    digest: str
    is_settled: bool  # read once more after a change: two writes may share one tick of the clock


@dataclass(slots=True)
class Watch:
    """Remembers what it read, so a look at a folder at rest opens no file."""

    folder: Path
    _seen: dict[Path, _Seen] = field(default_factory=dict)

    def fingerprint(self) -> str:
        """Equal to the last look's if and only if no name and no content differs."""
        self._seen = {path: self._look(path) for path in _walk(self.folder, depth=3)}
        digest = hashlib.sha256()
        for path, seen in self._seen.items():
            digest.update(f"{path}\n{seen.digest}\n".encode("utf-8", "surrogateescape"))
        return digest.hexdigest()

    def _look(self, path: Path) -> _Seen:
        marks = _Marks.of(path)
        known = self._seen.get(path)
        if known and known.marks == marks and known.is_settled:
            return known
        is_settled = known is not None and known.marks == marks
        return _Seen(marks, _digest(path, marks), is_settled)


def _walk(folder: Path, *, depth: int) -> Iterator[Path]:
    """The folder and all in it that is not hidden, in order."""
    yield folder
    if depth == 0:
        return
    try:
        inside = sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError:  # a plain file, no longer there, or closed to us
        return
    for path in inside:
        yield from _walk(path, depth=depth - 1)


def _digest(path: Path, marks: _Marks) -> str:
    """What tells this content from another; nothing but ordinary files is opened."""
    if not stat.S_ISREG(marks.mode):
        return f"{marks.mode} {marks.changed[0] if marks.mode == 0 else ''}"
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        return f"unreadable {error.errno}"
    return f"{marks.size} {hashlib.sha256(content).hexdigest()}"
