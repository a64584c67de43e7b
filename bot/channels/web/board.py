"""What the desk shows: whose case stands where, what may be done with it, and its thread."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from bot.channels.web.guard import Clock
from bot.channels.web.library import Library
from bot.channels.web.moves import NOT_TAKEN, OURS, Move, Moves
from bot.domain import FARMER, Address, Case, CaseState, Commissioner, Entry, Incoming, Outgoing
from bot.store import Shown, State, Store, ThreadItem

RECENT = 12  # closed cases on the desk
NOTICES = 6
FLASHED = 3
STATES = {
    CaseState.UNPLACED: "待分派",
    CaseState.OFFERED: "等接单",
    CaseState.ACCEPTED: "办理中",
    CaseState.ASKED: "等农户回话",
    CaseState.ANSWERED: "已答复，等农户确认",
    CaseState.RESOLVED: "已解决",
    CaseState.CANCELLED: "农户已取消",
}
SHELVES = (  # key, title, what an empty one says
    ("pressing", "紧急或超时", "没有要催的问题。"),
    ("offered", "等您接", "没有等您接的问题。"),
    ("mine", "您在办", "手上没有在办的问题。"),
    ("unplaced", "待分派", "没有待分派的问题。"),
    ("others", "别人在办", ""),
    ("done", "最近办完", "还没有办完的问题。"),
)
SOURCES = {"web": "网页", "telegram": "Telegram", "wechat": "微信", "console": "命令行"}
TROUBLES = {
    State.PENDING: "正在送",
    State.SENDING: "正在送",
    State.HELD: "未送达，农户下次来时补发",
    State.DEAD: "未送达",
    State.DOUBTFUL: "可能未送达",
}


@dataclass(frozen=True, slots=True)
class Card:
    """A case as the lists show it."""

    case: Case
    state: str
    subject: str
    holder: str
    assigned: str
    is_late: bool


@dataclass(frozen=True, slots=True)
class Shelf:
    """A list of the desk."""

    key: str
    title: str
    empty: str
    cards: tuple[Card, ...]


@dataclass(frozen=True, slots=True)
class Step:
    """One line of a case's thread: words or an event."""

    at: datetime
    who: str
    side: str
    incoming: Incoming | None = None
    outgoing: Outgoing | None = None
    event: str = ""
    note: str = ""
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class KnowledgeState:
    """What `serve` last noted about the knowledge folder."""

    ok: bool
    entries: int
    problems: tuple[str, ...]
    at: str

    @classmethod
    def of(cls, note: Mapping[str, object] | None) -> KnowledgeState | None:
        if note is None:
            return None
        problems = note.get("problems")
        lines = tuple(map(str, problems)) if isinstance(problems, list) else ()
        entries = note.get("entries")
        count = entries if isinstance(entries, int) else 0
        return cls(bool(note.get("ok")), count, lines, str(note.get("at") or ""))


@dataclass(frozen=True, slots=True)
class View:
    """All that one page of the desk shows; another `seen` means that something changed."""

    cases: tuple[Case, ...]
    said: tuple[Shown, ...]
    knowledge: KnowledgeState | None
    case: Case | None = None
    thread: tuple[ThreadItem, ...] = ()

    @property
    def seen(self) -> str:
        return hashlib.sha256(repr(self).encode()).hexdigest()[:16]

    @property
    def last_said(self) -> int:
        return self.said[-1].id if self.said else 0

    def notices(self) -> list[Shown]:
        """The bot's last replies to this desk, newest first."""
        replies = [one for one in reversed(self.said) if one.outgoing]
        return replies[:NOTICES]

    def replies(self, after: int | None) -> list[Shown]:
        """The last that the bot said after a posted form about the page's case, or about none."""
        about = {None, self.case.number if self.case else None}
        lines = [one for one in self.said if one.outgoing and one.outgoing.case in about]
        return [one for one in lines if after is not None and one.id > after][-FLASHED:]


