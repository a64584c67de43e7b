"""What went over the wire, as people's phones and browsers showed it, and what follows from it for
the ledger: counted without a look at a table."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean

from bot.domain import CHINA
from tests.walk.year.doors import Heard

RELAY = re.compile(r"(?:科技特派员)?(\S+?)答复您的问题 #(\d+)：\s*(.*)", re.DOTALL)
OWN_WORDS = re.compile(r"回话((\d+)-\d+)号")
OPENED = re.compile(r"编号 #(\d+)")
NUMBER = re.compile(r"#(\d+)")
REPEATED = "（网络不好，这条可能重复）"
VISIT = re.compile(r"visit:(\d+):no")
CAME = re.compile(r"(?:科技特派员)?(\S+?)说 (\d\d)月\d\d日 (?:到您那里|和您)")
ENDS = ("答复您的问题", "就算办好了", "先当办好了", "已取消")
Key = tuple[str, int, str]  # who answered, which case, in which words


@dataclass(frozen=True, slots=True)
class Answer:
    """One that reached its farmer. However many answers a case takes, and however many cases one
    answer serves, it is one service: `root` says of which case."""

    name: str
    case: int
    root: int
    words: str
    year: int


@dataclass
class Year:
    """What one commissioner has in one year."""

    delivered: int = 0
    services: int = 0
    suggestions: int = 0
    struck: int = 0
    rating: float | None = None


def relay_in(text: str) -> Key:
    """The answer that a line of the ledger shows."""
    found = RELAY.search(text)
    own = OWN_WORDS.search(text)
    assert found, text
    assert own, text
    return found[1], int(found[2]), own[1]


@dataclass
class Wire:
    asked: int = 0
    answers: list[Answer] = field(default_factory=list)
    struck: dict[int, Key] = field(default_factory=dict)  # by line of the ledger
    opened: dict[int, str] = field(default_factory=dict)  # by case: the farmer
    ended: set[int] = field(default_factory=set)  # cases whose farmer was told of an end
    heard: int = 0
    _seen: set[tuple[str, int, str]] = field(default_factory=set)
    _suggestions: Counter[tuple[str, int]] = field(default_factory=Counter)
    _visits: Counter[tuple[str, int]] = field(default_factory=Counter)
    _told_of: dict[str, tuple[str, int]] = field(default_factory=dict)  # visits, by number
    _said_of: dict[str, str] = field(default_factory=dict)
    _rated: dict[int, tuple[str, int, int]] = field(default_factory=dict)
    _rating: dict[str, tuple[int, int]] = field(default_factory=dict)  # by farmer, not yet taken
    _last: dict[int, str] = field(default_factory=dict)  # who answered a case last

    # what farmers read and press

    def farmer_heard(self, farmer: str, heard: Heard) -> None:
        self.heard += 1
        year = _year(heard.at)
        for number in map(int, OPENED.findall(heard.text)):
            self.opened.setdefault(number, farmer)
        if any(one in heard.text for one in ENDS):
            self.ended |= set(map(int, NUMBER.findall(heard.text)))
        if found := RELAY.search(heard.text):
            self._answered(farmer, found, heard.text, year)
        for action in heard.actions:
            visit, came = VISIT.fullmatch(action), CAME.search(heard.text)
            if visit and came:
                is_last_year = heard.at.month < int(came[2])
                self._told_of[visit[1]] = came[1], year - is_last_year
        self._is_rated(farmer, heard.text, year)

    def _answered(self, farmer: str, found: re.Match[str], text: str, year: int) -> None:
        name, case, words = found[1], int(found[2]), found[3]
        is_repeated = text.startswith(REPEATED) and (farmer, case, words) in self._seen
        if is_repeated:
            return
        self._seen.add((farmer, case, words))
        self._last[case] = name
        own = OWN_WORDS.search(words)
        root, known = (int(own[2]), own[1]) if own else (case, "")
        self.answers.append(Answer(name, case, root, known, year))

    def farmer_pressed(self, farmer: str, action: str) -> None:
        match action.split(":"):
            case ["visit", number, verb]:
                self._said_of.setdefault(number, verb)
            case ["case", number, "rate1" | "rate2" | "rate3" as verb]:
                self._rating[farmer] = int(number), int(verb[-1])

    def _is_rated(self, farmer: str, text: str, year: int) -> None:
        if farmer not in self._rating:
            return
        if text.startswith(("记下了，谢谢您", "对不住。是哪一样")):
            case, stars = self._rating.pop(farmer)
            self._rated[case] = self._last[case], year, stars
        elif "您评过了" in text or "这个按钮过时了" in text:
            del self._rating[farmer]

    # what commissioners read

    def commissioner_heard(self, name: str, heard: Heard) -> None:
        self.heard += 1
        self.told_at_desk(name, heard.at, heard.text)

    def told_at_desk(self, name: str, at: datetime, text: str) -> None:
        if text.startswith(REPEATED):
            return
        self._suggestions[name, _year(at)] += "建议记进台账了" in text
        self._visits[name, _year(at)] += "走访记进台账了" in text

    # what follows from it

    def in_year(self, year: int, names: Iterable[str]) -> dict[str, Year]:
        found = self._years()
        return {name: found.get((name, year), Year()) for name in names}

    def _years(self) -> dict[tuple[str, int], Year]:
        found: defaultdict[tuple[str, int], Year] = defaultdict(Year)
        void, roots = set(self.struck.values()), defaultdict[tuple[str, int], set[int]](set)
        for one in self.answers:
            mine = found[one.name, one.year]
            mine.delivered += 1
            if (one.name, one.case, one.words) in void:
                mine.struck += 1
            else:
                roots[one.name, one.year].add(one.root)
        for who, cases in roots.items():
            found[who].services += len(cases)
        for who, count in self._visits.items():
            found[who].services += count
        for number, who in self._told_of.items():
            if self._said_of.get(number) == "no":
                found[who].services -= 1
                found[who].struck += 1
        for who, count in self._suggestions.items():
            found[who].suggestions += count
        for who, stars in self._ratings().items():
            found[who].rating = round(mean(stars), 1)
        return dict(found)

    def _ratings(self) -> dict[tuple[str, int], list[int]]:
        found = defaultdict[tuple[str, int], list[int]](list)
        for name, year, stars in self._rated.values():
            found[name, year].append(stars)
        return found


def _year(at: datetime) -> int:
    return at.astimezone(CHINA).year
