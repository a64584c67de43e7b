"""The commands that begin, approve and count entries; no model and no Excel is loaded."""

from __future__ import annotations

import os
from argparse import Namespace

from bot.app.calendar import today
from bot.config import load
from bot.knowledge import approval, coverage, drafting, trial
from bot.knowledge.load import read


def new(options: Namespace) -> int:
    folder = load(options.home.resolve(), os.environ).knowledge
    due = approval.a_year_after(today())
    path, text = drafting.draft(read(folder), options.id, options.domain, options.title, due)
    trial.save(folder, {path: text.encode()})
    print(f"写好了模板：{folder / path}")
    print(f"接着做：一，把每一处{drafting.TO_WRITE}换成真话，选好分组，写出处。")
    print("　　　　二，把 reviewed 里的 draft 改成 pending，运行 tianwen check，改到没有错误。")
    print(f"　　　　三，请特派员看过，运行 tianwen knowledge approve {options.id} --by 姓名。")
    return 0


def approve(options: Namespace) -> int:
    folder = load(options.home.resolve(), os.environ).knowledge
    given = approval.Approval.of(options.by, options.on, options.review_by, today())
    approved = approval.approve(folder, options.ids, given, today())
    trial.save(folder, {one.path: one.content for one in approved})
    for one in approved:
        print(f"已核定 {one.path.stem}：{given.by}，{given.on}；复审期限 {one.review_by}。")
    if options.review_by is None:
        print("复审期限照文件里原来定的长短，半年到一年；要另定，加 --review-by 2027-05-31。")
    return 0


def stats(options: Namespace) -> int:
    reading = read(load(options.home.resolve(), os.environ).knowledge)
    print(coverage.table(coverage.coverage(reading, today())))
    if unread := len(reading.names) - len(reading.entries):
        print(f"另有 {unread} 条读不通，没有算进去；运行 tianwen check 看。")
    return 0
