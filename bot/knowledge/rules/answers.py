"""Rules for the answer's form: lengths, sections."""

from __future__ import annotations

from collections.abc import Iterator

from bot.knowledge.drafting import TO_WRITE
from bot.knowledge.load import EntryFile
from bot.knowledge.markdown import Placed
from bot.knowledge.privacy import HIDDEN
from bot.knowledge.rules.base import Finding, Shelf, rule
from bot.reading.report import Place

LONGEST_SHORT_ANSWER = 80
DETAILS_LENGTH = range(150, 451)
SECTIONS = range(2, 5)
LONGEST_SECTION = 240


@rule("to-write", "error")
def _words_of_the_template_left(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for place, text in _texts(file):
            if TO_WRITE in text:
                message = f"这里还留着模板的{TO_WRITE}。"
                yield Finding(file, place, message, "换成真话；用不着的就整行删掉。")
            if HIDDEN in text:
                message = f"这里还留着{HIDDEN}。"
                yield Finding(file, place, message, "改成不提人名、电话、门牌的话。")


def _texts(file: EntryFile) -> Iterator[tuple[Place, str]]:
    """Everything of the entry that a farmer may read, and where it stands."""
    yield file.front.find("title"), file.entry.title
    for key in ("questions", "sources"):
        for index, text in enumerate(getattr(file.entry, key)):
            yield file.front.find(key, index), text
    for placed in file.body:
        yield placed.place, placed.block.text


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


@rule("sections", "warning")
def _too_few_or_many_sections(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        count = sum(each.kind == "heading" for each in file.entry.details)
        if file.entry.details and count not in SECTIONS:
            message = f"有 {count} 个小标题，宜有 {SECTIONS.start} 到 {SECTIONS.stop - 1} 个。"
            mend = "常用的：怎么认、怎么办、用药与安全、什么时候找特派员。"
            yield Finding(file, file.body[1].place, message, mend)


@rule("long-section", "warning")
def _section_too_long(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        for heading, length in _sections(file):
            if length > LONGEST_SECTION:
                message = f"“{heading.block.text}”下面有 {length} 个字，最多 {LONGEST_SECTION} 个。"
                yield Finding(file, heading.place, message, "分成两段，或者删去用不上的。")


def _sections(file: EntryFile) -> Iterator[tuple[Placed, int]]:
    """Each heading with the number of characters below it."""
    heading, length = None, 0
    for placed in file.body:
        if placed.block.kind != "heading":
            length += len(placed.block.text)
            continue
        if heading:
            yield heading, length
        heading, length = placed, 0
    if heading:
        yield heading, length
