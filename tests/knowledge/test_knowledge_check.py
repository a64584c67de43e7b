"""Every editorial rule with a good and a bad file."""

from datetime import date
from pathlib import Path

import pytest

from bot.domain import Problem
from bot.knowledge import check, load
from bot.knowledge.rules import RULES
from tests.knowledge.builders import (
    DETAILS,
    SHORT_ANSWER,
    TODAY,
    spoil,
    write_domain,
    write_entry,
)

RUST = "knowledge/sichuan-pepper/pepper-rust.md"
DOMAIN = "knowledge/sichuan-pepper/_domain.yaml"


def spots(folder: Path, today: date = TODAY) -> list[tuple[str, int, int, str, str]]:
    return [spot(problem) for problem in check(folder, today)]


def spot(problem: Problem) -> tuple[str, int, int, str, str]:
    return problem.path, problem.line, problem.column, problem.rule, problem.level


def test_a_good_base_has_no_problem(base: Path) -> None:
    assert check(base, TODAY) == ()


def test_every_rule_has_a_name_of_its_own() -> None:
    names = [rule.name for rule in RULES]
    assert len(names) == len(set(names))


def test_what_load_refuses_is_told_too_and_the_rest_is_still_checked(base: Path) -> None:
    spoil(base / "sichuan-pepper" / "pepper-leaf-spot.md", "sources:", "source:")
    spoil(base / "sichuan-pepper" / "pepper-rust.md", "2027", "2025")
    assert [each[3] for each in spots(base)] == ["schema", "schema", "review-expired"]


def test_a_missing_folder_is_one_error(tmp_path: Path) -> None:
    assert spots(tmp_path / "knowledge") == [
        ("knowledge", 1, 1, "folder", "error"),
        ("knowledge/_banned.yaml", 1, 1, "missing-list", "warning"),
        ("knowledge/_unanswerable.yaml", 1, 1, "missing-list", "warning"),
    ]


@pytest.mark.parametrize("name", ["notes.txt", "sichuan-pepper/photo.jpg", "sichuan-pepper/old"])
def test_a_file_that_does_not_belong_is_a_warning(base: Path, name: str) -> None:
    (base / name).write_bytes(b"\0")
    assert spots(base) == [(f"knowledge/{name}", 1, 1, "stray", "warning")]


def test_fewer_than_eight_questions_are_an_error(base: Path) -> None:
    write_entry(base, questions=[f"说法{number}" for number in range(7)])
    assert spots(base) == [(RUST, 5, 3, "few-questions", "error")]


def test_a_question_without_words_is_an_error(base: Path) -> None:
    write_entry(base, questions=[*(f"说法{number}" for number in range(8)), "？？！"])
    assert spots(base) == [(RUST, 13, 5, "empty-question", "error")]


@pytest.mark.parametrize(
    "dressed",
    [
        "ABC 花椒叶 黄，咋办",
        "ａｂｃ花椒叶黄咋办",
        "abc花椒叶黄，咋办！！",
        "Abc「花椒叶黄」…咋办",
        "abc花椒葉黃咋辦",
    ],
)
def test_a_question_that_differs_only_in_dress_is_an_error(base: Path, dressed: str) -> None:
    others = [f"说法{number}" for number in range(8)]
    write_entry(base, "pepper-aphid", questions=[*others, "abc花椒叶黄咋办"])
    write_entry(base, questions=[*(f"问法{number}" for number in range(8)), dressed])
    [problem] = check(base, TODAY)
    assert spot(problem) == (RUST, 13, 5, "same-question", "error")
    assert "pepper-aphid.md 第 13 行" in problem.message


def test_a_question_that_load_refuses_is_told_once(base: Path) -> None:
    spoil(base / "sichuan-pepper" / "pepper-rust.md", "说法3，", "说法4，")
    assert spots(base) == [(RUST, 8, 5, "duplicate-question", "error")]


def test_a_question_both_answered_and_out_of_scope_is_an_error(base: Path) -> None:
    write_entry(base, questions=[*(f"说法{number}" for number in range(8)), "今天花椒好多钱一斤？"])
    assert spots(base) == [(DOMAIN, 5, 31, "same-question", "error")]


