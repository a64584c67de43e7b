"""The commands that carry the knowledge to an Excel file and back."""

from __future__ import annotations

import os
from argparse import Namespace
from collections.abc import Sequence
from pathlib import Path

from bot.app.calendar import today
from bot.config import load
from bot.errors import EditError
from bot.knowledge import importing, spreadsheet, trial, workbook
from bot.knowledge.load import read
from bot.knowledge.manuscript import originals
from bot.knowledge.names import Names

_MOST = 20  # a column sorted alone would tell thousands


def export(options: Namespace) -> int:
    target = _target(options.file, may_replace=options.force)
    folder = load(options.home.resolve(), os.environ).knowledge
    reading = read(folder)
    manuscripts = [one.manuscript for one in originals(folder, reading).values()]
    names = Names(file.domain for file in reading.domains)
    content = spreadsheet.write(workbook.tables(manuscripts, names))
    trial.save(target.parent, {Path(target.name): content})
    questions = sum(len(one.questions) for one in manuscripts)
    print(f"导出 {len(manuscripts)} 条、{questions} 句问法：{target}")
    if unread := sorted(set(reading.names) - {one.id for one in manuscripts}):
        print(f"读不通、没有导出的：{'、'.join(unread)}。运行 tianwen check 看怎么改。")
    return 0


def _target(file: Path, *, may_replace: bool) -> Path:
    path = file.absolute()
    if path.suffix.lower() != ".xlsx":
        raise EditError(f"{file} 的名字要以 .xlsx 结尾。")
    if not path.parent.is_dir():
        raise EditError(f"没有 {path.parent} 这个文件夹。先建好，或者换个地方。")
    if path.is_dir() or (path.exists() and not may_replace):
        raise EditError(f"{file} 已经在了。换个名字；确定要盖掉它，就加 --force。")
    return path


def take_in(options: Namespace) -> int:
    folder = load(options.home.resolve(), os.environ).knowledge
    book = spreadsheet.read(options.file, workbook.TITLES)
    plan = importing.plan(folder, book, today())
    _tell("新建", plan.created)
    _tell("改动", plan.changed)
    if not plan.refused:
        kept = f"{plan.kept_entries} 条、{plan.kept_questions} 句问法"
        print(f"没变 {plan.unchanged} 条。表里没有、保留原样的：{kept}。")
    _tell("提醒", plan.notes, most=_MOST)
    _tell("拒绝", plan.refused, most=_MOST)
    if plan.refused:
        print("什么也没有写。改好上面这些，存盘，再导入。")
        return 1
    if options.dry_run:
        print("这是试一遍，什么也没有写。去掉 --dry-run 才会写。")
        return 0
    trial.save(folder, plan.changes)
    if not plan.changes:
        print("没有要写的。")
        return 0
    print(f"写好 {len(plan.changes)} 个文件。还要接着改表，先重新导出一份。")
    return 0


def _tell(what: str, lines: Sequence[str], *, most: int | None = None) -> None:
    if lines:
        print(f"{what} {len(lines)} {'处' if what == '拒绝' else '条'}：")
        for line in lines[:most]:
            print(f"  {line}")
        if lines[most or len(lines) :]:
            print(f"  ……先说这 {most} 处，改好再来。")
