"""Tables in an Excel file, there and back; the one module that knows openpyxl.

What stands in a cell is text or a day. Whatever else Excel makes of what people type (formulas,
errors, yes and no, merged cells) is told as a slip, never guessed at.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, time
from pathlib import Path
from typing import NamedTuple
from zipfile import BadZipFile, ZipFile

from openpyxl import Workbook, load_workbook
from openpyxl.cell import Cell as ExcelCell
from openpyxl.cell import WriteOnlyCell
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.datavalidation import DataValidation
from openpyxl.worksheet.worksheet import Worksheet

from bot.errors import EditError
from bot.knowledge.manuscript import tidy

Content = str | date
LONGEST = 32_767  # characters in a cell; openpyxl cuts the rest off without a word
_MOST_BYTES = 32 * 2**20
_MOST_UNPACKED = 128 * 2**20  # the shipped knowledge takes 4 MB
_MOST_ROWS = 50_000
_SPARE_ROWS = 2_000  # below the last, that a choice is offered in
_OLE = bytes.fromhex("d0cf11e0a1b11ae1")  # an old .xls, or an .xlsx behind a password
_ENCRYPTED = "EncryptedPackage".encode("utf-16-le")
_CONTROL = re.compile(r"_x00([01][0-9A-Fa-f])_")  # how Excel keeps control characters
_LIKE_AN_ESCAPE = re.compile(r"_(?=x[0-9A-Fa-f]{4}_)")
_BOLD = Font(bold=True)
_BLUE = PatternFill("solid", fgColor="DDEBF7")
_TOP = Alignment(vertical="top", wrap_text=True)
_AGAIN = "在 Excel 里打开原来的表，另存为“Excel 工作簿（.xlsx）”再导入。"


@dataclass(frozen=True, slots=True)
class Column:
    """How a column looks; `choices` are what Excel lets one pick."""

    title: str
    width: int
    choices: tuple[str, ...] = ()
    is_hidden: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A sheet to write: the header and the rows below it."""

    name: str
    columns: Sequence[Column]
    rows: Sequence[Sequence[Content]]


class Slip(NamedTuple):
    """What is wrong in a sheet; row 0 where it is the sheet as a whole."""

    row: int
    title: str
    message: str
    mend: str


class Row(NamedTuple):
    number: int
    cells: Mapping[str, Content]  # by title; empty cells are left out


@dataclass(slots=True)
class Sheet:
    """A sheet as read; what stands under unknown titles is left aside."""

    name: str
    letters: Mapping[str, str] = field(default_factory=dict)  # by title
    unknown: tuple[str, ...] = ()
    rows: list[Row] | None = None  # None: its form is wrong, so no row was read
    slips: list[Slip] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Book:
    sheets: Mapping[str, Sheet]
    unread: tuple[str, ...]  # names of the other sheets


# --- writing ---------------------------------------------------------------------------------


def write(tables: Sequence[Table]) -> bytes:
    """The tables as an Excel file. Raises EditError where a text is too long for a cell."""
    book = Workbook()
    book.remove(book.worksheets[0])
    for table in tables:
        _fill(book.create_sheet(table.name), table)
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


def _fill(sheet: Worksheet, table: Table) -> None:
    heads = [WriteOnlyCell(sheet, value=column.title) for column in table.columns]
    for head in heads:
        head.font, head.fill, head.alignment = _BOLD, _BLUE, _TOP
    sheet.append(heads)
    for row in table.rows:
        pairs = zip(table.columns, row, strict=True)
        sheet.append([_cell(sheet, content, f"{row[0]} 的“{one.title}”") for one, content in pairs])
    for number, column in enumerate(table.columns, start=1):
        letter = get_column_letter(number)
        dimension = sheet.column_dimensions[letter]
        dimension.width, dimension.number_format, dimension.alignment = column.width, "@", _TOP
        dimension.hidden = column.is_hidden
        if column.choices:
            _offer(sheet, letter, column, len(table.rows))
    if len(table.columns) > 1:
        sheet.freeze_panes = "B2"
        sheet.auto_filter.ref = sheet.dimensions