def test_a_mark_of_the_template_is_an_error_once_the_entry_is_no_draft(base: Path) -> None:
    left = {
        "title": "【待写】标题",
        "questions": [*(f"说法{number}" for number in range(8)), "【待写】土话"],
        "sources": ["【待写】书名"],
        "body": f"【待写】{SHORT_ANSWER}\n\n{DETAILS}\n- 还有【待写】的。\n",
    }
    write_entry(base, **left)
    assert spots(base) == [
        (RUST, line, column, "to-write", "error")
        for line, column in ((2, 8), (13, 5), (18, 5), (22, 1), (37, 1))
    ]
    write_entry(base, **left, reviewed={"status": "draft"})
    assert [each[3] for each in spots(base)] == ["draft"]
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{DETAILS}\n- 表上待写的空格莫漏了。\n")
    assert spots(base) == []


@pytest.mark.parametrize(("length", "is_bad"), [(80, False), (81, True)])
def test_a_short_answer_has_at_most_80_characters(base: Path, length: int, *, is_bad: bool) -> None:
    write_entry(base, body="字" * length + f"\n\n{DETAILS}")
    assert spots(base) == [(RUST, 21, 1, "long-short-answer", "error")] * is_bad


@pytest.mark.parametrize(
    ("length", "is_bad"), [(149, True), (150, False), (450, False), (451, True)]
)
def test_details_outside_150_to_450_characters_are_a_warning(
    base: Path, length: int, *, is_bad: bool
) -> None:
    halves = "字" * (length // 2), "字" * (length - length // 2)
    write_entry(base, body="{}\n\n## 怎么认\n{}\n## 怎么办\n{}\n".format(SHORT_ANSWER, *halves))
    assert spots(base) == [(RUST, 23, 1, "details-length", "warning")] * is_bad


def test_an_entry_without_details_is_a_warning(base: Path) -> None:
    write_entry(base, body=f"{SHORT_ANSWER}\n")
    assert spots(base) == [(RUST, 21, 1, "details-length", "warning")]


def test_a_heading_with_nothing_below_is_an_error(base: Path) -> None:
    last = DETAILS.index("## 什么时候")
    write_entry(base, body=f"{SHORT_ANSWER}\n\n## 空的\n{DETAILS[:last]}{DETAILS[:last]}## 也空\n")
    found = [each for each in spots(base) if each[3] == "empty-section"]
    assert found == [
        (RUST, 23, 1, "empty-section", "error"),
        (RUST, 44, 1, "empty-section", "error"),
    ]


@pytest.mark.parametrize(
    "words", ["被蜂子蜇了喘不上气", "娃儿误服了农药", "老汉从树上摔下来了", "打药中毒"]
)
def test_a_person_in_danger_needs_120_in_the_first_words(base: Path, words: str) -> None:
    questions = [*(f"说法{number}" for number in range(8)), words]
    write_entry(base, questions=questions)
    assert spots(base) == [(RUST, 22, 1, "danger-first", "error")]
    write_entry(base, questions=questions, body=f"立即拨打120！{SHORT_ANSWER}\n\n{DETAILS}")
    assert spots(base) == []


def test_poisoned_bees_need_no_120(base: Path) -> None:
    write_entry(base, title="蜜蜂农药中毒", questions=[f"蜂子农药中毒{n}" for n in range(8)])
    assert spots(base) == []


def test_a_danger_named_in_the_details_needs_120_somewhere(base: Path) -> None:
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{DETAILS}\n- 打药的人昏迷了莫灌水。\n")
    assert spots(base) == [(RUST, 36, 1, "danger-in-details", "warning")]
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{DETAILS}\n- 打药的人昏迷了立即拨打120。\n")
    assert spots(base) == []


def test_a_link_to_no_entry_is_an_error(base: Path) -> None:
    write_entry(base, see_also=["pepper-none"])
    assert spots(base) == [(RUST, 15, 12, "unknown-link", "error")]


def test_a_link_that_was_mistyped_is_told_with_the_one_meant(base: Path) -> None:
    write_entry(base, see_also=["pepper-leaf-spott"])
    [problem] = check(base, TODAY)
    assert problem.mend.startswith("是不是 pepper-leaf-spot？")


def test_a_link_to_itself_is_an_error(base: Path) -> None:
    write_entry(base, confusable_with=["pepper-rust"])
    assert spots(base) == [(RUST, 14, 19, "unknown-link", "error")]


def test_a_link_to_an_entry_that_cannot_be_read_is_no_further_error(base: Path) -> None:
    write_entry(base, see_also=["pepper-leaf-spot"])
    spoil(base / "sichuan-pepper" / "pepper-leaf-spot.md", "sources:", "source:")
    assert [each[3] for each in spots(base)] == ["schema", "schema"]


@pytest.mark.parametrize("key", ["confusable_with", "see_also"])
def test_a_link_that_is_not_returned_is_a_warning(base: Path, key: str) -> None:
    write_entry(base, **{key: ["pepper-leaf-spot"]})
    line = {"confusable_with": 14, "see_also": 15}[key]
    assert spots(base) == [(RUST, line, len(key) + 4, "one-way-link", "warning")]
    write_entry(base, "pepper-leaf-spot", **{key: ["pepper-rust"]})
    assert spots(base) == []


def test_a_group_that_the_domain_does_not_name_is_an_error(base: Path) -> None:
    write_entry(base, group="fruit")
    assert spots(base) == [(RUST, 3, 8, "group", "error")]


def test_a_missing_group_is_an_error_where_the_domain_has_groups(base: Path) -> None:
    write_entry(base, group=None)
    assert spots(base) == [(RUST, 2, 1, "group", "error")]
    write_domain(base, groups=None)
    assert spots(base) == []


def test_a_missing_review_by_is_an_error(base: Path) -> None:
    write_entry(base, review_by=None)
    assert spots(base) == [(RUST, 2, 1, "no-review-by", "error")]


def test_a_review_date_gone_by_is_a_warning_from_the_next_day_on(base: Path) -> None:
    write_entry(base, review_by=TODAY)
    assert spots(base) == []
    [found] = spots(base, date(2026, 11, 24))
    assert found == (RUST, 19, 12, "review-expired", "warning")


def test_a_review_date_more_than_a_year_off_is_a_warning(base: Path) -> None:
    write_entry(base, review_by=date(2027, 11, 24))
    assert spots(base) == []
    write_entry(base, review_by=date(2027, 11, 25))
    assert spots(base) == [(RUST, 19, 12, "review-far-off", "warning")]


def test_a_draft_is_told_and_not_looked_at_further(base: Path) -> None:
    write_entry(base, reviewed={"status": "draft"}, body="还没写好，喊你用呋喃丹。\n")
    assert spots(base) == [(RUST, 18, 11, "draft", "warning")]
    assert "pepper-rust" not in load(base).entries


def test_a_link_to_a_draft_is_an_error_for_the_farmer_cannot_see_it(base: Path) -> None:
    write_entry(base, reviewed={"status": "draft"})
    write_entry(base, "pepper-leaf-spot", see_also=["pepper-rust"])
    assert [each[3] for each in spots(base)] == ["unknown-link", "draft"]
    assert "pepper-rust 还是草稿，农户看不到" in check(base, TODAY)[0].message


# --- phrasings ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("other", "is_bad"),
    [
        ("七月间花椒叶子背面起了一层黄色的粉粉用手一抹就掉", True),
        ("七月间花椒叶子正面长了一圈黑色的点点抹起来又不掉", False),
    ],
)
def test_two_entries_with_nearly_one_question_are_a_warning(
    base: Path, other: str, *, is_bad: bool
) -> None:
    others = [f"说法{number}" for number in range(8)]
    write_entry(
        base, "pepper-aphid", questions=["七月花椒叶子背面起了一层黄色的粉粉用手一抹就掉", *others]
    )
    write_entry(base, questions=[*(f"问法{number}" for number in range(8)), other])
    assert spots(base) == [(RUST, 13, 5, "near-duplicate", "warning")] * is_bad


