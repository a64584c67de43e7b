"""What the columns of the staff's workbook mean: entries become rows, and cells become words."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from bot.knowledge.manuscript import Manuscript, Value
from bot.knowledge.names import Names, Unfit
from bot.knowledge.spreadsheet import Column, Content, Table, plain
from bot.reading.files import UNSEEN

ENTRIES, QUESTIONS, GUIDE = "条目", "问法", "说明"
ID, DOMAIN, QUESTION, DELETE, STAMP = "代号", "领域", "问法", "删", "导出记号"
NONE = "无"
STATUSES = {"draft": "草稿", "pending": "待审", "approved": "已审"}
_BETWEEN = re.compile(r"[,，、;；\s]+")
_MONTH = re.compile(r"(0?[1-9]|1[0-2])月?")
_DAY = re.compile(r"(\d{4})\s*[-/.年]\s*(\d{1,2})\s*[-/.月]\s*(\d{1,2})\s*日?")


@dataclass(frozen=True, slots=True)
class Part:
    """A column of the entries: how a part of the manuscript is shown and taken."""

    column: Column
    field: str
    show: Callable[[Manuscript, Names], Content]
    take: Callable[[Content, str, Names], Value]  # the cell, the domain

    def shown(self, manuscript: Manuscript, names: Names) -> Content:
        """As it comes back from the cell."""
        shown = self.show(manuscript, names)
        return plain(shown) if isinstance(shown, str) else shown


# --- cells to words --------------------------------------------------------------------------


def text_of(content: Content) -> str:
    if isinstance(content, date):
        mend = "把这一格的格式改成“文本”，重新写。"
        raise Unfit(f"Excel 把这里变成了日期（{content}）。", mend)
    if unseen := UNSEEN.search(content):
        what = (
            "制表符" if unseen.group() == "\t" else f"看不见的字符（U+{ord(unseen.group()):04X}）"
        )
        raise Unfit(f"这里有{what}。", "删掉这一处重新打字，不要粘贴。")
    return content


def line_of(content: Content) -> str:
    text = _words(content)
    if "\n" in text:
        raise Unfit("这里换了行。", "写成一行、一段话。")
    return text


def _words(content: Content) -> str:
    if (text := text_of(content)) == NONE:
        raise Unfit("这一格不能是“无”。", "写上内容；不想改就把这一格空着。")
    return text


def _optional(content: Content) -> str | None:
    return None if content == NONE else line_of(content)


def _list(content: Content) -> tuple[str, ...]:
    text = text_of(content)
    return () if text == NONE else tuple(filter(None, _BETWEEN.split(text)))


def _lines(content: Content) -> tuple[str, ...]:
    return tuple(line for line in map(str.strip, _words(content).split("\n")) if line)


def _months(content: Content) -> tuple[str, ...]:
    found = [_MONTH.fullmatch(one) for one in _list(content)]
    if not all(found):
        mend = "写 1 到 12 的数字，用顿号隔开，如 6、7、8；一年到头都有就写“无”。"
        raise Unfit(f"“{content}”不是月份。", mend)
    return tuple(str(int(one[1])) for one in found if one)


def _status(content: Content) -> str:
    for status, word in STATUSES.items():
        if content == word:
            return status
    raise Unfit(f"没有“{content}”这种审核状态。", f"只能写：{'、'.join(STATUSES.values())}。")


def _day(content: Content) -> str | None:
    if content == NONE:
        return None
    found = None if isinstance(content, date) else _DAY.fullmatch(content)
    try:
        day = date(*map(int, found.groups())) if found else content
    except ValueError:
        day = content
    if isinstance(day, str):
        raise Unfit(f"“{day}”不是日期。", "写成 2027-10-31 的样子。")
    return day.isoformat()


# --- the columns -----------------------------------------------------------------------------


def _part(
    title: str, width: int, field: str, take: Callable[[Content], Value], *, between: str = "、"
) -> Part:
    def show(manuscript: Manuscript, _: Names) -> Content:
        value = getattr(manuscript, field)
        return (between.join(value) if isinstance(value, tuple) else value) or NONE

    return Part(Column(title, width), field, show, lambda content, *_: take(content))


def _day_part(title: str, field: str) -> Part:
    def show(manuscript: Manuscript, _: Names) -> Content:
        value = getattr(manuscript, field)
        return date.fromisoformat(value) if value else NONE

    return Part(Column(title, 12), field, show, lambda content, *_: _day(content))


_GROUP = Part(
    Column("分组", 16),
    "group",
    lambda one, names: names.group(one.domain, one.group) if one.group else NONE,
    lambda content, domain, names: (
        None if content == NONE else names.group_called(domain, line_of(content))
    ),
)
_STATUS = Part(
    Column("审核状态", 10, tuple(STATUSES.values())),
    "status",
    lambda one, _: STATUSES[one.status],
    lambda content, *_: _status(content),
)
PARTS = (
    _GROUP,
    _part("标题", 22, "title", line_of),
    _part("短答", 44, "short_answer", line_of),
    _part("正文", 70, "details", lambda content: "" if content == NONE else text_of(content)),
    _part("月份", 14, "season", _months),
    _part("易混条目", 24, "confusable_with", _list),
    _part("相关条目", 24, "see_also", _list),
    _part("出处", 44, "sources", _lines, between="\n"),
    _STATUS,
    _part("审核人", 12, "by", _optional),
    _day_part("审核日期", "on"),
    _day_part("复审期限", "review_by"),
)
NEEDED = ("title", "short_answer", "sources")  # in a new row
_STAMP = Column(STAMP, 10, is_hidden=True)
_ENTRY_COLUMNS = (Column(ID, 24), Column(DOMAIN, 12), *(part.column for part in PARTS), _STAMP)
_QUESTION_COLUMNS = (
    Column(ID, 24), Column("标题", 22), Column(QUESTION, 90), Column(DELETE, 6, (DELETE,)), _STAMP,
)  # fmt: skip
TITLES = {
    ENTRIES: tuple(column.title for column in _ENTRY_COLUMNS),
    QUESTIONS: tuple(column.title for column in _QUESTION_COLUMNS),
}
_GUIDE = (
    "“条目”表一行是一条知识，“问法”表一行是一句农户的说法。",
    "改好存盘，运行 tianwen knowledge import 文件名。",
    "先加 --dry-run 试一遍：它说会新建、改动哪些，哪一行哪一列不行、怎么改，什么也不写。",
    "只要有一处不行，就一条也不写。改好那一处再导入。",
    "空着的格子：保留原样。要清空就写“无”。",
    "删掉表里的行不会删掉知识：表里没有的条目和问法都保留原样。",
    "删一句问法：在“删”那一列写“删”。改一句问法：直接改那一格。",
    "加问法：在“问法”表另起一行，写代号和问法。“标题”那一列只给人看，改了不算。",
    "加条目：在“条目”表另起一行，代号用小写字母、数字和减号；再到“问法”表写至少 8 句问法。",
    "领域、分组写中文名或代号都行。条目不能在表里换领域：把文件移到那个领域的文件夹里。",
    "月份、易混条目、相关条目用顿号或逗号隔开；出处一行一个（Alt+回车换行）。",
    "正文的写法：小标题前面写 ## 和空格，列表每项前面写 - 和空格，段落之间空一行。",
    "审核状态：草稿（农户看不到）、待审、已审。已审要写审核人和审核日期。",
    "列可以换位置，不要改列名和表名；不要写公式，不要合并格子。排序要整张表一起排。",
    "表记得导出那一刻的样子，记在藏着的“导出记号”列里，不要动它。",
    "导出以后文件又改过的：表里没动的行，照文件的；表里也动了的行，不让导入，要重新导出再改。",
    "导入以后还要接着改，先重新导出一份。",
)


def stamp(name: str, contents: Iterable[Content]) -> str:
    """What a row said of `name` when it was exported, in short: one left alone still says it."""
    words = "\0".join(map(str, contents))
    return f"{name} {hashlib.sha256(words.encode()).hexdigest()[:16]}"


def stamp_of(one: Manuscript, names: Names) -> str:
    shown = (part.shown(one, names) for part in PARTS)
    return stamp(one.id, (plain(names.domain(one.domain)), *shown))


def stamp_of_row(cells: Mapping[str, Content]) -> str:
    """Of a row of the entries, as it stands."""
    titles = (DOMAIN, *(part.column.title for part in PARTS))
    return stamp(str(cells.get(ID, "")), (cells.get(title, "") for title in titles))


def stamp_of_question(name: str, words: str) -> str:
    return stamp(name, (words,))


def tables(manuscripts: Sequence[Manuscript], names: Names) -> tuple[Table, ...]:
    """The workbook's sheets."""
    entries = [
        [
            one.id,
            names.domain(one.domain),
            *(part.show(one, names) for part in PARTS),
            stamp_of(one, names),
        ]
        for one in manuscripts
    ]
    questions = [
        [one.id, one.title, asked, "", stamp_of_question(one.id, plain(asked))]
        for one in manuscripts
        for asked in one.questions
    ]
    return (
        Table(ENTRIES, _ENTRY_COLUMNS, entries),
        Table(QUESTIONS, _QUESTION_COLUMNS, questions),
        Table(GUIDE, (Column("怎么用", 100),), [[line] for line in _GUIDE]),
    )
