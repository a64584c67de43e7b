"""What load refuses about bytes, files and folders."""

import os
from pathlib import Path

import pytest

from tests.knowledge.builders import (
    spoil,
    write_domain,
    write_entry,
)
from tests.knowledge.ordinary_user import as_an_ordinary_user
from tests.knowledge.refusals import only_problem_of, problems_of, spot

# --- bytes -----------------------------------------------------------------------------------

BYTES = {
    "empty": (b"", 1, 1, "file"),
    "blank": (b" \n\n", 1, 1, "file"),
    "with a byte order mark": (b"\xef\xbb\xbf---\n", 1, 1, "encoding"),
    "GBK": (b"---\ntitle: " + "花椒".encode("gbk"), 2, 8, "encoding"),
    "GBK after good text": ("---\n花".encode() + b"\xff", 2, 2, "encoding"),
    "UTF-16": ("---\n".encode("utf-16"), 1, 4, "encoding"),
    "binary": (b"---\n\x89PNG\0\1", 2, 5, "encoding"),
    "huge": (b"a" * (64 * 1024 + 1), 1, 1, "file"),
}


@pytest.mark.parametrize("case", BYTES.values(), ids=BYTES)
def test_bytes_that_are_no_text_are_refused(base: Path, rust: Path, case: tuple) -> None:
    content, line, column, rule = case
    rust.write_bytes(content)
    assert spot(only_problem_of(base)) == ("pepper-rust.md", line, column, rule)


def test_a_file_of_nothing_but_wrongs_is_told_in_fifty(base: Path, rust: Path) -> None:
    spoil(rust, "## 怎么认", "**\n" * 9000)
    assert len(problems_of(base)) == 50


# --- files and folders -----------------------------------------------------------------------


def test_a_missing_folder_is_refused(tmp_path: Path) -> None:
    assert spot(only_problem_of(tmp_path / "knowledge")) == ("knowledge", 1, 1, "folder")


def test_a_file_in_place_of_the_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "knowledge").write_bytes(b"")
    assert spot(only_problem_of(tmp_path / "knowledge")) == ("knowledge", 1, 1, "folder")


def test_an_empty_folder_is_refused(tmp_path: Path) -> None:
    assert spot(only_problem_of(tmp_path)) == (tmp_path.name, 1, 1, "folder")


def test_a_domain_without_its_file_is_refused(base: Path) -> None:
    (base / "sichuan-pepper" / "_domain.yaml").unlink()
    assert spot(only_problem_of(base)) == ("_domain.yaml", 1, 1, "file")


def test_a_domain_without_entries_is_refused(base: Path) -> None:
    write_domain(base, "beekeeping")
    assert spot(only_problem_of(base)) == ("beekeeping", 1, 1, "folder")


@pytest.mark.parametrize(
    "name", ["Pepper Rust.md", "花椒.md", "pepper_rust.md", "-a.md", "rust.MD", "a" * 41 + ".md"]
)
def test_a_file_name_that_is_no_id_is_refused(base: Path, rust: Path, name: str) -> None:
    rust.rename(rust.with_name(name))
    assert spot(only_problem_of(base)) == (name, 1, 1, "file-name")


def test_a_domain_name_that_is_no_id_is_refused(base: Path) -> None:
    (base / "sichuan-pepper").rename(base / "花椒")
    assert spot(only_problem_of(base)) == ("花椒", 1, 1, "file-name")


def test_a_name_that_is_not_utf8_is_told_printably(base: Path, rust: Path) -> None:
    rust.rename(Path(os.fsdecode(os.fsencode(rust.parent) + b"/\xff.md")))
    assert str(only_problem_of(base)).encode("utf-8")


def test_an_id_used_in_two_domains_is_refused(base: Path) -> None:
    write_domain(base, "zz")
    write_entry(base, domain="zz", questions=[f"别的话{number}" for number in range(8)])
    problem = only_problem_of(base)
    assert spot(problem) == ("pepper-rust.md", 1, 1, "duplicate-id")
    assert problem.path == "knowledge/zz/pepper-rust.md"


def test_a_question_of_two_entries_is_refused(base: Path, rust: Path) -> None:
    spoil(rust, "说法3，pepper-rust", "说法5，pepper-leaf-spot")
    problem = only_problem_of(base)
    assert spot(problem) == ("pepper-rust.md", 7, 5, "duplicate-question")
    assert "pepper-leaf-spot.md 第 9 行" in problem.message


def test_a_question_twice_in_an_entry_is_refused(base: Path, rust: Path) -> None:
    spoil(rust, "说法3，pepper-rust", "说法1，pepper-rust")
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 7, 5, "duplicate-question")


def test_a_link_out_of_the_folder_is_refused(base: Path, rust: Path, tmp_path: Path) -> None:
    rust.rename(tmp_path / "outside.md")
    rust.symlink_to(tmp_path / "outside.md")
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 1, 1, "file")


def test_a_ring_of_links_is_refused(base: Path, rust: Path) -> None:
    rust.unlink()
    rust.symlink_to(rust)
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 1, 1, "file")


def test_a_pipe_is_refused_unopened(base: Path, rust: Path) -> None:
    rust.unlink()
    os.mkfifo(rust)
    assert spot(only_problem_of(base)) == ("pepper-rust.md", 1, 1, "file")


def test_a_file_without_permission_is_refused(open_base: Path) -> None:
    (open_base / "sichuan-pepper" / "pepper-rust.md").chmod(0)
    with as_an_ordinary_user():
        problem = only_problem_of(open_base)
    assert spot(problem) == ("pepper-rust.md", 1, 1, "file")
    assert "权限" in problem.message


CLOSED = [
    ("", 0, "knowledge", "folder"),
    ("", 0o444, "sichuan-pepper", "folder"),
    ("sichuan-pepper", 0, "sichuan-pepper", "folder"),
    ("sichuan-pepper", 0o444, "_domain.yaml", "file"),
]


@pytest.mark.parametrize(("inside", "mode", "told", "rule"), CLOSED)
def test_a_folder_without_permission_is_refused(
    open_base: Path, inside: str, mode: int, told: str, rule: str
) -> None:
    (open_base / inside).chmod(mode)
    with as_an_ordinary_user():
        problem = problems_of(open_base)[0]
    (open_base / inside).chmod(0o755)
    assert spot(problem) == (told, 1, 1, rule)
    assert "权限" in problem.message
