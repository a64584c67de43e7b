"""Puts a commissioner's name under entries: who has read them, when, and until when that holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from difflib import get_close_matches
from pathlib import Path

from bot.domain import Problem
from bot.errors import EditError
from bot.knowledge.check import check
from bot.knowledge.editing import edit
from bot.knowledge.load import read
from bot.knowledge.manuscript import Manuscript, Original, originals
from bot.knowledge.trial import rehearse
from bot.reading.files import UNSEEN

_HALF_A_YEAR = timedelta(days=183)


@dataclass(frozen=True, slots=True)
class Approval:
    by: str
    on: date
    review_by: date | None  # None: each entry's own term

    @classmethod
    def of(cls, by: str, on: date | None, review_by: date | None, today: date) -> Approval:
        """Made today where nothing else is said. Raises EditError."""
        name, day = by.strip(), on or today
        if not name or UNSEEN.search(name) or "\n" in name:
            raise EditError("审核人要写姓名，写在一行里。")
        if day > today:
            raise EditError(f"审核日期 {day} 还没到（今天 {today}）。写看过的那一天。")
        if review_by and review_by <= today:
            raise EditError(f"复审期限 {review_by} 不在今天以后。写一年以内的日子。")
        return cls(name, day, review_by)


@dataclass(frozen=True, slots=True)
class Approved:
    """An entry's file as approved; its path is its place under the knowledge folder."""

    path: Path
    content: bytes
    review_by: date


def a_year_after(day: date) -> date:
    try:
        return day.replace(year=day.year + 1)
    except ValueError:  # the 29th of February
        return day.replace(year=day.year + 1, day=28)


def due(manuscript: Manuscript, on: date) -> date:
    """The writer's term, half a year to a year long: what changes soon (law, registration, prices)
    was given a nearer day. An approval renewed is good for as long as the last one."""
    day = date.fromisoformat(manuscript.review_by) if manuscript.review_by else on
    if manuscript.status == "approved" and manuscript.on:
        day = on + (day - date.fromisoformat(manuscript.on))
    return min(max(day, on + _HALF_A_YEAR), a_year_after(on))


def approve(
    folder: Path, names: Sequence[str], approval: Approval, today: date
) -> tuple[Approved, ...]:
    """The files changed, in no more than their review lines. Raises EditError, with every reason,
    where one of them can't be approved."""
    reading = read(folder)
    known = originals(folder, reading)
    errors = [problem for problem in check(folder, today) if problem.level == "error"]
    refused = [
        reason
        for name in dict.fromkeys(names)
        for reason in _against(name, known, reading.names, errors)
    ]
    if refused:
        raise EditError("\n".join([*refused, "一条也没有写。改好再来。"]))
    approved = tuple(_approved(known[name], approval) for name in dict.fromkeys(names))
    changes = {one.path: one.content for one in approved}
    if brought := [one for one in rehearse(folder, changes, today).brought if one.level == "error"]:
        raise EditError("\n".join([*map(str, brought), "一条也没有写。"]))
    return approved


def _against(
    name: str, known: dict[str, Original], paths: dict[str, str], errors: Sequence[Problem]
) -> Iterator[str]:
    wrong = [problem for problem in errors if paths.get(name) == problem.path]
    if name not in paths:
        near = get_close_matches(name, paths, n=1)
        yield f"没有 {name} 这条条目。" + (f"是不是 {near[0]}？" if near else "")
    elif wrong or name not in known:
        yield f"{name} 有错误，先改好："
        yield from (f"  {problem}" for problem in wrong)
    elif known[name].manuscript.status == "draft":
        mend = "先写完，把 reviewed 里的 draft 改成 pending，运行 tianwen check，请人看过再核定。"
        yield f"{name} 还是草稿。{mend}"


def _approved(original: Original, approval: Approval) -> Approved:
    old = original.manuscript
    review_by = approval.review_by or due(old, approval.on)
    wanted = replace(
        old,
        status="approved",
        by=approval.by,
        on=approval.on.isoformat(),
        review_by=review_by.isoformat(),
    )
    content = edit(original.text, original.file, wanted).encode()
    return Approved(Path(old.domain) / f"{old.id}.md", content, review_by)
