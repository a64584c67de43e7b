"""Tries a change of the knowledge folder out on a copy, and makes it whole or not at all."""

from __future__ import annotations

import os
import re
import secrets
import shutil
import tempfile
from collections import Counter
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from bot.domain import Problem
from bot.errors import EditError
from bot.knowledge.check import check

Changes = Mapping[Path, bytes]  # by the files' places under the knowledge folder
_NUMBER = re.compile(r"\d+")


@dataclass(frozen=True, slots=True)
class Trial:
    """What the check says of a changed folder: what the change brought, and what stood before."""

    brought: tuple[Problem, ...]
    stood: tuple[Problem, ...]


def rehearse(folder: Path, changes: Changes, today: date) -> Trial:
    """Checks a copy with the changes made. Raises EditError where the folder can't be copied."""
    before = Counter(map(_essence, check(folder, today)))
    with tempfile.TemporaryDirectory(prefix="tianwen-") as place:
        copy = Path(place) / folder.name  # messages name the folder
        try:
            shutil.copytree(folder, copy, ignore_dangling_symlinks=True)
        except OSError as error:
            message = f"知识文件夹里有读不了的文件（{error}）。先运行 tianwen check，改好再来。"
            raise EditError(message) from error
        for path, content in changes.items():
            (copy / path).write_bytes(content)
        after = check(copy, today)
    brought = []
    for problem in after:
        if before[_essence(problem)]:
            before[_essence(problem)] -= 1
        else:
            brought.append(problem)
    return Trial(tuple(brought), tuple(each for each in after if each not in brought))


def _essence(problem: Problem) -> tuple[str, str, str]:
    """What makes two problems the same though lines have moved and a count has changed."""
    return problem.path, problem.rule, _NUMBER.sub("", problem.message)


def save(folder: Path, changes: Changes) -> None:
    """Each file is whole at any instant, and none is touched before all are ready. Raises
    EditError where the disk refuses."""
    ready: list[tuple[Path, Path]] = []
    done = 0
    try:
        for path, content in changes.items():
            target = (folder / path).resolve()
            ready.append((target.with_name(f".{target.name}.{secrets.token_hex(4)}"), target))
            _write(*ready[-1], content)
        for draft, target in ready:
            draft.replace(target)
            done += 1
    except OSError as error:
        wrote = f"前 {done} 个文件已经写好，其余没动" if done else "什么也没有写"
        reason = f"{error.strerror}：{error.filename}"
        raise EditError(f"写不进去（{reason}）；{wrote}。看看磁盘和权限，再来一次。") from error
    finally:
        for draft, _ in ready[done:]:
            with suppress(OSError):  # not there, or not ours to take away: the disk is read-only
                draft.unlink()


def _write(draft: Path, target: Path, content: bytes) -> None:
    """Hidden, as `draft` is, it is no entry to a running bot."""
    with draft.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    if target.exists():
        shutil.copymode(target, draft)
