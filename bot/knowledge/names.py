"""What staff call domains and groups, there and back."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from bot.domain import Domain


class Unfit(Exception):
    """Words that can't mean what is asked for; says why and what to write instead."""

    def __init__(self, message: str, mend: str) -> None:
        super().__init__(message)
        self.message, self.mend = message, mend


class Names:
    """Domains and groups as staff call them, where that tells one from the other."""

    def __init__(self, domains: Iterable[Domain]) -> None:
        self._domains = {domain.id: domain for domain in domains}
        self._titles = _distinct({domain.id: domain.title for domain in self._domains.values()})
        self._groups = {each.id: _distinct(each.groups) for each in self._domains.values()}

    def domain(self, name: str) -> str:
        return self._titles.get(name, name)

    def domain_called(self, words: str) -> str:
        """Its id. Raises Unfit."""
        if words in self._domains:
            return words
        return _called(words, self._titles, "领域")

    def group(self, domain: str, group: str) -> str:
        return self._groups.get(domain, {}).get(group, group)

    def group_called(self, domain: str, words: str) -> str:
        groups = self._groups.get(domain, {})
        return words if words in groups or not groups else _called(words, groups, "分组")


def _distinct(titles: Mapping[str, str]) -> dict[str, str]:
    count = Counter(titles.values())
    return {
        name: title for name, title in titles.items() if count[title] == 1 and title not in titles
    }


def _called(words: str, titles: Mapping[str, str], what: str) -> str:
    for name, title in titles.items():
        if words == title:
            return name
    raise Unfit(f"没有“{words}”这个{what}。", f"写下面中的一个：{'；'.join(titles.values())}。")
