"""The commands that staff run on the knowledge files; like `commands`, but no model is loaded."""

from __future__ import annotations

import gc
import os
from argparse import Namespace

from bot.app.calendar import today
from bot.config import Config, load
from bot.domain import Problem
from bot.knowledge import UNSAFE
from bot.knowledge import check as check_knowledge
from bot.knowledge.rules import RULES


def check(options: Namespace) -> int:
    config = _config(options)
    gc.disable()  # nearly all that a check makes is in use to its end: there is nothing to collect
    try:
        problems = check_knowledge(config.knowledge, today())
    finally:
        gc.enable()
    shown = [one for one in problems if one.level == "error" or not options.quiet]
    for problem in shown:
        print(problem)
    errors = sum(one.level == "error" for one in problems)
    print(_verdict(problems, errors))
    return 1 if errors else 0


def _verdict(problems: tuple[Problem, ...], errors: int) -> str:
    if not problems:
        return "知识库和设置都没有问题。"
    reminders = len(problems) - errors
    if not errors:
        return f"没有错误，{reminders} 个提醒。提醒不挡新内容生效，能改就改。"
    told = f"{errors} 个错误，{reminders} 个提醒。"
    # A running bot loads the folder in spite of these.
    editorial = {rule.name for rule in RULES} - UNSAFE
    if all(one.rule in editorial for one in problems if one.level == "error"):
        return f"{told}开着的田问已经在用这些内容，马上改；来不及就先写成 draft，农户就看不到。"
    return f"{told}错误改好以前，新内容不会生效。"


def _config(options: Namespace) -> Config:
    return load(options.home.resolve(), os.environ)
