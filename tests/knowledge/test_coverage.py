"""What the knowledge covers, counted by domain and group."""

from datetime import date, timedelta
from pathlib import Path

from bot.knowledge.coverage import Coverage, coverage, table
from bot.knowledge.load import read
from tests.knowledge.builders import TODAY, spoil, write_domain, write_entry

EMPTY = Coverage(0, 0, 0, pending=0, approved=0, overdue=0, due=0, drafts=0)


def counted(folder: Path) -> dict[str, Coverage]:
    return dict(coverage(read(folder), TODAY))


def test_entries_are_counted_by_domain_by_group_and_in_all(base: Path):
    review = {"status": "approved", "by": "王瑞生", "on": date(2026, 1, 1).isoformat()}
    write_entry(base, "pepper-root", group="root", reviewed=review, questions=list("一二三四"))
    write_domain(base, "bees", title="养蜂", groups={}, words=["蜂"], out_of_scope=[])
    write_entry(base, "bee-one", domain="bees", group=None)
    assert counted(base) == {
        "养蜂": (bees := Coverage(1, 8, 8, pending=1, approved=0, overdue=0, due=0, drafts=0)),
        "花椒": Coverage(3, 20, 4, pending=2, approved=1, overdue=0, due=0, drafts=0),
        "  叶片病害": Coverage(2, 16, 8, pending=2, approved=0, overdue=0, due=0, drafts=0),
        "  根部病害": Coverage(1, 4, 4, pending=0, approved=1, overdue=0, due=0, drafts=0),
        "合计": Coverage(4, 28, 4, pending=3, approved=1, overdue=0, due=0, drafts=0),
    }
    assert bees.mean == 8


def test_a_review_is_overdue_the_day_after_and_due_within_thirty_days(base: Path):
    days = {"over": -1, "today": 0, "last": 30, "later": 31}
    for name, distance in days.items():
        write_entry(base, f"pepper-{name}", review_by=TODAY + timedelta(days=distance))
    assert (counted(base)["合计"].overdue, counted(base)["合计"].due) == (1, 2)


def test_drafts_count_apart_and_an_empty_group_still_shows(base: Path):
    write_entry(base, reviewed={"status": "draft"}, review_by=date(2020, 1, 1))
    found = counted(base)
    assert found["花椒"] == Coverage(1, 8, 8, pending=1, approved=0, overdue=0, due=0, drafts=1)
    assert found["  根部病害"] == EMPTY


def test_what_cannot_be_read_is_not_counted_and_unknown_groups_are_named(base: Path):
    write_entry(base, "pepper-new", group="bark")
    write_entry(base, "pepper-none", group=None)
    spoil(base / "sichuan-pepper" / "pepper-rust.md", "title:", "titel:")
    found = counted(base)
    assert found["花椒"].entries == 3
    assert found["  bark"].entries == found["  （没写分组）"].entries == 1


def test_a_domain_whose_file_is_wrong_goes_by_its_folder(base: Path):
    (base / "sichuan-pepper" / "_domain.yaml").write_text("坏")
    assert list(counted(base)) == ["sichuan-pepper", "  leaf", "合计"]


def test_an_empty_folder_has_an_empty_table(tmp_path: Path):
    assert counted(tmp_path / "none") == {"合计": EMPTY}


def test_columns_stand_straight_under_each_other(base: Path):
    assert table(coverage(read(base), TODAY)).splitlines() == [
        "            条目  问法  最少  平均  待审  已审  过期  30 天内到期  草稿",
        "花椒        2     16    8     8.0   2     ·     ·     ·            ·",
        "  叶片病害  2     16    8     8.0   2     ·     ·     ·            ·",
        "  根部病害  ·     ·     ·     ·     ·     ·     ·     ·            ·",
        "合计        2     16    8     8.0   2     ·     ·     ·            ·",
    ]
