"""A reader that keeps what it read says the same as one that reads everything anew."""

from collections.abc import Callable
from pathlib import Path

import pytest

from bot.errors import KnowledgeError
from bot.knowledge import Reader, load
from bot.knowledge.load import read
from tests.knowledge.builders import SHORT_ANSWER, spoil, write_domain, write_entry
from tests.knowledge.refusals import spot

RUST, SPOT = "pepper-rust", "pepper-leaf-spot"


def _file(base: Path, name: str = RUST) -> Path:
    return base / "sichuan-pepper" / f"{name}.md"


def _swap(base: Path) -> None:
    aside = _file(base, "aside")
    _file(base).rename(aside)
    _file(base, SPOT).rename(_file(base))
    aside.rename(_file(base, SPOT))


def _copy_into_another_domain(base: Path) -> None:
    write_domain(base, "beekeeping")
    (base / "beekeeping" / "bee-rust.md").write_bytes(_file(base).read_bytes())


CHANGES: dict[str, Callable[[Path], object]] = {
    "nothing": lambda _base: None,
    "a title": lambda base: spoil(_file(base), "花椒锈病", "花椒黄锈病"),
    "a line more above": lambda base: spoil(_file(base), "title:", "# 锈病\ntitle:"),
    "as many bytes": lambda base: spoil(_file(base), "group: ", "group : "),
    "line ends": lambda base: _file(base).write_bytes(
        _file(base).read_bytes().replace(b"\n", b"\r\n")
    ),
    "to a draft": lambda base: spoil(_file(base), "pending", "draft"),
    "broken": lambda base: spoil(_file(base), "title", "titel"),
    "no text": lambda base: _file(base).write_bytes(b"\xff"),
    "emptied": lambda base: _file(base).write_bytes(b""),
    "new": lambda base: write_entry(base, "pepper-lime"),
    "deleted": lambda base: _file(base).unlink(),
    "renamed": lambda base: _file(base).rename(_file(base, "pepper-rusty")),
    "renamed to no id": lambda base: _file(base).rename(_file(base, "Rust")),
    "two names swapped": _swap,
    "the same bytes twice": lambda base: _file(base, "again").write_bytes(_file(base).read_bytes()),
    "the same bytes in another domain": _copy_into_another_domain,
    "a phrasing of another entry": lambda base: spoil(
        _file(base), f"说法3，{RUST}", f"说法5，{SPOT}"
    ),
    "the domain": lambda base: write_domain(base, title="青花椒"),
    "the domain broken": lambda base: write_domain(base, words=None),
    "the domain renamed": lambda base: (base / "sichuan-pepper").rename(base / "pepper"),
    "everything gone": lambda base: base.rename(base.with_name("away")),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_change_it_says_what_a_new_reader_says(
    base: Path, change: Callable[[Path], object]
) -> None:
    reader = Reader(base)
    assert reader.read() == read(base)
    change(base)
    assert reader.read() == read(base)
    assert reader.read() == read(base)


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_change_is_undone_it_says_what_it_said_at_first(
    base: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    reader, kept = Reader(base), tmp_path / "kept"
    before = reader.read()
    base.rename(kept)
    for copied in sorted(kept.rglob("*.*")):
        path = base / copied.relative_to(kept)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(copied.read_bytes())
    change(base)
    reader.read()
    if base.exists():
        base.rename(tmp_path / "changed")
    kept.rename(base)
    assert reader.read() == before


def test_only_what_has_changed_is_parsed_again(base: Path, rust: Path) -> None:
    reader = Reader(base)
    before = reader.load()
    spoil(rust, SHORT_ANSWER, "先摘病叶。")
    after = reader.load()
    assert after.entries[RUST].short_answer == "先摘病叶。"
    assert after.entries[SPOT] is before.entries[SPOT]
    assert after.domains["sichuan-pepper"] is before.domains["sichuan-pepper"]


def test_a_broken_entry_is_told_at_every_look_until_it_is_mended(base: Path, rust: Path) -> None:
    reader = Reader(base)
    before = reader.load()
    spoil(rust, "title", "titel")
    for _ in range(2):
        with pytest.raises(KnowledgeError) as caught:
            reader.load()
        assert [spot(one) for one in caught.value.problems] == [
            ("pepper-rust.md", 2, 1, "schema"),
            ("pepper-rust.md", 2, 1, "schema"),
        ]
    spoil(rust, "titel", "title")
    assert reader.load() == before


def test_a_repeated_id_is_free_again_when_the_first_file_is_gone(base: Path, rust: Path) -> None:
    write_domain(base, "zz")
    write_entry(base, "zz-only", domain="zz")
    second = write_entry(base, RUST, domain="zz", questions=[f"别的话{one}" for one in range(8)])
    reader = Reader(base)
    with pytest.raises(KnowledgeError):
        reader.load()
    rust.unlink()
    assert reader.load().entries[second.stem].domain == "zz"
    assert reader.load() == load(base)


def test_a_changed_picture_is_seen_though_its_entry_has_not_changed(base: Path, rust: Path) -> None:
    rust.write_text(rust.read_text(encoding="utf-8") + "\n![黄粉](rust.jpg)\n", encoding="utf-8")
    reader = Reader(base)
    assert [file.pictures for file in reader.read().entries] == [{}, {}]
    picture = base / "sichuan-pepper" / "pictures" / "rust.jpg"
    picture.parent.mkdir()
    picture.write_bytes(b"new")
    assert reader.read().entries[1].pictures == {"sichuan-pepper/rust.jpg": b"new"}
