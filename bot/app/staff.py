"""The commands that staff run on the knowledge files; like `commands`, but no model is loaded."""

from __future__ import annotations

import os
from argparse import Namespace

from bot.app.calendar import today
from bot.config import Config, load
from bot.domain import Problem
from bot.knowledge import check as check_knowledge


def check(options: Namespace) -> int:
    config = _config(options)
    problems = check_knowledge(config.knowledge, today())
    shown = [one for one in problems if one.level == "error" or not options.quiet]
    for problem in shown:
        print(problem)
    errors = sum(one.level == "error" for one in problems)
    print(_verdict(problems, errors))
    return 1 if errors else 0


def _verdict(problems: tuple[Problem, ...], errors: int) -> str:
    if not problems:
        return "知识库和设置都没有问题。"
    return f"{errors} 个错误，{len(problems) - errors} 个提醒。错误改好以前，新内容不会生效。"


def _config(options: Namespace) -> Config:
    return load(options.home.resolve(), os.environ)
