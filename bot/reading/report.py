"""Collects what staff must mend in one file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, NamedTuple

from bot.domain import Problem

_MOST = 50  # a file of rubbish would fill a screen a thousand times


class Place(NamedTuple):
    """A spot in a file; line and column count from 1, columns in characters. A tuple, since tens of
    thousands are made at each check, and a tuple is made four times as fast."""

    line: int = 1
    column: int = 1


START = Place()


class Report:
    """The problems of one file, at most 50 of them."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.problems: list[Problem] = []

    def error(self, rule: str, place: Place, message: str, mend: str) -> None:
        self._add(rule, place, message, mend, "error")

    def warn(self, rule: str, place: Place, message: str, mend: str) -> None:
        self._add(rule, place, message, mend, "warning")

    def extend(self, problems: Sequence[Problem]) -> None:
        self.problems.extend(problems[: _MOST - len(self.problems)])

    @property
    def has_errors(self) -> bool:
        return any(problem.level == "error" for problem in self.problems)

    def _add(
        self, rule: str, place: Place, message: str, mend: str, level: Literal["error", "warning"]
    ) -> None:
        if len(self.problems) < _MOST:
            spot = (self.path, place.line, place.column)
            self.problems.append(Problem(*spot, message, mend, level, rule))
