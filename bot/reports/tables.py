"""The report as tables: what the terminal prints, and the sheets and the page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import CHINA, Case
from bot.reports.figures import OUTCOMES, Count, Person, Report

Cell = str | int | float | None
WORDS = 60  # characters of a question


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; `note` says what to know before reading it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def tables(report: Report) -> Sequence[Table]:
    head = ("", *OUTCOMES, "合计")
    return (
        Table(
            "特派员",
            (
                "姓名",
                "答复",
                "有效服务",
                "建议",
                "多久答复（小时，中位）",
                "一天内答复",
                "农户评价（3 分满）",
                "传播量",
                "全年服务",
                "还差服务",
                "还差建议",
                "全年无效",
                "照现在",
            ),
            [_person(one) for one in report.people],
            "答复送到农户手上才算；一个问题答几次只算一次有效服务。"
            "传播量是照他的答复写的知识答给农户的次数，不算服务。",
        ),
        Table("每周提问", head, [_count(one) for one in report.weeks], "按周一的日期。"),
        Table("各领域提问", head, [_count(one) for one in report.subjects]),
        Table(
            "各镇街转人的问题",
            ("镇街", "问题单"),
            [list(one) for one in report.townships],
            "农户没说镇街的算“没分出”。",
        ),
        _cases("还没有答复的", report.gaps),
        _cases("超时的", report.overdue),
        _cases("未送达的", report.undelivered),
    )


def _person(one: Person) -> Sequence[Cell]:
    year = one.standing
    return (
        one.commissioner.name,
        one.delivered,
        one.services,
        one.suggestions,
        None if one.hours is None else round(one.hours, 1),
        None if one.within_a_day is None else f"{one.within_a_day:.0%}",
        None if one.rating is None else round(one.rating, 1),
        one.spread,
        year.counted,
        year.missing_services,
        year.missing_suggestions,
        len(year.struck),
        year.grade,
    )


def _count(one: Count) -> Sequence[Cell]:
    return (one.name, *(one.outcomes[name] for name in OUTCOMES), one.total)


def _cases(title: str, cases: Sequence[Case]) -> Table:
    rows = [
        (
            f"#{case.number}",
            f"{case.opened_at.astimezone(CHINA):%Y-%m-%d}",
            case.township or "",
            " ".join(case.question.split())[:WORDS] or "（图片或语音）",
        )
        for case in cases
    ]
    return Table(title, ("编号", "日期", "镇街", "问题"), rows)
