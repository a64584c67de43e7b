"""The measures the product is held to, each with its target."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from bot.reading import columns
from bot.retrieval.tally import Rate, Record

Test = Callable[[Record], bool]


@dataclass(frozen=True, slots=True)
class Goal:
    """A share to reach or not to exceed: that of the cases `hit` among those it `covers`."""

    id: str
    title: str
    target: float
    covers: Test
    hit: Test
    is_floor: bool = True

    @property
    def bound(self) -> str:
        sign = "" if self.target == 1 else "≥ " if self.is_floor else "≤ "
        return f"{sign}{100 * self.target:g}%"


@dataclass(frozen=True, slots=True)
class Measure:
    """A goal beside what was reached; `failed` are the cases that speak against it."""

    goal: Goal
    count: int
    cases: int
    rate: Rate | None  # None where no case was asked
    failed: tuple[Record, ...]

    @classmethod
    def of(cls, goal: Goal, records: Sequence[Record]) -> Measure:
        covered = [record for record in records if goal.covers(record)]
        count = sum(map(goal.hit, covered))
        failed = tuple(one for one in covered if goal.hit(one) != goal.is_floor)
        return cls(goal, count, len(covered), Rate.of(count, len(covered)), failed)

    @property
    def is_met(self) -> bool | None:
        """None where no case was asked."""
        if not self.cases:
            return None
        share = self.count / self.cases
        return share >= self.goal.target if self.goal.is_floor else share <= self.goal.target

    @property
    def is_certain(self) -> bool:
        """Whether the whole interval lies on one side; of 100 % a single miss is proof enough."""
        target = self.goal.target
        return target == 1 or (
            self.rate is not None and not self.rate.low <= target <= self.rate.high
        )

    @property
    def verdict(self) -> str:
        if self.is_met is None:
            return "没有题"
        return ("达标" if self.is_met else "未达标") + ("" if self.is_certain else "（未定）")

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return {
            "id": self.goal.id,
            "title": self.goal.title,
            "count": self.count,
            "cases": self.cases,
            "rate": asdict(self.rate) if self.rate else None,
            "target": self.goal.target,
            "at_least": self.goal.is_floor,
            "met": self.is_met,
        }


def _of(kind: str) -> Test:
    return lambda record: record.kind == kind


def _came(*outcomes: str) -> Test:
    return lambda record: record.outcome in outcomes


_SHOWN_OUTRIGHT = _came("answer_right", "answer_part", "answer_wrong")
_RIGHT, _QUESTION = _came("answer_right"), _of("question")

GOALS = (
    Goal("right", "能答的：直接答对", 0.75, _QUESTION, _RIGHT),
    Goal(
        "right_or_offered",
        "能答的：答对，或选项里有",
        0.95,
        _QUESTION,
        _came("answer_right", "offer_right"),
    ),
    Goal("wrong", "能答的：直接答错", 0.03, _QUESTION, _came("answer_wrong"), is_floor=False),
    Goal(
        "unanswerable",
        "答不了的：却直接答了",
        0.08,
        _of("unanswerable"),
        _SHOWN_OUTRIGHT,
        is_floor=False,
    ),
    Goal("near", "别的农业问题：却直接答了", 0.03, _of("near"), _SHOWN_OUTRIGHT, is_floor=False),
    Goal("far", "不相干的：却直接答了", 0.007, _of("far"), _SHOWN_OUTRIGHT, is_floor=False),
    Goal("emergency", "紧急：认出来了", 1.0, _of("emergency"), _came("emergency")),
    Goal(
        "false_alarm",
        "像紧急的：误报",
        0.05,
        _of("not_emergency"),
        _came("emergency"),
        is_floor=False,
    ),
    Goal(
        "routed",
        "转人的：领域转对",
        0.97,
        lambda record: record.is_routed is not None,
        lambda record: bool(record.is_routed),
    ),
    Goal("followup", "追问：直接答对", 0.80, _of("followup"), _RIGHT),
    Goal("compound", "一句两问：两问都答对", 0.70, _of("compound"), _RIGHT),
    Goal("burst", "连发几条：直接答对", 0.80, _of("burst"), _RIGHT),
)


def measure(records: Sequence[Record], missing: Sequence[str] = ()) -> tuple[Measure, ...]:
    """Every goal. Cases whose entries are all `missing` from the base prove nothing of it."""
    lacking = set(missing)
    fair = [one for one in records if not one.expected or set(one.expected) - lacking]
    return tuple(Measure.of(goal, fair) for goal in GOALS)


def table(measures: Sequence[Measure]) -> str:
    """One line a measure, in columns that stand straight under each other in a terminal."""
    return columns.table([("指标", "目标", "结果", "95% 区间", "题数", ""), *map(_row, measures)])


def _row(each: Measure) -> tuple[str, ...]:
    rate = each.rate
    return (
        each.goal.title,
        each.goal.bound,
        f"{rate.rate:.1%}" if rate else "·",
        f"{rate.low:.1%}–{rate.high:.1%}" if rate else "·",
        f"{each.count}/{each.cases}",
        each.verdict,
    )
