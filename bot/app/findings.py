"""What a check-up found."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the report, with what to do where something is wrong."""

    part: str
    is_good: bool
    said: str

    def __str__(self) -> str:
        return f"{'好' if self.is_good else '要看'}　{self.part}：{self.said}"


def good(part: str, said: str) -> Finding:
    return Finding(part, is_good=True, said=said)


def bad(part: str, said: str) -> Finding:
    return Finding(part, is_good=False, said=said)
