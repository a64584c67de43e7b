"""Outbreaks over a real database: who is told of what, once, and how seldom of nothing."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from bot.app.outbreak_watch import OutbreakWatch
from bot.channels.base import Bell
from bot.domain import (
    CHINA,
    Address,
    Answer,
    CaseChange,
    Escalate,
    Event,
    Match,
    Memory,
    Reason,
    Receipt,
)
from bot.store import Store
from tests.store.cast import LEASE, case, turn
from tests.walk.homes import LV, WANG, ZHAO, furnish
from tests.walk.village import core_of

MORNING = datetime(2026, 4, 20, 9, 0, tzinfo=CHINA)  # a Monday, worked
DAY, WEEK = timedelta(days=1), timedelta(days=7)
WANGS_CHAT = Address("telegram", "900")


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    home = furnish(tmp_path_factory.mktemp("home"), addresses={WANG: "900"})
    return core_of(home)


@pytest.fixture
def store(url, core):
    opened = Store.open(url, commissioners=core.config.commissioners)
    quiet_weeks(opened)
    yield opened
    opened.close()


def quiet_weeks(store):
    """One farmer a week asks about something else, so that the weeks before are known."""
    for week in range(1, 12):
        ask(
            store,
            f"quiet-{week}",
            at=MORNING - week * WEEK - timedelta(hours=2),
            domain="citrus-marketing",
        )


def ask(store, who, *, at, domain="beekeeping", township="盘龙镇", entry=None, **more):
    found = Escalate(Reason.NO_MATCH, domain) if entry is None else Answer(Match(entry, 9.0, ""))
    memory = Memory(township=township)
    turn(store, Address("web", who), now=at, decision=found, memory=memory, **more)


def look(core, store, now=MORNING):
    """One look of the clock; every message that it leads to, by reader."""
    OutbreakWatch(core, store, due=Bell(), clock=lambda: now).tick()
    found = {}
    for channel in ("desk", "telegram"):
        while due := store.outbox.due(channel, now, lease=LEASE):
            found.setdefault(str(due.outgoing.to), []).append(due.outgoing)
            store.outbox.sent(due.id, Receipt(), now)
    return found


def rise(store, count=4, *, at=MORNING, **more):
    for number in range(count):
        ask(store, f"bee-{number}", at=at - timedelta(hours=20 * (number + 1)), **more)


def test_quiet_weeks_are_told_to_nobody(core, store):
    ask(store, "bee-0", at=MORNING - DAY)
    ask(store, "bee-1", at=MORNING - 2 * DAY)
    assert look(core, store) == {}


def test_a_rise_is_told_to_the_dispatchers_and_the_subjects_commissioner_with_its_cases(
    core, store
):
    rise(store, 3)
    opened = case(7, farmer=Address("web", "bee-9"), township="盘龙镇", domain="beekeeping")
    change = CaseChange(opened, Event.OPENED, "农户")
    ask(store, "bee-9", at=MORNING - DAY, changes=(change,), filed_under=7)
    told = look(core, store)
    assert set(told) == {str(WANGS_CHAT), f"desk:{ZHAO}", "desk:qian"}
    [letter] = told[str(WANGS_CHAT)]
    assert letter.purpose == "notice"
    assert letter.text.splitlines()[0] == (
        "苗头：盘龙镇这 7 天有 4 户问到“养蜂里知识库答不了的”，以前平均一周 0 户。"
    )
    assert "问题单：#7。" in letter.text
    assert "没有人核实" in letter.text


def test_a_rise_is_told_once_whatever_is_restarted_and_again_when_it_comes_back(core, store):
    rise(store)
    assert len(look(core, store)) == 3
    assert look(core, store) == {}
    rise(store, 6, at=MORNING + 2 * DAY)
    for day in range(1, 5):
        assert look(core, store, MORNING + day * DAY) == {}
    for week in range(5, 18):
        ask(store, "quiet", at=MORNING + week * WEEK, domain="citrus-marketing")
    later = MORNING + 18 * WEEK
    rise(store, at=later)
    assert len(look(core, store, later)) == 3


def test_one_farmer_who_asks_ten_times_is_no_rise(core, store):
    for hour in range(10):
        ask(store, "eager", at=MORNING - timedelta(hours=hour + 1))
    assert look(core, store) == {}


def test_what_was_always_asked_so_often_is_no_rise(core, store):
    for week in range(1, 11):
        for number in range(4):
            ask(store, f"often-{number}", at=MORNING - week * WEEK + timedelta(hours=number + 1))
    assert look(core, store) == {}


def test_an_answered_problem_rises_too_and_without_townships_in_the_district(core, store):
    rust = core.library.entry("pepper-rust")
    for number, town in enumerate([None, None, None, "盘龙镇", "清江镇"]):
        at = MORNING - timedelta(hours=number + 1)
        ask(store, f"pepper-{number}", at=at, township=town, entry=rust)
    told = look(core, store)
    assert set(told) == {f"desk:{LV}", f"desk:{ZHAO}", "desk:qian"}
    text = told[f"desk:{LV}"][0].text
    assert f"全区这 7 天有 5 户问到“{rust.title}”" in text
    assert "没说镇街 3 户、清江镇 1 户、盘龙镇 1 户" in text
    assert "没有问题单" in text


def test_nothing_is_said_at_night_and_on_holidays_but_the_next_working_day(core, store):
    saturday = MORNING - 2 * DAY
    rise(store, at=saturday)
    assert look(core, store, saturday) == {}
    assert look(core, store, MORNING - timedelta(hours=2)) == {}
    assert len(look(core, store)) == 3


def test_a_young_bot_has_nothing_to_compare_with(core, url):
    young = Store.open(url, commissioners=core.config.commissioners)
    for week in range(5):
        ask(young, "first", at=MORNING - week * WEEK - DAY, domain="citrus-marketing")
    rise(young, 9)
    assert look(core, young) == {}
    young.close()


def test_of_two_processes_one_tells(core, store):
    rise(store)
    clock = MORNING
    first = OutbreakWatch(core, store, due=Bell(), clock=lambda: clock)

    class Slow(type(store.cases)):
        """Lets the other process look between reading and writing."""

        def addresses(self):
            first.tick()
            return super().addresses()

    slow = replace(store, cases=Slow(store.database, store.accounts))
    assert OutbreakWatch(core, slow, due=Bell(), clock=lambda: clock).tick() == set()
    assert store.outbox.tally() == {"pending": 3}
