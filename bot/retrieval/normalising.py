"""Farmers' words put the one way they are searched in: width, dialect, slips of key and voice."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import cache, lru_cache

from opencc import OpenCC
from pypinyin import lazy_pinyin

from bot.domain import Entry
from bot.retrieval.words import Concepts, Subject, Words, conflict

_UNSEEN = frozenset({"Cf", "Cn", "Co", "Cs", "Me", "Mn", "Sk", "So"})  # and emoji are So
_STICKER = re.compile(r"\[[一-鿿]{1,3}\]")  # [流汗], as WeChat writes its pictures
_RUN = re.compile(r"([^\d\s])\1{2,}")
_MEASURE = "斤|亩|棵|株|箱|桶|群|脾|框|张|块|元|天|月|年|度|次|米|公分|个|倍"
_NUMBER = re.compile(rf"(?<![\d.])([1-9])?(\d)(?=[万千]?(?:{_MEASURE}))")
_DIGITS = "零一二三四五六七八九"
# What Chongqing and Sichuan speech does not tell apart: zh z, ch c, sh s, n l, hu fu, ng n.
_MERGED = (
    (re.compile(r"^([zcs])h"), r"\1"),
    (re.compile(r"^n"), "l"),
    (re.compile(r"^hu$"), "fu"),
    (re.compile(r"ng$"), "n"),
)

_Term = tuple[str, list[str]]  # and how its characters sound


class _Table(dict[int, str]):
    """For str.translate: what becomes of a character, worked out when it is first met."""

    def __init__(self, become: Callable[[str], str]) -> None:
        self._become = become

    def __missing__(self, code: int) -> str:
        return self.setdefault(code, self._become(chr(code)))


def _seen(sign: str) -> str:
    return sign if sign == "°" or unicodedata.category(sign) not in _UNSEEN else ""


_KEPT = _Table(_seen)


class Normaliser:
    """Any number of threads may use one. A question takes 0.15 ms, building 50 ms for a thousand
    words, besides the 0.2 s in which pypinyin is imported."""

    def __init__(self, words: Words) -> None:
        # Sign by sign: in a text that is simplified already, its phrases make 打坏 a 打坯.
        self._simplified = _Table(OpenCC("t2s").convert)
        forms = {
            self._folded(variant): self._folded(standard)
            for standard, variants in words.standards.items()
            for variant in (standard, *variants)
        }
        by_sound = [self._folded(term) for term in words.by_sound]
        whole = [self._folded(word) for word in words.whole]
        self._forms = _Finder({word: word for word in (*by_sound, *whole)} | forms)
        self._terms: dict[tuple[str, ...], list[_Term]] = {}
        for term in by_sound:
            for sounds in _sounds_of(term):
                self._terms.setdefault(sounds[:2], []).append((term, [*sounds]))
        self._plain = lru_cache(maxsize=1 << 15)(self._in_standard_words)  # a base, and its edits
        self._subject = lru_cache(maxsize=1 << 11)(self.subject)
        self._classes = {
            name: _Finder(dict.fromkeys(whole, "") | self._words_of(concepts))
            for name, concepts in words.classes.items()
        }

    def plain(self, text: str) -> str:
        """The text in standard words. For comparing with other plain text, never for showing."""
        return self._plain(text)

    def concepts(self, text: str) -> Concepts:
        """What of every class the text names, by any word for it."""
        plain = self.plain(text)
        return {name: finder.meanings_in(plain) for name, finder in self._classes.items()}

    def subject(self, title: str, questions: Sequence[str]) -> Subject:
        """What an entry speaks of, to be held against a question by `words.conflict`."""
        return Subject.of(self.concepts(title), [*map(self.concepts, questions)])

    def conflict(self, text: str, entry: Entry) -> str | None:
        """In what the text contradicts the entry: crop or organ."""
        return conflict(self.concepts(text), self._subject(entry.title, entry.questions))

    def _in_standard_words(self, text: str) -> str:
        return _NUMBER.sub(_spelt, "".join(self._standard(self._folded(text))))

    def _words_of(self, concepts: Mapping[str, Iterable[str]]) -> dict[str, str]:
        return {self.plain(word): concept for concept, words in concepts.items() for word in words}

    def _folded(self, text: str) -> str:
        """Simplified, half-width, lower case, without emoji; 哈哈哈哈 becomes 哈哈."""
        seen = unicodedata.normalize("NFKC", text.translate(self._simplified)).lower()
        kept = seen.translate(_KEPT)
        return " ".join(_RUN.sub(r"\1\1", _STICKER.sub("", kept)).split())

    def _standard(self, text: str) -> Iterator[str]:
        """The text piece by piece, each replaced at most once; the longer reading wins."""
        sounds = [*map(_sound, text), ""]
        start, size = 0, len(text)
        while start < size:
            read = self._forms.at(text, start)
            if likely := self._terms.get((sounds[start], sounds[start + 1])):
                slip = self._slip(likely, text, sounds, start)
                read = slip if len(slip) > len(read) else read
            yield self._forms[read] if read else text[start]
            start += len(read) or 1

    def _slip(self, likely: Iterable[_Term], text: str, sounds: list[str], start: int) -> str:
        """The term meant by what stands there: it sounds alike, shares a character (花交 and 花椒)
        and cuts into no listed word (打 and 要得 are not 打药)."""
        fitting = [
            (len(term), sum(map(str.__eq__, term, text[start:])), term)
            for term, spoken in likely
            if sounds[start : start + len(term)] == spoken
        ]
        for length, shared, term in sorted(fitting, reverse=True):
            if shared and not self._cuts(text, start, start + length):
                return term
        return ""

    def _cuts(self, text: str, start: int, end: int) -> bool:
        """Whether a listed word begins within and goes on beyond."""
        return any(at + len(self._forms.at(text, at)) > end for at in range(start + 1, end))


class _Finder:
    """Finds listed words in a text, the longest first."""

    def __init__(self, meanings: Mapping[str, str]) -> None:
        self._meanings = meanings
        self._by_start: dict[str, list[str]] = {}  # by two characters; lone ones have a list each
        for word in sorted(meanings, key=len, reverse=True):
            self._by_start.setdefault(word[:2], []).append(word)

    def __getitem__(self, word: str) -> str:
        return self._meanings[word]

    def at(self, text: str, start: int) -> str:
        """The longest listed word that begins there, or nothing."""
        for word in self._by_start.get(text[start : start + 2], ()):
            if text.startswith(word, start):
                return word
        return text[start] if text[start] in self._by_start else ""

    def meanings_in(self, text: str) -> frozenset[str]:
        """Of every listed word that is not inside another, from left to right."""
        found, start = set(), 0
        while start < len(text):
            word = self.at(text, start)
            found.add(self._meanings[word] if word else "")
            start += len(word) or 1
        return frozenset(found - {""})


def _sounds_of(term: str) -> set[tuple[str, ...]]:
    """How the term is read, and how its characters are read alone."""
    return {
        tuple(_merged(syllable) for syllable in lazy_pinyin(term)),
        tuple(_sound(sign) for sign in term),
    }


@cache  # a few thousand characters
def _sound(sign: str) -> str:
    return _merged(lazy_pinyin(sign)[0]) if "一" <= sign <= "鿿" else sign


def _merged(syllable: str) -> str:
    for pattern, instead in _MERGED:
        syllable = pattern.sub(instead, syllable)
    return syllable


def _spelt(match: re.Match[str]) -> str:
    """3 as 三, 2 as 两 but in 二月, 12 as 十二; what people write for more is digits anyway."""
    tens, ones = int(match[1] or 0), int(match[2])
    if not tens:
        is_pair = ones == 2 and match.string[match.end()] != "月"
        return "两" if is_pair else _DIGITS[ones]
    return f"{_DIGITS[tens] if tens > 1 else ''}十{_DIGITS[ones] if ones else ''}"
