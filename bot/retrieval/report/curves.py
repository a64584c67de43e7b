"""What the probabilities are worth, and which entries are taken for which."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from bot.retrieval.tally import Rate, Record

BINS = 10
_POINTS = 200  # of a curve: as many as a screen can show
_WORST = 20


@dataclass(frozen=True, slots=True)
class Guess:
    """The entry that search put first: how sure it was, and whether it was right."""

    probability: float
    is_right: bool
    is_answered: bool  # the entry was said outright


@dataclass(frozen=True, slots=True)
class Bin:
    """The guesses of one tenth of the scale: what they promised and what they kept."""

    low: float
    high: float
    count: int
    promised: float | None  # mean probability
    kept: Rate | None  # share that was right


@dataclass(frozen=True, slots=True)
class Point:
    """Were everything from `threshold` up answered outright: the share answered, and wrongly."""

    threshold: float
    coverage: float
    error: float


@dataclass(frozen=True, slots=True)
class Curves:
    """Reliability and risk of the probabilities; of no guesses, empty ones."""

    reliability: tuple[Bin, ...]
    calibration_error: float | None  # mean distance of promised and kept (ECE)
    coverage: tuple[Point, ...]
    working: Point | None  # where the run stood

    @classmethod
    def of(cls, guesses: Sequence[Guess]) -> Curves:
        bins = _bins(guesses)
        return cls(bins, _calibration_error(bins), _coverage(guesses), _working(guesses))


def _bins(guesses: Sequence[Guess]) -> tuple[Bin, ...]:
    held: Mapping[int, list[Guess]] = defaultdict(list)
    for guess in guesses:
        held[min(int(guess.probability * BINS), BINS - 1)].append(guess)
    return tuple(_bin(place, held[place]) for place in range(BINS)) if guesses else ()


def _bin(place: int, guesses: Sequence[Guess]) -> Bin:
    count = len(guesses)
    mean = round(sum(one.probability for one in guesses) / count, 4) if count else None
    kept = Rate.of(sum(one.is_right for one in guesses), count)
    return Bin(place / BINS, (place + 1) / BINS, count, mean, kept)


def _calibration_error(bins: Sequence[Bin]) -> float | None:
    """Expected calibration error: Naeini, Cooper, Hauskrecht, AAAI 2015."""
    count = sum(one.count for one in bins)
    gaps = (
        one.count * abs(one.promised - one.kept.rate)
        for one in bins
        if one.promised is not None and one.kept
    )
    return round(sum(gaps) / count, 4) if count else None


def _coverage(guesses: Sequence[Guess]) -> tuple[Point, ...]:
    """Surest first; guesses of one probability stand or fall together."""
    points, wrong = [], 0
    ordered = sorted(guesses, key=lambda one: -one.probability)
    for place, guess in enumerate(ordered, 1):
        wrong += not guess.is_right
        if place == len(ordered) or ordered[place].probability < guess.probability:
            share = round(place / len(ordered), 4)
            points.append(Point(round(guess.probability, 4), share, round(wrong / place, 4)))
    step = max(1, len(points) // _POINTS)
    return tuple(points[::step])


def _working(guesses: Sequence[Guess]) -> Point | None:
    answered = [one for one in guesses if one.is_answered]
    if not answered:
        return None
    wrong = sum(not one.is_right for one in answered)
    lowest = min(one.probability for one in answered)
    share = round(len(answered) / len(guesses), 4)
    return Point(round(lowest, 4), share, round(wrong / len(answered), 4))


@dataclass(frozen=True, slots=True)
class Confusion:
    """An entry shown first in place of the right one, or of none; `text` is an example."""

    expected: str | None
    shown: str
    count: int
    outright: int  # said outright, not only offered
    text: str


def confusions(records: Sequence[Record]) -> tuple[Confusion, ...]:
    """The worst twenty. Compound questions are left out: their entries have no partner."""
    pairs: Mapping[tuple[str | None, str], list[Record]] = defaultdict(list)
    for one in records:
        is_wrong = one.entries[:1] != [] and one.entries[0] not in one.expected
        if is_wrong and one.kind != "compound" and (one.expected or one.decision == "answer"):
            pairs[next(iter(one.expected), None), one.entries[0]].append(one)
    found = [_confusion(*pair, cases) for pair, cases in pairs.items()]
    return tuple(sorted(found, key=lambda one: (-one.outright, -one.count))[:_WORST])


def _confusion(expected: str | None, shown: str, cases: Sequence[Record]) -> Confusion:
    outright = [one for one in cases if one.decision == "answer"]
    return Confusion(expected, shown, len(cases), len(outright), (outright or cases)[0].words)
