"""The workbook goes out and comes back: what it says is done, and nothing else."""

import random
import shutil
import zipfile
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path

import pytest
from openpyxl import load_workbook
from openpyxl.worksheet.formula import ArrayFormula

from bot.errors import EditError
from bot.knowledge import check, spreadsheet, trial, workbook
from tests.conftest import ROOT
from tests.knowledge.builders import DETAILS, SHORT_ANSWER, TODAY, spoil, write_domain, write_entry
from tests.knowledge.excel import Excel, columns, manuscripts, put, row_of, snapshot
from tests.knowledge.test_editing import FILES, TRICKY

# Excel knows no zones.
MIDNIGHT, MORNING = datetime(2027, 10, 31), datetime(2027, 1, 2, 8)  # noqa: DTZ001
RUST, SPOT = "pepper-rust", "pepper-leaf-spot"


@pytest.fixture
def excel(base: Path, tmp_path: Path) -> Excel:
    return Excel(base, tmp_path / "k.xlsx")


@pytest.fixture
def rust_says(base: Path):
    return lambda: manuscripts(base)[RUST]


# --- there and back --------------------------------------------------------------------------


def test_what_ships_comes_back_without_a_byte_changed(tmp_path: Path):
    folder = tmp_path / "knowledge"
    shutil.copytree(ROOT / "knowledge", folder)
    before = snapshot(folder)
    plan = Excel(folder, tmp_path / "k.xlsx").take()
    assert plan.changes == {}
    assert plan.unchanged == len(manuscripts(folder))
    assert (plan.kept_entries, plan.kept_questions) == (0, 0)
    assert snapshot(folder) == before


@pytest.mark.parametrize("file", FILES)
def test_a_file_however_written_comes_back_without_a_byte_changed(base, rust, tmp_path, file):
    rust.write_bytes(FILES[file].encode())
    excel = Excel(base, tmp_path / "k.xlsx")
    assert excel.take().changes == {}
    assert excel.take().unchanged == 2


ODD_TEXTS = (
    *TRICKY, "无", "_x000D_", "_x005F_", "x005F_", "_x005F_x000D_", "中间\u3000空格", "-100",
    "1e5", "TRUE", "#REF!", "🐝蜂", "012", "46000", "2027/1/2", "'引号", "草稿",
)  # fmt: skip


def test_text_that_looks_like_something_else_stays_text(base, tmp_path):
    for number, text in enumerate(ODD_TEXTS):
        said = text.replace("`", "")
        write_entry(
            base,
            f"odd-{number}",
            title=text,
            questions=[text, *(f"说法{number} {other}" for other in range(8))],
            sources=[text, "书"],
            body=f"先说{said}\n\n{DETAILS}\n再说{said}\n",
        )
    assert {one.title for one in manuscripts(base).values()} >= set(ODD_TEXTS)
    excel = Excel(base, tmp_path / "k.xlsx")
    assert excel.take().changes == {}
    with excel.opened() as book:  # and through another hand that saves it
        assert {cell.data_type for cell in book["条目"]["D"]} == {"s"}
    assert excel.take().changes == {}


def test_the_workbook_looks_as_staff_need_it(excel: Excel):
    book = load_workbook(excel.path)
    assert book.sheetnames == ["条目", "问法", "说明"]
    entries = book["条目"]
    assert list(columns(entries)) == [
        "代号", "领域", "分组", "标题", "短答", "正文", "月份", "易混条目", "相关条目", "出处",
        "审核状态", "审核人", "审核日期", "复审期限", "导出记号",
    ]  # fmt: skip
    assert entries.column_dimensions["O"].hidden
    row = [cell.value for cell in entries[row_of(entries, RUST)]]
    assert row[1:5] == ["花椒", "叶片病害", "花椒锈病 pepper-rust", SHORT_ANSWER]
    assert row[6:] == [
        "6、7、8", "无", "无", "《花椒病虫害防治手册》，某出版社", "待审", "无", "无",
        MIDNIGHT, row[14],
    ]  # fmt: skip
    assert entries.freeze_panes == "B2"
    assert entries.auto_filter.ref == "A1:O3"  # the hidden column is sorted along
    assert entries["F2"].alignment.wrap_text
    [choice] = entries.data_validations.dataValidation
    assert choice.formula1 == '"草稿,待审,已审"'
    assert "K2" in choice.sqref
    assert [cell.value for cell in book["问法"][1]] == ["代号", "标题", "问法", "删", "导出记号"]
    assert book["问法"].max_row == 17


