"""Looks the whole knowledge folder over: what `load` refuses and what the rules find."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from bot.domain import Problem
from bot.knowledge import lists
from bot.knowledge.load import read
from bot.knowledge.rules import RULES
from bot.knowledge.rules.base import Shelf


def check(folder: Path, today: date) -> tuple[Problem, ...]:
    """Every problem, in the order of files and lines. No model is loaded."""
    reading = read(folder)
    banned, complaints = lists.read(folder)
    _, more = lists.unanswerable(folder)
    drafts = tuple(file for file in reading.entries if file.entry.is_draft)
    shelf = Shelf(
        entries=tuple(file for file in reading.entries if not file.entry.is_draft),
        drafts=drafts,
        domains=tuple(reading.domains),
        ids=frozenset(reading.names) - {file.entry.id for file in drafts},
        lists=banned,
        today=today,
    )
    found = [
        Problem(
            each.file.path, each.place.line, each.place.column, *each[2:], rule.level, rule.name
        )
        for rule in RULES
        for each in rule.look(shelf)
    ]
    problems = [*reading.problems, *complaints, *more, *found]
    return tuple(sorted(problems, key=lambda each: (each.path, each.line, each.column, each.rule)))
