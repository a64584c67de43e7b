"""Makes reports from the store and the knowledge, for the command line and the desk."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date, datetime
from pathlib import Path

from bot.channels.web import Reports
from bot.channels.web.report_room import When
from bot.config import Config
from bot.domain import Commissioner, Domain, Entry, midnight
from bot.knowledge.load import read
from bot.reports import page, workbook
from bot.reports.figures import Period, Report, Sources, report
from bot.store import Store

_EVER = midnight(date(2000, 1, 1))


def at_desk(config: Config, store: Store, clock: Callable[[], datetime]) -> Reports:
    """The same for the desk: a dispatcher sees everything, everybody else what is his."""

    def make_for(me: Commissioner, when: When) -> Report:
        year, month = when
        period = Period.month(year, month) if month else Period.year(year)
        return make_report(config, store, period, None if me.is_dispatcher else me, clock())

    return Reports(
        page=lambda me, when, bar: page.render(make_for(me, when), bar),
        workbook=lambda me, when: workbook.workbook(make_for(me, when)),
    )


def make_report(
    config: Config, store: Store, period: Period, only: Commissioner | None, now: datetime
) -> Report:
    """As things stand now; in a report on one person are the cases that he has, or passed on."""
    entries, domains = _knowledge(config.knowledge)
    year = Period.year(period.first.year)
    opened = store.statistics.opened(period.start, period.end)
    if only:
        opened = [case for case in opened if only.id in {case.holder, *case.passed}]
    sources = Sources(
        lines=store.ledger.between(year.start, year.end),
        asked=store.statistics.asked(period.start, period.end),
        opened=opened,
        undelivered=store.statistics.undelivered(),
        people=(only,) if only else config.commissioners,
        targets=config.targets,
        domain_of=lambda entry: entries[entry].domain if entry in entries else None,
        subject=lambda domain: _title(domain, domains),
        addresses=store.cases.addresses(),
        ever=() if only else store.statistics.opened(_EVER, period.end),
        phrasings=[text for entry in entries.values() for text in entry.questions],
        is_whole=only is None,
        spread=_spread(store.statistics.given(period.start, period.end), entries),
    )
    return report(period, sources, now)


def _title(domain: str | None, domains: Mapping[str, Domain]) -> str:
    found = domains.get(domain or "")
    return found.title if found else domain or ""


def _knowledge(folder: Path) -> tuple[Mapping[str, Entry], Mapping[str, Domain]]:
    """What gives ids titles and authors, drafts too: an entry may be one again while it is mended.
    A broken file costs its own, not the report."""
    found = read(folder)
    entries = {file.entry.id: file.entry for file in found.entries}
    return entries, {file.domain.id: file.domain for file in found.domains}


def _spread(given: Mapping[str, int], entries: Mapping[str, Entry]) -> Counter[str]:
    """Uses of entries by their authors' ids."""
    found: Counter[str] = Counter()
    for name, count in given.items():
        if name in entries and (author := entries[name].author):
            found[author.id] += count
    return found
