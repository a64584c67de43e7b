"""What a report says, counted from the ledger, the questions and the cases of a period."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from statistics import mean, median

from bot.domain import CHINA, OUR_MOVE, Address, Case, Commissioner, Deed, Line, midnight
from bot.escalation.ledger import Standing, Targets, standing
from bot.reports.gaming import Flag, flags
from bot.reports.gaps import Gap, gaps
from bot.store import Asked

KINDS: Mapping[str, str] = {
    "answer": "直接答",
    "several": "直接答",
    "clarify": "列出来选",
    "escalate": "转特派员",
    "emergency": "急救",
    "decline": "婉拒",
}
OUTCOMES = tuple(dict.fromkeys(KINDS.values()))
UNKNOWN = "没分出"
_WITHIN = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Period:
    """Days in China, `last` included."""

    title: str
    first: date
    last: date

    @classmethod
    def year(cls, year: int) -> Period:
        return cls(f"{year} 年", date(year, 1, 1), date(year, 12, 31))

    @classmethod
    def month(cls, year: int, month: int) -> Period:
        first = date(year, month, 1)
        after = (first + timedelta(days=31)).replace(day=1)
        return cls(f"{year} 年 {month} 月", first, after - timedelta(days=1))

    @property
    def start(self) -> datetime:
        return midnight(self.first)

    @property
    def end(self) -> datetime:
        """The first instant after it."""
        return self.start + (self.last - self.first + timedelta(days=1))

    def __contains__(self, day: date) -> bool:
        return self.first <= day <= self.last


@dataclass(frozen=True, slots=True)
class Person:
    """One commissioner: his year so far, and what of it fell into the period."""

    commissioner: Commissioner
    standing: Standing
    delivered: int  # answers, repeats and struck ones included
    services: int  # that count
    suggestions: int
    hours: float | None  # median from the question to the delivered answer
    within_a_day: float | None  # share of the answers
    rating: float | None  # by farmers, mean of the cases rated, 1 to 3
    spread: int  # uses of entries made from his replies; no services


@dataclass(frozen=True, slots=True)
class Count:
    """How often something was asked, by what came of it."""

    name: str
    outcomes: Mapping[str, int]

    @property
    def total(self) -> int:
        return sum(self.outcomes.values())


@dataclass(frozen=True, slots=True)
class Report:
    """Everything that the workbook and the page show."""

    period: Period
    made: datetime
    subject: Callable[[str | None], str]  # title of a domain
    people: Sequence[Person]
    weeks: Sequence[Count]
    subjects: Sequence[Count]
    townships: Sequence[tuple[str, int]]
    waiting: Sequence[Case]  # nobody has answered, and the knowledge had nothing
    overdue: Sequence[Case]
    undelivered: Sequence[Case]
    gaps: Sequence[Gap] | None  # these two are for the office: None in a report on one person
    flags: Sequence[Flag] | None

    @property
    def is_whole(self) -> bool:
        return self.flags is not None

    @property
    def whose(self) -> str:
        """Whose it is, "" where the office's."""
        return "" if self.is_whole else "、".join(one.commissioner.name for one in self.people)

    @property
    def asked(self) -> Count:
        outcomes: Counter[str] = Counter()
        for week in self.weeks:
            outcomes.update(week.outcomes)
        return Count("合计", {one: outcomes[one] for one in OUTCOMES})


@dataclass(frozen=True, slots=True)
class Sources:
    """What a report is made from."""

    lines: Sequence[Line]  # of the whole year
    asked: Sequence[Asked]
    opened: Sequence[Case]
    undelivered: Mapping[int, int]
    people: Sequence[Commissioner]
    targets: Targets
    domain_of: Callable[[str], str | None]  # of an entry's id
    subject: Callable[[str | None], str]  # title of a domain
    addresses: Mapping[str, Sequence[Address]]  # of commissioners, by id
    ever: Sequence[Case]  # opened until the period's end
    phrasings: Sequence[str]  # of the knowledge
    is_whole: bool = True  # the office's own: everybody is in it
    spread: Mapping[str, int] = field(default_factory=dict)  # in the period, by commissioner id


def report(period: Period, sources: Sources, now: datetime) -> Report:
    opened = sources.opened
    people = [_person(one, period, sources) for one in sources.people if not one.is_dispatcher]
    return Report(
        period,
        now,
        sources.subject,
        people,
        _weeks(period, sources.asked),
        _subjects(sources),
        Counter(case.township or UNKNOWN for case in opened).most_common(),
        waiting=[case for case in opened if case.state in OUR_MOVE],
        overdue=[case for case in opened if case.is_late(now)],
        undelivered=[case for case in opened if case.number in sources.undelivered],
        gaps=gaps(sources.ever, sources.phrasings) if sources.is_whole else None,
        flags=flags([one.standing for one in people], sources.addresses)
        if sources.is_whole
        else None,
    )


def _person(person: Commissioner, period: Period, sources: Sources) -> Person:
    year = standing(person.id, sources.lines, period.first.year, sources.targets)
    services = [line for line in year.services if line.day in period]
    answers = [
        line
        for line in (*year.services, *year.repeats, *year.struck)
        if line.day in period and "asked_at" in line.entered.proof
    ]
    ratings = _ratings(person.id, period, sources.lines)
    waits = [line.at - datetime.fromisoformat(line.entered.proof["asked_at"]) for line in answers]
    return Person(
        person,
        year,
        delivered=len(answers),
        services=len(services),
        suggestions=sum(line.day in period for line in year.suggestions),
        hours=median(wait.total_seconds() for wait in waits) / 3600 if waits else None,
        within_a_day=sum(wait <= _WITHIN for wait in waits) / len(waits) if waits else None,
        rating=mean(ratings) if ratings else None,
        spread=sources.spread.get(person.id, 0),
    )


def _ratings(person: str, period: Period, lines: Iterable[Line]) -> Sequence[int]:
    """The last rating of each case."""
    last: dict[int | None, int] = {}
    for line in lines:
        entered = line.entered
        is_his = entered.commissioner == person and line.day in period
        if is_his and entered.deed is Deed.RATED:
            last[entered.case] = entered.proof["rating"]
    return list(last.values())


def _weeks(period: Period, asked: Iterable[Asked]) -> Sequence[Count]:
    """Every week of the period, Monday to Sunday, until the last that has a question."""
    found: defaultdict[date, Counter[str]] = defaultdict(Counter)
    for one in asked:
        found[_monday(one.at.astimezone(CHINA).date())][KINDS[one.kind]] += 1
    weeks, monday = [], _monday(period.first)
    while found and monday <= max(found):
        outcomes = {one: found[monday][one] if monday in found else 0 for one in OUTCOMES}
        weeks.append(Count(f"{monday:%m-%d}", outcomes))
        monday += timedelta(days=7)
    return weeks


def _monday(day: date) -> date:
    return day - timedelta(days=day.weekday())


def _subjects(sources: Sources) -> Sequence[Count]:
    found: defaultdict[str, Counter[str]] = defaultdict(Counter)
    for one in sources.asked:
        domain = one.domain or (sources.domain_of(one.entries[0]) if one.entries else None)
        found[sources.subject(domain) if domain else UNKNOWN][KINDS[one.kind]] += 1
    counts = [
        Count(name, {one: outcomes[one] for one in OUTCOMES}) for name, outcomes in found.items()
    ]
    return sorted(counts, key=lambda count: -count.total)
