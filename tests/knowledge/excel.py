"""The staff's workbook in the hands of a test: exported, changed as in Excel, taken in."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from openpyxl import Workbook, load_workbook
from openpyxl.worksheet.worksheet import Worksheet

from bot.knowledge import importing, spreadsheet, trial, workbook
from bot.knowledge.importing import Plan
from bot.knowledge.load import read
from bot.knowledge.manuscript import Manuscript, originals
from bot.knowledge.names import Names
from tests.knowledge.builders import TODAY


def manuscripts(folder: Path) -> dict[str, Manuscript]:
    return {name: one.manuscript for name, one in originals(folder, read(folder)).items()}


def snapshot(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


class Excel:
    """An exported workbook of `folder` on disk."""

    def __init__(self, folder: Path, path: Path) -> None:
        self.folder, self.path = folder, path
        self.export()

    def export(self) -> None:
        """Anew, as staff must before they change a row again that was taken in."""
        folder, path = self.folder, self.path
        names = Names(file.domain for file in read(folder).domains)
        tables = workbook.tables(list(manuscripts(folder).values()), names)
        path.write_bytes(spreadsheet.write(tables))

    @contextmanager
    def opened(self) -> Iterator[Workbook]:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            book = load_workbook(self.path)
        yield book
        book.save(self.path)

    def set(self, name: str, **cells: object) -> None:
        """Cells of an entry's row, by title."""
        with self.opened() as book:
            put(book["条目"], row_of(book["条目"], name), cells)

    def add(self, **cells: object) -> None:
        with self.opened() as book:
            put(book["条目"], book["条目"].max_row + 1, cells)

    def ask(self, name: str, *questions: object, mark: object = None) -> None:
        """Rows below the phrasings."""
        with self.opened() as book:
            for question in questions:
                cells = {"代号": name, "问法": question, "删": mark}
                put(book["问法"], book["问法"].max_row + 1, cells)

    def plan(self) -> Plan:
        book = spreadsheet.read(self.path, workbook.TITLES)
        return importing.plan(self.folder, book, TODAY)

    def take(self) -> Plan:
        """Takes it in; the plan must refuse nothing."""
        plan = self.plan()
        assert plan.refused == (), plan.refused
        trial.save(self.folder, plan.changes)
        return plan

    def refused(self) -> str:
        """Why it is refused; nothing may change, in the plan or on disk."""
        before = snapshot(self.folder)
        plan = self.plan()
        assert plan.refused
        assert snapshot(self.folder) == before
        return "\n".join(plan.refused)


def row_of(sheet: Worksheet, name: str) -> int:
    column = columns(sheet)["代号"]
    return next(row for row in range(2, sheet.max_row + 1) if sheet.cell(row, column).value == name)


def columns(sheet: Worksheet) -> dict[str, int]:
    return {cell.value: cell.column for cell in sheet[1]}


def put(sheet: Worksheet, row: int, cells: Mapping[str, object]) -> None:
    """Text as text, whatever it begins with; what is no text as Excel has it."""
    for title, value in cells.items():
        cell = sheet.cell(row, columns(sheet)[title])
        cell.value = value
        if isinstance(value, str):
            cell.data_type = "s"
