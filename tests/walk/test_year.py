"""A year of the district on a fast clock: 51 commissioners with leave, silence and declines, nights
and holidays, farmers who block the bot, restarts. Real store, conversation, desk and clock; who
searches is scripted. TIANWEN_YEAR=20000 in the environment asks as many questions."""

from __future__ import annotations

import heapq
import os
import random
from collections import Counter
from collections.abc import Callable
from datetime import date, datetime, timedelta
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import select, update

from bot.app.clock import FollowUpClock
from bot.calendars import CalendarShape
from bot.channels.base import Bell, read_own, write_own
from bot.conversation.asking import Rules
from bot.conversation.decision import Policy
from bot.conversation.turn import Conversation
from bot.conversation.understanding import Library
from bot.domain import CHINA, Address, Arrival, CaseState, Commissioner, Kind, Outgoing, Receipt
from bot.errors import Conflict
from bot.escalation.desk import Timers
from bot.escalation.ledger import Targets, standing
from bot.store import Store
from bot.store.codec import outgoing as decoded
from bot.store.tables import cases, ledger, messages
from tests import cast

QUESTIONS = int(os.environ.get("TIANWEN_YEAR", "200"))
FARMERS = max(QUESTIONS // 10, 30)
START = datetime(2026, 1, 1, 8, 0, tzinfo=CHINA)
YEAR, SETTLING = timedelta(days=364), timedelta(days=75)
LEASE = timedelta(minutes=1)
STEP = timedelta(hours=3)
HOUR = timedelta(hours=1)
WORDS = ("蜂子不进箱咋个办", "花椒树子开花不结籽", "柑子没得人来拉咋个卖")
TOWNS = ("盘龙镇", "吴家镇", "清江镇", "安富街道", "")
SUBJECTS = ("beekeeping", "sichuan-pepper", "citrus-marketing")
PRESSING = ("还等您接", "请分诊", "还在等答复", "没解决", "更重")  # in what commissioners are told
SHAPE = {
    "work": {"first": "08:30", "last": "18:00"},
    "awake": {"first": "07:30", "last": "21:00"},
}


def people(chance: random.Random) -> tuple[Commissioner, ...]:
    found = []
    for number in range(51):
        away = date(2026, chance.randint(1, 12), 5)
        found.append(
            Commissioner(
                f"expert-{number:02}",
                f"特派员{number:02}",
                Kind.TECHNICAL,
                (SUBJECTS[number % 3],),
                tuple(filter(None, chance.sample(TOWNS, 2))),
                capacity=5,
                leave=((away, away + timedelta(days=20)),),
                addresses=(Address("telegram", f"expert-{number:02}"),),
            )
        )
    chat = (Address("telegram", "dispatcher"),)
    return (*found, Commissioner("dispatcher", "分诊台", Kind.DISPATCHER, addresses=chat))


class District:
    """Everybody, and what they do of their own accord, by time."""

    def __init__(self, url: str, seed: int) -> None:
        self.chance = random.Random(seed)
        self.people = people(self.chance)
        self.url, self.now = url, START
        self.blocked: set[str] = set()
        self._plans: list[tuple[datetime, int, Callable[[], None]]] = []
        self._order, self._uids = count(), count(1)
        self.store = self._open()
        timers = Timers(hours=CalendarShape.model_validate(SHAPE).build())
        self.desk = cast.desk(self.people, timers)
        library = Library(
            cast.findings_for, cast.apart, cast.ENTRIES.get, lambda: cast.DOMAINS, cast.worries
        )
        rules = Rules(Policy(answer_at=0.8, offer_at=0.4), cast.lexicon(), cast.dangers())
        self.talk = Conversation(library, rules, self.desk, cast.phrases(), self._draw)

    def _open(self) -> Store:
        store = Store.open(self.url, commissioners=self.people)
        store.inbox.recover()
        return store

    def _draw(self) -> int:
        return self.store.inbox.draw_number()  # of the store that is open now

    def restart(self) -> None:
        self.store.close()
        self.store = self._open()

    # time

    def plan(self, wait: timedelta, act: Callable[[], None]) -> None:
        heapq.heappush(self._plans, (self.now + wait, next(self._order), act))

    def pass_time(self, until: datetime, look: Callable[[], None]) -> None:
        """Whatever was planned happens at its time; the clock ticks every `STEP`."""
        while self.now < until:
            end = self.now + STEP
            while self._plans and self._plans[0][0] <= end:
                self.now, _, act = heapq.heappop(self._plans)
                act()
            self.now = end
            clock = FollowUpClock(self.store, self.desk, due=Bell(), clock=lambda: self.now)
            clock.tick()
            self.deliver()
            look()

    # messages

    def writes(self, sender: Address, text: str = "", press: str | None = None) -> None:
        self.blocked.discard(sender.user)  # whoever writes can be reached again
        raw = write_own(text=text, press=press)
        uid = f"u{next(self._uids)}"
        self.store.inbox.receive(Arrival(sender.channel, uid, sender.user, raw), self.now)
        while arrivals := self.store.inbox.claim(self.now, lease=LEASE):
            incoming = read_own(arrivals)
            while True:
                context = self.store.inbox.context(incoming, self.now)
                turn = self.talk.take(incoming, context)
                try:
                    self.store.inbox.save(turn, incoming, arrivals, self.now)
                except Conflict:
                    continue
                break
        self.deliver()

    def deliver(self) -> None:
        for channel in ("web", "telegram"):
            while due := self.store.outbox.due(channel, self.now, lease=LEASE):
                if due.outgoing.to.user in self.blocked:
                    self.store.outbox.hold(due.id, "blocked", self.now)
                    continue
                self.store.outbox.sent(due.id, Receipt(), self.now)
                self._react(due.outgoing)

    # what people do

    def ask(self) -> None:
        farmer = Address("web", f"farmer-{self.chance.randrange(FARMERS)}")
        town = self.chance.choice(TOWNS)
        place = f"，我在{town}" if town else ""
        self.writes(farmer, f"{self.chance.choice(WORDS)}{place}")
        if self.chance.random() < 0.05:
            self.blocked.add(farmer.user)

    def _react(self, sent: Outgoing) -> None:
        if sent.case is None:
            return
        if sent.to.channel == "telegram":
            self._at_work(sent)
        elif sent.buttons and self.chance.random() < 0.6:
            press = self.chance.choice(sent.buttons).action
            self.plan(self._some(30), lambda: self.writes(sent.to, press=press))

    def _at_work(self, sent: Outgoing) -> None:
        if sent.purpose != "offer" and not any(word in sent.text for word in PRESSING):
            return
        will = self.chance.random()
        number, sender = sent.case, sent.to
        if sent.purpose == "offer" and will < 0.65:
            accept = f"case:{number}:accept"
            self.plan(self._some(2), lambda: self.writes(sender, press=accept))
            will = self.chance.random()
        elif sent.purpose == "offer" and will < 0.8:
            self.plan(self._some(2), lambda: self.writes(sender, f"#{number} 退回 在外地"))
            return
        if will < 0.85:
            words = f"#{number} 先看看{self.chance.randrange(10**6)}，再说"
            self.plan(self._some(9), lambda: self.writes(sender, words))

    def _some(self, hours: float) -> timedelta:
        return 0.3 * HOUR + self.chance.expovariate(1 / hours) * HOUR


@pytest.fixture
def district(tmp_path: Path):
    made = District(f"sqlite:///{tmp_path}/year.db", seed=2026)
    yield made
    made.store.close()


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
        or row.due_at <= district.now - STEP
        or (row.holder is None and row.state != CaseState.UNPLACED)
    ]


