"""The body of an entry: paragraphs, `- ` lists, `## ` headings, pictures, and nothing else."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from bot.domain import Block
from bot.knowledge import pictures
from bot.reading.report import Place, Report

_LIST = "列表每项用英文减号加一个空格开头：- 这样写。"
_HEADING = "小标题写成：## 怎么办（两个井号加一个空格）。"
_PLAIN = "删掉这些符号，只留文字。"
_PICTURE = re.compile(r"!\[([^\]]*)\]\(([^)]*)\)")
_PICTURE_MEND = "单独占一行，标点用英文的，写上图里看得到什么：![叶背的黄粉](pepper-rust-1.jpg)"
_LONGEST_CAPTION = 60  # characters; Telegram takes 1024

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
# Most lines break no rule: one look tells, instead of ten.
_ANY_LINE_RULE = re.compile("|".join(pattern.pattern for pattern, *_ in _LINE_RULES))
# What may stand nowhere in a line: the letter that rouses suspicion, and what must follow it.
_MARKS = (
    (r"[!！]", r"[\[［]", "图片写得不对。", _PICTURE_MEND),
    (
        r"\[",
        r"(?<![!！]\[)[^\]]*\]\([^)]*\)",
        "不支持链接。",
        "写出名称和到哪里查，出处放进 sources。",
    ),
    (r"[*_]", r"(?:(?<=\*)\*|(?<=_)_)", "不支持加粗。", _PLAIN),
    (r"~", r"~", "不支持删除线。", _PLAIN),
    (r"`", r"", "不支持代码样式。", _PLAIN),
    (r"<", r"(?:/?[A-Za-z][^>]*>|!--)", "不支持 HTML。", _PLAIN),
    (r"&", r"(?:#\d+|[A-Za-z]+);", "不支持 HTML 符号。", "直接写这个字。"),
)
_SUSPICION = re.compile("|".join(first for first, *_ in _MARKS))
_INLINE_RULES = tuple(
    (re.compile(first + rest), message, mend) for first, rest, message, mend in _MARKS
)


@dataclass(frozen=True, slots=True)
class Placed:
    """A block and where it begins."""

    block: Block
    place: Place


def parse(body: str, report: Report, *, domain: str, first_line: int) -> tuple[Placed, ...]:
    """The blocks of the body; what is outside the subset is reported."""
    reader = _Reader(report, domain)
    for number, line in enumerate(body.split("\n"), start=first_line):
        reader.take(line.rstrip(), number)
    return tuple(reader.blocks)


class _Reader:
    """Takes line after line; a line joins the block above unless something ends that."""

    def __init__(self, report: Report, domain: str) -> None:
        self.blocks: list[Placed] = []
        self._report = report
        self._domain = domain
        self._is_open = False

    def take(self, line: str, number: int) -> None:
        text = line.lstrip()
        place = Place(number, len(line) - len(text) + 1)
        if not text:
            self._is_open = False
        elif picture := _PICTURE.fullmatch(text):
            self._place_picture(picture[1].strip(), picture[2], place)
        elif not self._is_refused(text, place):
            self._place_line(text, place)

    def _place_picture(self, caption: str, name: str, place: Place) -> None:
        self._is_open = False
        self._refuse_marks(caption, Place(place.line, place.column + 2))
        if not caption:
            self._report.error("markdown", place, "图片没有说明。", _PICTURE_MEND)
        elif len(caption) > _LONGEST_CAPTION:
            message = f"图片说明有 {len(caption)} 个字，最多 {_LONGEST_CAPTION} 个。"
            self._report.error("markdown", place, message, "只写图上看得到什么，其余写进正文。")
        elif not pictures.is_name(name):
            message = f"“{name[:50]}”不是图片的文件名。"
            self._report.error("markdown", place, message, pictures.NAME_MEND)
        else:
            block = Block("picture", caption, f"{self._domain}/{name}")
            self.blocks.append(Placed(block, place))

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
        self._refuse_marks(text, place)
        if not _ANY_LINE_RULE.match(text):
            return False
        broken = next(rule for rule in _LINE_RULES if rule[0].match(text))
        self._report.error("markdown", place, *broken[1:])
        return True

    def _refuse_marks(self, text: str, place: Place) -> None:
        if not _SUSPICION.search(text):
            return
        for pattern, message, mend in _INLINE_RULES:
            if found := pattern.search(text):
                spot = Place(place.line, place.column + found.start())
                self._report.error("markdown", spot, message, mend)
