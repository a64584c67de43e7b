"""What the desk asks of the knowledge."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bot.domain import Entry


@dataclass(frozen=True, slots=True)
class Library:
    """How knowledge ids read to people, and how the knowledge takes a question, a line a reason;
    looked up in the index of the moment."""

    entry: Callable[[str], Entry | None]
    domain: Callable[[str | None], str]
    explain: Callable[[str], Sequence[str]]
    canned: Sequence[str] = ()  # what a commissioner may send with a tap
