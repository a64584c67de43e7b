"""Is a person in danger? Word groups decide, before anything else is done with a message."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Danger:
    """One kind of danger: a word of every group in `all_of` must occur, none of `unless`."""

    name: str
    all_of: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not self.all_of or not all(self.all_of):
            raise ValueError(f"danger {self.name} needs at least one group of words")

    def is_in(self, text: str) -> bool:
        return all(any(word in text for word in group) for group in self.all_of) and not any(
            word in text for word in self.unless
        )


def danger_in(text: str, dangers: Iterable[Danger]) -> str | None:
    """The name of the first danger that the text speaks of."""
    squeezed = "".join(text.split())
    return next((danger.name for danger in dangers if danger.is_in(squeezed)), None)
