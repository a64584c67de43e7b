"""The yearly ledger (年度台账) and assessment (考评): what counts, what is missing, which grade.

A service is an answer of a commissioner that reached its farmer, or a visit or call that he told of
and no farmer denied; the bot's own answers are in no
ledger. However many answers a case takes, and
however many cases one answer serves, it is one service. Where it counts days, several
services of a day are one.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from bot.domain import Commissioner, Deed, Line

WORST = "不合格"
CRITERIA = ("针对性", "有效性", "真实性", "完整性", "时效性")
_OVERTURNS = {Deed.STRUCK: False, Deed.DENIED: False, Deed.RESTORED: True}
_RULINGS = frozenset({*_OVERTURNS, Deed.APPEAL})
VISITS = frozenset({Deed.VISIT, Deed.CALL})


@dataclass(frozen=True, slots=True)
class Grade:
    """Given to whoever has at least so many of both."""

    name: str
    services: int
    suggestions: int


@dataclass(frozen=True, slots=True)
class Targets:
    """What a year asks of a commissioner: in Rongchang at least 24 services, days or times, and 2
    suggestions. What earns a better grade the office sets; the best comes first."""

    services: int = 24
    suggestions: int = 2
    counted_by: Literal["times", "days"] = "times"
    grades: tuple[Grade, ...] = (
        Grade("优秀", 48, 3),
        Grade("良好", 36, 2),
        Grade("合格", 24, 2),
    )


@dataclass(frozen=True, slots=True)
class Standing:
    """Where one commissioner stands in one year. `services` and `suggestions` are lines that
    count, `struck` those that do not any more; `repeats` are further answers to a case."""

    commissioner: str
    year: int
    services: tuple[Line, ...]
    suggestions: tuple[Line, ...]
    struck: tuple[Line, ...]
    repeats: tuple[Line, ...]
    targets: Targets

    @property
    def counted(self) -> int:
        """Services as the targets count them."""
        days = {line.day for line in self.services}
        return len(days) if self.targets.counted_by == "days" else len(self.services)

    @property
    def missing_services(self) -> int:
        return max(0, self.targets.services - self.counted)

    @property
    def missing_suggestions(self) -> int:
        return max(0, self.targets.suggestions - len(self.suggestions))

    @property
    def grade(self) -> str:
        """As if the year ended now."""
        reached = (
            grade.name
            for grade in self.targets.grades
            if self.counted >= grade.services and len(self.suggestions) >= grade.suggestions
        )
        return next(reached, WORST)

    def days_left(self, today: date) -> int:
        """Days of the year that remain, today included; 0 once it is over."""
        return max(0, (date(self.year, 12, 31) - today).days + 1)


def standing(commissioner: str, lines: Iterable[Line], year: int, targets: Targets) -> Standing:
    """Count one commissioner's lines of the year; corrections may be of any time."""
    known = sorted(lines, key=lambda line: line.number)
    counts = overturned(known)
    his = [
        line
        for line in known
        if line.entered.commissioner == commissioner and line.day.year == year
    ]
    struck = [line for line in his if counts.get(line.number) is False]
    sound = [line for line in his if counts.get(line.number, True)]
    answers = [line for line in sound if line.entered.deed is Deed.SERVICE]
    firsts = _first_of_each_case(answers)
    visits = [line for line in sound if line.entered.deed in VISITS]
    return Standing(
        commissioner,
        year,
        services=tuple(sorted(firsts + visits, key=lambda line: line.number)),
        suggestions=tuple(line for line in sound if line.entered.deed is Deed.SUGGESTION),
        struck=tuple(struck),
        repeats=tuple(line for line in answers if line not in firsts),
        targets=targets,
    )


def overturned(lines: Iterable[Line]) -> dict[int, bool]:
    """Whether a line counts, by its number, where somebody has ruled on it; the last ruling
    stands."""
    return {
        line.entered.about: _OVERTURNS[line.entered.deed]
        for line in lines
        if line.entered.about is not None and line.entered.deed in _OVERTURNS
    }


def may(deed: Deed, line: Line, rulings: Iterable[Line], me: Commissioner) -> bool:
    """Whether somebody may rule so on a line. A dispatcher strikes what counts and restores what
    was struck, passes a line once, and answers a suggestion; the commissioner it belongs to appeals
    once against each strike."""
    if line.entered.deed not in {Deed.SERVICE, Deed.SUGGESTION} | VISITS:
        return False
    about = [one for one in _about(line, rulings) if one.entered.deed in _RULINGS]
    last = max(about, key=lambda one: one.number).entered.deed if about else Deed.RESTORED
    match deed:
        case Deed.STRUCK:
            return me.is_dispatcher and last is Deed.RESTORED
        case Deed.RESTORED:
            return me.is_dispatcher and last is not Deed.RESTORED
        case Deed.REVIEWED:
            is_new = not any(one.entered.deed is Deed.REVIEWED for one in _about(line, rulings))
            return me.is_dispatcher and last is Deed.RESTORED and is_new
        case Deed.REPLIED:
            return me.is_dispatcher and line.entered.deed is Deed.SUGGESTION
        case Deed.APPEAL:
            return me.id == line.entered.commissioner and last in {Deed.STRUCK, Deed.DENIED}
        case _:
            return False


def _about(line: Line, rulings: Iterable[Line]) -> list[Line]:
    return [one for one in rulings if one.entered.about == line.number]


def _first_of_each_case(answers: Sequence[Line]) -> list[Line]:
    seen: set[int | None] = set()
    firsts = []
    for line in answers:
        case = line.entered.proof.get("same_as", line.entered.case)
        if case is None or case not in seen:
            firsts.append(line)
        seen.add(case)
    return firsts
