"""The clock: overdue cases are followed up, one that breaks holds up no other."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from bot.app.clock import FollowUpClock, Sweeper
from bot.channels.base import Bell
from bot.domain import FARMER, Address, Case, CaseChange, CaseState, Event, Media, Reason, Turn
from bot.errors import Conflict
from bot.escalation.desk import Desk, Timers
from bot.escalation.letters import Naming
from bot.escalation.roster import Roster
from bot.store import Retention, Store
from tests.cast import phrases
from tests.conftest import NOW

LI = Address("web", "li")


class Fragile(Desk):
    """Breaks over case 1, loses the race for case 2."""

    def close_quietly(self, case, context):
        if case.number == 1:
            raise KeyError("蜂子不进巢")
        if case.number == 2:
            raise Conflict("somebody was faster")
        return super().close_quietly(case, context)


@pytest.fixture
def store(tmp_path):
    opened = Store.open(f"sqlite:///{tmp_path}/t.db", commissioners=())
    yield opened
    opened.close()


def overdue(number: int) -> Turn:
    times = {"opened_at": NOW, "changed_at": NOW, "due_at": NOW}
    case = Case(
        number, LI, "蜂子不进巢", Reason.UNSURE, state=CaseState.ANSWERED, reminders=1, **times
    )
    return Turn(changes=(CaseChange(case, Event.OPENED, FARMER),))


def test_a_case_that_breaks_holds_up_no_other_and_the_log_has_none_of_its_words(store, caplog):
    for number in (1, 2, 3):
        store.inbox.save_follow_up(overdue(number), NOW)
    desk = Fragile(Roster(()), phrases(), Timers(), Naming(str, str, str))
    clock = FollowUpClock(store, desk, due=Bell(), clock=lambda: NOW + timedelta(seconds=1))
    assert clock.tick() == {"web"}
    states = [store.cases.get(number).state for number in (1, 2, 3)]
    assert states == [CaseState.ANSWERED, CaseState.ANSWERED, CaseState.RESOLVED]
    assert "case 1 not followed up: KeyError at" in caplog.text
    assert "蜂子" not in caplog.text


async def test_what_nobody_needs_is_swept_out_at_the_start_and_a_failure_is_outlived(store):
    orphan = store.media.keep(Media("image/jpeg", b"jpeg"), NOW)
    swept = asyncio.Event()

    class Watched:
        def sweep(self, now, retention):
            store.sweep(now, retention)
            loop.call_soon_threadsafe(swept.set)
            raise ConnectionError("no database")

    loop = asyncio.get_running_loop()
    clock = lambda: NOW + timedelta(days=2)  # noqa: E731
    sweeper = Sweeper(Watched(), Retention(), due=Bell(), clock=clock)
    running = asyncio.create_task(sweeper.run())
    await asyncio.wait_for(swept.wait(), 5)
    assert store.media.get(orphan) is None
    assert not running.done()
    running.cancel()
