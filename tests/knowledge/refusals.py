"""Asks load why it refuses a folder."""

from pathlib import Path

import pytest

from bot.domain import Problem
from bot.errors import KnowledgeError
from bot.knowledge import load


def problems_of(folder: Path) -> tuple[Problem, ...]:
    with pytest.raises(KnowledgeError) as caught:
        load(folder)
    return caught.value.problems


def only_problem_of(folder: Path) -> Problem:
    problems = problems_of(folder)
    assert len(problems) == 1, [str(problem) for problem in problems]
    return problems[0]


def spot(problem: Problem) -> tuple[str, int, int, str]:
    return problem.path.rpartition("/")[2], problem.line, problem.column, problem.rule