# --- changes ---------------------------------------------------------------------------------


def test_a_changed_cell_changes_its_part_and_nothing_else(excel: Excel, rust: Path, base: Path):
    before = rust.read_text()
    excel.set(RUST, 月份="3、4")
    plan = excel.take()
    assert plan.changed == ("pepper-rust：月份",)
    assert plan.unchanged == 1
    assert rust.read_text() == before.replace("[6, 7, 8]", "[3, 4]")


def test_an_empty_cell_leaves_things_as_they_are_and_none_empties_them(excel: Excel, rust_says):
    excel.set(RUST, 标题=None, 短答=None, 正文=None, 月份=None, 出处=None, 审核状态=" ", 领域=None)
    plan = excel.take()
    assert plan.changes == {}
    assert "条目表 第 3 行 F 列（正文）：空着，保留原样；要清空就写“无”。" in plan.notes
    old = rust_says()
    excel.set(RUST, 月份="无", 复审期限=date(2027, 1, 1))
    excel.take()
    assert rust_says() == replace(old, season=(), review_by="2027-01-01")


@pytest.mark.parametrize(
    ("typed", "months"),
    [
        (7, "7"), (7.0, "7"), ("07", "7"), ("6，7", "6 7"), ("6、7；8", "6 7 8"),
        ("6, 7 8", "6 7 8"), ("6月、7月", "6 7"), ("12\n1", "12 1"), ("6、7、", "6 7"),
    ],
)  # fmt: skip
def test_months_are_taken_as_people_write_them(excel: Excel, rust_says, typed, months):
    excel.set(RUST, 月份=typed)
    excel.take()
    assert rust_says().season == tuple(months.split())


@pytest.mark.parametrize("typed", ["13", "0", "六月", "6-8", 6.7, date(2026, 6, 7), True, -1])
def test_what_is_no_month_is_refused_with_its_cell(excel: Excel, typed):
    excel.set(RUST, 月份=typed)
    assert excel.refused().startswith("条目表 第 3 行 G 列（月份）：")


@pytest.mark.parametrize(
    "typed",
    [
        date(2027, 1, 2),
        MORNING,
        "2027-01-02",
        "2027/1/2",
        "2027.1.2",
        "2027年1月2日",
    ],
)
def test_days_are_taken_as_people_write_them(excel: Excel, rust_says, typed):
    excel.set(RUST, 复审期限=typed)
    excel.take()
    assert rust_says().review_by == "2027-01-02"


@pytest.mark.parametrize("typed", ["46000", "明年", "2027-02-30", time(8, 0), "无"])
def test_what_is_no_day_is_refused_with_its_cell(excel: Excel, typed):
    excel.set(RUST, 复审期限=typed)
    assert "条目表 第 3 行 N 列（复审期限）：" in excel.refused()


def test_other_things_that_excel_makes_of_text_are_refused(excel: Excel):
    excel.set(
        RUST, 标题="=A1&B1", 短答=date(2027, 1, 2), 审核人=True, 出处=ArrayFormula("J3", "=A1:A2")
    )
    with excel.opened() as book:
        book["条目"]["D3"].data_type = "f"
    told = excel.refused()
    assert "D 列（标题）：这里是公式。 怎么改：复制这一格，用“选择性粘贴→数值”贴回来。" in told
    assert "J 列（出处）：这里是公式。" in told
    assert "E 列（短答）：Excel 把这里变成了日期（2027-01-02）。" in told
    assert "L 列（审核人）：这里是 True，不是文字。" in told


def test_a_number_in_a_text_column_is_its_digits(excel: Excel, rust_says):
    excel.set(RUST, 标题=12316, 审核人=2.0)
    excel.take()
    assert (rust_says().title, rust_says().by) == ("12316", "2")


def test_line_ends_and_spaces_that_excel_leaves_are_nothing(excel: Excel, rust_says):
    old = rust_says()
    crowded = old.details.replace("\n", " _x000D_\n") + "\n\n "
    excel.set(
        RUST, 标题=f" {old.title} ", 正文=crowded, 出处="\r\n《花椒病虫害防治手册》，某出版社  "
    )
    assert excel.take().changes == {}
    excel.set(RUST, 正文=crowded.replace("没有粉", "没粉"))
    assert excel.take().changed == ("pepper-rust：正文",)
    assert rust_says().details == old.details.replace("没有粉", "没粉")


def test_lists_of_ids_and_sources_are_taken_as_people_write_them(excel: Excel, rust_says):
    excel.set(RUST, 易混条目=f"{SPOT}，", 出处="一本书\n\n 另一本 ")
    excel.take()
    assert rust_says().confusable_with == (SPOT,)
    assert rust_says().sources == ("一本书", "另一本")


