"""Which cases ask much the same, so that one answer may serve them."""

from __future__ import annotations

from collections.abc import Sequence

from bot.domain import Case

ALIKE = 0.4  # of their pairs of characters


def alike(case: Case, others: Sequence[Case]) -> list[Case]:
    """Cases on the same subject that ask much the same, likest first."""
    weights = [
        (likeness(case.question, one.question), one)
        for one in others
        if one.number != case.number and one.domain == case.domain
    ]
    likely = [pair for pair in weights if pair[0] >= ALIKE]
    return [one for _, one in sorted(likely, key=lambda pair: (-pair[0], pair[1].number))]


def likeness(one: str, other: str) -> float:
    """The Dice coefficient of the pairs of neighbouring characters, 0 to 1."""
    pairs, others = _pairs(one), _pairs(other)
    both = len(pairs) + len(others)
    return 2 * len(pairs & others) / both if both else 0.0


def _pairs(text: str) -> set[str]:
    bare = "".join(filter(str.isalnum, text))
    return {bare[at : at + 2] for at in range(len(bare) - 1)}