class Board:
    """Reads the store for one person at the desk. Synchronous, like the store."""

    def __init__(
        self, store: Store, clock: Clock, people: Iterable[Commissioner], library: Library
    ) -> None:
        self._store = store
        self._clock = clock
        self._people = {one.id: one for one in people}
        self.library = library

    def person(self, commissioner_id: str) -> Commissioner | None:
        return self._people.get(commissioner_id)

    def name(self, commissioner_id: str | None) -> str:
        person = self._people.get(commissioner_id or "")
        return person.name if person else commissioner_id or ""

    def view(self, me: Commissioner, number: int | None = None) -> View | None:
        """None where the case does not concern him."""
        case = self._store.cases.get(number) if number is not None else None
        if number is not None and not (case and self._may_see(me, number)):
            return None
        cases = (
            ()
            if case
            else self._store.cases.for_commissioner(
                me.id, is_dispatcher=me.is_dispatcher, include_closed=RECENT
            )
        )
        return View(
            cases,
            self._store.inbox.history(Address("desk", me.id)),
            KnowledgeState.of(self._store.notes.get("knowledge")),
            case,
            self._store.cases.thread(number) if number is not None else (),
        )

    def _may_see(self, me: Commissioner, number: int) -> bool:
        return me.is_dispatcher or self._store.cases.is_shown_to(number, me.id)

    # lists

    def card(self, case: Case) -> Card:
        return Card(
            case,
            STATES[case.state],
            self.library.domain(case.domain),
            self.name(case.holder),
            self.name(case.assigned),
            case.is_late(self._clock()),
        )

    def _by_need(self, cases: Iterable[Case]) -> list[Case]:
        """Open ones: what is urgent or late first, then what has waited longest."""
        now = self._clock()
        return sorted(
            cases,
            key=lambda case: (
                not case.is_open,
                not case.is_urgent,
                not case.is_late(now),
                case.number if case.is_open else -case.number,
            ),
        )

    def shelves(self, me: Commissioner, cases: Iterable[Case]) -> list[Shelf]:
        found: dict[str, list[Card]] = {}
        for case in self._by_need(cases):
            found.setdefault(self._shelf_of(me, case), []).append(self.card(case))
        shown = {"offered", "mine", "done"}
        if me.is_dispatcher:
            shown |= {"pressing", "unplaced", *found}
        return [
            Shelf(key, title, empty, tuple(found.get(key, ())))
            for key, title, empty in SHELVES
            if key in shown
        ]

    def _shelf_of(self, me: Commissioner, case: Case) -> str:
        is_his = case.holder == me.id
        if case.state is CaseState.OFFERED and is_his:
            return "offered"
        if case.state in OURS and is_his:
            return "mine"
        if not case.is_open or case.state is CaseState.ANSWERED:
            return "done"
        is_pressing = case.is_late(self._clock()) or (case.is_urgent and case.state in NOT_TAKEN)
        if is_pressing:
            return "pressing"
        return "unplaced" if case.state is CaseState.UNPLACED else "others"

    # one case

    def moves(self, me: Commissioner, case: Case) -> list[Move]:
        """Its forms; among others to answer it as a like case was answered."""
        others = self._store.cases.for_commissioner(
            me.id, is_dispatcher=False, include_closed=RECENT
        )
        entries = self.suggestions(case)
        return Moves(self._people, entries, self.library.canned, others).of(me, case)

    def thread(self, items: Iterable[ThreadItem]) -> list[Step]:
        """Words and events. A commissioner's words show as the relay that the farmer was sent."""
        items = tuple(items)
        relayed = [item.outgoing.text for item in items if item.outgoing]
        steps = []
        for item in items:
            own = item.incoming if item.by != FARMER else None
            is_relayed = own and any(own.text in text for text in relayed)
            is_empty = item.incoming and not (item.incoming.text or item.incoming.attachments)
            if not is_relayed and not (is_empty and item.incoming and item.incoming.press):
                steps.append(self._step(item))
        return steps

    def _step(self, item: ThreadItem) -> Step:
        who = self.name(item.by)
        if item.event:
            return Step(item.at, who, "event", event=item.event.what, note=item.event.note)
        if item.outgoing:
            trouble = TROUBLES.get(item.state, "") if item.state else ""
            return Step(item.at, "给农户", "mine", outgoing=item.outgoing, trouble=trouble)
        side = "farmer" if item.by == FARMER else "mine"
        return Step(item.at, who, side, incoming=item.incoming)

    def candidates(self, case: Case) -> list[dict[str, object]]:
        return [
            {
                "name": self.name(one.commissioner),
                "note": one.note,
                "is_eligible": one.is_eligible,
            }
            for one in case.candidates
        ]

    def suggestions(self, case: Case) -> list[Entry]:
        found = map(self.library.entry, case.suggestions)
        return [entry for entry in found if entry]
