"""What the watch notices, and what it does not read again."""

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.knowledge import Watch, fingerprint
from tests.knowledge.builders import write_domain, write_entry


def test_a_folder_at_rest_keeps_its_fingerprint(base: Path) -> None:
    watch = Watch(base)
    assert {watch.fingerprint() for _ in range(4)} == {fingerprint(base)}


def test_touching_a_file_is_no_change(base: Path) -> None:
    watch = Watch(base)
    before = watch.fingerprint()
    os.utime(base / "sichuan-pepper" / "pepper-rust.md", (0, 0))
    assert watch.fingerprint() == before


def _rewrite(base: Path) -> None:
    path = base / "sichuan-pepper" / "pepper-rust.md"
    times = path.stat().st_atime_ns, path.stat().st_mtime_ns
    path.write_bytes(path.read_bytes().replace(b"leaf", b"root", 1))
    os.utime(path, ns=times)


def _replace(base: Path) -> None:
    aside = write_entry(base, "aside", title="新的标题")
    aside.rename(base / "sichuan-pepper" / "pepper-rust.md")


CHANGES: dict[str, Callable[[Path], object]] = {
    "same size, same time": _rewrite,
    "another file in its place": _replace,
    "a new entry": lambda base: write_entry(base, "pepper-aphid"),
    "a new domain": lambda base: write_domain(base, "beekeeping"),
    "a file gone": lambda base: (base / "sichuan-pepper" / "pepper-rust.md").unlink(),
    "a file at the top": lambda base: (base / "_banned.yaml").write_bytes(b"[]"),
    "a name": lambda base: (base / "sichuan-pepper").rename(base / "pepper"),
    "the folder gone": lambda base: base.rename(base.with_name("away")),
    "a broken link": lambda base: (base / "a.md").symlink_to(base / "nowhere"),
    "a pipe": lambda base: os.mkfifo(base / "pipe.md"),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_any_change_shows(base: Path, change: Callable[[Path], object]) -> None:
    watch = Watch(base)
    before = [watch.fingerprint() for _ in range(3)][-1]
    change(base)
    after = watch.fingerprint()
    assert before != after == fingerprint(base)


def test_a_folder_that_comes_back_has_its_old_fingerprint(base: Path) -> None:
    watch = Watch(base)
    before = watch.fingerprint()
    base.rename(base.with_name("away"))
    gone = watch.fingerprint()
    base.with_name("away").rename(base)
    assert gone != watch.fingerprint() == before


def test_editors_hidden_files_are_no_change(base: Path) -> None:
    before = fingerprint(base)
    (base / "sichuan-pepper" / ".pepper-rust.md.swp").write_bytes(b"x")
    assert fingerprint(base) == before


def test_a_look_at_240_entries_is_quick(tmp_path: Path) -> None:
    for number in range(240):
        write_entry(tmp_path, f"pepper-{number}")
    watch = Watch(tmp_path)
    watch.fingerprint()
    watch.fingerprint()
    start = time.process_time()
    watch.fingerprint()
    assert time.process_time() - start < 0.1