def _offer(sheet: Worksheet, letter: str, column: Column, rows: int) -> None:
    choice = DataValidation(type="list", formula1=f'"{",".join(column.choices)}"', allow_blank=True)
    choice.showErrorMessage = True
    choice.errorTitle, choice.error = column.title, f"只能写：{'、'.join(column.choices)}"
    choice.add(f"{letter}2:{letter}{rows + _SPARE_ROWS}")
    sheet.add_data_validation(choice)


def _cell(sheet: Worksheet, content: Content, what: str) -> ExcelCell:
    if isinstance(content, date):
        cell = WriteOnlyCell(sheet, value=datetime.combine(content, time.min))
        cell.number_format = "yyyy-mm-dd"
    elif not content:
        cell = WriteOnlyCell(sheet)
    else:
        text = _LIKE_AN_ESCAPE.sub("_x005F_", content)
        if len(text) > LONGEST:
            raise EditError(f"{what}有 {len(text)} 个字，Excel 的一格放不下。先把这一条拆短。")
        cell = WriteOnlyCell(sheet, value=text)
        cell.data_type = "s"  # "=…" too: what staff write is never a formula
        cell.number_format = "@"
        cell.quotePrefix = True
    cell.alignment = _TOP
    return cell


# --- reading ---------------------------------------------------------------------------------


def read(path: Path, titles: Mapping[str, Sequence[str]]) -> Book:
    """The sheets named in `titles`, with those columns. Raises EditError where the file is not
    such a workbook; what is wrong with single cells is in the sheets' slips."""
    book = _open(_bytes(path))
    found = {sheet.title.strip(): sheet for sheet in book.worksheets}
    if missing := [name for name in titles if name not in found]:
        lacking, there = "、".join(missing), "、".join(found) or "没有工作表"
        raise EditError(f"没有叫“{lacking}”的工作表，这个文件里有：{there}。把表名改回来再导入。")
    unread = tuple(name for name in found if name not in titles)
    return Book({name: _read(name, found[name], titles[name]) for name in titles}, unread)


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as file:
            raw = file.read(_MOST_BYTES + 1)
    except FileNotFoundError:
        raise EditError(f"找不到 {path}。看看文件名和所在的文件夹。") from None
    except PermissionError:
        raise EditError(f"打不开 {path}。要是正用 Excel 开着，先关掉；再看看有没有权限。") from None
    except OSError as error:
        raise EditError(f"读不了 {path}（{error.strerror}）。要的是一个 .xlsx 文件。") from error
    if raw.startswith(_OLE):
        if _ENCRYPTED in raw:
            raise EditError(f"{path} 有密码。在 Excel 里去掉打开密码，保存后再导入。")
        raise EditError(f"{path} 是旧式的 .xls。{_AGAIN}")
    if len(raw) > _MOST_BYTES:
        raise EditError(f"{path} 超过 {_MOST_BYTES // 2**20} MB。删掉图片和多余的表再导入。")
    if not raw.startswith(b"PK"):
        raise EditError(f"{path} 不是 .xlsx（可能是 CSV 或别的）。{_AGAIN}")
    return raw


def _open(raw: bytes) -> Workbook:
    try:
        with ZipFile(io.BytesIO(raw)) as archive:
            unpacked = sum(
                each.file_size for each in archive.infolist()
            )  # no more is ever unpacked
    except BadZipFile as error:
        raise EditError(f"这个 .xlsx 坏了，打不开。{_AGAIN}") from error
    if unpacked > _MOST_UNPACKED:
        mend = "多半是空行里留了格式：把有字的行复制到新表，再导入。"
        raise EditError(f"这个 .xlsx 解开有 {unpacked // 2**20} MB，太大了。{mend}")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions it does not keep
            return load_workbook(io.BytesIO(raw), keep_links=False)
    except Exception as error:
        raise EditError(f"这个文件打不开，不像 Excel 存的 .xlsx。{_AGAIN}") from error


