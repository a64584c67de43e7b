"""Lays rows out in columns that stand straight under each other in a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from unicodedata import east_asian_width


def table(rows: Sequence[Sequence[str]]) -> str:
    """One line a row; every row has as many cells."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    return "\n".join(
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    )


def _width(text: str) -> int:
    """How many columns a terminal gives it: two to a Chinese character."""
    return sum(2 if east_asian_width(one) in "WF" else 1 for one in text)
