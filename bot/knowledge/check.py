"""The editorial rules beyond what `load` demands.

A rule is one small function: it takes the shelf and yields what is wrong and where. To add one,
write it below with `@rule(name, level)` and give it a good and a bad file in the tests.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

from bot.domain import Problem
from bot.knowledge.load import DomainFile, EntryFile, read
from bot.reading.report import Place

FEWEST_QUESTIONS = 8
LONGEST_SHORT_ANSWER = 80
DETAILS_LENGTH = range(150, 451)
FIRST_WORDS = "立即拨打120"
# A person, not a bee, is in danger. Bees are poisoned too: 中毒 alone does not count.
_DANGER = re.compile(
    "喘不上气|喘不过气|出不赢气|气紧|呼吸困难|过敏性休克|口吐白沫|不省人事|昏迷|晕倒|晕死|"
    "误服|误喝|喝了?(农药|药水)|喝农药|人(农药)?中毒|打药中毒|摔下来|从树上摔|从梯子|触电"
)


@dataclass(frozen=True, slots=True)
class Shelf:
    """All that could be read, and the day the check is made."""

    entries: tuple[EntryFile, ...]
    domains: tuple[DomainFile, ...]
    ids: frozenset[str]  # of every entry file, readable or not
    today: date

    def domain(self, name: str) -> DomainFile | None:
        return next((file for file in self.domains if file.domain.id == name), None)

    def entry(self, name: str) -> EntryFile | None:
        return next((file for file in self.entries if file.entry.id == name), None)


class Finding(NamedTuple):
    """What a rule found; the rule's name and level are added by `check`."""

    file: EntryFile | DomainFile
    place: Place
    message: str
    mend: str


class Rule(NamedTuple):
    name: str
    level: Literal["error", "warning"]
    look: Callable[[Shelf], Iterator[Finding]]


RULES: list[Rule] = []


def rule(
    name: str, level: Literal["error", "warning"]
) -> Callable[[Callable[[Shelf], Iterator[Finding]]], Callable[[Shelf], Iterator[Finding]]]:
    """Enters the function below it in RULES."""

    def enter(look: Callable[[Shelf], Iterator[Finding]]) -> Callable[[Shelf], Iterator[Finding]]:
        RULES.append(Rule(name, level, look))
        return look

    return enter


def check(folder: Path, today: date) -> tuple[Problem, ...]:
    """All that `load` refuses and all that the rules find, in the order of files and lines."""
    reading = read(folder)
    shelf = Shelf(tuple(reading.entries), tuple(reading.domains), frozenset(reading.names), today)
    found = [
        Problem(
            each.file.path, each.place.line, each.place.column, *each[2:], rule.level, rule.name
        )
        for rule in RULES
        for each in rule.look(shelf)
    ]
    problems = [*reading.problems, *found]
    return tuple(sorted(problems, key=lambda each: (each.path, each.line, each.column, each.rule)))


