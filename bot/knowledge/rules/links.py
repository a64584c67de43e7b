"""Rules for links between entries, and for groups."""

from __future__ import annotations

from collections.abc import Iterator
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
                mend = "改成别的条目的文件名（不带 .md），或者删掉。"
                yield Finding(file, place, f"{key} 里的 {name} 没有这条条目。", mend)


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
            mend = "写下面中的一个：" + "、".join(groups) + "。"
            yield Finding(file, file.front.find("group"), message, mend)


def _links(file: EntryFile) -> Iterator[tuple[Literal["confusable_with", "see_also"], Place, str]]:
    for index, name in enumerate(file.entry.confusable_with):
        yield "confusable_with", file.front.find("confusable_with", index), name
    for index, name in enumerate(file.entry.see_also):
        yield "see_also", file.front.find("see_also", index), name
