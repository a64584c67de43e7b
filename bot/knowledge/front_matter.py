"""Cuts an entry file into its front matter and its body."""

from __future__ import annotations

from bot.reading.report import START, Report

_FENCE = "---"


def split(text: str, report: Report) -> tuple[str, str, int] | None:
    """Front matter, body, and the line where the body begins; None where the fences lack."""
    lines = text.split("\n")
    if lines[0].rstrip() != _FENCE:
        mend = "文件第一行写三个英文减号 ---，下面写 title 等，再用一行 --- 结束。"
        report.error("front-matter", START, "文件开头没有 ---。", mend)
        return None
    for number, line in enumerate(lines[1:], start=2):
        if line.rstrip() == _FENCE:
            return "\n".join(lines[1 : number - 1]), "\n".join(lines[number:]), number + 1
    mend = "在 review_by 那一行后面另起一行写 ---，再写正文。"
    report.error("front-matter", START, "找不到结束开头部分的第二个 ---。", mend)
    return None
