"""The report as tables: what the terminal prints, and the sheets and the page show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bot.domain import CHINA, Case
from bot.reports.figures import OUTCOMES, UNKNOWN, Count, Person, Report
from bot.reports.gaps import Gap

Cell = str | int | float | None
WORDS = 60  # characters of a question
_LISTED = 20  # numbers of lines or cases
_GAPS = 50


@dataclass(frozen=True, slots=True)
class Table:
    """A titled table; `note` says what to know before reading it."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[Cell]]
    note: str = ""


def tables(report: Report) -> Sequence[Table]:
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
        *_asked(report),
        Table(
            "各镇街转人的问题",
            ("镇街", "问题单"),
            [list(one) for one in report.townships],
            "农户没说镇街的算“没分出”。",
        ),
        _cases("还没有答复的", report.waiting),
        _cases("超时的", report.overdue),
        _cases("未送达的", report.undelivered),
        *_gaps(report),
        *_flags(report),
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


def _asked(report: Report) -> Sequence[Table]:
    """What the bot answers is the district's, no commissioner's."""
    if not report.is_whole:
        return ()
    head = ("", *OUTCOMES, "合计")
    return (
        Table("每周提问", head, [_count(one) for one in report.weeks], "按周一的日期。"),
        Table("各领域提问", head, [_count(one) for one in report.subjects]),
    )


def _gaps(report: Report) -> Sequence[Table]:
    if report.gaps is None:
        return ()
    head = ("例子", "几户问", "几次", "领域", "镇街", "月份", "问题单")
    note = (
        f"历来转给人的问题，说法相近的归在一起，问的农户多的在前，最多 {_GAPS} 行。"
        "归得不一定准；经常问的，可以请特派员写成知识条目。"
    )
    rows = [_gap(one, report) for one in report.gaps[:_GAPS]]
    return (Table("空缺", head, rows, note),)


def _gap(one: Gap, report: Report) -> Sequence[Cell]:
    numbers = [f"#{case.number}" for case in reversed(one.cases)]
    return (
        _words(one.example),
        one.askers,
        len(one.cases),
        report.subject(one.example.domain) if one.example.domain else UNKNOWN,
        "、".join(f"{name} {count}" for name, count in one.townships.most_common()),
        "、".join(map(str, one.months)),
        _listed(numbers, "单"),
    )


def _flags(report: Report) -> Sequence[Table]:
    if report.flags is None:
        return ()
    names = {one.commissioner.id: one.commissioner.name for one in report.people}
    rows = [(names[one.commissioner], one.what, _listed(one.lines, "笔")) for one in report.flags]
    note = "看的是全年台账。只是数字上少见，不是结论，不扣分；原因可能很正当，先翻台账、问本人。"
    return (Table("请人看一眼", ("姓名", "看什么", "台账第几笔"), rows, note),)


def _listed(numbers: Sequence[object], unit: str) -> str:
    shown = "、".join(map(str, numbers[:_LISTED]))
    return shown if len(numbers) <= _LISTED else f"{shown}…共 {len(numbers)} {unit}"


def _count(one: Count) -> Sequence[Cell]:
    return (one.name, *(one.outcomes[name] for name in OUTCOMES), one.total)


def _cases(title: str, cases: Sequence[Case]) -> Table:
    rows = [
        (
            f"#{case.number}",
            f"{case.opened_at.astimezone(CHINA):%Y-%m-%d}",
            case.township or "",
            _words(case),
        )
        for case in cases
    ]
    return Table(title, ("编号", "日期", "镇街", "问题"), rows)


def _words(case: Case) -> str:
    return " ".join(case.question.split())[:WORDS] or "（图片或语音）"
