"""Finds and reads files that staff keep; no file, however odd, raises."""

from __future__ import annotations

import re
import stat
from pathlib import Path

from bot.reading.report import START, Place, Report

MOST_BYTES = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_NEWLINE = re.compile(r"\r\n?")
_TAB = re.compile(r"\t")
# Control characters, zero-width and direction marks, and the odd line ends that YAML counts as
# lines but editors do not.
UNSEEN = re.compile(
    "[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u2064\ufeff\ufffe\uffff]"
)


def shown(path: Path, root: Path) -> str:
    """`path` from the folder's parent on, printable even where a name is not UTF-8."""
    name = "/".join((root.name or "knowledge", *path.relative_to(root).parts))
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def children(folder: Path, report: Report) -> list[Path]:
    """What lies in the folder, by name, without hidden files."""
    try:
        return sorted(path for path in folder.iterdir() if not path.name.startswith("."))
    except OSError as error:
        report.error(
            "folder", START, _why(error, "文件夹"), "确认文件夹还在，并且本程序有权限打开。"
        )
        return []


def is_folder(path: Path) -> bool:
    try:
        return path.is_dir()
    except OSError:  # reading it will tell why
        return True


def read(path: Path, root: Path, report: Report, *, most: int = MOST_BYTES) -> bytes | None:
    """The bytes of an ordinary file inside `root`, 64 KiB unless more is allowed."""
    raw = read_head(path, root, report, most=most + 1)
    return raw if raw is not None and _is_in_size(raw, most, report) else None


def read_head(path: Path, root: Path, report: Report, *, most: int) -> bytes | None:
    """The first `most` bytes of an ordinary file inside `root`."""
    try:
        if not path.resolve(strict=True).is_relative_to(root.resolve()):
            report.error(
                "file", START, "这是指向文件夹外面的链接。", "把真正的文件放进来，不要用链接。"
            )
            return None
        if not stat.S_ISREG(path.stat().st_mode):
            report.error("file", START, "这不是普通文件。", "删掉它，换成真正的文件。")
            return None
        with path.open("rb") as file:
            return file.read(most)
    except (OSError, RuntimeError) as error:  # RuntimeError: a ring of links, before Python 3.13
        report.error("file", START, _why(error, "文件"), "确认文件还在，并且本程序有权限读取。")
        return None


def _is_in_size(raw: bytes, most: int, report: Report) -> bool:
    if len(raw) > most:
        message = f"文件超过 {most // 1024} KiB。"
        report.error("file", START, message, "一个文件只写一条，长的拆成几条。")
    elif not raw.strip():
        report.error("file", START, "文件是空的。", "补上内容，或者删掉这个文件。")
    else:
        return True
    return False


def decode(raw: bytes, report: Report) -> str | None:
    """The text with plain newlines; None where it is not clean UTF-8."""
    if raw.startswith(_BOM):
        report.error(
            "encoding", START, "文件开头有 BOM 标记。", "另存为“UTF-8”，不要选“带 BOM 的 UTF-8”。"
        )
        return None
    if b"\0" in raw:
        place = _place_in_bytes(raw, raw.index(b"\0"))
        report.error("encoding", place, "这不是文本文件。", "用记事本之类另存为 UTF-8 文本。")
        return None
    try:
        text = _NEWLINE.sub("\n", raw.decode("utf-8"))
    except UnicodeDecodeError as error:
        place = _place_in_bytes(raw, error.start)
        report.error(
            "encoding", place, "这里不是 UTF-8 编码（可能存成了 GBK）。", "另存为，编码选 UTF-8。"
        )
        return None
    return text if _is_clean(text, report) else None


def _is_clean(text: str, report: Report) -> bool:
    if tab := _TAB.search(text):
        report.error("tab", place_in(text, tab.start()), "这里有制表符（Tab）。", "换成空格。")
    elif unseen := UNSEEN.search(text):
        code = f"U+{ord(unseen.group()):04X}"
        place = place_in(text, unseen.start())
        report.error(
            "unseen", place, f"这里有看不见的字符（{code}）。", "删掉这一处重新打字，不要粘贴。"
        )
    return not (tab or unseen)


def place_in(text: str, index: int) -> Place:
    return Place(text.count("\n", 0, index) + 1, index - text.rfind("\n", 0, index))


def _place_in_bytes(raw: bytes, index: int) -> Place:
    before = _NEWLINE.sub("\n", raw[:index].decode("utf-8", "replace"))
    return place_in(before, len(before))


def _why(error: Exception, what: str) -> str:
    match error:
        case PermissionError():
            return f"没有权限读这个{what}。"
        case FileNotFoundError():
            return f"找不到这个{what}。"
        case NotADirectoryError():
            return "这里不是文件夹。"
    return f"读不了这个{what}（{getattr(error, 'strerror', None) or error}）。"
