"""`tianwen report` and `tianwen ledger`: the year or a month for the office, and the seals."""

from __future__ import annotations

import re
from argparse import Namespace
from collections.abc import Callable
from pathlib import Path

from bot.app.calendar import now, today
from bot.app.commands import can_write, configured, person_named
from bot.app.report_making import make_report
from bot.errors import ConfigError
from bot.reading.columns import table
from bot.reports import page, workbook
from bot.reports.figures import Period
from bot.reports.tables import Table, tables
from bot.retrieval import evaluation
from bot.store import Store

_YEAR, _MONTH = re.compile(r"\d{4}"), re.compile(r"(\d{4})-(\d{1,2})")
_PRINTED = 20  # rows of a table; the files have all


def report(options: Namespace) -> int:
    config = configured(options)
    period = _period(options.span, options.when)
    can_write(options.xlsx, options.html)
    store = Store.open(config.database, commissioners=config.commissioners)
    try:
        name = options.commissioner
        found = make_report(
            config, store, period, person_named(name, config) if name else None, now()
        )
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