def test_groups_and_domains_go_by_either_name(excel: Excel, rust_says):
    excel.set(RUST, 分组="根部病害", 领域="sichuan-pepper")
    excel.take()
    assert rust_says().group == "root"
    excel.export()
    excel.set(RUST, 分组="leaf")
    excel.take()
    assert rust_says().group == "leaf"
    excel.set(RUST, 分组="叶子")
    assert (
        "C 列（分组）：没有“叶子”这个分组。 怎么改：写下面中的一个：叶片病害；根部病害。"
        in excel.refused()
    )


def test_an_approval_in_the_workbook_needs_its_name_and_day(excel: Excel, rust_says):
    excel.set(RUST, 审核状态="已审")
    assert "条目表 第 3 行 K 列（审核状态）：" in excel.refused()
    excel.set(RUST, 审核人="王瑞生", 审核日期=date(2026, 11, 20))
    excel.take()
    assert (rust_says().status, rust_says().by, rust_says().on) == (
        "approved", "王瑞生", "2026-11-20",
    )  # fmt: skip
    excel.set(RUST, 审核状态="通过")
    assert "只能写：草稿、待审、已审" in excel.refused()


# --- phrasings -------------------------------------------------------------------------------


def test_phrasings_are_added_and_removed_only_by_the_mark(excel: Excel, rust_says):
    old = rust_says().questions
    excel.ask(RUST, "新的说法", "=新的")
    with excel.opened() as book:
        sheet = book["问法"]
        [row] = [row for row in range(2, 18) if sheet.cell(row, 3).value == old[2]]
        put(sheet, row, {"删": " 删 "})
    plan = excel.take()
    assert plan.changed == ("pepper-rust：问法（加 2 句、删 1 句）",)
    assert rust_says().questions == (*old[:2], *old[3:], "新的说法", "=新的")
    assert excel.take().changes == {}  # once more does no harm


def test_a_phrasing_written_over_is_changed_where_it_stands(excel: Excel, rust_says):
    old = rust_says().questions
    excel.ask(RUST, "新的一", "新的二")
    with excel.opened() as book:
        for question, words in ((old[2], "改过的说法"), (old[4], old[5]), (old[6], "改了又不要")):
            [row] = [row for row in range(2, 18) if book["问法"].cell(row, 3).value == question]
            put(book["问法"], row, {"问法": words})
        put(book["问法"], row, {"删": "删"})
    assert excel.take().changed == ("pepper-rust：问法（加 3 句、删 3 句）",)
    assert rust_says().questions == (
        *old[:2], "改过的说法", old[3], old[5], old[7], "新的一", "新的二",
    )  # fmt: skip
    assert excel.take().changes == {}


def test_what_is_missing_from_the_workbook_stays_and_is_told(excel: Excel, base: Path):
    before = snapshot(base)
    with excel.opened() as book:
        book["条目"].delete_rows(2)
        book["问法"].delete_rows(2, 3)
        book["问法"].delete_rows(6)
    plan = excel.take()
    assert (plan.kept_entries, plan.kept_questions) == (1, 4)
    with excel.opened() as book:
        book["条目"].delete_rows(2, 50)
        book["问法"].delete_rows(2, 50)
    plan = excel.take()
    assert (plan.kept_entries, plan.kept_questions, plan.unchanged) == (2, 16, 0)
    assert snapshot(base) == before


def test_the_order_of_rows_and_columns_is_free_and_blank_rows_are_skipped(excel: Excel, base):
    before = snapshot(base)
    with excel.opened() as book:
        for sheet in (book["条目"], book["问法"]):
            rows = [[cell.value for cell in row][::-1] for row in sheet.iter_rows()]
            sheet.delete_rows(1, 50)
            for number, row in enumerate([rows[0], *rows[:0:-1]]):
                for column, value in enumerate(row, start=1):
                    put_cell = sheet.cell(1 + 2 * number if number else 1, column)
                    put_cell.value = value
    plan = excel.take()
    assert (plan.unchanged, plan.kept_questions) == (2, 0)
    assert snapshot(base) == before


