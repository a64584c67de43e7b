"""A year of the district on a fast clock: 51 commissioners with leave, silence and declines, nights
and holidays, farmers who block the bot, restarts and kills. The real `tianwen serve` in a process
of its own, our Telegram and the pages over loopback; what was said is known from these alone.
TIANWEN_YEAR=20000 in the environment asks as many questions."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from openpyxl import load_workbook
from sqlalchemy import select, update

from bot.domain import CaseState
from bot.store.tables import cases, ledger
from tests.conftest import ROOT
from tests.walk.year.around import START
from tests.walk.year.desk import AtDesk
from tests.walk.year.district import District, open_district
from tests.walk.year.wire import Year

QUESTIONS = int(os.environ.get("TIANWEN_YEAR", "60"))
FOLDER = os.environ.get("TIANWEN_YEAR_FOLDER")
BIG = QUESTIONS >= 1000
FARMERS, AT_DESK, BREAKS = max(QUESTIONS // 10, 30), (12 if BIG else 2), (12 if BIG else 2)
YEAR, SETTLING = timedelta(days=364), timedelta(days=75)
COLUMNS = ("答复", "有效服务", "建议", "全年无效", "农户评价（3 分满）")  # in the order of Year
LATE = timedelta(minutes=1)
# What must have happened at all, even of few questions; and where there are many.
DEEDS = ("退回", "不出声", "solved", "save", "review", "reply", "我的台账", "重启", "断电")
RARER = (
    *("转给", "会诊", "意见", "不同意", "备注", "同", "as", "entry", "canned", "sure", "照片答"),
    *(
        "分诊转给",
        "分诊自答",
        "strike",
        "申诉",
        "restore",
        "屏蔽",
        "cancel",
        "add",
        "show",
        "useful",
    ),
    *("unsolved", "better", "same", "worse", "rate", "why", "yes", "no"),
)

pytestmark = [pytest.mark.slow, pytest.mark.timeout(3 * 3600 if BIG else 300)]


@pytest.fixture
async def district(tmp_path: Path) -> AsyncIterator[District]:
    folder = Path(FOLDER) if FOLDER else tmp_path
    async with open_district(folder, farmers=FARMERS, at_desk=AT_DESK, seed=2026) as one:
        yield one


def plan_the_year(district: District) -> None:
    chance = district.chance
    for _ in range(QUESTIONS):
        farmer = chance.choice(district.farmers)
        hour = timedelta(hours=chance.triangular(-2.5, 14, 2))  # most of it by day
        day = START + timedelta(days=chance.randrange(YEAR.days))
        district.plan(max(day + hour, START), farmer.asks)
    working = [START + timedelta(days=one, hours=1) for one in range((YEAR + SETTLING).days)]
    for one in district.experts:
        for _ in range(3):
            district.plan(START + chance.random() * YEAR, one.suggests, by_day=True)
        if isinstance(one, AtDesk):
            for day in (day for day in working if day.weekday() < 5):
                district.plan(day + timedelta(minutes=chance.randrange(400)), one.looks)
                if day.day < 8 and day.weekday() == 1:
                    district.plan(day, one.appeals)
        else:
            district.plan(START + chance.random() * YEAR, one.told_of_a_visit, by_day=True)
            district.plan(START + chance.random() * YEAR, one.looks_at_his_ledger, by_day=True)
    for day in working[7::7]:
        district.plan(day, district.clerk.looks)
    for number in range(1, BREAKS + 1):
        at = START + number * YEAR / (BREAKS + 1)
        district.breaks_at(at, district.kill if number % 2 else district.stop)


def forgotten(district: District) -> list[int]:
    """Open cases without an owner or a next timer, or whose timer rang and nobody looked."""
    query = select(cases.c.number, cases.c.state, cases.c.holder, cases.c.due_at).where(
        cases.c.is_open.is_(True)
    )
    with district.store.database.read() as connection:
        rows = connection.execute(query).all()
    return [
        row.number
        for row in rows
        if row.due_at is None
        or row.due_at <= district.now - LATE
        or (row.holder is None and row.state != CaseState.UNPLACED)
    ]


def tianwen(district: District, *words: str) -> subprocess.CompletedProcess[str]:
    """The command line on the same home and database."""
    environ = {**os.environ, "TIANWEN_DATABASE": district.server.database, "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "bot", "--home", str(district.server.home), *words]
    return subprocess.run(command, env=environ, capture_output=True, text=True, check=False)


def reported(district: District, year: int) -> dict[str, Year]:
    """`tianwen report year`, by name."""
    path = district.server.home / f"{year}.xlsx"
    done = tianwen(district, "report", "year", str(year), "--xlsx", str(path))
    assert done.returncode == 0, done.stderr
    head, *rows = load_workbook(path)["特派员"].iter_rows(min_row=3, values_only=True)
    found = {}
    for row in rows:
        cells = dict(zip(head, row, strict=True))
        found[str(cells["姓名"])] = Year(*(cells[column] for column in COLUMNS))
    return found


async def test_a_year_leaves_nobody_alone_and_the_ledger_is_right(district: District) -> None:
    plan_the_year(district)
    wire, store, days = district.wire, district.store, Counter[str]()

    def look() -> None:
        days["looked"] += 1
        if BIG and days["looked"] % 10 == 0:
            print(district.now.date(), wire.asked, len(wire.opened), len(wire.answers), flush=True)
        assert forgotten(district) == []
        assert district.told_nothing() == []

    await district.play(START + YEAR + SETTLING, look)
    for farmer in district.farmers:
        await farmer.comes_back()
        farmer.look_again()
    await district.play(START + YEAR + SETTLING + timedelta(days=1), look)

    # nobody was left alone
    print(QUESTIONS, len(wire.opened), len(wire.answers), wire.heard, dict(district.did))
    with store.database.read() as connection:
        states = Counter(connection.execute(select(cases.c.state)).scalars())
    assert wire.asked == QUESTIONS
    assert district.did["网页没回话"] == 0
    assert sum(states.values()) == len(wire.opened) > QUESTIONS / 3
    assert set(wire.opened) - wire.ended == set()
    assert states[CaseState.UNPLACED] == states[CaseState.OFFERED] == 0
    assert store.inbox.tally().keys() <= {"done", "dropped"}
    assert store.outbox.tally().keys() <= {"sent"}
    assert [one for one in DEEDS + BIG * RARER if not district.did[one]] == []

    # the ledger, the report and the desk say what the wire says
    for year in (2026, 2027):
        counted = wire.in_year(year, [one.name for one in district.experts])
        assert reported(district, year) == counted
        assert await district.clerk.totals(year) == {
            name: (one.services, one.suggestions, one.struck) for name, one in counted.items()
        }

    # one row changed behind our back is found
    sound = tianwen(district, "ledger")
    assert sound.returncode == 0, sound.stdout + sound.stderr
    found = re.search(r"台账 (\d+) 笔", sound.stdout)
    assert found
    middle = int(found[1]) // 2
    with store.database.write() as connection:
        row = ledger.c.number == middle
        connection.execute(update(ledger).where(row).values(commissioner="somebody"))
    broken = tianwen(district, "ledger")
    assert broken.returncode == 1
    assert f"第 {middle} 笔" in broken.stdout
