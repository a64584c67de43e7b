"""`tianwen knowledge …` as staff run it: what it prints, what it writes, what it leaves alone."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from datetime import date, timedelta

import pytest

from bot.__main__ import main
from bot.app.calendar import today
from bot.knowledge import load
from bot.knowledge.approval import a_year_after
from tests.conftest import ROOT
from tests.knowledge.builders import spoil, write_base, write_domain, write_entry
from tests.knowledge.excel import Excel, snapshot


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    home = tmp_path / "home"
    shutil.copytree(ROOT / "config", home / "config")
    base = write_base(home)
    for path in base.rglob("pepper-*.md"):  # good for a year from whatever day it is
        spoil(path, "2027-10-31", str(today() + timedelta(days=200)))
    monkeypatch.chdir(tmp_path)

    def invoke(*arguments: str) -> tuple[int, str]:
        status = main(["--home", str(home), "knowledge", *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    invoke.base = base
    invoke.rust = base / "sichuan-pepper" / "pepper-rust.md"
    invoke.file = tmp_path / "k.xlsx"
    return invoke


# --- export, import --------------------------------------------------------------------------


def test_export_and_import_change_nothing(run):
    before = snapshot(run.base)
    assert run("export", "k.xlsx") == (0, f"导出 2 条、16 句问法：{run.file}\n")
    status, said = run("import", "k.xlsx")
    assert (status, said) == (
        0,
        "没变 2 条。表里没有、保留原样的：0 条、0 句问法。\n没有要写的。\n",
    )
    assert snapshot(run.base) == before


def test_export_replaces_a_file_only_by_force_and_writes_nothing_but_xlsx(run):
    run.file.write_text("mine")
    status, said = run("export", "k.xlsx")
    assert (status, run.file.read_text()) == (1, "mine")
    assert "加 --force" in said
    assert run("export", "k.xlsx", "--force")[0] == 0
    assert run.file.read_bytes().startswith(b"PK")
    assert "要以 .xlsx 结尾" in run("export", "k.xls")[1]
    assert "没有 " in run("export", "none/k.xlsx")[1]


def test_export_leaves_out_what_cannot_be_read_and_says_so(run):
    spoil(run.rust, "title:", "titel:")
    status, said = run("export", "k.xlsx")
    assert status == 0
    assert "导出 1 条" in said
    assert "读不通、没有导出的：pepper-rust。运行 tianwen check 看怎么改。" in said


def test_import_tells_what_it_would_do_then_does_it(run):
    Excel(run.base, run.file).set("pepper-rust", 标题="新名字")
    before = snapshot(run.base)
    status, said = run("import", "k.xlsx", "--dry-run")
    assert status == 0
    assert "改动 1 条：\n  pepper-rust：标题\n没变 1 条。" in said
    assert "这是试一遍，什么也没有写" in said
    assert snapshot(run.base) == before
    assert "写好 1 个文件。" in run("import", "k.xlsx")[1]
    assert load(run.base).entries["pepper-rust"].title == "新名字"


def test_a_refused_import_names_the_cell_and_writes_nothing(run):
    excel = Excel(run.base, run.file)
    excel.set("pepper-rust", 标题="新名字", 短答="字" * 93)
    before = snapshot(run.base)
    status, said = run("import", "k.xlsx")
    assert status == 1
    assert (
        "拒绝 1 处：\n  条目表 第 3 行 E 列（短答）：短答有 93 个字，最多 80 个。 怎么改：" in said
    )
    assert said.endswith("什么也没有写。改好上面这些，存盘，再导入。\n")
    assert snapshot(run.base) == before


def test_an_import_of_no_workbook_is_one_chinese_line(run):
    assert run("import", "none.xlsx") == (1, "找不到 none.xlsx。看看文件名和所在的文件夹。\n")


# --- new -------------------------------------------------------------------------------------


def test_new_writes_a_draft_that_loads_and_that_check_calls_a_draft(run, capsys):
    status, said = run("new", "pepper-mould", "--title", "花椒: 霉病")
    path = run.base / "sichuan-pepper" / "pepper-mould.md"
    assert status == 0
    assert str(path) in said
    assert "tianwen knowledge approve pepper-mould --by 姓名" in said
    assert "【待写】" in path.read_text()
    assert "#   leaf：叶片病害\n#   root：根部病害\ngroup: leaf\n" in path.read_text()
    assert "pepper-mould" not in load(run.base).entries
    assert main(["--home", str(run.base.parent), "check"]) == 0
    problems = capsys.readouterr().out.splitlines()[:-1]
    [told] = [line for line in problems if "pepper-mould" in line]
    assert f"pepper-mould.md:{line_of(path, 'reviewed')}:11 提醒：这是草稿，农户看不到。" in told
    assert run("new", "pepper-rot")[0] == 0  # two drafts do not stand in each other's way
    assert load(run.base)


def line_of(path, key):
    lines = path.read_text().splitlines()
    return next(number for number, line in enumerate(lines, 1) if line.startswith(key))


def test_new_guesses_the_domain_only_where_there_is_no_doubt(run):
    write_domain(run.base, "bees", title="养蜂", groups={}, words=["蜂"], out_of_scope=[])
    write_entry(run.base, "bee-one", domain="bees", group=None, questions=list("一二三四五六七八"))
    status, said = run("new", "tea-one")
    assert status == 1
    assert "加上 --domain，写其中一个：bees（养蜂）、sichuan-pepper（花椒）。" in said
    assert "没有“茶”这个领域" in run("new", "tea-one", "--domain", "茶")[1]
    assert run("new", "tea-one", "--domain", "养蜂")[0] == 0
    assert run("new", "bee-two")[0] == 0
    assert (run.base / "bees" / "bee-two.md").exists()
    assert "看不出" in run("new", "tea")[1] or (run.base / "bees" / "tea.md").exists()


@pytest.mark.parametrize("name", ["pepper-rust", "Pepper", "../x", "花椒", "a" * 41, "-x"])
def test_new_refuses_an_id_that_is_taken_or_ill_formed(run, name):
    before = snapshot(run.base)
    status, said = run("new", "--", name)
    assert status == 1
    assert "已经有了" in said or "不能作代号" in said
    assert snapshot(run.base) == before


@pytest.mark.parametrize("title", ["", "两\n行", "零宽\u200b"])
def test_new_refuses_a_title_that_the_loader_would_not_take(run, title):
    assert "标题要写在一行里" in run("new", "pepper-x", "--title", title)[1]


# --- approve ---------------------------------------------------------------------------------


def test_approve_changes_the_review_and_nothing_else(run):
    before = run.rust.read_text().splitlines()
    status, said = run("approve", "pepper-rust", "pepper-leaf-spot", "--by", "王瑞生")
    after = run.rust.read_text().splitlines()
    changed = [line for line, old in zip(after, before, strict=True) if line != old]
    assert status == 0
    assert changed[0] == f'reviewed: {{"status": approved, "by": 王瑞生, "on": {today()}}}'
    assert len(changed) == 1  # the day that its writer gave stays
    assert said.count("已核定") == 2
    assert load(run.base).entries["pepper-leaf-spot"].review.by == "王瑞生"


@pytest.mark.parametrize(
    ("reviewed", "days", "good_for"),
    [
        ({"status": "pending"}, 190, 190),
        ({"status": "pending"}, 20, 183),  # nearly gone by: half a year, to be on the safe side
        ({"status": "pending"}, -20, 183),
        ({"status": "pending"}, 500, 365),
        ({"status": "approved", "by": "王", "on": "2026-01-01"}, date(2026, 7, 10), 190),
        ({"status": "approved", "by": "王", "on": "2026-01-01"}, date(2026, 12, 20), 353),
    ],
)
def test_an_approval_is_good_for_as_long_as_the_entry_was_given(run, reviewed, days, good_for):
    on = today()
    review_by = days if isinstance(days, date) else on + timedelta(days=days)
    write_entry(run.base, reviewed=reviewed, review_by=review_by)
    status, said = run("approve", "pepper-rust", "--by", "王瑞生")
    due = min(on + timedelta(days=good_for), a_year_after(on))
    assert (status, load(run.base).entries["pepper-rust"].review_by) == (0, due)
    assert f"复审期限 {due}。" in said
    assert "要另定，加 --review-by" in said


def test_approve_takes_the_days_it_is_given(run):
    due, on = today() + timedelta(days=90), today() - timedelta(days=3)
    run("approve", "pepper-rust", "--by", "王: 瑞", "--on", str(on), "--review-by", str(due))
    entry = load(run.base).entries["pepper-rust"]
    assert (entry.review.by, entry.review.on, entry.review_by) == ("王: 瑞", on, due)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["pepper-rsut"], "没有 pepper-rsut 这条条目。是不是 pepper-rust？"),
        (["pepper-draft"], "pepper-draft 还是草稿。先写完，把 reviewed 里的 draft 改成 pending"),
        (["pepper-wrong"], "pepper-wrong 有错误，先改好："),
        (["pepper-spoilt"], "pepper-spoilt 有错误，先改好："),
        (["pepper-leaf-spot", "--by", " "], "审核人要写姓名"),
        (["pepper-leaf-spot", "--on", "2999-01-01"], "审核日期 2999-01-01 还没到"),
        (["pepper-leaf-spot", "--review-by", "2020-01-01"], "复审期限 2020-01-01 不在今天以后"),
        (["pepper-leaf-spot", "--by", "字" * 501], "这里有 501 个字，太长"),
    ],
)
def test_approve_is_all_or_nothing(run, arguments, told):
    write_entry(run.base, "pepper-draft", reviewed={"status": "draft"})
    write_entry(run.base, "pepper-wrong", questions=["只有一句"])
    write_entry(run.base, "pepper-spoilt", titel="x")
    before = snapshot(run.base)
    status, said = run("approve", "--by", "王瑞生", "pepper-rust", *arguments)
    assert status == 1
    assert told in said
    assert snapshot(run.base) == before


def test_nobody_approves_what_was_made_from_his_own_reply(run):
    author = {"id": "lv-yukui", "name": "吕玉奎", "case": 12}
    due = today() + timedelta(days=200)
    write_entry(run.base, author=author, review_by=due)
    before = snapshot(run.base)
    status, said = run("approve", "pepper-rust", "--by", "吕玉奎")
    assert status == 1
    assert "这一条是照吕玉奎的答复写的，不能由本人核定。" in said
    assert "一条也没有写" in said
    assert snapshot(run.base) == before
    assert run("approve", "pepper-rust", "--by", "王瑞生")[0] == 0
    entry = load(run.base).entries["pepper-rust"]
    assert (entry.review.by, entry.author.id) == ("王瑞生", "lv-yukui")


def test_a_workbook_keeps_the_author_and_does_not_approve_for_him(run):
    author = {"id": "lv-yukui", "name": "吕玉奎", "case": 12}
    write_entry(run.base, author=author, review_by=today() + timedelta(days=200))
    excel = Excel(run.base, run.file)
    excel.set("pepper-rust", 标题="新名字")
    assert run("import", "k.xlsx")[0] == 0
    assert load(run.base).entries["pepper-rust"].author.case == 12
    excel = Excel(run.base, run.file)
    excel.set("pepper-rust", 审核状态="已审", 审核人="吕玉奎", 审核日期=str(today()))
    status, said = run("import", "k.xlsx")
    assert (status, "不能由本人核定" in said) == (1, True)


def test_a_day_that_is_none_is_told_in_chinese(run, capsys):
    with pytest.raises(SystemExit):
        run("approve", "pepper-rust", "--by", "王", "--on", "明天")
    assert "“明天”不是日期，写成 2027-10-31 的样子" in capsys.readouterr().err


# --- stats -----------------------------------------------------------------------------------


def test_stats_shows_a_table_and_what_it_could_not_count(run):
    spoil(run.rust, "title:", "titel:")
    status, said = run("stats")
    assert status == 0
    assert [line.split()[:3] for line in said.splitlines()[1:5]] == [
        ["花椒", "1", "8"], ["叶片病害", "1", "8"], ["根部病害", "·", "·"], ["合计", "1", "8"],
    ]  # fmt: skip
    assert "另有 1 条读不通，没有算进去" in said


# --- check -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("old", "new", "verdict"),
    [
        ("title:", "titel:", "2 个错误，0 个提醒。错误改好以前，新内容不会生效。"),
        ("先摘病叶", "先撒克百威", "1 个错误，0 个提醒。错误改好以前，新内容不会生效。"),
        (
            "先摘病叶",
            "打一次就根治",
            (
                "1 个错误，0 个提醒。开着的田问已经在用这些内容，马上改；"
                "来不及就先写成 draft，农户就看不到。"
            ),
        ),
        ('"pending"', '"draft"', "没有错误，1 个提醒。提醒不挡新内容生效，能改就改。"),
    ],
)
def test_check_ends_with_what_the_errors_do_to_a_running_bot(run, capsys, old, new, verdict):
    spoil(run.rust, old, new)
    main(["--home", str(run.base.parent), "check"])
    assert capsys.readouterr().out.splitlines()[-1].startswith(verdict)


def test_an_import_that_is_wrong_all_over_tells_the_first_twenty(run):
    excel = Excel(run.base, run.file)
    excel.ask("pepper-rust", *("字" * 501 + str(number) for number in range(25)))
    said = run("import", "k.xlsx")[1]
    assert "拒绝 25 处：" in said
    assert said.count("太长") == 20
    assert "……先说这 20 处，改好再来。" in said


# --- all -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("command", "also"),
    [
        (["check"], {"openpyxl", "numpy"}),
        (["knowledge", "stats"], {"openpyxl", "numpy"}),
        (["knowledge", "new", "pepper-x"], {"openpyxl", "numpy"}),
        (["knowledge", "approve", "pepper-rust", "--by", "王"], {"openpyxl", "numpy"}),
        (["knowledge", "export", "x.xlsx"], set()),
        (["knowledge", "import", "x.xlsx"], set()),
    ],
    ids=lambda value: value[-1] if isinstance(value, list) else "",
)
def test_no_command_loads_more_than_it_needs(run, tmp_path, command, also):
    code = (
        f"import json, sys; sys.path.insert(0, {str(ROOT)!r}); from bot.__main__ import main; "
        "main(sys.argv[1:]); print(json.dumps(sorted(sys.modules)))"
    )
    arguments = ["--home", str(run.base.parent), *command]
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments],
        capture_output=True, text=True, check=True, cwd=tmp_path,
    )  # fmt: skip
    loaded = set(json.loads(done.stdout.splitlines()[-1]))
    heavy = {"torch", "sqlalchemy", "telegram", "faiss", "sentence_transformers", *also}
    assert loaded & heavy == set()
