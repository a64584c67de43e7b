"""Where load says a text is wrong: front matter, body, _domain.yaml."""

import json
from pathlib import Path

import pytest

from bot.domain import Block
from bot.knowledge import load
from tests.knowledge.builders import (
    DETAILS,
    SHORT_ANSWER,
    spoil,
    write_base,
    write_domain,
    write_entry,
)
from tests.knowledge.refusals import only_problem_of, problems_of, spot

# --- front matter ----------------------------------------------------------------------------

FRONT_MATTER = {
    "an unknown key, the known one meant": ("season:", "seasons:", 13, 1, "schema", "season"),
    "a key in Chinese": ("season:", "月份:", 13, 1, "schema", "season"),
    "an unknown key like no other": ("season:", "zzz:", 13, 1, "schema", "能用的键"),
    "an unknown key within a key": (
        '"by": null',
        '"name": null',
        18,
        33,
        "schema",
        "能用的键：status、by、on",
    ),
    "a missing key": ("title:", "see_also:", 2, 1, "schema", "补一行 title"),
    "a key twice": ("group:", "title: x\ngroup:", 3, 1, "duplicate-key", "合成一处"),
    "a key twice within a key": (
        '"by": null',
        '"status": pending',
        18,
        33,
        "duplicate-key",
        "合成一处",
    ),
    "an empty title": ('title: "花椒锈病 pepper-rust"', "title:", 2, 7, "schema", "补上文字"),
    "a blank title": ('title: "花椒锈病 pepper-rust"', 'title: " "', 2, 8, "schema", "补上"),
    "a title that is a list": (
        'title: "花椒锈病 pepper-rust"',
        "title: [a]",
        2,
        8,
        "schema",
        "只写一句话",
    ),
    "a title over two lines": (
        'title: "花椒锈病 pepper-rust"',
        "title: |\n  一\n  二",
        2,
        8,
        "schema",
        "一行里",
    ),
    "questions that are text": ("questions:\n", "questions: 一\nx:\n", 4, 12, "schema", "- "),
    "no question": ("sources:\n", "sources: []\nx:\n", 16, 10, "schema", "补一项"),
    "a question that is a mapping": (
        '- "花椒叶子背面起黄粉，说法2，pepper-rust"',
        "- 花椒: 黄",
        6,
        5,
        "schema",
        "双引号",
    ),
    "an empty question": (
        '- "花椒叶子背面起黄粉，说法2，pepper-rust"',
        "-",
        6,
        4,
        "schema",
        "补上文字",
    ),
    "a thirteenth month": ("[6, 7, 8]", "[6, 13, 8]", 13, 13, "schema", "1 到 12"),
    "a month that is no number": ("[6, 7, 8]", "[六月]", 13, 10, "schema", "1 到 12"),
    "a month alone": ("[6, 7, 8]", "6", 13, 9, "schema", "[6, 7, 8]"),
    "months between Chinese commas": ("[6, 7, 8]", "[6，7]", 13, 10, "schema", "英文逗号"),
    "nothing where a list must be": ("[6, 7, 8]", "", 13, 8, "schema", "[]"),
    "a link that is no id": ("see_also: []", "see_also: [花椒]", 15, 12, "schema", "不带 .md"),
    "links between Chinese commas": (
        "see_also: []",
        "see_also: [a-b，c]",
        15,
        12,
        "schema",
        "英文逗号",
    ),
    "a link without brackets": ("see_also: []", "see_also: a-b", 15, 11, "schema", "[pepper-rust"),
    "a group that is no id": ('group: "leaf"', "group: 叶片", 3, 8, "schema", "不写中文名"),
    "a status in Chinese": ('"pending"', "待审", 18, 22, "schema", "pending（待审）"),
    "a date that is not": ("2027-10-31", "2027-02-30", 19, 12, "schema", "2027-10-31 的样子"),
    "a date otherwise written": ("2027-10-31", "2027年10月", 19, 12, "schema", "2027-10-31 的样子"),
    "a number for a date": ("2027-10-31", "20271031", 19, 12, "schema", "2027-10-31 的样子"),
    "a time for a date": ("2027-10-31", "2027-10-31 08:00:00", 19, 12, "schema", "2027-10-31 的"),
    "a review that is a word": (
        'reviewed: {"status": "pending", "by": null, "on": null}',
        "reviewed: pending",
        18,
        11,
        "schema",
        "status: pending",
    ),
    "a review status nobody knows": ('"pending"', '"done"', 18, 22, "schema", "approved"),
    "an approval by nobody": (
        '"pending"',
        '"approved"',
        18,
        11,
        "schema",
        "审核人（by）和审核日期（on）",
    ),
    "a full-width colon": ("group:", "group：", 3, 1, "yaml", "中文冒号"),
    "a colon within a sentence": (
        '"花椒锈病 pepper-rust"',
        "锈病: 黄: 粉",
        2,
        10,
        "yaml",
        "双引号",
    ),
    "a quote left open": ('"leaf"', '"leaf', 5, 6, "yaml", ""),
    "a bracket left open": ("[6, 7, 8]", "[6, 7", 13, 9, "yaml", "[6, 7, 8]"),
    "a line that is out of line": ("group:", " group:", 3, 2, "yaml", "左边对齐"),
    "a sign that begins no word": ('"leaf"', "@leaf", 3, 8, "yaml", "双引号"),
    "an anchor": ('"leaf"', "&a leaf", 3, 8, "yaml", "双引号"),
    "an alias": ('"leaf"', "*a", 3, 8, "yaml", "双引号"),
    "a tag": ('"leaf"', "!!python/object:os.system leaf", 3, 8, "yaml", "双引号"),
    "a tagged key": ("group:", "!a group:", 3, 1, "yaml", "双引号"),
    "a key that is a list": ("group:", "[group]:", 3, 1, "yaml", "键: 值"),
    "brackets within brackets": ("[6, 7, 8]", "[" * 9 + "]" * 9, 13, 15, "yaml", "嵌套"),
    "a tab": ("group: ", "group:\t", 3, 7, "tab", "空格"),
    "an escaped zero": ('"leaf"', '"le\\0af"', 3, 8, "yaml", "反斜杠"),
    "an escaped zero-width space": ('"leaf"', '"le\\u200baf"', 3, 8, "yaml", "反斜杠"),
    "a question as long as a page": ("说法2", "长" * 501, 6, 5, "schema", "500"),
    "a zero-width space": ('"leaf"', '"le\u200baf"', 3, 11, "unseen", "粘贴"),
    "a control character": ("叶背", "叶\x07背", 21, 2, "unseen", "粘贴"),
}


