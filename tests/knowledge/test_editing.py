"""An edit says what was wanted and leaves every other byte alone, however the file is written."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from bot.errors import EditError
from bot.knowledge import check
from bot.knowledge.editing import Spot, edit, spot
from bot.knowledge.load import read
from bot.knowledge.manuscript import Manuscript, Original, compose, originals
from tests.conftest import ROOT
from tests.knowledge.builders import TODAY, write_base

PLAIN = """\
---
# 王老师写的
title: 花椒锈病{}
group: leaf

questions:
  # 田里听来的
  - 叶背起黄粉
  - "叶子: 黄了"   # 带冒号
  # 打错的
  - '叶背 #黄粉'
season: [6, 7] # 夏天
sources:
  - "《花椒手册》"
reviewed: {status: pending, by: null, on: null}  # 还没看
review_by: 2027-10-31
---

叶背起黄粉多半是锈病，
先摘病叶。

## 怎么认
- 叶背有黄粉。{}

- 手指一抹就掉。

末段
""".replace("{}", "  ")  # editors take spaces at ends of lines away
ODD = """\
---
  "title": >
    花椒
    锈病

  'group':
    leaf
  questions:
  - 叶背起黄粉
  -
    两行写的
    一句话
  - 'x: y'
  season:
    - 06
    - 7
  see_also:

    []
  sources: ["《花椒手册》", '另一本']
  reviewed:
    status: pending
    on:
    by: null
  review_by:
---
短答
## 怎么认
- 叶背有黄粉。"""
FILES = {
    "plain": PLAIN,
    "crlf": PLAIN.replace("\n", "\r\n"),
    "cr": PLAIN.replace("\n", "\r"),
    "mixed": PLAIN.replace("\n", "\r\n", 9),
    "odd": ODD,
}
TRICKY = (
    "null", "~", "on", "012", "a: b", "叶 #黄", "- 一", "=1+1", "+1", "@x", "%x", "`x`", "*x", "&x",
    "!x", "|", ">", "[6]", "{a}", "a, b", "'单", '"双', "反\\斜", "2027-01-01",
    "？问", "x:", "？ 问 :",
)  # fmt: skip
DETAILS = (
    "",
    "- 一条\n- 两条",
    "## 怎么办\n- 先这样。\n\n末段",
    "头一段\n\n## 怎么认\n- 叶背有黄粉。",
)


@pytest.fixture(params=FILES)
def place(request, base: Path) -> Path:
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_bytes(FILES[request.param].encode())
    return path


def original(path: Path) -> Original:
    folder = path.parent.parent
    reading = read(folder)
    assert [str(each) for each in reading.problems] == []
    return originals(folder, reading)[path.stem]


def changed(path: Path, **parts: object) -> str:
    old = original(path)
    return edit(old.text, old.file, replace(old.manuscript, **parts))


def test_an_edit_that_changes_nothing_changes_no_byte(place: Path):
    assert changed(place) == place.read_bytes().decode()


def test_no_byte_of_what_ships_changes_and_every_file_is_in_the_houses_form():
    folder = ROOT / "knowledge"
    for name, old in originals(folder, read(folder)).items():
        assert edit(old.text, old.file, old.manuscript) == old.text, name


def test_only_the_line_of_the_key_changes_and_its_comment_stays(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_text(PLAIN)
    review = {"status": "approved", "by": "王瑞生", "on": "2026-11-23"}
    after = changed(path, season=("6", "7", "8"), review_by="2027-11-23", **review)
    assert after == (
        PLAIN.replace("[6, 7] # 夏天", "[6, 7, 8] # 夏天")
        .replace("2027-10-31", "2027-11-23")
        .replace("pending, by: null, on: null}", "approved, by: 王瑞生, on: 2026-11-23}")
    )


def test_only_the_phrasings_that_came_or_went_change(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_text(PLAIN)
    questions = ("叶背起黄粉", "叶背 #黄粉", "新: 的")
    after = changed(path, questions=questions)
    assert after == PLAIN.replace('  - "叶子: 黄了"   # 带冒号\n', "").replace(
        "season", '  - "新: 的"\nseason'
    )


def test_only_the_lines_of_the_body_that_differ_change(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_text(PLAIN)
    details = "## 怎么认\n- 叶背有黄粉。\n\n- 一抹就掉。\n\n末段"
    assert changed(path, details=details) == PLAIN.replace("手指一抹", "一抹")
    after = changed(path, short_answer="新的短答。")
    assert after == PLAIN.replace("叶背起黄粉多半是锈病，\n先摘病叶。", "新的短答。")


def test_a_key_that_lacked_gets_its_line_where_the_house_puts_it(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_text(PLAIN)
    after = changed(path, confusable_with=("pepper-leaf-spot",), see_also=("pepper-leaf-spot",))
    assert after == PLAIN.replace(
        "# 夏天\n",
        "# 夏天\nconfusable_with: [pepper-leaf-spot]\nsee_also: [pepper-leaf-spot]\n",
    )


def test_line_ends_of_the_file_are_kept(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_bytes(FILES["crlf"].encode())
    after = changed(path, title="新", questions=("一", "二"), see_also=("x",), details="- 一\n- 二")
    assert after.count("\n") == after.count("\r\n")
    assert "- 一\r\n- 二\r\n" in after


def random_change(old: Manuscript, chance: random.Random) -> Manuscript:
    words = [f"{word} {chance.randrange(99)}" if chance.random() < 0.5 else word for word in TRICKY]
    chance.shuffle(words)
    kept = [one for one in old.questions if chance.random() < 0.6]
    questions = [*kept, *words[: chance.randrange(1, 4)]]
    chance.shuffle(questions)
    is_approved = chance.random() < 0.5
    parts = {
        "title": words[0],
        "group": chance.choice([None, "leaf", "root"]),
        "questions": tuple(questions),
        "season": tuple(map(str, sorted(chance.sample(range(1, 13), chance.randrange(5))))),
        "confusable_with": tuple(chance.sample(["a", "b-1", "12"], chance.randrange(4))),
        "see_also": tuple(chance.sample(["c", "null"], chance.randrange(3))),
        "sources": tuple(words[-chance.randrange(1, 4) :]),
        "review_by": chance.choice([None, "2027-01-02"]),
        "short_answer": chance.choice(["短答。", "先说结论：#1", "一 二"]),
        "details": chance.choice(DETAILS),
    }
    review = {"status": "approved", "by": words[1], "on": "2026-01-02"}
    chosen = {key: value for key, value in parts.items() if chance.random() < 0.4}
    return replace(old, **chosen, **(review if is_approved else {}))


@pytest.mark.parametrize("seed", range(15))
def test_after_any_edit_the_loader_reads_exactly_what_was_wanted(place: Path, seed: int):
    chance = random.Random(seed)
    for _ in range(4):  # each on top of the last
        old = original(place)
        wanted = random_change(old.manuscript, chance)
        text = edit(old.text, old.file, wanted)
        assert {line.strip() for line in old.text.splitlines() if line.startswith("#")} <= {
            line.strip() for line in [*text.splitlines(), "## 怎么认", "## 怎么办"]
        }
        place.write_bytes(text.encode())
        assert original(place).manuscript == wanted


@pytest.mark.parametrize("seed", range(15))
def test_a_new_file_says_exactly_what_was_wanted(base: Path, seed: int):
    blank = Manuscript(
        "pepper-new", "sichuan-pepper", title="新", sources=("书",), short_answer="答"
    )
    wanted = random_change(replace(blank, questions=("问",)), random.Random(seed))
    place = base / "sichuan-pepper" / "pepper-new.md"
    place.write_text(compose(wanted))
    assert original(place).manuscript == wanted


def test_a_file_written_too_oddly_is_left_alone(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    path.write_text("""\
---
title: # 名字：
  花椒锈病
