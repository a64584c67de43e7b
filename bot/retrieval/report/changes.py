"""What changed since a former run: case by case, and in the measures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import comb
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ValidationError

from bot.domain import Problem
from bot.errors import KnowledgeError
from bot.retrieval.report.measures import Measure, measure
from bot.retrieval.tally import Record

Grade = Literal["better", "worse", "other"]
GRADES: dict[Grade, str] = {"worse": "变坏", "better": "变好", "other": "好坏相当"}
_WORST_FIRST = (
    "answer_wrong",
    "emergency",
    "offer_wrong",
    "decline",
    "escalate",
    "answer_part",
    "offer_right",
    "answer_right",
)


class _Totals(BaseModel):
    topics_missing: tuple[str, ...]


class Former(BaseModel):
    """A run as its JSON file has it."""

    totals: _Totals
    cases: tuple[Record, ...]


@dataclass(frozen=True, slots=True)
class Change:
    """One case that ended differently."""

    before: Record
    now: Record

    @property
    def grade(self) -> Grade:
        old, new = _worth(self.before), _worth(self.now)
        return "other" if old == new else "better" if new > old else "worse"


@dataclass(frozen=True, slots=True)
class Changes:
    """Two runs side by side. `chance` that luck alone parts better and worse so far."""

    measures: tuple[tuple[Measure, Measure], ...]  # before, now
    graded: dict[Grade, tuple[Change, ...]]
    shared: int  # cases in both runs
    added: int
    gone: int
    chance: float

    def summary(self) -> str:
        """For the terminal, in Chinese."""
        counts = "，".join(f"{name} {len(self.graded[grade])} 题" for grade, name in GRADES.items())
        worse = [f"  变坏：{line(change)}" for change in self.graded["worse"]]
        head = (
            f"与上次相比（同样的 {self.shared} 题）：{counts}；纯属偶然的可能 {self.chance:.1%}。"
        )
        return "\n".join([head, *worse[:10], *(["  ……"] if len(worse) > 10 else [])])


def line(change: Change) -> str:
    return f"{change.now.words}（{change.before.came} → {change.now.came}）"


def read(path: Path) -> Former:
    """Raises KnowledgeError where the file is not what `--json` writes."""
    try:
        return Former.model_validate_json(path.read_bytes())
    except OSError as error:
        what, mend = f"读不了这个文件（{error.strerror}）。", "检查文件名和权限。"
    except ValidationError:
        what, mend = "这不是 evaluate 写出的结果。", "给 --against 一个 --json 写出的文件。"
    raise KnowledgeError((Problem(str(path), 1, 1, what, mend),))


def compare(former: Former, records: Sequence[Record], measures: Sequence[Measure]) -> Changes:
    """A case is known again by its kind and words."""
    old, new = ({(one.kind, one.words): one for one in run} for run in (former.cases, records))
    shared = [key for key in new if key in old]
    pairs = [Change(old[key], new[key]) for key in shared]
    changed = [pair for pair in pairs if _shape(pair.before) != _shape(pair.now)]
    graded = {grade: tuple(one for one in changed if one.grade == grade) for grade in GRADES}
    before = measure(former.cases, former.totals.topics_missing)
    return Changes(
        measures=tuple(zip(before, measures, strict=True)),
        graded=graded,
        shared=len(shared),
        added=len(new) - len(shared),
        gone=len(old) - len(shared),
        chance=_chance(len(graded["better"]), len(graded["worse"])),
    )


def _shape(record: Record) -> tuple[object, ...]:
    return record.decision, record.entries, record.route


def _worth(record: Record) -> tuple[int, bool]:
    """What came of it, and, of a case that went to a person, whether to the right subject."""
    outcome = record.outcome
    if record.kind == "emergency":
        return int(outcome == "emergency"), False
    if outcome == "decline" and not record.expected:
        outcome = "escalate"  # both are right where there is no answer
    return _WORST_FIRST.index(outcome), bool(record.is_routed)


def _chance(better: int, worse: int) -> float:
    """The exact two-sided test of Q. McNemar, Psychometrika 12 (1947) 153-157."""
    count, fewer = better + worse, min(better, worse)
    return min(1.0, 2 * sum(comb(count, one) for one in range(fewer + 1)) / (1 << count))
