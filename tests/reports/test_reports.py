"""The year's report: what it counts, and how workbook and page show it."""

from __future__ import annotations

import io
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from openpyxl import load_workbook

from bot.domain import CHINA, CaseState, Deed, Entered, Line
from bot.escalation.ledger import Targets
from bot.reports import page
from bot.reports.charts import bars, columns
from bot.reports.figures import OUTCOMES, Period, Sources, report
from bot.reports.tables import tables
from bot.reports.workbook import workbook
from bot.store import Asked
from tests.cast import ADDRESSES, DOMAINS, ENTRIES, LI, LV, PEOPLE, WANG, WANG_CHAT, a_case

START = datetime(2026, 3, 2, 9, 0, tzinfo=CHINA)  # a Monday
NOW = datetime(2026, 3, 31, 9, 0, tzinfo=CHINA)
YEAR, MARCH = Period.year(2026), Period.month(2026, 3)


def answer(number, *, who=WANG.id, case=None, at=START, hours=2):
    asked = (at - timedelta(hours=hours)).isoformat()
    proof = {"asked_at": asked, "question": "蜂子不进箱"}
    return Line(number, at, Entered(Deed.SERVICE, who, who, case or number, proof=proof), "")


def asked(kind="answer", *entries, domain=None, day=0):
    return Asked(START + timedelta(days=day), kind, domain, entries, LI)


def made(
    period=MARCH,
    *,
    lines=(),
    asked=(),
    opened=(),
    undelivered=None,
    spread=None,
    now=NOW,
    is_whole=True,
):
    sources = Sources(
        lines,
        asked,
        opened,
        undelivered or {},
        PEOPLE,
        Targets(),
        lambda entry: ENTRIES[entry].domain,
        lambda domain: DOMAINS[domain].title,
        ADDRESSES,
        opened,
        (),
        is_whole,
        spread or {},
    )
    return report(period, sources, now)


def of(found, person=WANG):
    return next(one for one in found.people if one.commissioner == person)


@pytest.mark.parametrize(
    ("period", "first", "last", "end"),
    [
        (YEAR, date(2026, 1, 1), date(2026, 12, 31), datetime(2027, 1, 1, tzinfo=CHINA)),
        (MARCH, date(2026, 3, 1), date(2026, 3, 31), datetime(2026, 4, 1, tzinfo=CHINA)),
        (
            Period.month(2026, 12),
            date(2026, 12, 1),
            date(2026, 12, 31),
            datetime(2027, 1, 1, tzinfo=CHINA),
        ),
    ],
)
def test_a_period_is_whole_days_in_china(period, first, last, end):
    assert (period.first, period.last, period.end) == (first, last, end)
    assert first in period
    assert last + timedelta(days=1) not in period


def test_a_commissioners_month_counts_what_fell_into_it_and_his_year_everything():
    february = START - timedelta(days=20)
    lines = [
        answer(1, at=february),
        answer(2, hours=2),
        answer(3, hours=30),
        answer(4, case=3, hours=4),
        answer(5, who=LV.id),
        Line(6, START, Entered(Deed.SUGGESTION, WANG.id, WANG.id, proof={"text": "x"}), ""),
    ]
    own = of(made(lines=lines))
    assert (own.delivered, own.services, own.suggestions) == (3, 2, 1)
    assert (own.hours, own.within_a_day) == (4, pytest.approx(2 / 3))
    assert (own.standing.counted, own.standing.missing_services) == (3, 21)
    assert (of(made(), LV).hours, of(made(), LV).within_a_day) == (None, None)


def test_ratings_are_a_mean_over_cases_by_their_last_word():
    said = [(1, {"rating": 1}), (1, {"rating": 1, "reason": "听不懂"}), (2, {"rating": 3})]
    lines = [
        Line(at, START, Entered(Deed.RATED, WANG.id, "农户", case, proof=proof), "")
        for at, (case, proof) in enumerate(said, 1)
    ]
    assert of(made(lines=lines)).rating == 2
    assert of(made(lines=lines), LV).rating is None
    assert of(made(YEAR, lines=lines)).services == 0


def test_later_uses_of_what_somebody_wrote_stand_beside_his_services_and_are_none():
    found = made(lines=[answer(1)], spread={WANG.id: 5})
    assert (of(found).spread, of(found, LV).spread) == (5, 0)
    assert of(found).standing.counted == 1
    people = tables(found)[0]
    assert dict(zip(people.head, people.rows[0], strict=True))["传播量"] == 5


def test_dispatchers_are_in_no_assessment():
    assert "分诊台" not in [one.commissioner.name for one in made().people]


