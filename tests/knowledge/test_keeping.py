"""A delivered reply becomes a draft: a file that loads whatever was written in it."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from bot.domain import Author, Domain, Kept
from bot.errors import EditError
from bot.knowledge import Reader, check, load, shelve
from bot.knowledge.drafting import TO_WRITE
from bot.knowledge.load import read
from bot.knowledge.privacy import HIDDEN
from tests.knowledge.builders import TODAY, spoil, write_base, write_entry
from tests.knowledge.excel import snapshot

PEPPER = Domain("sichuan-pepper", "花椒", "sichuan-pepper", ("花椒",), {"leaf": "叶片病害"})
KEPT = Kept(
    Author("lv-yukui", "吕玉奎", 12),
    "科技特派员吕玉奎",
    "我叫张三，花椒树子开花不结籽\n补充：电话13812345678",
    "1. 多半是缺硼。\n2. 花前喷一次硼肥，按标签。有事打13900001111",
    date(2026, 11, 24),
    "盘龙镇",
    "sichuan-pepper",
)
PLACE = Path("sichuan-pepper/case-12.md")


@pytest.fixture
def base(tmp_path):
    return write_base(tmp_path)


def kept(base, **changes):
    assert shelve(base, replace(KEPT, **changes), PEPPER) == PLACE
    return entry(base)


def entry(base, name="case-12"):
    return next(file.entry for file in read(base).entries if file.entry.id == name)


def test_the_draft_says_whose_it_is_and_holds_their_words_without_their_names(base):
    found = kept(base)
    assert found.author == KEPT.author
    assert found.review.status == "draft"
    assert found.questions[0] == f"我叫{HIDDEN}，花椒树子开花不结籽 补充：电话{HIDDEN}"
    assert found.short_answer == (f"1、多半是缺硼。 2、花前喷一次硼肥，按标签。有事打{HIDDEN}")
    assert found.sources[0] == "科技特派员吕玉奎，2026-11-24 答复农户（问题单 #12，盘龙镇）"
    assert len(found.questions) == 8
    assert all(TO_WRITE in one for one in (found.title, *found.questions[1:], *found.sources[1:]))
    text = (base / PLACE).read_text()
    assert "张三" not in text
    assert "认不出的请人工删掉" in text.splitlines()[2]


def test_the_check_calls_it_a_draft_and_nothing_worse_and_farmers_never_see_it(base):
    before = check(base, TODAY)
    kept(base)
    [told] = [one for one in check(base, TODAY) if one not in before]
    assert (told.rule, told.level) == ("draft", "warning")
    assert "case-12" not in load(base).entries


def test_a_running_bot_takes_it_over_even_where_the_words_are_known_already(base):
    reader = Reader(base)
    known = reader.load()
    question = known.entries["pepper-rust"].questions[0]
    kept(base, question=question)
    shelve(base, replace(KEPT, author=replace(KEPT.author, case=13), question=question), PEPPER)
    assert reader.load().entries == known.entries


def test_the_marks_keep_it_from_going_live_until_they_are_written_over(base):
    kept(base)
    spoil(base / PLACE, "status: draft", "status: pending")
    rules = {one.rule for one in check(base, TODAY) if one.path.endswith("case-12.md")}
    assert "to-write" in rules
    write_entry(base, "case-13", questions=[f"{HIDDEN}的树", *map(str, range(8))])
    messages = [one.message for one in check(base, TODAY) if one.path.endswith("case-13.md")]
    assert f"这里还留着{HIDDEN}。" in messages


def test_written_once_more_after_a_crash_it_is_the_same_file(base):
    kept(base)
    after = snapshot(base)
    kept(base)
    assert snapshot(base) == after


def test_what_a_crash_amid_the_writing_left_is_no_entry(base):
    (base / PLACE).with_name(".case-12.md.0badcafe").write_text("---\ntit")
    assert read(base).problems == []
    kept(base)


def test_a_draft_that_somebody_has_begun_to_edit_is_never_written_over(base):
    kept(base)
    spoil(base / PLACE, "缺硼", "缺硼砂")
    edited = (base / PLACE).read_bytes()
    second = PLACE.with_name("case-12-2.md")
    assert shelve(base, KEPT, PEPPER) == second
    assert (base / PLACE).read_bytes() == edited
    assert read(base).problems == []


def test_a_case_of_the_same_number_elsewhere_keeps_its_file(base):
    write_entry(base, "case-12", domain="bees")
    assert shelve(base, KEPT, PEPPER) == PLACE.with_name("case-12-2.md")


def test_a_folder_that_cannot_be_written_is_told_in_chinese_and_stays_as_it_was(base):
    before = snapshot(base)
    with pytest.raises(EditError, match="写不进去"):
        shelve(base, KEPT, replace(PEPPER, id="bees"))  # no such folder
    assert snapshot(base) == before


ODD = [
    "# 先看根", "- 先看根", "1. 先看\n2. 再挖", "> 看", "| 一 | 二 |", "---", "```", "![图](a.jpg)",
    "[看这里](http://x.cn)", "**先**看 __根__", "~~不~~", "<b>先</b>", "&nbsp;先&#12;", "title: 坏",
    "\u200b先\u202e看\t根\x07", "“先”: {看, 根} [二]", "'先", '"先', "null", "12", "yes", "！[图］",
    "*", "—— 先看", "－ 先", "@先", "%先", "先 # 看", "：先", "? 先", "!tag 先", "&a 先",
    "先" * 4000,
]  # fmt: skip


@pytest.mark.parametrize("words", ODD, ids=lambda words: ascii(words)[:20])
def test_whatever_was_written_the_file_loads(base, words):
    found = kept(base, question=words, answer=words)
    assert found.author == KEPT.author
    assert read(base).problems == []


def test_whatever_is_thrown_together_the_file_loads(base):
    chance = random.Random(12)
    parts = [
        *ODD[:-1],
        *"#-*_>|`~<&[]{}:：\"'!！\n \t.1)）abc先看根，。",
        "我叫张三",
        "13812345678",
    ]
    for case in range(1, 200):
        words = ["".join(chance.choices(parts, k=chance.randint(1, 12))) for _ in range(2)]
        author = replace(KEPT.author, case=case, name=chance.choice(["王: 瑞", "吕{玉}", "周,副"]))
        one = replace(KEPT, author=author, question=words[0], answer=words[1])
        shelve(base, one, PEPPER)
    assert read(base).problems == []
    drafts = [file.entry for file in read(base).entries if file.entry.author]
    assert len(drafts) == 199


def test_a_line_that_begins_below_zero_stays_below_zero(base):
    assert kept(base, answer="－5度就冻坏\n-3度盖膜").short_answer == "-5度就冻坏 -3度盖膜"


# --- approval --------------------------------------------------------------------------------


@pytest.mark.parametrize("by", ["吕玉奎", "吕 玉奎", "lv-yukui", "王瑞生、吕玉奎", "吕玉奎老师"])
def test_the_author_does_not_approve_his_own(base, by):
    write_entry(
        base,
        author={"id": "lv-yukui", "name": "吕玉奎", "case": 12},
        reviewed={"status": "approved", "by": by, "on": str(TODAY)},
    )
    [told] = [one for one in check(base, TODAY) if one.rule == "own-review"]
    assert told.level == "error"
    assert "不能由本人核定" in told.message


def test_somebody_else_does(base):
    write_entry(
        base,
        author={"id": "lv-yukui", "name": "吕玉奎", "case": 12},
        reviewed={"status": "approved", "by": "王瑞生", "on": str(TODAY)},
    )
    assert load(base).entries["pepper-rust"].author == KEPT.author
    assert check(base, TODAY) == ()
