"""Holds the staff's workbook against the folder: what each entry should say, or a wrong cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from bot.knowledge.load import Reading
from bot.knowledge.manuscript import Manuscript
from bot.knowledge.names import Names, Unfit
from bot.knowledge.spreadsheet import Book, Content, Row, Sheet, plain
from bot.knowledge.workbook import (
    DELETE,
    DOMAIN,
    ENTRIES,
    GUIDE,
    ID,
    NEEDED,
    NONE,
    PARTS,
    QUESTION,
    QUESTIONS,
    STAMP,
    line_of,
    stamp_of,
    stamp_of_question,
    stamp_of_row,
    text_of,
)
from bot.reading.fields import NAME, NAME_MEND


@dataclass(slots=True)
class Asked:
    """The phrasings of one entry, as the workbook has them: each with its row."""

    kept: dict[str, int] = field(default_factory=dict)
    deleted: dict[str, int] = field(default_factory=dict)
    replaced: dict[str, str] = field(default_factory=dict)  # by the stamp of the old words


class Intake:
    """One workbook on its way into one folder."""

    def __init__(self, book: Book, reading: Reading, old: Mapping[str, Manuscript]) -> None:
        self.old = old
        self.new: dict[str, Manuscript] = {}  # what the workbook speaks of, as it wants it
        self.rows: dict[str, int] = {}  # of the entries
        self.asked: dict[str, Asked] = {}
        self.refused: list[str] = []
        self.notes = [f"“{name}”表没有读。" for name in book.unread if name != GUIDE]
        self._newer: dict[str, None] = {}  # entries whose file has changed since the export
        self._reading = reading
        self._names = Names(file.domain for file in reading.domains)
        self._owners = _owners(old.values())
        self._entries, self._questions = book.sheets[ENTRIES], book.sheets[QUESTIONS]
        for sheet in book.sheets.values():
            self.notes += [f"{sheet.name}表的“{head}”列没有读。" for head in sheet.unknown]
            for slip in sheet.slips:
                self.refuse(sheet, *slip)
            if sheet.rows is not None and STAMP not in sheet.letters:
                message = f"没有“{STAMP}”这一列（平时藏着），分不清哪些是您改的。"
                self.refuse(sheet, 0, "", message, "重新导出一份，在新表里改。")
        if all(sheet.rows is not None and STAMP in sheet.letters for sheet in book.sheets.values()):
            self._take_entries(self._entries.rows or ())
            self._take_questions(self._questions.rows or ())
        if self._newer:
            names = "、".join(self._newer)
            self.notes.append(f"导出以后文件又改过，表里没动，照文件的：{names}。")

    def refuse(self, sheet: Sheet, row: int, title: str, message: str, mend: str) -> None:
        self.refused.append(f"{cell(sheet, row, title)}：{message} 怎么改：{mend}")

    def _take_entries(self, rows: Sequence[Row]) -> None:
        sheet = self._entries
        names = {row.cells.get(ID) for row in rows}
        for row in rows:
            name = str(row.cells.get(ID, ""))
            if name in self.rows:
                message = f"{name} 在第 {self.rows[name]} 行已经有了。"
                self.refuse(sheet, row.number, ID, message, "一条知识只留一行。")
            elif row.cells.get(STAMP) == stamp_of_row(row.cells):
                self._leave(name, row)
            elif row.cells.keys() == {STAMP}:
                continue  # emptied, as good as deleted
            elif self._is_mislaid(name, row) or (
                _is_renamed(row) and _exported_as(row) not in names
            ):
                self._refuse_id(sheet, row)
            elif self._name(sheet, row):
                self._take_entry(name, row)

    def _is_mislaid(self, name: str, row: Row) -> bool:
        """Whether another entry's row got under this id."""
        old = self.old.get(name)
        is_new = old is not None and stamp_of_row(row.cells) != stamp_of(old, self._names)
        return is_new and _is_renamed(row)

    def _leave(self, name: str, row: Row) -> None:
        """Nobody touched the row: the file stays, whatever has become of it since the export."""
        self.rows[name] = row.number
        old = self.old.get(name)
        if old:
            self.new[name] = old
        if not old or row.cells.get(STAMP) != stamp_of(old, self._names):
            self._newer[name] = None

    def _take_entry(self, name: str, row: Row) -> None:
        self.rows[name] = row.number
        base, old, known = self._base(name, row), self.old.get(name), row.cells.get(STAMP)
        new = self._filled(base, row) if base else None
        if old and new != old and known != stamp_of(old, self._names):
            message = f"导出以后 {name} 的文件又改过，这一行也动过，两头对不上。"
            self._refuse_stale(row, message)
        elif not old and _exported_as(row) == name:
            self._refuse_stale(row, f"导出以后 {name} 的文件删掉或改名了，这一行又动过。")
        elif new:
            self.new[name] = new

    def _refuse_stale(self, row: Row, message: str) -> None:
        mend = "重新导出一份，在新表里再改一遍；这一行的改动不要了，就整行删掉（知识不会删）。"
        self.refuse(self._entries, row.number, ID, message, mend)

    def _refuse_id(self, sheet: Sheet, row: Row) -> None:
        message = f"这一行导出时是 {_exported_as(row)} 的，代号却成了 {row.cells.get(ID, '空的')}。"
        mend = "只排了一列的，撤消，整张表一起排；改了代号的，改回来。加新的要另起一行。"
        self.refuse(sheet, row.number, ID, message, mend)

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
            where = (self._entries, row.number, part.column.title)
            if content and (is_new or content != part.shown(base, self._names)):
                try:
                    values[part.field] = part.take(content, base.domain, self._names)
                except Unfit as error:
                    self.refuse(*where, error.message, error.mend)
                if not is_new:
                    self._refuse_of_another(base.id, part.field, content, where)
            elif is_new and not content and part.field in NEEDED:
                self.refuse(*where, f"新条目没有写{part.column.title}。", "补上这一格。")
            elif not content and part.column.title in self._entries.letters:
                self.notes.append(f"{cell(*where)}：空着，保留原样；要清空就写“{NONE}”。")
        return replace(base, **values)  # type: ignore[arg-type]

    def _refuse_of_another(
        self, name: str, field: str, content: Content, where: tuple[Sheet, int, str]
    ) -> None:
        """Words that are another entry's to the letter came there by sorting one column alone."""
        owners = self._owners.get((field, content), {name: None})
        if name not in owners:
            mend = "只排了一列的，撤消，整张表一起排；抄来的，改成这一条自己的话。"
            self.refuse(*where, f"这一格写的是 {next(iter(owners))} 的内容。", mend)

    def _take_questions(self, rows: Sequence[Row]) -> None:
        for row in rows:
            self._take_question(row)
        for name, asked in self.asked.items():
            old = self.old.get(name)
            base = self.new.get(name) or old
            if base:
                self.new[name] = replace(base, questions=_phrasings(name, asked, old))
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
        elif words and self._is_ours(row, words, is_deleted=bool(mark)):
            name = self._name(sheet, row)
            if name:
                self._file_question(row, name, words, is_deleted=bool(mark))

    def _is_ours(self, row: Row, words: str, *, is_deleted: bool) -> bool:
        """Whether the row says something: not so where nobody touched it and the phrasing has left
        its file since the export, nor where it got under another entry's id."""
        name, exported = str(row.cells.get(ID, "")), _exported_as(row)
        owners = self._owners.get(("questions", words), {})
        if row.cells.get(STAMP) != stamp_of_question(exported, words):
            is_others = exported == name and bool(owners) and name not in owners
            if is_others:
                message = f"这一句是 {next(iter(owners))} 的问法。"
                mend = "只排了一列的，撤消，整张表一起排；要搬过来，先在那一行写“删”，再另起一行。"
                self.refuse(self._questions, row.number, QUESTION, message, mend)
            return not is_others
        if exported != name:
            self._refuse_id(self._questions, row)
            return False
        if is_deleted or name in owners:
            return True
        self._newer[name] = None
        return False

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
        if _exported_as(row) == name and row.cells[STAMP] != stamp_of_question(name, words):
            asked.replaced[str(row.cells[STAMP])] = "" if is_deleted else words
        if words in there:
            message = f"同一句在第 {there[words]} 行，一处写了删，一处没写。"
            self.refuse(
                self._questions, row.number, DELETE, message, "两行写成一样，或者只留一行。"
            )