@pytest.mark.parametrize("case", FRONT_MATTER.values(), ids=FRONT_MATTER)
def test_front_matter_is_refused_where_it_is_wrong(base: Path, rust: Path, case: tuple) -> None:
    old, new, line, column, rule, mend = case
    spoil(rust, old, new)
    problem = problems_of(base)[0]
    assert spot(problem) == ("pepper-rust.md", line, column, rule), str(problem)
    assert mend in problem.mend, problem.mend


def test_every_wrong_of_every_file_is_told_at_once(base: Path, rust: Path) -> None:
    spoil(rust, "[6, 7, 8]", "[13, 14]")
    spoil(rust, "2027-10-31", "morgen")
    spoil(rust, "## 怎么认", "### 怎么认")
    spoil(rust.with_name("pepper-leaf-spot.md"), "sources:", "source:")
    assert [spot(problem) for problem in problems_of(base)] == [
        ("pepper-leaf-spot.md", 2, 1, "schema"),
        ("pepper-leaf-spot.md", 16, 1, "schema"),
        ("pepper-rust.md", 13, 10, "schema"),
        ("pepper-rust.md", 13, 14, "schema"),
        ("pepper-rust.md", 19, 12, "schema"),
        ("pepper-rust.md", 23, 1, "markdown"),
    ]


def test_a_problem_is_said_in_one_chinese_line(base: Path, rust: Path) -> None:
    spoil(rust, "sources:", "source:")
    path = "knowledge/sichuan-pepper/pepper-rust.md"
    assert [str(problem) for problem in problems_of(base)] == [
        f"{path}:2:1 错误：缺少 sources（出处）。 怎么改：补一行 sources: …",
        f"{path}:16:1 错误：没有 source 这个键。 怎么改：是不是 sources？",
    ]


