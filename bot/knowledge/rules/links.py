"""Rules for links between entries, and for groups."""

from __future__ import annotations

from collections.abc import Iterator
from difflib import get_close_matches
from typing import Literal

from bot.knowledge.load import EntryFile
from bot.knowledge.rules.base import Finding, Shelf, rule
from bot.reading.report import Place


@rule("unknown-link", "error")
def _link_to_nowhere(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for key, place, name in _links(file):
            if name == file.entry.id:
                yield Finding(file, place, f"{key} 里写了自己。", "删掉它。")
            elif name not in shelf.ids:
                yield Finding(file, place, *_why_nowhere(shelf, key, name))


def _why_nowhere(shelf: Shelf, key: str, name: str) -> tuple[str, str]:
    """The message and the mend."""
    if any(file.entry.id == name for file in shelf.drafts):
        return f"{key} 里的 {name} 还是草稿，农户看不到。", "等那一条写好再加，先删掉它。"
    near = get_close_matches(name, shelf.ids, n=1, cutoff=0.8)
    meant = f"是不是 {near[0]}？" if near else ""
    mend = f"{meant}改成别的条目的代号（文件名里 .md 前面的字），或者删掉；"
    moved = "要是那个文件刚删掉、改了名、存成了 .txt，就把它改回来。"
    return f"{key} 里的 {name} 没有这条条目。", mend + moved


@rule("one-way-link", "warning")
def _link_not_returned(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for key, place, name in _links(file):
            other = shelf.by_id.get(name)
            if other and file.entry.id not in getattr(other.entry, key):
                message = f"{key} 写了 {name}，那一条却没有写回来。"
                yield Finding(
                    file, place, message, f"在 {other.path} 的 {key} 里加上 {file.entry.id}。"
                )


@rule("group", "error")
def _group_missing_or_unknown(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        domain = shelf.domain(file.entry.domain)
        groups = domain.domain.groups if domain else {}
        if groups and file.entry.group not in groups:
            name = file.entry.group
            message = f"_domain.yaml 里没有 {name} 这个分组。" if name else "没有写 group（分组）。"
            choices = "；".join(f"{group}（{title}）" for group, title in groups.items())
            mend = f"写下面中的一个（括号里的不写）：{choices}。"
            yield Finding(file, file.front.find("group"), message, mend)


def _links(file: EntryFile) -> Iterator[tuple[Literal["confusable_with", "see_also"], Place, str]]:
    for index, name in enumerate(file.entry.confusable_with):
        yield "confusable_with", file.front.find("confusable_with", index), name
    for index, name in enumerate(file.entry.see_also):
        yield "see_also", file.front.find("see_also", index), name
