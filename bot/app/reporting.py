"""`tianwen report` and `tianwen ledger`: the year or a month for the office, and the seals."""

from __future__ import annotations

import re
from argparse import Namespace
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import date
from pathlib import Path

from bot.app.calendar import now, today
from bot.app.commands import can_write, configured, person_named
from bot.config import Config
from bot.domain import Domain, Entry, midnight
from bot.errors import ConfigError
from bot.knowledge.load import read
from bot.reading.columns import table
from bot.reports import page, workbook
from bot.reports.figures import Period, Report, Sources
from bot.reports.figures import report as make
from bot.reports.tables import Table, tables
from bot.retrieval import evaluation
from bot.store import Store

_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"(\d{4})-(\d{1,2})")
_EVER = midnight(date(2000, 1, 1))
_PRINTED = 20  # rows of a table; the files have all


def report(options: Namespace) -> int:
    config = configured(options)
    period = _period(options.span, options.when)
    can_write(options.xlsx, options.html)
    store = Store.open(config.database, commissioners=config.commissioners)
    try:
        found = _report(config, store, period, options.commissioner)
    finally:
        store.close()
    for one in tables(found):
        print(f"\n{found.period.title} {one.title}")
        print(_printed(one))
    _write(options.xlsx, lambda: workbook.workbook(found))
    _write(options.html, lambda: page.render(found))
    return 0


def ledger(options: Namespace) -> int:
    """Look at every seal; 1 where one is broken."""
    config = configured(options)
    store = Store.open(config.database, commissioners=config.commissioners)
    try:
        audit = store.ledger.audit()
    finally:
        store.close()
    if audit.fault:
        print(f"台账被动过：{audit.fault}。前面 {audit.lines} 笔没有动过。")
        return 1
    print(f"台账 {audit.lines} 笔，逐笔核对过印记，没有动过。末笔印记：{audit.seal}")
    return 0


def _report(config: Config, store: Store, period: Period, name: str | None) -> Report:
    entries, domains = _knowledge(config.knowledge)
    people = (person_named(name, config),) if name else config.commissioners
    year = Period.year(period.first.year)
    sources = Sources(
        lines=store.ledger.between(year.start, year.end),
        asked=store.statistics.asked(period.start, period.end),
        opened=store.statistics.opened(period.start, period.end),
        undelivered=store.statistics.undelivered(),
        people=people,
        targets=config.targets,
        domain_of=lambda entry: entries[entry].domain if entry in entries else None,
        subject=lambda domain: _title(domain, domains),
        addresses=store.cases.addresses(),
        ever=store.statistics.opened(_EVER, period.end),
        phrasings=[text for entry in entries.values() for text in entry.questions],
        is_whole=name is None,
        spread=_spread(store.statistics.given(period.start, period.end), entries),
    )
    return make(period, sources, now())


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


def _period(span: str, when: str | None) -> Period:
    day = today()
    if span == "year" and (when is None or _YEAR.fullmatch(when)):
        return Period.year(int(when) if when else day.year)
    found = _MONTH.fullmatch(when or f"{day:%Y-%m}")
    if span == "month" and found and 1 <= int(found[2]) <= 12:
        return Period.month(int(found[1]), int(found[2]))
    example = "report year 2026" if span == "year" else "report month 2026-11"
    raise ConfigError(f"“{when}”看不懂。照这个样子写：tianwen {example}")


def _printed(one: Table) -> str:
    if not one.rows:
        return "没有。"
    rows = [["" if cell is None else str(cell) for cell in row] for row in one.rows[:_PRINTED]]
    more = len(one.rows) - _PRINTED
    text = table([list(one.head), *rows])
    return f"{text}\n……还有 {more} 行，写成文件看：--xlsx 或 --html" if more > 0 else text


def _write(path: Path | None, make_content: Callable[[], str | bytes]) -> None:
    if path is None:
        return
    evaluation.replace(path, make_content())
    print(f"\n写好了 {path}。")