@pytest.mark.parametrize(
    ("name", "question", "mark", "told"),
    [
        ("pepper-none", "说法", None, "问法表 第 18 行 A 列（代号）：没有 pepper-none 这条条目。"),
        (None, "说法", None, "问法表 第 18 行 A 列（代号）：这一行没有代号。"),
        (RUST, "说法", "是", "问法表 第 18 行 D 列（删）：这里写了“是”。"),
        (RUST, None, "删", "问法表 第 18 行 C 列（问法）：不知道要删哪一句。"),
        (RUST, "花椒叶子背面起黄粉，说法1，pepper-rust", "删", "一处写了删，一处没写。"),
        (
            RUST,
            "花椒叶子背面起黄粉，说法1，pepper-leaf-spot",
            None,
            "问法表 第 18 行 C 列（问法）：",
        ),
        (RUST, "花椒叶子背面起黄粉说法1 pepper-rust！", None, "问法表 第 18 行 C 列（问法）："),
        (RUST, "两\n行", None, "问法表 第 18 行 C 列（问法）：这里换了行。"),
        (RUST, "零宽\u200b字", None, "C 列（问法）：这里有看不见的字符（U+200B）。"),
        (RUST, "字" * 501, None, "问法表 第 18 行 C 列（问法）：这里有 501 个字，太长。"),
        (RUST, "？？？", None, "问法表 第 18 行 C 列（问法）：这条问法里没有字。"),
    ],
)
def test_a_wrong_row_of_phrasings_is_told_with_its_cell(excel: Excel, name, question, mark, told):
    excel.ask(name, question, mark=mark)
    assert told in excel.refused()


def test_two_entries_with_one_phrasing_are_told_by_their_cells(excel: Excel):
    excel.ask(RUST, "花椒叶子背面起黄粉，说法1，pepper-leaf-spot")
    told = excel.refused()
    assert ".md" not in told
    assert "已经写在 问法表 第 2 行 C 列（问法）" in told


def test_deleting_too_many_phrasings_is_refused(excel: Excel):
    with excel.opened() as book:
        for row in range(2, 18):
            put(book["问法"], row, {"删": "删"})
    assert "至少要有一项" in excel.refused()


# --- new entries -----------------------------------------------------------------------------


def new_entry(excel: Excel, **changes: object) -> None:
    cells = {
        "代号": "pepper-new", "领域": "花椒", "分组": "叶片病害", "标题": "=新病",
        "短答": SHORT_ANSWER, "正文": DETAILS, "月份": 7, "出处": "一本书",
        "复审期限": "2027-10-31",
    }  # fmt: skip
    excel.add(**(cells | changes))
    excel.ask("pepper-new", *(f"新病说法{number}" for number in range(8)))


def test_a_new_row_makes_a_file_in_the_houses_form(excel: Excel, base: Path):
    new_entry(excel)
    plan = excel.take()
    path = base / "sichuan-pepper" / "pepper-new.md"
    assert plan.created == ("pepper-new：=新病（knowledge/sichuan-pepper/pepper-new.md）",)
    questions = "".join(f"  - 新病说法{number}\n" for number in range(8))
    assert path.read_text() == (
        f"---\ntitle: =新病\ngroup: leaf\nquestions:\n{questions}season: [7]\nconfusable_with: []\n"
        'see_also: []\nsources:\n  - "一本书"\n'
        "reviewed: {status: pending, by: null, on: null}\nreview_by: 2027-10-31\n---\n"
        f"{SHORT_ANSWER}\n\n{DETAILS}"
    )
    assert check(base, TODAY) == ()
    assert excel.take().unchanged == 3


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"代号": "../../etc/x"}, "A 列（代号）：“../../etc/x”不能作代号。"),
        ({"代号": "花椒"}, "A 列（代号）：“花椒”不能作代号。"),
        ({"代号": date(2026, 1, 2)}, "A 列（代号）：“2026-01-02”不能作代号。"),
        ({"代号": None}, "A 列（代号）：这一行没有代号。"),
        ({"代号": RUST}, "A 列（代号）：pepper-rust 在第 3 行已经有了。"),
        ({"领域": None}, "B 列（领域）：新条目要写领域。"),
        ({"领域": "../x"}, "B 列（领域）：没有“../x”这个领域。 怎么改：写下面中的一个：花椒。"),
        ({"标题": None}, "D 列（标题）：新条目没有写标题。"),
        ({"短答": None}, "E 列（短答）：新条目没有写短答。"),
        ({"出处": "无"}, "J 列（出处）：这一格不能是“无”。"),
        ({"短答": "字" * 93}, "条目表 第 4 行 E 列（短答）：短答有 93 个字，最多 80 个。 怎么改："),
        ({"短答": "一段\n两段"}, "E 列（短答）：这里换了行。"),
        ({"短答": "## 小标题"}, "E 列（短答）：正文开头不是短答。"),
        ({"短答": "包你**好**"}, "E 列（短答）：不支持加粗。"),
        ({"正文": DETAILS + "> 引用"}, "F 列（正文）：不支持引用。"),
        ({"正文": "有\t制表符"}, "F 列（正文）：这里有制表符。"),
        ({"正文": "字" * 30_000}, "条目表 第 4 行"),
        ({"标题": "字" * 501}, "D 列（标题）：这里有 501 个字，太长。"),
        ({"易混条目": "pepper-none"}, "H 列（易混条目）：“易混条目”里的 pepper-none 没有"),
        ({"相关条目": "花椒 锈病"}, "I 列（相关条目）：“花椒”不是条目的代号。"),
        ({"分组": None}, "C 列（分组）：没有写 group（分组）。"),
        ({"复审期限": None}, "N 列（复审期限）：没有写 review_by"),
    ],
)  # fmt: skip
def test_a_wrong_new_row_is_told_with_its_cell(excel: Excel, base: Path, changes, told):
    new_entry(excel, **changes)
    assert told in excel.refused()