def test_nearly_one_question_twice_in_one_entry_is_its_own_affair(base: Path) -> None:
    twice = ["七月花椒叶子背面起了一层黄色的粉粉", "七月花椒叶子背面起了一层黄色粉粉"]
    write_entry(base, questions=[*(f"问法{number}" for number in range(8)), *twice])
    assert spots(base) == []


# --- the answer's form -------------------------------------------------------------------------


@pytest.mark.parametrize(("count", "is_bad"), [(1, True), (2, False), (4, False), (5, True)])
def test_an_answer_has_two_to_four_sections(base: Path, count: int, *, is_bad: bool) -> None:
    sections = "".join(f"## 第{number}节\n{'字' * 80}\n" for number in range(count))
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{sections}")
    assert ((RUST, 23, 1, "sections", "warning") in spots(base)) is is_bad


@pytest.mark.parametrize(("length", "is_bad"), [(240, False), (241, True)])
def test_a_section_is_at_most_240_characters(base: Path, length: int, *, is_bad: bool) -> None:
    write_entry(base, body=f"{SHORT_ANSWER}\n\n## 怎么认\n一二三\n## 怎么办\n{'字' * length}\n")
    assert spots(base) == [(RUST, 25, 1, "long-section", "warning")] * is_bad


# --- safety ------------------------------------------------------------------------------------


