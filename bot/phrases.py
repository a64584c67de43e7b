"""Every sentence the bot says, by key; the wording stands in config/phrases.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from string import Formatter

from bot.errors import PhraseError


class Phrases:
    """Fills the blanks of a sentence: `phrases("case.opened", number=12)`."""

    def __init__(self, templates: Mapping[str, str]) -> None:
        self._templates = dict(templates)

    def __call__(self, key: str, **blanks: object) -> str:
        """The sentence with its blanks filled; a missing key or blank raises PhraseError."""
        try:
            return self._templates[key].format(**blanks)
        except KeyError as error:
            raise PhraseError(f"config/phrases.yaml: {key} 缺少 {error}") from error

    def __contains__(self, key: str) -> bool:
        return key in self._templates

    def blanks(self) -> dict[str, frozenset[str]]:
        """The names of the blanks of every sentence, for checking against the code."""
        return {
            key: frozenset(name for _, name, _, _ in Formatter().parse(template) if name)
            for key, template in self._templates.items()
        }