def test_a_new_row_without_phrasings_is_refused(excel: Excel):
    excel.add(代号="pepper-new", 领域="花椒", 标题="新", 短答="答", 出处="书")
    assert (
        "新条目没有问法。 怎么改：在“问法”表加至少 8 行，代号都写 pepper-new。" in excel.refused()
    )


def test_an_entry_moved_to_another_domain_is_refused(base: Path, tmp_path: Path):
    write_domain(base, "bees", title="养蜂", groups={})
    write_entry(base, "bee-one", domain="bees", group=None)
    excel = Excel(base, tmp_path / "k.xlsx")
    excel.set(RUST, 领域="养蜂")
    told = excel.refused()
    assert "pepper-rust 属于花椒，不能在表里换领域。" in told
    assert "把文件 sichuan-pepper/pepper-rust.md 移到文件夹 bees" in told


def test_one_wrong_row_keeps_all_the_others_out(excel: Excel):
    excel.set(SPOT, 标题="好的")
    excel.set(RUST, 短答="字" * 81)
    assert excel.refused().count("\n") == 0


# --- errors that were there before -----------------------------------------------------------


def test_an_old_error_does_not_stop_an_import_but_is_told(base: Path, rust_says, tmp_path: Path):
    write_entry(base, SPOT, questions=["只有一句"])
    excel = Excel(base, tmp_path / "k.xlsx")
    excel.set(RUST, 标题="新名字")
    plan = excel.take()
    assert "知识库里原来就有 1 个错误，运行 tianwen check 看。" in plan.notes
    excel.ask(SPOT, "再来一句")  # better, though still not enough
    excel.take()
    assert rust_says().title == "新名字"


def test_an_entry_that_cannot_be_read_is_left_alone(base: Path, excel: Excel):
    spoil(base / "sichuan-pepper" / f"{SPOT}.md", "title:", "titel:")
    excel.set(RUST, 标题="新名字")
    plan = excel.take()
    assert plan.changed == ("pepper-rust：标题",)
    assert "导出以后文件又改过，表里没动，照文件的：pepper-leaf-spot。" in plan.notes
    excel.set(SPOT, 标题="新名字")
    assert "knowledge/sichuan-pepper/pepper-leaf-spot.md 现在读不通，改不了。" in excel.refused()


# --- a workbook older than the files ---------------------------------------------------------


def test_what_the_workbook_left_alone_stays_as_the_files_have_it_since(
    excel, base, rust, rust_says
):
    spoil(rust, "花椒锈病 pepper-rust", "文件里的新名字")
    spoil(rust, "说法1，", "文件里改过的说法，")
    (base / "sichuan-pepper" / f"{SPOT}.md").unlink()
    before = snapshot(base)
    plan = excel.take()
    assert (plan.changes, plan.unchanged) == ({}, 1)
    [note] = plan.notes
    assert note.startswith("导出以后文件又改过，表里没动，照文件的：")
    assert SPOT in note
    assert RUST in note
    excel.ask(RUST, "新的一句")  # adds, and overwrites nothing
    assert excel.take().changed == ("pepper-rust：问法（加 1 句）",)
    assert rust_says().title == "文件里的新名字"
    assert before.keys() == snapshot(base).keys()


