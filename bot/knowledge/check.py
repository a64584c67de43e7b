"""Looks the whole knowledge folder over: what `load` refuses and what the rules find."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from pathlib import Path

from bot.domain import Problem
from bot.knowledge import lists
from bot.knowledge.load import Reading, read
from bot.knowledge.rules import RULES
from bot.knowledge.rules.base import Rule, Shelf

# What may cost a life or break the law keeps a file from going live, as what can't be read does.
UNSAFE = frozenset({"danger-first", "banned", "to-write"})


def check(folder: Path, today: date) -> tuple[Problem, ...]:
    """Every problem, in the order of files and lines. No model is loaded."""
    reading = read(folder)
    banned, complaints = lists.read(folder)
    _, more = lists.unanswerable(folder)
    found = _found(RULES, _shelf(reading, banned, today))
    problems = [*reading.problems, *complaints, *more, *found]
    return tuple(sorted(problems, key=lambda each: (each.path, each.line, each.column, each.rule)))


def unsafe(reading: Reading, folder: Path, today: date) -> tuple[Problem, ...]:
    """What must not be shown to farmers; a list of banned substances that is there and can't be
    read lets nothing through."""
    banned, complaints = lists.read(folder)
    rules = [rule for rule in RULES if rule.name in UNSAFE]
    return (*complaints, *_found(rules, _shelf(reading, banned, today)))


def _shelf(reading: Reading, banned: lists.Lists, today: date) -> Shelf:
    drafts = tuple(file for file in reading.entries if file.entry.is_draft)
    return Shelf(
        entries=tuple(file for file in reading.entries if not file.entry.is_draft),
        drafts=drafts,
        domains=tuple(reading.domains),
        ids=frozenset(reading.names) - {file.entry.id for file in drafts},
        lists=banned,
        today=today,
    )


def _found(rules: Sequence[Rule], shelf: Shelf) -> list[Problem]:
    return [
        Problem(
            each.file.path, each.place.line, each.place.column, *each[2:], rule.level, rule.name
        )
        for rule in rules
        for each in rule.look(shelf)
    ]
