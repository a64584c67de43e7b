"""What load reads out of a folder that is right."""

import os
import subprocess
import sys
import time
from datetime import date
from pathlib import Path

from bot.domain import Block, Domain, Entry, OutOfScope, Review
from bot.knowledge import load
from tests.knowledge.builders import (
    write_domain,
    write_entry,
)


def test_an_entry_is_read_with_all_it_says(tmp_path: Path) -> None:
    base = tmp_path / "knowledge"
    write_domain(base)
    questions = ["叶子背后黄粉粉", "12396", "on", "黄: 不黄？"]
    write_entry(
        base,
        title="花椒锈病",
        questions=questions,
        see_also=["pepper-lime"],
        reviewed={"status": "approved", "by": "吕玉奎", "on": "2026-11-20"},
        body="先摘病叶，\n再清园。\n\n## 怎么认\n- 叶背黄粉，\n  一抹就掉\n- 老叶先起\n",
    )
    assert load(base).entries == {
        "pepper-rust": Entry(
            id="pepper-rust",
            domain="sichuan-pepper",
            title="花椒锈病",
            questions=tuple(questions),
            short_answer="先摘病叶，再清园。",
            details=(
                Block("heading", "怎么认"),
                Block("item", "叶背黄粉，一抹就掉"),
                Block("item", "老叶先起"),
            ),
            sources=("《花椒病虫害防治手册》，某出版社",),
            review=Review("approved", "吕玉奎", date(2026, 11, 20)),
            review_by=date(2027, 10, 31),
            group="leaf",
            season=(6, 7, 8),
            see_also=("pepper-lime",),
        )
    }


def test_a_domain_is_read_with_all_it_says(base: Path) -> None:
    assert load(base).domains == {
        "sichuan-pepper": Domain(
            "sichuan-pepper",
            "花椒",
            "sichuan-pepper",
            ("花椒", "椒"),
            {"leaf": "叶片病害", "root": "根部病害"},
            (OutOfScope(("今天花椒好多钱一斤",), "行情天天变，请问收购点。"),),
        )
    }


def test_the_example_of_the_house_plan_is_accepted(base: Path) -> None:
    (base / "sichuan-pepper" / "pepper-plan.md").write_text(
        "---\ntitle: 花椒锈病\n"
        "questions:            # how farmers really say it\n"
        "  - 花椒叶子背面一层黄粉粉，叶子直往下掉，啥子病？\n"
        "season: [6, 7, 8, 9, 10]\nconfusable_with: [pepper-leaf-spot]\n"
        'sources: ["…title, publisher or standard number…"]\n'
        "reviewed: {status: pending, by: null, on: null}     # pending | approved\n"
        "---\n先说结论的一小段。\n\n## 怎么认\n…\n## 怎么办\n…\n",
        encoding="utf-8",
    )
    entry = load(base).entries["pepper-plan"]
    assert (entry.review, entry.group, entry.review_by) == (Review(), "", None)


def test_windows_line_ends_change_nothing_but_the_revision(base: Path, rust: Path) -> None:
    before = load(base)
    rust.write_bytes(rust.read_bytes().replace(b"\n", b"\r\n"))
    after = load(base)
    assert after.entries == before.entries
    assert after.revision != before.revision


def test_the_revision_hangs_on_names_and_bytes_only(base: Path, rust: Path) -> None:
    before = load(base).revision
    os.utime(rust, (0, 0))
    assert load(base).revision == before
    rust.rename(rust.with_name("pepper-rust2.md"))
    assert load(base).revision != before


def test_hidden_and_underscored_files_at_the_top_are_left_alone(base: Path) -> None:
    before = load(base)
    (base / "_banned.yaml").write_bytes(b"\xff\t{")
    (base / ".git").mkdir()
    (base / "sichuan-pepper" / ".pepper-rust.md.swp").write_bytes(b"\0")
    assert load(base) == before


def test_a_link_to_a_file_inside_the_folder_is_followed(base: Path, rust: Path) -> None:
    rust.rename(base / "_kept.yaml")
    rust.symlink_to(base / "_kept.yaml")
    assert "pepper-rust" in load(base).entries


def test_240_entries_load_in_well_under_a_second(tmp_path: Path) -> None:
    base = tmp_path / "knowledge"
    write_domain(base)
    for number in range(240):
        questions = [f"花椒叶子起黄粉，第{number}家第{index}问" for index in range(16)]
        write_entry(base, f"pepper-{number}", questions=questions)
    start = time.process_time()
    assert len(load(base).entries) == 240
    seconds = time.process_time() - start  # of ours alone: the machine may be busy
    assert seconds < 1 or sys.gettrace()  # coverage makes Python five times as slow


def test_the_room_loads_neither_torch_nor_numpy() -> None:
    code = "import sys, bot.knowledge; sys.exit(bool({'torch', 'numpy'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