def _exported_as(row: Row) -> str:
    """The entry that the row was of when it was exported."""
    return str(row.cells.get(STAMP, "")).partition(" ")[0]


def _is_renamed(row: Row) -> bool:
    return _exported_as(row) not in {"", row.cells.get(ID, "")}


def _owners(manuscripts: Iterable[Manuscript]) -> dict[tuple[str, Content], dict[str, None]]:
    """Whose words these are, for parts that no two entries should share."""
    owners: dict[tuple[str, Content], dict[str, None]] = {}
    for one in manuscripts:
        for part in ("title", "short_answer", "details"):
            owners.setdefault((part, plain(getattr(one, part))), {})[one.id] = None
        for words in one.questions:
            owners.setdefault(("questions", plain(words)), {})[one.id] = None
    return owners


def _phrasings(name: str, asked: Asked, old: Manuscript | None) -> tuple[str, ...]:
    """What the entry asks now: a phrasing written over stands where the old one stood."""
    had = {plain(each): each for each in old.questions} if old else {}
    kept: list[str] = []
    for words, each in had.items():
        new = asked.replaced.get(stamp_of_question(name, words), words)
        if words in asked.kept or (new == words and words not in asked.deleted):
            kept.append(each)
        elif new and new not in had and words not in asked.deleted:
            kept.append(new)
    return (*kept, *(words for words in asked.kept if words not in {*had, *kept}))


def cell(sheet: Sheet, row: int, title: str) -> str:
    """A cell as staff find it; row 0 is the sheet as a whole."""
    if not row:
        return f"{sheet.name}表"
    letter = sheet.letters.get(title)
    return f"{sheet.name}表 第 {row} 行{f' {letter} 列' if letter else ''}（{title}）"