def test_questions_are_counted_by_week_by_outcome_and_by_subject():
    found = made(
        asked=[
            asked("answer", "pepper-rust"),
            asked("several", "pepper-rust", "bee-sacbrood", day=1),
            asked("escalate", domain="beekeeping", day=8),
            asked("escalate", day=9),
        ]
    )
    weeks = [(week.name, week.total) for week in found.weeks]
    assert weeks == [("02-23", 0), ("03-02", 2), ("03-09", 2)]
    assert found.asked.outcomes == dict(zip(OUTCOMES, (2, 0, 2, 0, 0), strict=True))
    assert [(one.name, one.total) for one in found.subjects] == [
        ("花椒病害", 2),
        ("养蜂", 1),
        ("没分出", 1),
    ]


def test_open_overdue_and_undelivered_cases_are_listed():
    waiting = a_case(1, due_at=NOW + timedelta(hours=1), township="盘龙镇")
    late = a_case(2, due_at=NOW - timedelta(hours=1))
    answered = a_case(3, state=CaseState.ANSWERED, due_at=NOW)
    done = a_case(4, state=CaseState.RESOLVED, due_at=None)
    found = made(opened=[waiting, late, answered, done], undelivered={3: 1, 99: 1})
    assert [one.number for one in found.waiting] == [1, 2]
    assert [one.number for one in found.overdue] == [2]
    assert [one.number for one in found.undelivered] == [3]
    assert dict(found.townships) == {"盘龙镇": 1, "没分出": 3}


@pytest.fixture
def full():
    bad = replace(a_case(7, township="盘龙镇"), question="=HYPERLINK(1)<script>\n咋个办")
    return made(lines=[answer(1)], asked=[asked("answer", "pepper-rust")], opened=[bad])


def test_the_workbook_holds_every_table_and_excels_own_charts(full):
    book = load_workbook(io.BytesIO(workbook(full)))
    assert book.sheetnames == [table.title for table in tables(full)]
    assert [len(book[name]._charts) for name in book.sheetnames] == [1, 1, 1, 1, 0, 0, 0, 0, 0]
    people = book["特派员"]
    assert people["A1"].value == "2026 年 3 月 特派员"
    assert [cell.value for cell in people[4]][:3] == ["王瑞生", 1, 1]
    assert book["还没有答复的"]["D4"].value == "'=HYPERLINK(1)<script> 咋个办"
    assert book["未送达的"]["A4"].value == "没有"


def test_the_page_shows_every_table_and_its_charts_and_no_markup_of_a_farmer(full):
    text = page.render(full)
    assert text.count("<svg") == 4
    assert all(f"<h2>{table.title}</h2>" in text for table in tables(full))
    assert "&lt;script&gt;" in text
    assert "<script" not in text
    assert "http" not in text


def test_gaps_are_all_times_cases_for_the_office_alone():
    asked_twice = [
        replace(a_case(number, township="盘龙镇"), question=words, farmer=who)
        for number, words, who in ((1, "熊蜂要不要分家", LI), (2, "熊蜂啥时候分家", WANG_CHAT))
    ]
    found = made(YEAR, opened=asked_twice)
    table = next(one for one in tables(found) if one.title == "空缺")
    assert table.rows == [("熊蜂啥时候分家", 2, 2, "养蜂", "盘龙镇 2", "11", "#2、#1")]
    assert "空缺" not in [one.title for one in tables(made(opened=asked_twice, is_whole=False))]


def test_what_to_look_at_is_for_the_office_alone_and_says_that_it_is_no_verdict():
    own = Entered(Deed.SERVICE, WANG.id, WANG.id, 1, proof={"farmer": str(WANG_CHAT)})
    lines = [Line(1, START, own, "")]
    table = tables(made(lines=lines))[-1]
    assert (table.title, table.rows) == (
        "请人看一眼",
        [("王瑞生", "1 次提问的就是他自己的账号", "1")],
    )
    assert "不是结论" in page.render(made(lines=lines))
    assert (
        "不是结论"
        in load_workbook(io.BytesIO(workbook(made(lines=lines))))["请人看一眼"]["A2"].value
    )
    assert "请人看一眼" not in [one.title for one in tables(made(lines=lines, is_whole=False))]


def test_an_empty_period_is_reported_as_such():
    found = made()
    assert "没有。" in page.render(found)
    assert workbook(found)


def test_bars_are_as_long_as_their_numbers_and_stacked_ones_follow_each_other():
    chart = bars([("一", [3, 1]), ("二", [2, 0])])
    first, second, third = chart.boxes
    assert first.width == pytest.approx(3 * second.width)
    assert second.x == pytest.approx(first.x + first.width)
    assert third.width == pytest.approx(2 * second.width)
    assert chart.stacked
    assert {label.text for label in chart.labels} == {"一", "二", "4", "2"}


def test_columns_stand_on_the_ground_and_inside_the_picture():
    chart = columns([(str(week), [week, 2]) for week in range(52)])
    assert max(box.y + box.height for box in chart.boxes) == pytest.approx(200)
    assert min(box.y for box in chart.boxes) >= 0
    assert max(box.x + box.width for box in chart.boxes) <= chart.width
    assert len([one for one in chart.labels if one.y > 200]) <= 14
