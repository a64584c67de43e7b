"""Holds the staff's workbook against the folder: what each entry should say, or a wrong cell."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.knowledge.load import Reading
from bot.knowledge.manuscript import Manuscript
from bot.knowledge.names import Names, Unfit
from bot.knowledge.spreadsheet import Book, Row, Sheet, plain
from bot.knowledge.workbook import (
    DELETE,
    DOMAIN,
    ENTRIES,
    GUIDE,
    ID,
    NEEDED,
    PARTS,
    QUESTION,
    QUESTIONS,
    line_of,
    text_of,
)
from bot.reading.fields import NAME, NAME_MEND


@dataclass(slots=True)
class Asked:
    """The phrasings of one entry, as the workbook has them: each with its row."""

    kept: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)


class Intake:
    """One workbook on its way into one folder."""

    def __init__(self, book: Book, reading: Reading, old: Mapping[str, Manuscript]) -> None:
        self.old = old
        self.new: dict[str, Manuscript] = {}  # what the workbook speaks of, as it wants it
        self.rows: dict[str, int] = {}  # of the entries
        self.asked: dict[str, Asked] = {}
        self.refused: list[str] = []
        self.notes = [f"“{name}”表没有读。" for name in book.unread if name != GUIDE]
        self._reading = reading
        self._names = Names(file.domain for file in reading.domains)
        self._entries, self._questions = book.sheets[ENTRIES], book.sheets[QUESTIONS]
        for sheet in book.sheets.values():
            self.notes += [f"{sheet.name}表的“{head}”列没有读。" for head in sheet.unknown]
            for slip in sheet.slips:
                self.refuse(sheet, *slip)
        if self._entries.rows is not None and self._questions.rows is not None:
            self._take_entries(self._entries.rows)
            self._take_questions(self._questions.rows)

    def refuse(self, sheet: Sheet, row: int, title: str, message: str, mend: str) -> None:
        self.refused.append(f"{cell(sheet, row, title)}：{message} 怎么改：{mend}")

    def _take_entries(self, rows: Sequence[Row]) -> None:
        sheet = self._entries
        for row in rows:
            name = self._name(sheet, row)
            if name is None:
                continue
            if name in self.rows:
                message = f"{name} 在第 {self.rows[name]} 行已经有了。"
                self.refuse(sheet, row.number, ID, message, "一条知识只留一行。")
                continue
            self.rows[name] = row.number
            base = self._base(name, row)
            if base:
                self.new[name] = self._filled(base, row)

    def _name(self, sheet: Sheet, row: Row) -> str | None:
        content = row.cells.get(ID, "")
        if not content:
            self.refuse(sheet, row.number, ID, "这一行没有代号。", "补上代号，或者整行删掉。")
        elif not (isinstance(content, str) and NAME.fullmatch(content)):
            self.refuse(sheet, row.number, ID, f"“{content}”不能作代号。", NAME_MEND)
        elif content in self._reading.names and content not in self.old:
            message = f"{self._reading.names[content]} 现在读不通，改不了。"
            self.refuse(sheet, row.number, ID, message, "先运行 tianwen check，改好这个文件。")
        else:
            return content
        return None

    def _base(self, name: str, row: Row) -> Manuscript | None:
        """What the row changes, or a new entry's beginning; None where that is refused."""
        old = self.old.get(name)
        words = row.cells.get(DOMAIN, "")
        if old and words in {"", plain(self._names.domain(old.domain))}:
            return old
        try:
            domain = self._names.domain_called(line_of(words) if words else "")
        except Unfit as error:
            message = error.message if words else "新条目要写领域。"
            self.refuse(self._entries, row.number, DOMAIN, message, error.mend)
            return None
        if old and domain != old.domain:
            message = f"{name} 属于{self._names.domain(old.domain)}，不能在表里换领域。"
            move = f"把文件 {old.domain}/{name}.md 移到文件夹 {domain}"
            mend = f"这一格改回来；真要搬，{move}，在文件里改分组，再重新导出。"
            self.refuse(self._entries, row.number, DOMAIN, message, mend)
            return None
        return old or Manuscript(name, domain)

    def _filled(self, base: Manuscript, row: Row) -> Manuscript:
        is_new = base.id not in self.old
        values: dict[str, object] = {}
        for part in PARTS:
            content = row.cells.get(part.column.title, "")
            if content and (is_new or not part.is_as_shown(content, base, self._names)):
                try:
                    values[part.field] = part.take(content, base.domain, self._names)
                except Unfit as error:
                    where = (self._entries, row.number, part.column.title)
                    self.refuse(*where, error.message, error.mend)
            elif is_new and not content and part.field in NEEDED:
                where = (self._entries, row.number, part.column.title)
                self.refuse(*where, f"新条目没有写{part.column.title}。", "补上这一格。")
        return replace(base, **values)  # type: ignore[arg-type]

    def _take_questions(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._take_question(row)
        for name, asked in self.asked.items():
            old = self.old.get(name)
            had = {plain(each): each for each in old.questions} if old else {}
            kept = [each for words, each in had.items() if words not in asked.deleted]
            added = [words for words in asked.kept if words not in had]
            base = self.new.get(name) or old
            if base:
                self.new[name] = replace(base, questions=(*kept, *added))
        for name, manuscript in self.new.items():
            if not manuscript.questions and name not in self.old:
                mend = f"在“{QUESTIONS}”表加至少 8 行，代号都写 {name}。"
                self.refuse(self._entries, self.rows[name], ID, "新条目没有问法。", mend)

    def _take_question(self, row: Row) -> None:
        sheet = self._questions
        try:
            words = text_of(row.cells.get(QUESTION, ""))
        except Unfit as error:
            self.refuse(sheet, row.number, QUESTION, error.message, error.mend)
            return
        mark = row.cells.get(DELETE, "")
        if mark not in {"", DELETE}:
            self.refuse(
                sheet, row.number, DELETE, f"这里写了“{mark}”。", "要删写“删”，不删就空着。"
            )
        elif not words and mark:
            self.refuse(sheet, row.number, QUESTION, "不知道要删哪一句。", "写上要删的问法。")
        elif words and (name := self._name(sheet, row)):
            self._file_question(row, name, words, is_deleted=bool(mark))

    def _file_question(self, row: Row, name: str, words: str, *, is_deleted: bool) -> None:
        if name not in self.old and name not in self.rows:
            mend = f"把代号改对；是新条目，就先在“{ENTRIES}”表加一行。"
            self.refuse(self._questions, row.number, ID, f"没有 {name} 这条条目。", mend)
            return
        asked = self.asked.setdefault(name, Asked())
        here, there = asked.kept, asked.deleted
        if is_deleted:
            here, there = there, here
        here.setdefault(words, row.number)
        if words in there:
            message = f"同一句在第 {there[words]} 行，一处写了删，一处没写。"
            self.refuse(
                self._questions, row.number, DELETE, message, "两行写成一样，或者只留一行。"
            )


def cell(sheet: Sheet, row: int, title: str) -> str:
    """A cell as staff find it; row 0 is the sheet as a whole."""
    if not row:
        return f"{sheet.name}表"
    letter = sheet.letters.get(title)
    return f"{sheet.name}表 第 {row} 行{f' {letter} 列' if letter else ''}（{title}）"
