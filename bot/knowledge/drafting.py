"""Begins a new entry: a draft that loads, with a mark wherever words are still to be written."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path

from bot.domain import Domain
from bot.errors import EditError
from bot.knowledge.load import Reading
from bot.knowledge.manuscript import Manuscript, compose
from bot.knowledge.names import Names, Unfit
from bot.reading.fields import NAME, NAME_MEND
from bot.reading.files import UNSEEN

TO_WRITE = "【待写】"
_HINTS = (
    "看到的样子：叶子咋个了、果子咋个了",
    "土话的说法",
    "三五个字的短句",
    "带故事的：哪天起的、做过啥子",
    "问怎么办的",
    "问是不是某种病、某件事的",
    "打错字也像真的",
    "别的人会怎么问：合作社、外地亲戚",
)
_DETAILS = f"""\
## 怎么认
- {TO_WRITE}一条说一个看得到的样子，和容易弄混的怎么分。

## 怎么办
- {TO_WRITE}先做什么、再做什么，一条说一件事。

## 用药与安全
- {TO_WRITE}用药只写“按标签”；用不着药就删掉这一节。

## 什么时候找特派员
{TO_WRITE}哪些情形要找人，要带什么照片。"""


def draft(
    reading: Reading, name: str, domain: str | None, title: str | None, review_by: date
) -> tuple[Path, str]:
    """Where under the folder the new file belongs, and its text; the domain is guessed from ids
    that begin alike where none is named. Raises EditError."""
    if not NAME.fullmatch(name):
        raise EditError(f"“{name}”不能作代号。{NAME_MEND}")
    if name in reading.names:
        raise EditError(f"{name} 已经有了：{reading.names[name]}。换一个代号，或者直接改那个文件。")
    home = _domain(reading, domain) if domain else _guess(reading, name)
    domain_there = next(file.domain for file in reading.domains if file.domain.id == home)
    manuscript = template(name, domain_there, review_by)
    if title is not None:
        manuscript = replace(manuscript, title=_line(title))
    return Path(home) / f"{name}.md", written(manuscript, domain_there)


def template(name: str, domain: Domain, review_by: date) -> Manuscript:
    """A draft with nothing but marks in it, no two of which are the same."""
    return Manuscript(
        id=name,
        domain=domain.id,
        title=f"{TO_WRITE}标题（{name}）",
        group=next(iter(domain.groups), None),
        questions=tuple(f"{TO_WRITE}{name} 的问法：{hint}" for hint in _HINTS),
        sources=(f"{TO_WRITE}书名或标准号，出版者，年份",),
        status="draft",
        review_by=review_by.isoformat(),
        short_answer=f"{TO_WRITE}短答：先说结论和最要紧的一步，80 字以内。",
        details=_DETAILS,
    )


def written(manuscript: Manuscript, domain: Domain) -> str:
    """The file's text, with the groups as a comment above the line that names one."""
    choice = "".join(f"#   {group}：{title}\n" for group, title in domain.groups.items())
    chosen = f"\n# 分组，写下面中的一个：\n{choice}group:"
    return compose(manuscript).replace("\ngroup:", chosen, 1)


def _line(title: str) -> str:
    if not title.strip() or UNSEEN.search(title) or "\n" in title:
        raise EditError("标题要写在一行里，不能是空的。")
    return title.strip()


def _domain(reading: Reading, words: str) -> str:
    try:
        return Names(file.domain for file in reading.domains).domain_called(words)
    except Unfit as error:
        raise EditError(f"{error.message}{error.mend}") from None


def _guess(reading: Reading, name: str) -> str:
    """The only domain where ids begin with the same word."""
    first = name.partition("-")[0]
    alike = {
        path.split("/")[-2] for one, path in reading.names.items() if one.partition("-")[0] == first
    }
    known = {file.domain.id: file.domain.title for file in reading.domains}
    if len(alike & known.keys()) == 1:
        return next(iter(alike & known.keys()))
    choices = "、".join(f"{name}（{title}）" for name, title in known.items())
    raise EditError(f"看不出 {name} 属于哪个领域。加上 --domain，写其中一个：{choices}。")