def _read(name: str, source: Worksheet, titles: Sequence[str]) -> Sheet:
    sheet = Sheet(name)
    heads = [_head(cell.value) for cell in next(source.iter_rows(min_row=1, max_row=1), ())]
    known = {head: number for number, head in enumerate(heads, start=1) if head in titles}
    sheet.letters = {head: get_column_letter(number) for head, number in known.items()}
    sheet.unknown = tuple(head for head in heads if head and head not in titles)
    sheet.slips.extend(_wrong_heads(heads, titles, sheet))
    if source.max_row > _MOST_ROWS:
        mend = "多半是空行里留了格式：选中下面的空行，整行删除，保存后再导入。"
        sheet.slips.append(Slip(0, "", f"有 {source.max_row} 行，太多了。", mend))
    sheet.slips.extend(_merged(source, known))
    if sheet.slips:
        return sheet
    sheet.rows = [
        Row(number, filled)
        for number in range(2, source.max_row + 1)
        if (filled := dict(_filled(source, number, known, sheet)))
    ]
    return sheet


def _filled(
    source: Worksheet, number: int, known: Mapping[str, int], sheet: Sheet
) -> Iterator[tuple[str, Content]]:
    for head, column in known.items():
        if (content := _take(source.cell(number, column), number, head, sheet)) != "":
            yield head, content


def _head(value: object) -> str:
    return "".join(str(value).split()) if value is not None else ""


def _wrong_heads(heads: Sequence[str], titles: Sequence[str], sheet: Sheet) -> Iterator[Slip]:
    """A title that is unknown while one lacks may be that one, renamed: better ask than skip it."""
    missing = [title for title in titles if title not in heads]
    if titles[0] in missing or (missing and sheet.unknown):
        others = f"；认不得的列：{'、'.join(sheet.unknown)}" if sheet.unknown else ""
        mend = f"第一行写列名：{'、'.join(titles)}。多插的行删掉，改了名的改回来；不行就重新导出。"
        yield Slip(0, "", f"缺少这些列：{'、'.join(missing)}{others}。", mend)
    for title in titles:
        if heads.count(title) > 1:
            yield Slip(0, "", f"有 {heads.count(title)} 列都叫“{title}”。", "只留一列。")


def _merged(source: Worksheet, known: Mapping[str, int]) -> Iterator[Slip]:
    for area in source.merged_cells.ranges:
        touched = [head for head, at in known.items() if area.min_col <= at <= area.max_col]
        if touched and area.max_row > 1:
            mend = "取消合并，每一格各写各的。"
            yield Slip(area.min_row, touched[0], f"{area.coord} 合并了。", mend)


def _take(cell: object, row: int, head: str, sheet: Sheet) -> Content:
    """Text or a day; "" for nothing."""
    match getattr(cell, "data_type", "n"), getattr(cell, "value", None):
        case _, None:
            return ""
        case "f", _:
            mend = "复制这一格，用“选择性粘贴→数值”贴回来。"
            sheet.slips.append(Slip(row, head, "这里是公式。", mend))
        case "e" | "b", value:
            sheet.slips.append(Slip(row, head, f"这里是 {value}，不是文字。", "改成要写的字。"))
        case _, datetime() as moment:
            return moment.date()
        case _, date() as day:
            return day
        case _, float() as number if number.is_integer():
            return str(int(number))
        case _, str() | int() | float() as value:
            return plain(str(value))
        case _:
            mend = "把这一格的格式改成“文本”，重新写。"
            sheet.slips.append(Slip(row, head, "Excel 把这里当成了时间。", mend))
    return ""


def plain(text: str) -> str:
    """The text as it comes back from a cell, without what nobody sees."""
    text = text.replace("x005F_", "")  # Excel's mark that no escape is meant; openpyxl drops it
    return tidy(_CONTROL.sub(lambda found: chr(int(found[1], 16)), text))
