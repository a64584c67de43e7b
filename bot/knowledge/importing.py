"""Plans what taking the staff's workbook in would change, or says which cells forbid it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path, PurePosixPath

from bot.domain import Problem
from bot.errors import EditError
from bot.knowledge.editing import edit, spot
from bot.knowledge.intake import Asked, Intake, cell
from bot.knowledge.load import read
from bot.knowledge.manuscript import Manuscript, compose, originals
from bot.knowledge.spreadsheet import Book, plain
from bot.knowledge.trial import Changes, rehearse
from bot.knowledge.workbook import ENTRIES, ID, PARTS, QUESTION, QUESTIONS

_TITLES = {part.field: part.column.title for part in PARTS} | {"reviewed": "审核状态"}
# Where a rule finds a whole line missing, it can't point at it.
_MISSING = {"no-review-by": "复审期限", "group": "分组"}
_LINKS = re.compile("(confusable_with|see_also) ?")
_FILE_AND_LINE = re.compile(r"(\S+\.md) 第 (\d+) 行")


@dataclass(frozen=True, slots=True)
class Plan:
    """What an import would do, in the words of staff; with anything refused it does nothing."""

    changes: Changes
    created: tuple[str, ...]
    changed: tuple[str, ...]
    unchanged: int
    kept_entries: int  # not in the workbook
    kept_questions: int
    refused: tuple[str, ...]
    notes: tuple[str, ...]


def plan(folder: Path, book: Book, today: date) -> Plan:
    """Raises EditError where the folder itself can't be worked with."""
    return _Planner(folder, book).plan(today)


class _Planner:
    def __init__(self, folder: Path, book: Book) -> None:
        reading = read(folder)
        self._folder, self._book = folder, book
        self._originals = originals(folder, reading)
        self._old = {name: one.manuscript for name, one in self._originals.items()}
        self._texts = {name: one.text for name, one in self._originals.items()}
        self._intake = Intake(book, reading, self._old)
        self._refused = self._intake.refused
        self._notes = self._intake.notes

    def plan(self, today: date) -> Plan:
        changes = {} if self._refused else self._changes()
        if changes and not self._refused:
            self._try(changes, today)
        asked, rows = self._intake.asked, self._intake.rows
        touched = {path.stem for path in changes}
        self._notes += filter(None, map(self._reread, sorted(touched & self._old.keys())))
        kept = (
            name not in asked or words not in asked[name].kept
            for name, one in (self._old | self._intake.new).items()
            for words in map(plain, one.questions)
        )
        return Plan(
            changes=changes,
            created=tuple(map(self._created, sorted(touched - self._old.keys()))),
            changed=tuple(map(self._changed, sorted(touched & self._old.keys()))),
            unchanged=len(self._intake.new.keys() & self._old.keys() - touched),
            kept_entries=len(self._old.keys() - rows.keys()),
            kept_questions=sum(kept),
            refused=tuple(self._refused),
            notes=tuple(self._notes),
        )

    def _changes(self) -> dict[Path, bytes]:
        changes = {}
        for name, new in self._intake.new.items():
            old = self._originals.get(name)
            if old and new == old.manuscript:
                continue
            try:
                text = edit(old.text, old.file, new) if old else compose(new)
            except EditError as error:
                self._refused.append(f"{self._row(name) or name}：{error}")
                continue
            self._texts[name] = text
            changes[Path(new.domain) / f"{name}.md"] = text.encode()
        return changes

    def _try(self, changes: Changes, today: date) -> None:
        trial = rehearse(self._folder, changes, today)
        for problem in trial.brought:
            said = f"{self._in_cells(problem.message)} 怎么改：{problem.mend}"
            told = f"{self._where(problem)}：{_LINKS.sub(_column, said)}"
            (self._refused if problem.level == "error" else self._notes).append(told)
        if errors := sum(problem.level == "error" for problem in trial.stood):
            self._notes.append(f"知识库里原来就有 {errors} 个错误，运行 tianwen check 看。")

    def _where(self, problem: Problem) -> str:
        found = self._cell(problem.path, problem.line, _MISSING.get(problem.rule))
        return found or f"{problem.path} 第 {problem.line} 行"

    def _in_cells(self, message: str) -> str:
        def cell_or_line(found: re.Match[str]) -> str:
            return self._cell(found[1], int(found[2])) or found[0]

        return _FILE_AND_LINE.sub(cell_or_line, message)

    def _cell(self, path: str, line: int, title: str | None = None) -> str | None:
        """The cell that a line of a file came from; None where the workbook has none."""
        name = PurePosixPath(path).stem
        manuscript = self._intake.new.get(name)
        if not manuscript or path != self._shown(manuscript):
            return None
        part, item = spot(self._texts[name], line) or ("", None)
        if part == "questions":
            rows = self._intake.asked.get(name, Asked()).kept
            words = plain(manuscript.questions[item]) if item is not None else next(iter(rows), "")
            if words in rows:
                return cell(self._book.sheets[QUESTIONS], rows[words], QUESTION)
        return self._row(name, title or _TITLES.get(part, ID))

    def _row(self, name: str, title: str = ID) -> str | None:
        row = self._intake.rows.get(name)
        return cell(self._book.sheets[ENTRIES], row, title) if row else None

    def _shown(self, manuscript: Manuscript) -> str:
        return f"{self._folder.name}/{manuscript.domain}/{manuscript.id}.md"

    def _reread(self, name: str) -> str | None:
        """An approval is of words that were read."""
        old, new = self._old[name], self._intake.new[name]
        is_same = (old.title, old.short_answer, old.details) == (
            new.title, new.short_answer, new.details,
        )  # fmt: skip
        if is_same or new.status != "approved" or (old.by, old.on) != (new.by, new.on):
            return None
        return f"{name} 的内容改了，却还写着 {new.by} {new.on} 已审：请他再看一遍，或者改成待审。"

    def _created(self, name: str) -> str:
        new = self._intake.new[name]
        return f"{name}：{new.title}（{self._shown(new)}）"

    def _changed(self, name: str) -> str:
        return f"{name}：{'、'.join(_differences(self._old[name], self._intake.new[name]))}"


def _column(key: re.Match[str]) -> str:
    """What staff who work in the workbook know a key by."""
    return f"“{_TITLES[key[1]]}”"


def _differences(old: Manuscript, new: Manuscript) -> Iterator[str]:
    for part in PARTS:
        if getattr(old, part.field) != getattr(new, part.field):
            yield part.column.title
    added = len(set(new.questions) - set(old.questions))
    removed = len(set(old.questions) - set(new.questions))
    if added or removed:
        counts = (f"加 {added} 句" if added else "", f"删 {removed} 句" if removed else "")
        yield f"问法（{'、'.join(filter(None, counts))}）"