def test_a_file_without_front_matter_is_refused(base: Path, rust: Path) -> None:
    rust.write_text(SHORT_ANSWER, encoding="utf-8")
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 1, 1, "front-matter")


def test_front_matter_without_end_is_refused(base: Path, rust: Path) -> None:
    spoil(rust, "\n---\n", "\n")
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 1, 1, "front-matter")


@pytest.mark.parametrize("front", ["", "一句话", "- 一\n- 二"])
def test_front_matter_that_is_no_mapping_is_refused(base: Path, rust: Path, front: str) -> None:
    rust.write_text(f"---\n{front}\n---\n{SHORT_ANSWER}\n", encoding="utf-8")
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 2, 1, "yaml")


# --- the body --------------------------------------------------------------------------------

BODY = {
    "a heading of another depth": ("## 怎么认", "# 怎么认", 23, 1),
    "a heading without space": ("## 怎么认", "##怎么认", 23, 1),
    "a heading with full-width signs": ("## 怎么认", "＃＃ 怎么认", 23, 1),
    "a heading without words": ("## 怎么认", "##", 23, 1),
    "an item without space": ("- 叶背", "-叶背", 24, 1),
    "an item with a star": ("- 叶背", "* 叶背", 24, 1),
    "an item with a dot": ("- 叶背", "• 叶背", 24, 1),
    "an item without words": (
        "- 叶背有一层黄色粉末，手指一抹就掉，叶面对应的地方发黄。",
        "-",
        24,
        1,
    ),
    "a numbered item": ("- 叶背", "1. 叶背", 24, 1),
    "an item below an item": ("- 从树", "  - 从树", 25, 3),
    "text right below an item": ("- 从树", "从树", 25, 1),
    "a quotation": ("半数", "> 半数", 34, 1),
    "a table": ("半数", "| 半数 | 一 |", 34, 1),
    "the rule of a table": ("半数", "---|---", 34, 1),
    "a rule": ("半数", "***\n半数", 34, 1),
    "a second front matter": ("半数", "---\n半数", 34, 1),
    "a block of code": ("半数", "~~~\n半数", 34, 1),
    "a picture within a line": ("半数", "看![图](a.jpg)半数", 34, 2),
    "two pictures in a line": ("半数", "![图](a.jpg)![图](b.jpg)", 34, 1),
    "a picture with full-width signs": ("半数", "！[图]（a.jpg）", 34, 1),
    "a picture without a file": ("半数", "![图]\n半数", 34, 1),
    "a picture without a caption": ("半数", "![ ](a.jpg)\n半数", 34, 1),
    "a picture with too long a caption": ("半数", f"![{'图' * 61}](a.jpg)\n半数", 34, 1),
    "a picture with bold in its caption": ("半数", "![叶**背**](a.jpg)\n半数", 34, 4),
    "a picture elsewhere": ("半数", "![图](http://a.cn/a.jpg)\n半数", 34, 1),
    "a picture in a folder": ("半数", "![图](pictures/a.jpg)\n半数", 34, 1),
    "a picture outside": ("半数", "![图](../../a.jpg)\n半数", 34, 1),
    "a picture of another kind": ("半数", "![图](a.gif)\n半数", 34, 1),
    "a picture with a Chinese name": ("半数", "![图](叶背.jpg)\n半数", 34, 1),
    "a picture with a name in capitals": ("半数", "![图](IMG_1.JPG)\n半数", 34, 1),
    "a link": ("半数", "看[这里](http://a.cn)", 34, 2),
    "bold text": ("半数", "有**半数**", 34, 2),
    "struck text": ("半数", "有~~半数~~", 34, 2),
    "code in a line": ("半数", "有`半数`", 34, 2),
    "html": ("半数", "有<b>半数</b>", 34, 2),
    "an html entity": ("半数", "有&nbsp;半数", 34, 2),
}


@pytest.mark.parametrize("case", BODY.values(), ids=BODY)
def test_a_body_is_refused_where_it_leaves_the_subset(base: Path, rust: Path, case: tuple) -> None:
    old, new, line, column = case
    spoil(rust, old, new)
    problem = problems_of(base)[0]
    assert spot(problem) == ("pepper-rust.md", line, column, "markdown"), str(problem)
    assert problem.message
    assert problem.mend