def test_a_row_changed_here_and_in_its_file_is_refused_with_what_to_do(excel, rust, base):
    spoil(rust, "花椒锈病 pepper-rust", "文件里的新名字")
    excel.set(RUST, 月份="3")
    assert excel.refused() == (
        "条目表 第 3 行 A 列（代号）："
        "导出以后 pepper-rust 的文件又改过，这一行也动过，两头对不上。 "
        "怎么改：重新导出一份，在新表里再改一遍；这一行的改动不要了，就整行删掉（知识不会删）。"
    )
    excel.export()
    excel.set(RUST, 月份="3")
    assert excel.take().changed == ("pepper-rust：月份",)
    excel.set(SPOT, 标题="新名字")
    (base / "sichuan-pepper" / f"{SPOT}.md").unlink()
    assert "pepper-leaf-spot 的文件删掉或改名了，这一行又动过" in excel.refused()


def test_a_workbook_taken_in_may_be_taken_in_again_but_not_changed_on(excel: Excel):
    excel.set(RUST, 标题="新名字")
    excel.take()
    assert excel.take().changes == {}
    excel.set(RUST, 标题="更新的名字")
    assert "两头对不上" in excel.refused()


def test_a_workbook_without_its_stamps_is_refused(excel: Excel):
    with excel.opened() as book:
        book["条目"].delete_cols(15)
    assert excel.refused() == (
        "条目表：没有“导出记号”这一列（平时藏着），分不清哪些是您改的。 "
        "怎么改：重新导出一份，在新表里改。"
    )


@pytest.mark.parametrize("title", ["代号", "标题"])
def test_a_column_sorted_alone_is_refused(base: Path, tmp_path: Path, title: str):
    excel = Excel(base, tmp_path / "k.xlsx")
    with excel.opened() as book:
        swap(book["条目"], columns(book["条目"])[title], 2, 3)
    told = excel.refused()
    assert "整张表一起排" in told
    assert told.count("\n") == 1


@pytest.mark.parametrize("title", ["代号", "问法"])
def test_a_column_of_phrasings_sorted_alone_is_refused(excel: Excel, title: str):
    with excel.opened() as book:
        swap(book["问法"], columns(book["问法"])[title], 2, 17)
    told = excel.refused()
    assert "整张表一起排" in told
    assert told.count("\n") == 1


def swap(sheet, column: int, one: int, other: int) -> None:
    first, second = sheet.cell(one, column), sheet.cell(other, column)
    first.value, second.value = second.value, first.value


def test_a_row_copied_for_a_new_entry_is_no_mislaid_one_but_a_changed_id_is(excel: Excel, base):
    with excel.opened() as book:
        copy_row(book["条目"], 3)
        book["条目"].cell(4, 1).value = "pepper-new"
        for number in range(2, 10):
            copy_row(book["问法"], number)
            put(book["问法"], 16 + number, {"代号": "pepper-new", "问法": f"新的{number}"})
    assert [line[:11] for line in excel.take().created] == ["pepper-new："]
    assert excel.take().changes == {}
    (base / "sichuan-pepper" / "pepper-new.md").unlink()
    excel.export()
    excel.set(RUST, 代号="pepper-newer")
    assert "这一行导出时是 pepper-rust 的，代号却成了 pepper-newer。" in excel.refused()


def copy_row(sheet, number: int) -> None:
    sheet.append([cell.value for cell in sheet[number]])


def test_a_row_emptied_is_as_good_as_deleted(excel: Excel):
    with excel.opened() as book:
        for sheet, number in ((book["条目"], 2), (book["问法"], 2)):
            for cell in sheet[number][:-1]:
                cell.value = None
    plan = excel.take()
    assert (plan.changes, plan.kept_entries, plan.kept_questions) == ({}, 1, 1)


def test_an_approved_entry_whose_words_change_is_told(excel: Excel):
    excel.set(RUST, 审核状态="已审", 审核人="王瑞生", 审核日期=date(2026, 11, 20))
    excel.take()
    excel.export()
    excel.set(RUST, 短答=f"先看清楚。{SHORT_ANSWER}"[:80])
    assert excel.take().notes == (
        "pepper-rust 的内容改了，却还写着 王瑞生 2026-11-20 已审：请他再看一遍，或者改成待审。",
    )


def test_a_new_warning_is_told_and_stops_nothing(excel: Excel):
    excel.set(RUST, 复审期限="2030-01-01")
    [note] = excel.take().notes
    assert note.startswith("条目表 第 3 行 N 列（复审期限）：复审期限 2030-01-01 太远。")


# --- sheets and columns ----------------------------------------------------------------------


