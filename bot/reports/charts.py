"""Bars and columns as shapes for SVG: pixels from the top left corner."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import accumulate

_WIDTH, _LABEL, _NUMBER = 720, 120, 40
_THICK, _STEP = 16, 24
_TALL, _FOOT, _EDGE = 200, 26, 16
_MOST_NAMES = 14  # below columns, before they would touch

Row = tuple[str, Sequence[int]]


@dataclass(frozen=True, slots=True)
class Box:
    """A bar, or a part of a stacked one; `series` picks its colour."""

    x: float
    y: float
    width: float
    height: float
    series: int
    says: str


@dataclass(frozen=True, slots=True)
class Label:
    """Words at a place."""

    x: float
    y: float
    text: str
    anchor: str = "start"


@dataclass(frozen=True, slots=True)
class Chart:
    """What an <svg> of that size draws; `stacked` charts need a legend."""

    width: float
    height: float
    boxes: Sequence[Box]
    labels: Sequence[Label]
    stacked: bool


def bars(rows: Sequence[Row]) -> Chart:
    """Lying bars, a row each."""
    scale = (_WIDTH - _LABEL - _NUMBER) / _most(rows)
    boxes, labels = [], []
    for place, (name, parts) in enumerate(rows):
        y = place * _STEP + 4
        labels.append(Label(_LABEL - 8, y + _THICK * 0.8, name, "end"))
        ends = [_LABEL + scale * end for end in accumulate(parts)]
        starts = [float(_LABEL), *ends[:-1]]
        for series, (x, end, part) in enumerate(zip(starts, ends, parts, strict=True)):
            if part:
                boxes.append(Box(x, y, end - x, _THICK, series, f"{name} {part}"))
        labels.append(Label(ends[-1] + 6, y + _THICK * 0.8, str(sum(parts))))
    return Chart(_WIDTH, len(rows) * _STEP + 8, boxes, labels, _is_stacked(rows))


def columns(rows: Sequence[Row]) -> Chart:
    """Standing columns side by side."""
    step, scale = (_WIDTH - 2 * _EDGE) / len(rows), (_TALL - 16) / _most(rows)
    width, every = min(step * 0.7, 40), -(-len(rows) // _MOST_NAMES)
    boxes, labels = [], []
    for place, (name, parts) in enumerate(rows):
        x = _EDGE + place * step + (step - width) / 2
        tops = [_TALL - scale * end for end in accumulate(parts)]
        floors = [float(_TALL), *tops[:-1]]
        for series, (top, floor, part) in enumerate(zip(tops, floors, parts, strict=True)):
            if part:
                boxes.append(Box(x, top, width, floor - top, series, f"{name} {part}"))
        middle = x + width / 2
        if place % every == 0:
            labels.append(Label(middle, _TALL + 18, name, "middle"))
        if sum(parts) > 0 and len(rows) <= 2 * _MOST_NAMES:
            labels.append(Label(middle, tops[-1] - 4, str(sum(parts)), "middle"))
    return Chart(_WIDTH, _TALL + _FOOT, boxes, labels, _is_stacked(rows))


def _most(rows: Sequence[Row]) -> int:
    totals = [sum(parts) for _, parts in rows]
    return max([1, *totals])


def _is_stacked(rows: Sequence[Row]) -> bool:
    return any(len(parts) > 1 for _, parts in rows)