@pytest.mark.parametrize(
    "text",
    ["气温 < 5℃ 就停", "-5℃ 以下", "3.5 米", "1、先看叶", "10-12 月", "A&B", "2*3*4 株", "——如此"],
)
def test_signs_that_are_plain_text_are_accepted(tmp_path: Path, text: str) -> None:
    base = write_base(tmp_path)
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{text}\n")
    assert load(base).entries["pepper-rust"].details == (Block("paragraph", text),)


def test_latin_words_keep_a_space_where_lines_join(tmp_path: Path) -> None:
    base = write_base(tmp_path)
    write_entry(base, body="看 EPA\nguide 第\n一页\n")
    assert load(base).entries["pepper-rust"].short_answer == "看 EPA guide 第一页"


@pytest.mark.parametrize(("body", "line"), [("", 20), ("\n\n", 20), (DETAILS, 21)])
def test_a_body_must_open_with_the_short_answer(tmp_path: Path, body: str, line: int) -> None:
    base = write_base(tmp_path)
    write_entry(base, body=body)
    assert spot(only_problem_of(base)) == ("pepper-rust.md", line, 1, "body")


# --- _domain.yaml ----------------------------------------------------------------------------

DOMAIN = {
    "an unknown key": ("words:", "word:", 3, 1, "schema"),
    "a group without title": ('"叶片病害"', "", 4, 18, "schema"),
    "a group that is no id": ('"leaf"', '"叶"', 4, 15, "schema"),
    "groups that are a list": ('{"leaf": "叶片病害", "root": "根部病害"}', "[a]", 4, 9, "schema"),
    "a rule without reply": (', "reply": "行情天天变，请问收购点。"', "", 5, 16, "schema"),
    "a rule that is a sentence": (
        '[{"questions": ["今天花椒好多钱一斤"], "reply": "行情天天变，请问收购点。"}]',
        "[一]",
        5,
        16,
        "schema",
    ),
    "an unknown key within a rule": ('"reply"', '"answer"', 5, 45, "schema"),
    "a second document": ("words:", "---\nwords:", 3, 1, "yaml"),
    "a wrong word": ('["花椒", "椒"]', "[花椒, [椒]]", 3, 13, "schema"),
}


@pytest.mark.parametrize("case", DOMAIN.values(), ids=DOMAIN)
def test_a_domain_file_is_refused_where_it_is_wrong(base: Path, case: tuple) -> None:
    old, new, *where = case
    spoil(base / "sichuan-pepper" / "_domain.yaml", old, new)
    spots = [spot(problem) for problem in problems_of(base)]
    assert ("_domain.yaml", *where) in spots


def test_a_domain_names_the_photos_it_is_judged_by(base: Path) -> None:
    write_domain(base, photos=["整株", "叶背"])
    assert load(base).domains["sichuan-pepper"].photos == ("整株", "叶背")
    write_domain(base, photos=[])
    assert load(base).domains["sichuan-pepper"].photos == ()


@pytest.mark.parametrize(
    ("photos", "column", "words"),
    [
        ("整株", 9, "没有用方括号"),
        (None, 9, "没有用方括号"),
        (["整株、叶背"], 10, "“整株、叶背”不像是一样要拍的"),
        (["拍得清清楚楚的叶子背面"], 10, "不像是一样要拍的"),
        (["整株", " "], 16, "这里是空的"),
        (["整株", "叶背", "整株"], 9, "有重复的"),
        (["一", "二", "三", "四", "五", "六"], 9, "有 6 样，太多"),
    ],
)
def test_photos_written_wrongly_are_told_in_chinese(
    base: Path, photos: object, column: int, words: str
) -> None:
    path = base / "sichuan-pepper" / "_domain.yaml"
    path.write_text(path.read_text() + f"photos: {json.dumps(photos, ensure_ascii=False)}\n")
    problem = only_problem_of(base)
    assert spot(problem) == ("_domain.yaml", 6, column, "schema")
    assert words in problem.message
    assert problem.mend