def test_sheets_and_columns_that_are_not_ours_are_left_aside_and_told(excel: Excel):
    with excel.opened() as book:
        book.create_sheet("统计").append(["代号"])
        book.create_sheet("藏着的").sheet_state = "hidden"
        book["条目"].cell(1, 20).value = "备 注"
        book["条目"].cell(2, 20).value = "=1+1"
    assert excel.take().notes == (
        "“统计”表没有读。", "“藏着的”表没有读。", "条目表的“备注”列没有读。",
    )  # fmt: skip


def test_a_renamed_sheet_is_one_clear_error(excel: Excel):
    with excel.opened() as book:
        book["问法"].title = "问法 (2)"
    with pytest.raises(
        EditError, match=r"没有叫“问法”的工作表，这个文件里有：条目、问法 \(2\)、说明。"
    ):
        excel.plan()


@pytest.mark.parametrize("head", [None, "编号", "短 答 案"])
def test_a_missing_id_column_is_one_clear_error(excel: Excel, head):
    with excel.opened() as book:
        book["条目"].cell(1, 1).value = head
    [told] = excel.refused().split("\n")
    assert told.startswith("条目表：缺少这些列：代号")
    assert "第一行写列名：代号、领域、" in told


def test_a_column_may_lack_but_not_be_renamed_or_doubled(excel: Excel):
    with excel.opened() as book:
        book["条目"].delete_cols(5)
    excel.set(RUST, 标题="新名字")
    assert excel.take().changed == ("pepper-rust：标题",)
    with excel.opened() as book:
        book["条目"].cell(1, 15).value = "短答案"
    assert "缺少这些列：短答；认不得的列：短答案。" in excel.refused()
    with excel.opened() as book:
        book["条目"].cell(1, 15).value = "标题"
    assert "有 2 列都叫“标题”。 怎么改：只留一列。" in excel.refused()


def test_merged_cells_are_refused(excel: Excel):
    with excel.opened() as book:
        book["条目"].merge_cells("B2:B3")
        book["问法"].merge_cells("A2:A9")
    told = excel.refused()
    assert "条目表 第 2 行 B 列（领域）：B2:B3 合并了。 怎么改：取消合并，每一格各写各的。" in told
    assert "问法表 第 2 行 A 列（代号）：A2:A9 合并了。" in told


def test_a_sheet_of_a_million_formatted_rows_is_refused_with_the_reason(excel: Excel):
    with excel.opened() as book:
        book["条目"].cell(1_048_576, 3).value = " "
    assert "条目表：有 1048576 行，太多了。 怎么改：" in excel.refused()


# --- files that are no workbooks -------------------------------------------------------------


def zipped(path: Path, **members: bytes) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return path


OLE = bytes.fromhex("d0cf11e0a1b11ae1") + b"\0" * 600


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (OLE, "旧式的 .xls"),
        (OLE + "EncryptedPackage".encode("utf-16-le"), "有密码"),
        ("代号,标题\na,b\n".encode("gbk"), "不是 .xlsx（可能是 CSV 或别的）"),
        (b"", "不是 .xlsx"),
        (b"PK\x03\x04" + b"\0" * 99, "坏了，打不开"),
    ],
)
def test_what_is_no_workbook_is_told_with_what_to_do(tmp_path: Path, content, told):
    path = tmp_path / "k.xlsx"
    path.write_bytes(content)
    with pytest.raises(EditError, match=told):
        spreadsheet.read(path, workbook.TITLES)