def answered_by_hand(store: Store) -> tuple[Counter[str], Counter[str]]:
    """Answers that reached farmers, and cases they were about, by the name above each answer:
    from the raw messages, without a look at the ledger."""
    answers: Counter[str] = Counter()
    about: set[tuple[str, int | None]] = set()
    query = select(messages).where(messages.c.direction == "out", messages.c.state == "sent")
    with store.database.read() as connection:
        for row in connection.execute(query):
            text = decoded(row.body, to=Address(row.channel, row.user)).text
            name, said, _ = text.partition("答复您的问题")
            if said and row.channel == "web":
                answers[name.removeprefix("科技特派员")] += 1
                about.add((name.removeprefix("科技特派员"), row.case_number))
    return answers, Counter(name for name, _ in about)


def test_a_year_leaves_nobody_alone_and_the_ledger_is_right(district: District) -> None:
    for _ in range(QUESTIONS):
        district.plan(district.chance.random() * YEAR, district.ask)
    for month in range(1, 12):
        district.plan(timedelta(days=30 * month), district.restart)

    def look() -> None:
        assert forgotten(district) == []

    district.pass_time(START + YEAR + SETTLING, look)
    store = district.store

    with store.database.read() as connection:
        states = Counter(connection.execute(select(cases.c.state)).scalars())
        told = Counter(
            connection.execute(
                select(messages.c.case_number).where(
                    messages.c.direction == "out", messages.c.channel == "web"
                )
            ).scalars()
        )
        numbers = connection.execute(select(cases.c.number)).scalars().all()
    assert len(numbers) > QUESTIONS * 0.6
    assert all(told[number] >= 2 for number in numbers)
    assert store.inbox.tally().keys() <= {"done", "dropped"}
    assert states[CaseState.UNPLACED] == states[CaseState.OFFERED] == 0

    answers, about = answered_by_hand(store)
    lines = store.ledger.between(START, START + 2 * YEAR)
    both = [
        (person, [standing(person.id, lines, year, Targets()) for year in (2026, 2027)])
        for person in district.people
    ]
    counted = {
        person.name: sum(len(one.services) + len(one.repeats) + len(one.struck) for one in years)
        for person, years in both
    }
    assert {name: number for name, number in counted.items() if number} == answers
    services = Counter(
        {
            person.name: len({line.entered.case for one in years for line in one.services})
            for person, years in both
        }
    )
    assert services == about
    assert sum(answers.values()) > QUESTIONS / 3

    assert store.ledger.audit().fault == ""
    with store.database.write() as connection:
        middle = ledger.c.number == len(lines) // 2
        connection.execute(update(ledger).where(middle).values(commissioner="somebody"))
    assert store.ledger.audit().fault.startswith(f"第 {len(lines) // 2} 笔")
