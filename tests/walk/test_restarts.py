"""A restart at every step of a case's life, whatever state it is in: nothing is lost, nothing is
told twice but what is marked as maybe repeated, and it ends as it would have ended."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from itertools import count

import pytest

from bot.app.clock import FollowUpClock
from bot.channels.base import Bell, read_own, write_own
from bot.conversation.asking import Rules
from bot.conversation.decision import Policy
from bot.conversation.turn import Conversation
from bot.conversation.understanding import Library
from bot.domain import Address, Arrival, CaseState, Receipt
from bot.store import Store
from tests import cast
from tests.cast import (
    ADDRESSES,
    DEPUTY,
    DEPUTY_CHAT,
    DESK_CHAT,
    LI,
    LV,
    LV_CHAT,
    NOW,
    PEOPLE,
    UNKNOWN,
    UNKNOWN_BEES,
    WANG,
    WANG_CHAT,
)

LEASE = timedelta(minutes=1)
DAYS = timedelta(days=4)
PAST_LEASE = timedelta(minutes=2)
Step = tuple[Address, str] | timedelta  # somebody writes, or presses what begins with ":"; or waits

# Between them they pass through every state of the diagram in bot/escalation/__init__.py.
TAKEN = ((LI, UNKNOWN_BEES), (WANG_CHAT, ":case:1:accept"))
ANSWERED = (*TAKEN, (WANG_CHAT, "#1 先把巢门关小"))
SCRIPTS: dict[str, tuple[Step, ...]] = {
    "passed over, left, asked back, answered, solved, rated": (
        (LI, UNKNOWN_BEES),
        timedelta(hours=3),
        timedelta(hours=3),
        (DEPUTY_CHAT, ":case:1:accept"),
        (DEPUTY_CHAT, "#1 问：几箱"),
        (LI, "三箱"),
        (DEPUTY_CHAT, "#1 先把巢门关小"),
        (LI, ":case:1:solved"),
        (LI, ":case:1:rate3"),
    ),
    "a second look, worse after days, answered again, closed in silence": (
        *TAKEN,
        (WANG_CHAT, "#1 打甲胺磷"),
        (WANG_CHAT, ":case:1:sure"),
        DAYS,
        (LI, ":case:1:worse"),
        (WANG_CHAT, "#1 先停药，明天来看"),
        DAYS,
        DAYS,
    ),
    "nobody's subject, handed on, declined, taken back by the farmer": (
        (LI, UNKNOWN),
        timedelta(days=2),
        (DESK_CHAT, "#1 转给 吕玉奎"),
        (LV_CHAT, "#1 退回 不懂"),
        (DESK_CHAT, ":case:1:accept"),
        (LI, ":case:1:cancel"),
    ),
    "conferred about, disputed, visited": (
        *TAKEN,
        (WANG_CHAT, "#1 会诊 吕玉奎，看看"),
        (LV_CHAT, "#1 不同意：像药害"),
        (WANG_CHAT, "#1 备注：去现场"),
        (WANG_CHAT, "#1 先把巢门关小"),
        (WANG_CHAT, ":case:1:sure"),
        (WANG_CHAT, "#1 记走访 今天 盘龙镇 40分钟 看了巢门和蜂王"),
        (WANG_CHAT, ":visit:save"),
        (LI, ":visit:{asked}:yes"),
    ),
    "answered, unsolved, answered, added to": (
        *ANSWERED,
        (LI, ":case:1:unsolved"),
        (WANG_CHAT, "#1 再换个箱"),
        (LI, "#1 又飞走一群"),
    ),
}


@dataclass
class Town:
    """Store, conversation and clock; `breaks` says at which of its moments everything stops."""

    url: str
    breaks: str
    now: datetime = NOW
    told: list[tuple[Address, str]] = field(default_factory=list)
    repeated: list[tuple[Address, str]] = field(default_factory=list)
    asked: str = ""  # the message that the farmer is asked to confirm a visit of
    _uids: Iterator[int] = field(default_factory=lambda: count(1))

    def __post_init__(self) -> None:
        self.store = self._open()
        self._desk = cast.desk((*PEOPLE, DEPUTY))
        library = Library(
            cast.findings_for, cast.apart, cast.ENTRIES.get, lambda: cast.DOMAINS, cast.worries
        )
        rules = Rules(Policy(answer_at=0.8, offer_at=0.4), cast.lexicon(), cast.dangers())
        self._talk = Conversation(library, rules, self._desk, cast.phrases(), self._draw)

    def _draw(self) -> int:
        return self.store.inbox.draw_number()  # of the store that is open now

    def _open(self) -> Store:
        people = [cast.replace(one, addresses=ADDRESSES[one.id]) for one in (*PEOPLE, DEPUTY)]
        store = Store.open(self.url, commissioners=people)
        store.inbox.recover()
        return store

    def breaks_at(self, moment: str) -> bool:
        """Stop and start again here, where the run is to; leases have run out by then."""
        if moment != self.breaks:
            return False
        self.store.close()
        self.now += PAST_LEASE
        self.store = self._open()
        return True

    def play(self, script: tuple[Step, ...]) -> None:
        for step in script:
            if isinstance(step, timedelta):
                self.now += step
                self.tick()
            else:
                self.receive(*step)
                self.take()
            self.send()
        self.store.close()

    def tick(self) -> None:
        FollowUpClock(self.store, self._desk, due=Bell(), clock=lambda: self.now).tick()
        self.breaks_at("saved")
        FollowUpClock(self.store, self._desk, due=Bell(), clock=lambda: self.now).tick()

    def receive(self, sender: Address, words: str) -> None:
        words = words.format(asked=self.asked)
        press = words[1:] if words.startswith(":") else None
        raw = write_own(text="" if press else words, press=press)
        arrival = Arrival(sender.channel, f"u{next(self._uids)}", sender.user, raw)
        self.store.inbox.receive(arrival, self.now)
        if self.breaks_at("received"):
            self.store.inbox.receive(arrival, self.now)  # the platform brings it again

    def take(self) -> None:
        is_first = True
        while arrivals := self.store.inbox.claim(self.now, lease=LEASE):
            if is_first and self.breaks_at("claimed"):
                is_first = False
                continue
            incoming = read_own(arrivals)
            turn = self._talk.take(incoming, self.store.inbox.context(incoming, self.now))
            self.store.inbox.save(turn, incoming, arrivals, self.now)
            self.breaks_at("saved")

    def send(self) -> None:
        for channel in ("telegram", "web"):
            broke: set[int] = set()
            while due := self.store.outbox.due(channel, self.now, lease=LEASE):
                letter = due.outgoing
                self.asked = next(
                    (one.action.split(":")[1] for one in letter.buttons if "visit:" in one.action),
                    self.asked,
                )
                line = (letter.to, letter.text)
                (self.repeated if due.is_doubtful else self.told).append(line)
                if due.id not in broke and self.breaks_at("sent"):
                    broke.add(due.id)
                    continue
                self.store.outbox.sent(due.id, Receipt(), self.now)


def outcome(url: str, script: tuple[Step, ...], breaks: str = "") -> tuple[object, ...]:
    """How the case stands in the end, what each was told in order, and the ledger."""
    town = Town(url, breaks)
    town.play(script)
    store = Store.open(url, commissioners=PEOPLE)
    try:
        case = store.cases.get(1)
        assert case is not None
        assert set(town.repeated) <= set(town.told)
        assert bool(town.repeated) == (breaks == "sent")
        told = {
            address: [text for to, text in town.told if to == address]
            for address in {to for to, _ in town.told}
        }
        lines = store.ledger.between(NOW - DAYS, NOW + 30 * DAYS)
        assert store.ledger.audit().fault == ""
        assert store.inbox.tally().keys() <= {"done"}
        assert store.outbox.tally().keys() <= {"sent"}
        deeds = [(one.entered.deed, one.entered.commissioner) for one in lines]
        return case.state, case.holder, case.rating, case.passed, told, deeds
    finally:
        store.close()


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[object, ...]]:
    folder = tmp_path_factory.mktemp("undisturbed")
    return {
        name: outcome(f"sqlite:///{folder}/{number}.db", script)
        for number, (name, script) in enumerate(SCRIPTS.items())
    }


def test_the_scripts_come_to_the_ends_they_tell_of(undisturbed) -> None:
    ends = [found[:3] for found in undisturbed.values()]
    assert ends == [
        (CaseState.RESOLVED, DEPUTY.id, 3),
        (CaseState.RESOLVED, WANG.id, None),
        (CaseState.CANCELLED, "dispatcher", None),
        (CaseState.ANSWERED, WANG.id, None),
        (CaseState.ACCEPTED, WANG.id, None),
    ]
    assert LV.id not in ends


@pytest.mark.parametrize("breaks", ["received", "claimed", "saved", "sent"])
@pytest.mark.parametrize("name", SCRIPTS)
def test_a_restart_at_every_step_changes_nothing(
    url: str, undisturbed: dict[str, tuple[object, ...]], name: str, breaks: str
) -> None:
    assert outcome(url, SCRIPTS[name], breaks) == undisturbed[name]
