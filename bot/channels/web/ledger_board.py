"""What the desk shows of the ledger: one commissioner's year, and everybody's to a dispatcher."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from uuid import uuid4

from bot.channels.web.library import Library
from bot.domain import CHINA, Commissioner, Deed, Line, midnight
from bot.errors import Refused
from bot.escalation.ledger import CRITERIA, VISITS, Standing, Targets, may, standing
from bot.store import Audit, Store

FIRST_YEAR = 2026  # nothing was kept before
LINE_VERBS = ("suggest", "ledger:", "visit:")  # how the buttons of these pages begin
WORDLESS = ("visit:save", "suggest:draft")
TOLD_IN_WORDS = {
    "suggest": "/suggest",
    "suggest:draft": "/suggest",
    "visit:came": "记走访",
    "visit:called": "记电话",
}
NOT_YOUR_LEDGER = "没有这本台账，或者它不归您看。"
STRUCK, REPEATED = "已记为无效", "同一个问题，不重复算"  # why a line does not count


def _fresh() -> str:
    """What keeps a form that is posted twice from counting twice."""
    return str(uuid4())


@dataclass(frozen=True, slots=True)
class Ruling:
    """A form below a line: what it posts begins with `press`; with `criteria` one is chosen."""

    press: str
    label: str
    hint: str
    criteria: Sequence[str] = ()
    needs_words: bool = True
    uid: str = field(default_factory=_fresh)


@dataclass(frozen=True, slots=True)
class Row:
    """A line as the page shows it."""

    line: Line
    subject: str
    note: str  # why it does not count
    rating: str  # by the farmer
    rulings: Sequence[Line]  # on it, oldest first
    forms: Sequence[Ruling]

    @property
    def is_reviewed(self) -> bool:
        """Passed by the county's reviewer."""
        return any(one.entered.deed is Deed.REVIEWED for one in self.rulings)

    @property
    def is_struck(self) -> bool:
        return self.note == STRUCK


@dataclass(frozen=True, slots=True)
class Sheet:
    """One commissioner's year."""

    person: Commissioner
    standing: Standing
    rows: Sequence[Row]
    years: Sequence[int]
    today: date
    is_own: bool
    spread: int
    uid: str = field(default_factory=_fresh)
    visit_uid: str = field(default_factory=_fresh)
    draft_uid: str = field(default_factory=_fresh)

    @property
    def days_left(self) -> int:
        return self.standing.days_left(self.today)


@dataclass(frozen=True, slots=True)
class Overview:
    """Everybody's year, who is furthest from the target first, and whether the seals hold."""

    year: int
    years: Sequence[int]
    standings: Sequence[tuple[Commissioner, Standing]]
    audit: Audit


class LedgerBoard:
    """Reads the ledger for one person at the desk. Synchronous, like the store."""

    def __init__(
        self,
        store: Store,
        clock: Callable[[], datetime],
        people: Iterable[Commissioner],
        targets: Targets,
        library: Library,
    ) -> None:
        self._store = store
        self._clock = clock
        self._people = {one.id: one for one in people if not one.is_dispatcher}
        self._targets = targets
        self._library = library

    def sheet(self, me: Commissioner, person: str, year: int | None) -> Sheet | None:
        """None where there is no such person, or he is not `me` and I am no dispatcher."""
        shown = self._people.get(person)
        if shown is None or not (me.is_dispatcher or person == me.id):
            return None
        chosen = self._year(year)
        lines = self._store.ledger.of(person, _start(chosen))
        own = standing(person, lines, chosen, self._targets)
        kept = [(line, "") for line in own.services + own.suggestions]
        kept += [(line, STRUCK) for line in own.struck]
        kept += [(line, REPEATED) for line in own.repeats]
        newest_first = sorted(kept, key=lambda one: -one[0].number)
        rows = [self._row(line, note, lines, me) for line, note in newest_first]
        spread = self._spread(person, chosen)
        return Sheet(shown, own, rows, self._years(), self._today(), person == me.id, spread)

    def _spread(self, person: str, year: int) -> int:
        """How often entries made from his replies were given to farmers."""
        given = self._store.statistics.given(_start(year), _start(year + 1))
        entries = ((self._library.entry(one), count) for one, count in given.items())
        return sum(
            count
            for entry, count in entries
            if entry and entry.author and entry.author.id == person
        )

    def overview(self, year: int | None) -> Overview:
        chosen = self._year(year)
        ledger = self._store.ledger
        lines = ledger.between(_start(chosen), _start(chosen + 1))
        found = [
            (person, standing(person.id, lines, chosen, self._targets))
            for person in self._people.values()
        ]
        found.sort(key=lambda one: (one[1].counted, len(one[1].suggestions), one[0].id))
        return Overview(chosen, self._years(), found, ledger.audit())

    def _row(self, line: Line, note: str, lines: Sequence[Line], me: Commissioner) -> Row:
        rulings = [one for one in lines if one.entered.about == line.number]
        domain = line.entered.proof.get("domain")
        is_service = line.entered.deed in {Deed.SERVICE} | VISITS
        is_named = line.entered.deed is Deed.SERVICE or domain
        subject = self._library.domain(domain) if is_service and is_named else ""
        return Row(line, subject, note, _rating(line, lines), rulings, _forms(line, rulings, me))

    def _today(self) -> date:
        return self._clock().astimezone(CHINA).date()

    def _year(self, year: int | None) -> int:
        return year if year and year in self._years() else self._today().year

    def _years(self) -> Sequence[int]:
        return range(self._today().year, FIRST_YEAR - 1, -1)


def _rating(line: Line, lines: Sequence[Line]) -> str:
    """What the farmer thought of the case's answer; the last word stands."""
    said = [
        one.entered.proof
        for one in lines
        if one.entered.deed is Deed.RATED and one.entered.case == line.entered.case
    ]
    if not said or line.entered.deed is not Deed.SERVICE:
        return ""
    reason = said[-1].get("reason")
    return f"{said[-1]['rating']} 分" + (f"（{reason}）" if reason else "")


def _forms(line: Line, rulings: Sequence[Line], me: Commissioner) -> list[Ruling]:
    press = f"ledger:{line.number}"
    every = (
        (Deed.STRUCK, Ruling(f"{press}:strike", "记为无效", "哪里不够，写给特派员看", CRITERIA)),
        (Deed.RESTORED, Ruling(f"{press}:restore", "恢复有效", "为什么恢复")),
        (
            Deed.REVIEWED,
            Ruling(f"{press}:review", "复核通过", "可以不写", needs_words=False),
        ),
        (Deed.REPLIED, Ruling(f"{press}:reply", "答复这条建议", "采纳没有，怎么办的")),
        (Deed.APPEAL, Ruling(f"{press}:appeal", "申诉", "为什么应当算")),
    )
    return [form for deed, form in every if may(deed, line, rulings, me)]


def _start(year: int) -> datetime:
    return midnight(date(year, 1, 1))


def check_line(press: str, text: str) -> None:
    """Refused, in Chinese, where a form of these pages can't have posted it."""
    if not press.startswith(LINE_VERBS):
        raise Refused("这个按钮认不出来，请刷新页面再试。")
    if not (text or press in WORDLESS or press.endswith(":review")):
        raise Refused("还没有写。")


def page_of(person: str, me: Commissioner) -> str:
    """Whose page a form was posted from; `person` comes from the address and may be anything."""
    is_id = person.isascii() and person.replace("-", "").isalnum()
    return f"/desk/ledger/{person if is_id else me.id}"
