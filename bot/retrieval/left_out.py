"""Every stored phrasing asked against an index that does not hold it: whose is it then?"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from bot.reading.columns import table
from bot.retrieval.embedder import Vectors
from bot.retrieval.index import Index
from bot.retrieval.vectors import Role

_TOP = 3
_SHORT = 11  # characters of a fragment, of a story
_LONG = 25
_DIALECT = re.compile(
    "啥子|咋个|啷个|啷凯|要得|莫得|没得|屋头|哈儿|遭|整|噻|嘛|巴到|蔸|丫丫|叶叶|尖尖|眼眼"
)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A phrasing, its entry, and the entries that win without it, best first."""

    text: str
    entry: str
    found: tuple[str, ...]  # entry ids

    @property
    def is_lost(self) -> bool:
        return self.found[0] != self.entry

    @property
    def style(self) -> str:
        """Told by its form: phrasings carry no label."""
        if len(self.text) <= _SHORT:
            return "短句"
        if _DIALECT.search(self.text):
            return "方言"
        return "长话" if len(self.text) > _LONG else "平常话"


def left_out(
    index: Index,
    vectors: Callable[[Sequence[tuple[Role, str]]], Vectors],
    progress: Callable[[int, int], None] | None = None,
) -> Iterator[LeftOut]:
    """Each phrasing of each entry in turn; an index of one entry has nothing to tell."""
    phrasings = [
        (owner, number, text)
        for owner, entry in enumerate(index.entries)
        for number, (_, text) in enumerate(index.texts[owner])
        if text in entry.questions
    ]
    queries = vectors([("query", text) for _, _, text in phrasings])
    for done, ((owner, number, text), query) in enumerate(
        zip(phrasings, queries, strict=True), start=1
    ):
        best = index.weigh(query, text, without=(owner, number)).order[:_TOP]
        found = tuple(index.entries[one].id for one in best.tolist())
        yield LeftOut(text, index.entries[owner].id, found)
        if progress:
            progress(done, len(phrasings))


def summary(results: Sequence[LeftOut], domain_of: Mapping[str, str]) -> str:
    """Rates by domain and style, and the confusions that are commonest, for the terminal."""
    groups: dict[str, list[LeftOut]] = {"全部": list(results)}
    for one in results:
        groups.setdefault(domain_of[one.entry], []).append(one)
    for one in results:
        groups.setdefault(one.style, []).append(one)
    rows = [["", "问法", "第一", "前三"]]
    for name, ones in groups.items():
        first = sum(not one.is_lost for one in ones) / len(ones)
        top = sum(one.entry in one.found for one in ones) / len(ones)
        rows.append([name, str(len(ones)), f"{first:.1%}", f"{top:.1%}"])
    pairs = Counter((one.entry, one.found[0]) for one in results if one.is_lost)
    confused = [[own, "→", other, str(count)] for (own, other), count in pairs.most_common(20)]
    return "\n\n".join([table(rows), "最常混的：", table(confused)])
