"""The evaluation as one HTML file that needs nothing beside it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from math import ceil
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from bot.domain import CHINA
from bot.retrieval import tally
from bot.retrieval.evaluation import Report
from bot.retrieval.report.changes import GRADES, Changes
from bot.retrieval.report.measures import Goal
from bot.retrieval.tally import Rate, Record, Total

_CEILING = 0.2  # end of the scale of shares that should be small
_LISTED = 100  # cases under one heading
_BEST_FIRST = (
    "answer_right",
    "answer_part",
    "offer_right",
    "emergency",
    "escalate",
    "decline",
    "offer_wrong",
    "answer_wrong",
)
_WHAT_COUNTS: Mapping[str, Mapping[str, tuple[str, ...]]] = {
    "expects": {
        "直接答对": ("answer_right",),
        "含选项": ("answer_right", "offer_right"),
        "答错": ("answer_wrong",),
    },
    "expects_none": {
        "却直接答了": ("answer_right", "answer_part", "answer_wrong"),
        "转人或婉拒": ("escalate", "decline"),
    },
    "is_about_danger": {"当成急救": ("emergency",)},
}


@dataclass(frozen=True, slots=True)
class About:
    """What the page says of the run; `name` gives the title of an entry or domain by its id."""

    made: datetime
    files: Sequence[str]
    revision: str
    name: Callable[[str], str]


def render(report: Report, about: About, changes: Changes | None = None) -> str:
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    page.filters |= {
        "percent": _percent,
        "points": _points,
        "on_scale": _on_scale,
        "stack": _stack,
        "rates": _rates,
        "name": about.name,
    }
    return page.get_template("page.html").render(
        report=report,
        about=about,
        made=about.made.astimezone(CHINA),
        verdicts=[sum(one.is_met is met for one in report.measures) for met in (True, False, None)],
        kinds=[tuple(group) for _, group in groupby(report.totals, key=lambda one: one.kind)],
        changes=changes,
        grades=GRADES,
        outcomes={one: tally.OUTCOMES[one] for one in _BEST_FIRST},
        kind_names=tally.KINDS,
        shown=_shown,
        listed=_LISTED,
        widest=_widest(report),
    )


def _percent(share: float) -> str:
    return f"{share:.1%}"


def _points(difference: float) -> str:
    """A change of a share, in percentage points."""
    return "±0" if abs(difference) < 0.0005 else f"{100 * difference:+.1f}".replace("-", "−")


def _on_scale(share: float, goal: Goal) -> str:
    """Where it lies on the goal's bar."""
    return f"{100 * min(1.0, share if goal.is_floor else share / _CEILING):.2f}%"


def _stack(total: Total) -> Iterator[tuple[str, int, float, float]]:
    """Outcome, count, start and width of each piece of the bar, in percent."""
    start = 0.0
    for outcome in _BEST_FIRST:
        if count := total.counts[outcome]:
            width = 100 * count / total.cases
            yield outcome, count, start, width
            start += width


def _rates(total: Total) -> Iterator[tuple[str, Rate]]:
    """What matters of this kind of case."""
    kind = total.kind.removesuffix(tally.WITHOUT_ENTRY)
    expects = "expects" if kind in {"question", "followup", "compound", "burst"} else "expects_none"
    what = "is_about_danger" if "emergency" in kind else expects
    for label, outcomes in _WHAT_COUNTS[what].items():
        if rate := Rate.of(sum(total.counts[one] for one in outcomes), total.cases):
            yield label, rate
    if total.routed:
        yield "转对领域", total.routed


def _shown(record: Record, name: Callable[[str], str]) -> str:
    """What came of it and which entries were shown."""
    return record.came + "".join(f"「{name(entry)}」" for entry in record.entries)


def _widest(report: Report) -> float:
    """The end of the error axis: the tenth above all that a fair part of the cases show."""
    told = [point.error for point in report.curves.coverage if point.coverage >= 0.1]
    return min(10, max(1, ceil(10 * max(told, default=0.0)))) / 10