questions: [叶背起黄粉]
sources: [书]
reviewed: {status: pending}
---
短答
""")
    assert "\n  新名字\n" in changed(path, title="新名字")
    path.write_text(path.read_text().replace("title: #", "see_also: # 名字:\n  - a\ntitle: #"))
    with pytest.raises(EditError, match=r"pepper-rust.md 的 see_also 写得特别.*记事本"):
        changed(path, see_also=())


def test_front_matter_in_one_pair_of_braces_is_changed_or_refused_never_spoiled(base: Path):
    path = base / "sichuan-pepper" / "pepper-rust.md"
    front = "{title: 锈病, questions: [一], sources: [书], reviewed: {status: pending}}"
    path.write_text(f"---\n{front}\n---\n短答\n")
    assert changed(path, title="新名字") == path.read_text().replace("锈病", "新名字")
    with pytest.raises(EditError, match="title 写得特别"):
        changed(path, title="新, 名字")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("花椒锈病", Spot("title")),
        ("打错的", Spot("questions")),
        ("'叶背 #黄粉'", Spot("questions", 2)),
        ("手册", Spot("sources")),
        ("先摘病叶", Spot("short_answer")),
        ("## 怎么认", Spot("details")),
        ("末段", Spot("details")),
    ],
)
@pytest.mark.parametrize("file", ["plain", "crlf", "cr"])
def test_a_line_of_a_file_is_traced_to_what_stands_there(file: str, words: str, expected: Spot):
    lines = FILES[file].splitlines()
    number = next(at for at, line in enumerate(lines, start=1) if words in line)
    assert spot(FILES[file], number) == expected


def test_the_check_stays_content_with_an_edited_base(tmp_path: Path):
    path = write_base(tmp_path) / "sichuan-pepper" / "pepper-rust.md"
    path.write_text(changed(path, title="新名字", season=()))
    assert check(tmp_path / "knowledge", TODAY) == ()
