"""Counts what the knowledge covers: entries, phrasings, and how their reviews stand."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from bot.domain import Domain, Entry
from bot.knowledge.load import Reading
from bot.reading import columns

SOON = timedelta(days=30)
_HEAD = (
    "",
    "条目",
    "问法",
    "最少",
    "平均",
    "待审",
    "已审",
    "过期",
    f"{SOON.days} 天内到期",
    "草稿",
)


@dataclass(frozen=True, slots=True)
class Coverage:
    """The entries of one domain, of one group in it, or of all; drafts count apart."""

    entries: int
    phrasings: int
    least: int  # phrasings of the entry that has fewest; 0 where there is none
    pending: int
    approved: int
    overdue: int  # the review was due before today
    due: int  # within SOON, today included
    drafts: int

    @classmethod
    def of(cls, entries: Iterable[Entry], today: date) -> Coverage:
        every = tuple(entries)
        served = [entry for entry in every if not entry.is_draft]
        phrasings = [len(entry.questions) for entry in served]
        dates = [entry.review_by for entry in served if entry.review_by]
        return cls(
            entries=len(served),
            phrasings=sum(phrasings),
            least=min(phrasings, default=0),
            pending=sum(entry.review.status == "pending" for entry in served),
            approved=sum(entry.review.status == "approved" for entry in served),
            overdue=sum(day < today for day in dates),
            due=sum(today <= day <= today + SOON for day in dates),
            drafts=len(every) - len(served),
        )

    @property
    def mean(self) -> float:
        return self.phrasings / self.entries if self.entries else 0.0


def coverage(reading: Reading, today: date) -> Iterator[tuple[str, Coverage]]:
    """Every domain, each followed by its groups, then the whole; with what each is called."""
    entries = [file.entry for file in reading.entries]
    known = {file.domain.id: file.domain for file in reading.domains}
    for name in sorted({*known, *(entry.domain for entry in entries)}):
        inside = [entry for entry in entries if entry.domain == name]
        yield known[name].title if name in known else name, Coverage.of(inside, today)
        for group, title in _groups(known.get(name), inside):
            yield f"  {title}", Coverage.of((one for one in inside if one.group == group), today)
    yield "合计", Coverage.of(entries, today)


def _groups(domain: Domain | None, entries: Iterable[Entry]) -> Iterator[tuple[str, str]]:
    """The domain's groups, empty ones too: what is not covered must show."""
    groups = domain.groups if domain else {}
    yield from groups.items()
    for group in sorted({entry.group for entry in entries} - groups.keys()):
        if group or groups:
            yield group, group or "（没写分组）"


def table(counted: Iterable[tuple[str, Coverage]]) -> str:
    return columns.table([_HEAD, *(_row(*each) for each in counted)])


def _row(label: str, count: Coverage) -> tuple[str, ...]:
    numbers = (count.entries, count.phrasings, count.least)
    states = (count.pending, count.approved, count.overdue, count.due, count.drafts)
    mean = f"{count.mean:.1f}" if count.entries else "·"
    return (label, *map(_shown, numbers), mean, *map(_shown, states))


def _shown(number: int) -> str:
    return str(number or "·")