def test_a_damaged_or_foreign_archive_is_told(excel: Excel, tmp_path: Path):
    whole = excel.path.read_bytes()
    chance = random.Random(7)
    foreign = zipped(tmp_path / "word.xlsx", word=b"<xml/>")
    for content in (
        whole[: len(whole) // 2],
        foreign.read_bytes(),
        *(_flipped(whole, chance) for _ in range(12)),
    ):
        excel.path.write_bytes(content)
        try:
            excel.plan()  # a flipped bit may do no harm
        except EditError as error:
            assert "再导入" in str(error)  # noqa: PT017


def _flipped(whole: bytes, chance: random.Random) -> bytes:
    content = bytearray(whole)
    for _ in range(20):
        content[chance.randrange(len(content))] ^= 1 << chance.randrange(8)
    return bytes(content)


def test_a_zip_bomb_is_refused_before_it_is_unpacked(tmp_path: Path):
    bomb = zipped(tmp_path / "k.xlsx", **{f"{number}.xml": bytes(2**24) for number in range(9)})
    assert bomb.stat().st_size < 2**20
    with pytest.raises(EditError, match="解开有 144 MB，太大了"):
        spreadsheet.read(bomb, workbook.TITLES)


def test_a_file_that_is_missing_or_locked_or_a_folder_is_told(tmp_path: Path):
    with pytest.raises(EditError, match=r"找不到 .*没有\.xlsx"):
        spreadsheet.read(tmp_path / "没有.xlsx", {})
    with pytest.raises(EditError, match="读不了"):
        spreadsheet.read(tmp_path, {})


def test_a_text_too_long_for_a_cell_is_not_cut_but_refused(base: Path, tmp_path: Path):
    write_entry(base, body=f"{SHORT_ANSWER}\n\n" + "a" * 33_000)
    with pytest.raises(EditError, match="pepper-rust 的“正文”有 33000 个字，Excel 的一格放不下"):
        Excel(base, tmp_path / "k.xlsx")


# --- writing ---------------------------------------------------------------------------------


def test_no_file_is_touched_where_one_cannot_be_written(base: Path):
    before = snapshot(base)
    changes = {Path("sichuan-pepper/pepper-rust.md"): b"new", Path("none/x.md"): b"new"}
    with pytest.raises(EditError, match="什么也没有写"):
        trial.save(base, changes)
    assert snapshot(base) == before


def test_a_file_keeps_its_rights_and_a_linked_one_its_link(base: Path, rust: Path):
    rust.chmod(0o640)
    link = base / "sichuan-pepper" / "pepper-link.md"
    link.symlink_to(rust.name)
    trial.save(base, {Path("sichuan-pepper/pepper-link.md"): b"new"})
    assert link.is_symlink()
    assert (rust.read_bytes(), rust.stat().st_mode & 0o777) == (b"new", 0o640)


# --- anything at once ------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(12))
def test_random_changes_of_the_workbook_arrive_exactly(base, tmp_path, seed):
    chance = random.Random(seed)
    for number, file in enumerate(chance.sample(sorted(FILES), 2)):
        path = base / "sichuan-pepper" / f"pepper-{number}.md"
        path.write_bytes(FILES[file].replace("黄粉", f"黄粉{number}").encode())
        spoil_questions(path, number)
    excel = Excel(base, tmp_path / "k.xlsx")
    wanted = manuscripts(base)
    for name in sorted(wanted):
        wanted[name] = change(excel, wanted[name], chance)
    before = snapshot(base)
    plan = excel.take()
    assert manuscripts(base) == wanted
    untouched = {
        path for path in before if Path(path).stem not in {each.stem for each in plan.changes}
    }
    assert {path: before[path] for path in untouched} == {
        path: snapshot(base)[path] for path in untouched
    }


def spoil_questions(path: Path, number: int) -> None:
    """The odd files share their phrasings."""
    text = path.read_bytes().decode()
    for words in ("叶子: 黄了", "一句话", "x: y"):
        text = text.replace(words, f"{words}{number}")
    path.write_bytes(text.encode())


def change(excel: Excel, old, chance: random.Random):
    word = lambda: f"{chance.choice(TRICKY)}{chance.randrange(10**6)}花椒"  # noqa: E731
    months = tuple(map(str, sorted(chance.sample(range(1, 13), chance.randrange(1, 5)))))
    sources = tuple(word() for _ in range(chance.randrange(1, 4)))
    choices = {
        "标题": ("title", title := word(), title),
        "短答": ("short_answer", answer := f"先说{word()}".replace("`", ""), answer),
        "正文": ("details", details := f"## 怎么认\n- 看{chance.randrange(99)}\n\n末段。", details),
        "月份": ("season", months, chance.choice("、，, ;").join(months)),
        "出处": ("sources", sources, "\n".join(sources)),
        "审核状态": ("status", "draft", "草稿"),
        "复审期限": ("review_by", "2027-05-01", date(2027, 5, 1)),
        "分组": ("group", "root", "根部病害"),
    }
    chosen = [title for title in choices if chance.random() < 0.4]
    excel.set(old.id, **{title: choices[title][2] for title in chosen})
    added = tuple(word() for _ in range(chance.randrange(4)))
    gone = set(chance.sample(old.questions, min(len(added), len(old.questions))))
    excel.ask(old.id, *added)
    with excel.opened() as book:
        for row in book["问法"].iter_rows(min_row=2):
            if row[0].value == old.id and row[2].value in gone:
                row[3].value = "删"
    kept = tuple(question for question in old.questions if question not in gone)
    values = {choices[title][0]: choices[title][1] for title in chosen}
    return replace(old, questions=(*kept, *added), **values)
