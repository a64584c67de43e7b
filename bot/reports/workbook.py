"""The report as an Excel file, a sheet a table, with Excel's own charts."""

from __future__ import annotations

import io

from openpyxl import Workbook
from openpyxl.chart import BarChart, Reference
from openpyxl.styles import Alignment, Font, PatternFill
from openpyxl.utils import get_column_letter
from openpyxl.worksheet.properties import PageSetupProperties
from openpyxl.worksheet.worksheet import Worksheet

from bot.reports.figures import Report
from bot.reports.tables import Cell, Table, tables

_HEAD = PatternFill("solid", fgColor="DDEBF7")
_FORMULA = ("=", "+", "-", "@")  # how a cell begins that Excel would reckon
_WIDEST = 60
_TALLEST = 42.0  # cm
# Sheet, its charted columns from and to, what the chart is called, and whether bars lie or stack.
_CHARTS = {
    "特派员": (3, 3, "有效服务", "bar"),
    "每周提问": (2, 6, "每周提问和怎么办的", "col"),
    "各领域提问": (2, 6, "各领域提问和怎么办的", "bar"),
    "各镇街转人的问题": (2, 2, "转人的问题", "bar"),
}


def workbook(report: Report) -> bytes:
    book = Workbook()
    for spare in book.worksheets:
        book.remove(spare)
    for table in tables(report):
        sheet = book.create_sheet(table.title)
        _fill(sheet, table, report)
        if table.title in _CHARTS and table.rows:
            _chart(sheet, table)
    target = io.BytesIO()
    book.save(target)
    return target.getvalue()


def _fill(sheet: Worksheet, table: Table, report: Report) -> None:
    sheet.append([f"{report.period.title} {table.title}"])
    sheet.append([table.note])
    sheet.append(list(table.head))
    for row in table.rows or [["没有"]]:
        sheet.append([_harmless(cell) for cell in row])
    sheet["A1"].font = Font(bold=True, size=14)
    for cell in sheet[3]:
        cell.font, cell.fill = Font(bold=True), _HEAD
        cell.alignment = Alignment(wrap_text=True, vertical="top")
    for column in range(1, len(table.head) + 1):
        letter = get_column_letter(column)
        widths = [_width(row[column - 1]) for row in table.rows]
        head = _width(table.head[column - 1]) / 2
        sheet.column_dimensions[letter].width = min(max([*widths, head, 8]) + 2, _WIDEST)
    sheet.freeze_panes = "A4"
    sheet.page_setup.orientation = "landscape"
    sheet.page_setup.paperSize = sheet.PAPERSIZE_A4
    sheet.page_setup.fitToHeight = 0
    sheet.sheet_properties.pageSetUpPr = PageSetupProperties(fitToPage=True)
    sheet.print_title_rows = "3:3"


def _chart(sheet: Worksheet, table: Table) -> None:
    first, last, title, lying = _CHARTS[table.title]
    chart = BarChart()
    chart.type, chart.title, chart.style = lying, title, 10
    end = 3 + len(table.rows)
    chart.add_data(
        Reference(sheet, min_col=first, max_col=last, min_row=3, max_row=end),
        titles_from_data=True,
    )
    chart.set_categories(Reference(sheet, min_col=1, min_row=4, max_row=end))
    if last > first:
        chart.grouping, chart.overlap = "stacked", 100
    else:
        chart.legend = None
    for axis in (chart.x_axis, chart.y_axis):
        axis.delete = False  # openpyxl hides them by default
    chart.x_axis.scaling.orientation = "maxMin" if lying == "bar" else "minMax"
    chart.height = min(6 + 0.55 * len(table.rows), _TALLEST) if lying == "bar" else 9.0
    chart.width = 24
    chart.gapWidth = 50
    sheet.add_chart(chart, f"A{end + 2}")


def _harmless(cell: Cell) -> Cell:
    """Farmers' words are text, however they begin."""
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell


def _width(cell: Cell) -> float:
    text = "" if cell is None else str(cell)
    return sum(2 if ord(one) > 0x2E80 else 1.1 for one in text)