def essence(text: str) -> str:
    """The text without width, case, spaces, punctuation: what makes two questions the same."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return "".join(letter for letter in folded if letter.isalnum())


# --- questions -------------------------------------------------------------------------------


@rule("few-questions", "error")
def _too_few_questions(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        count = len(file.entry.questions)
        if count < FEWEST_QUESTIONS:
            mend = "再想几种农户的说法：看到的样子、土话、短句、带故事的。"
            message = f"问法只有 {count} 条，至少要 {FEWEST_QUESTIONS} 条。"
            yield Finding(file, file.front.find("questions"), message, mend)


@rule("empty-question", "error")
def _no_word_in_a_question(shelf: Shelf) -> Iterator[Finding]:
    for file, place, question in _questions(shelf):
        if not essence(question):
            yield Finding(file, place, "这条问法里没有字。", "写成农户会说的一句话，或者删掉。")


@rule("same-question", "error")
def _same_question_in_other_dress(shelf: Shelf) -> Iterator[Finding]:
    """Word-for-word repeats between entries are refused by `load` already."""
    seen: dict[str, tuple[EntryFile | DomainFile, Place, str]] = {}
    for file, place, question in _questions(shelf):
        first = seen.setdefault(essence(question), (file, place, question))
        is_loads = isinstance(file, EntryFile) and first[2] == question
        if essence(question) and first != (file, place, question) and not is_loads:
            where = f"{first[0].path} 第 {first[1].line} 行"
            message = f"“{question}”和 {where}的“{first[2]}”只差标点、空格、大小写或全半角。"
            yield Finding(file, place, message, "换一种说法，或者删掉一处。")


def _questions(shelf: Shelf) -> Iterator[tuple[EntryFile | DomainFile, Place, str]]:
    for file in shelf.entries:
        for index, question in enumerate(file.entry.questions):
            yield file, file.front.find("questions", index), question
    for other in shelf.domains:
        for number, known in enumerate(other.domain.out_of_scope):
            for index, question in enumerate(known.questions):
                place = other.front.find("out_of_scope", number, "questions", index)
                yield other, place, question


# --- the answer ------------------------------------------------------------------------------


@rule("long-short-answer", "error")
def _short_answer_too_long(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        length = len(file.entry.short_answer)
        if length > LONGEST_SHORT_ANSWER:
            message = f"短答有 {length} 个字，最多 {LONGEST_SHORT_ANSWER} 个。"
            mend = "只留结论和最要紧的一步，其余挪到下面的小标题里。"
            yield Finding(file, file.body[0].place, message, mend)


@rule("details-length", "warning")
def _details_too_short_or_long(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        length = sum(len(each.text) for each in file.entry.details if each.kind != "heading")
        if length not in DETAILS_LENGTH:
            low, high = DETAILS_LENGTH.start, DETAILS_LENGTH.stop - 1
            place = file.body[min(1, len(file.body) - 1)].place
            message = f"小标题下的正文共 {length} 个字，宜在 {low} 到 {high} 之间。"
            yield Finding(file, place, message, "太短就补上认法和做法，太长就删去农户用不上的。")


@rule("empty-section", "error")
def _heading_without_text(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        kinds = [each.block.kind for each in file.body]
        for placed, kind, following in zip(file.body, kinds, [*kinds[1:], "heading"], strict=True):
            if kind == following == "heading":
                message = f"小标题“{placed.block.text}”下面没有内容。"
                yield Finding(file, placed.place, message, "补上内容，或者删掉小标题。")


@rule("danger-first", "error")
def _danger_without_120_first(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        entry = file.entry
        heard = _DANGER.search(" ".join((entry.title, *entry.questions, entry.short_answer)))
        if heard and not entry.short_answer.startswith(FIRST_WORDS):
            message = f"写到“{heard.group()}”，人可能有危险，短答却没有先说{FIRST_WORDS}。"
            yield Finding(file, file.body[0].place, message, f"短答开头写：{FIRST_WORDS}。")


@rule("danger-in-details", "warning")
def _danger_in_details_without_120(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        if any("120" in placed.block.text for placed in file.body):
            continue
        for placed in file.body[1:]:
            if heard := _DANGER.search(placed.block.text):
                message = f"写到“{heard.group()}”，却没有说{FIRST_WORDS}。"
                yield Finding(file, placed.place, message, f"在这一条里写上{FIRST_WORDS}。")


# --- links and groups ------------------------------------------------------------------------


def _links(file: EntryFile) -> Iterator[tuple[Literal["confusable_with", "see_also"], Place, str]]:
    for index, name in enumerate(file.entry.confusable_with):
        yield "confusable_with", file.front.find("confusable_with", index), name
    for index, name in enumerate(file.entry.see_also):
        yield "see_also", file.front.find("see_also", index), name


@rule("unknown-link", "error")
def _link_to_nowhere(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for key, place, name in _links(file):
            if name == file.entry.id:
                yield Finding(file, place, f"{key} 里写了自己。", "删掉它。")
            elif name not in shelf.ids:
                mend = "改成别的条目的文件名（不带 .md），或者删掉。"
                yield Finding(file, place, f"{key} 里的 {name} 没有这条条目。", mend)


@rule("one-way-link", "warning")
def _link_not_returned(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for key, place, name in _links(file):
            other = shelf.entry(name)
            if other and file.entry.id not in getattr(other.entry, key):
                message = f"{key} 写了 {name}，那一条却没有写回来。"
                yield Finding(
                    file, place, message, f"在 {other.path} 的 {key} 里加上 {file.entry.id}。"
                )


@rule("group", "error")
def _group_missing_or_unknown(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        domain = shelf.domain(file.entry.domain)
        groups = domain.domain.groups if domain else {}
        if groups and file.entry.group not in groups:
            name = file.entry.group
            message = f"_domain.yaml 里没有 {name} 这个分组。" if name else "没有写 group（分组）。"
            mend = "写下面中的一个：" + "、".join(groups) + "。"
            yield Finding(file, file.front.find("group"), message, mend)


# --- review ----------------------------------------------------------------------------------


@rule("no-review-by", "error")
def _no_review_date(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        if file.entry.review_by is None:
            mend = "补一行，一年以内，如 review_by: 2027-10-31；法规、登记、行情的半年以内。"
            yield Finding(file, file.front.place, "没有写 review_by（复审期限）。", mend)


@rule("review-expired", "warning")
def _review_date_gone_by(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        due = file.entry.review_by
        if due and due < shelf.today:
            place = file.front.find("review_by")
            message = f"复审期限 {due} 已经过了。"
            yield Finding(file, place, message, "请特派员重新看过，再改 reviewed 和 review_by。")