def body_with(line: str, heading: str = "怎么办") -> str:
    return f"{SHORT_ANSWER}\n\n{DETAILS}\n## {heading}\n- {line}\n"


LAST = 37  # the line that `body_with` adds


@pytest.mark.parametrize(
    "line",
    [
        "根边撒点呋喃丹。",
        "克百威拌土。莫撒多了。",
        "特别凶就打克百威。",
        "不要等，马上撒呋喃丹。",
        "别人撒克百威效果好。",
    ],
)
def test_a_banned_substance_advised_is_an_error(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    [problem] = check(base, TODAY)
    assert spot(problem) == (RUST, LAST, 1, "banned", "error")
    assert "公告第736号，2023-12-29" in problem.mend


@pytest.mark.parametrize(
    "line", ["呋喃丹（克百威）早就禁用了。", "莫听人喊撒克百威。", "不要买呋喃丹。", "喂氯霉素。"]
)
def test_a_banned_substance_warned_of_or_of_another_domain_is_right(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    assert spots(base) == []


def test_a_trade_name_is_an_error_that_names_the_common_name(base: Path) -> None:
    write_entry(base, body=body_with("买阿米西达。"))
    [problem] = check(base, TODAY)
    assert spot(problem) == (RUST, LAST, 1, "trade-name", "error")
    assert "嘧菌酯" in problem.mend
    write_entry(base, questions=[*(f"说法{number}" for number in range(8)), "阿米西达打得不"])
    assert spots(base) == []


@pytest.mark.parametrize(
    "line", ["这个药包治锈病。", "打一次就根治。", "100％有效。", "保证卖得完。"]
)
def test_a_promise_is_an_error(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    assert spots(base) == [(RUST, LAST, 1, "claim", "error")]


@pytest.mark.parametrize("line", ["没有特效药。", "莫信包治百病的药。", "合同里写明保证金退不退。"])
def test_a_promise_denied_is_right(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    assert spots(base) == []


@pytest.mark.parametrize(
    "line",
    [
        "兑成800倍液喷。",
        "用0.3波美度的药液。",
        "每亩撒尿素10斤。",
        "糖和水按1:1化开。",
        "白糖一比一化水。",
        "隔7到10天再喷一次。",
    ],
)
def test_a_dose_needs_a_source_marked_as_giving_it(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    assert spots(base) == [(RUST, LAST, 1, "dose-source", "error")]
    assert "“0倍" not in check(base, TODAY)[0].message
    write_entry(base, body=body_with(line), sources=["《手册》，某出版社（用量）"])
    assert spots(base) == []


@pytest.mark.parametrize(
    "line", ["五倍子树多的坡。", "拿20倍放大镜看。", "隔天再看。", "一株一株地看。"]
)
def test_other_numbers_are_no_dose(base: Path, line: str) -> None:
    write_entry(base, body=body_with(line))
    assert spots(base) == []


def test_a_pesticide_without_a_section_on_safety_is_a_warning(base: Path) -> None:
    write_entry(base, body=body_with("选登记了花椒的杀菌剂。"))
    assert spots(base) == [(RUST, LAST, 1, "no-safety-section", "warning")]
    write_entry(base, body=body_with("选登记了花椒的杀菌剂。", "用药与安全"))
    assert spots(base) == []


# --- the lists ---------------------------------------------------------------------------------


def test_a_missing_list_is_a_warning(base: Path) -> None:
    (base / "_banned.yaml").unlink()
    assert spots(base) == [("knowledge/_banned.yaml", 1, 1, "missing-list", "warning")]


def test_a_wrong_list_is_an_error_where_it_stands(base: Path) -> None:
    spoil(base / "_banned.yaml", "date: 2023-12-29", "date: 2023-13-29")
    assert spots(base) == [("knowledge/_banned.yaml", 8, 11, "schema", "error")]
