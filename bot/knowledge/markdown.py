"""The body of an entry: paragraphs, `- ` lists and `## ` headings, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bot.domain import Block
from bot.reading.report import Place, Report

_LIST = "列表每项用英文减号加一个空格开头：- 这样写。"
_HEADING = "小标题写成：## 怎么办（两个井号加一个空格）。"
_PLAIN = "删掉这些符号，只留文字。"

# What a line may not begin with, the first that fits is told.
_LINE_RULES = tuple(
    (re.compile(pattern), message, mend)
    for pattern, message, mend in (
        (r"##(?! |$)(?!#)", "## 后面少了一个空格。", _HEADING),
        (r"#(?!#)|###", "小标题只用两个井号。", _HEADING),
        (r"＃", "井号要用英文的。", _HEADING),
        (
            r"(-{3,}|\*{3,}|_{3,}|={3,})\s*$",
            "正文里不能有分隔线。",
            "删掉这一行，用 ## 小标题分段。",
        ),
        (r"-(?![ \d-]|$)", "减号后面少了一个空格。", _LIST),
        (r"[*+•·●▪－–—](?=\s|\w)(?!\*)", "列表不能用这个符号。", _LIST),
        (r"\d+[.)] ", "不支持编号列表。", _LIST + "要讲先后就写“先……”“再……”。"),
        (r">", "不支持引用。", "删掉行首的 >。"),
        (r"\||:?-+:?\s*\|", "不支持表格。", "改成列表，一行说一件事。"),
        (r"```|~~~", "不支持代码块。", _PLAIN),
    )
)
# What may stand nowhere in a line.
_INLINE_RULES = tuple(
    (re.compile(pattern), message, mend)
    for pattern, message, mend in (
        (r"!\[[^\]]*\]", "现在还不能放图片。", "删掉图片，用文字说清楚长什么样。"),
        (r"\[[^\]]*\]\([^)]*\)", "不支持链接。", "写出名称和到哪里查，出处放进 sources。"),
        (r"\*\*|__", "不支持加粗。", _PLAIN),
        (r"~~", "不支持删除线。", _PLAIN),
        (r"`", "不支持代码样式。", _PLAIN),
        (r"</?[A-Za-z][^>]*>|<!--", "不支持 HTML。", _PLAIN),
        (r"&(#\d+|[A-Za-z]+);", "不支持 HTML 符号。", "直接写这个字。"),
    )
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A block and where it begins."""

    block: Block
    place: Place


def parse(body: str, report: Report, *, first_line: int) -> tuple[Placed, ...]:
    """The blocks of the body; what is outside the subset is reported."""
    reader = _Reader(report)
    for number, line in enumerate(body.split("\n"), start=first_line):
        reader.take(line.rstrip(), number)
    return tuple(reader.blocks)


class _Reader:
    """Takes line after line; a line joins the block above unless something ends that."""

    def __init__(self, report: Report) -> None:
        self.blocks: list[Placed] = []
        self._report = report
        self._is_open = False

    def take(self, line: str, number: int) -> None:
        text = line.lstrip()
        place = Place(number, len(line) - len(text) + 1)
        if not text:
            self._is_open = False
        elif not self._is_refused(text, place):
            self._place_line(text, place)

    def _place_line(self, text: str, place: Place) -> None:
        if text == "##" or text.startswith("## "):
            self._start("heading", text[2:].strip(), place)
            self._is_open = False
        elif text == "-" or text.startswith("- "):
            if place.column > 1:
                self._report.error(
                    "markdown", place, "列表前面有空格。", "减号顶到行首，不要嵌套。"
                )
            self._start("item", text[1:].strip(), place)
        elif self._is_open:
            self._continue(text, place)
        else:
            self._start("paragraph", text, place)

    def _start(
        self, kind: Literal["paragraph", "heading", "item"], text: str, place: Place
    ) -> None:
        if not text:
            self._report.error("markdown", place, "符号后面没有字。", "补上文字，或者删掉这一行。")
        self.blocks.append(Placed(Block(kind, text), place))
        self._is_open = True

    def _continue(self, text: str, place: Place) -> None:
        last = self.blocks.pop()
        if last.block.kind == "item" and place.column == 1:
            mend = "上面空一行；若是接着上一条，就写在同一行。"
            self._report.error("markdown", place, "列表后面直接跟了正文。", mend)
        seam = " " if (last.block.text[-1:] + text[0]).isascii() else ""
        self.blocks.append(
            Placed(Block(last.block.kind, last.block.text + seam + text), last.place)
        )

    def _is_refused(self, text: str, place: Place) -> bool:
        """Whether the line begins with a mark that makes it no text of ours."""
        for pattern, message, mend in _INLINE_RULES:
            if found := pattern.search(text):
                spot = Place(place.line, place.column + found.start())
                self._report.error("markdown", spot, message, mend)
        for pattern, message, mend in _LINE_RULES:
            if pattern.match(text):
                self._report.error("markdown", place, message, mend)
                return True
        return False
