"""Pictures in entries: how they are read, what is refused, and every rule, good and bad."""

import io
import os
import random
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from bot.domain import Block, plain
from bot.knowledge import Watch, check, load, pictures
from tests.knowledge.builders import DETAILS, SHORT_ANSWER, TODAY, spoil, write_domain, write_entry
from tests.knowledge.refusals import only_problem_of, problems_of
from tests.knowledge.refusals import spot as place_of

LINE = "![叶背的黄粉](pepper-rust-1.jpg)"
NAME = "sichuan-pepper/pepper-rust-1.jpg"
RUST = "knowledge/sichuan-pepper/pepper-rust.md"
FILE = f"knowledge/sichuan-pepper/pictures/{NAME.rpartition('/')[2]}"


def drawn(kind: str = "JPEG", size: tuple[int, int] = (160, 120), **save: object) -> bytes:
    target = io.BytesIO()
    Image.new("RGB", size, "olive").save(target, kind, **save)
    return target.getvalue()


def grainy(width: int, height: int) -> bytes:
    """A PNG that does not shrink: three bytes a pixel."""
    target = io.BytesIO()
    noise = random.Random(1).randbytes(width * height * 3)
    Image.frombytes("RGB", (width, height), noise).save(target, "PNG")
    return target.getvalue()


def put(base: Path, content: bytes, name: str = NAME) -> Path:
    domain, _, file = name.partition("/")
    path = base / domain / "pictures" / file
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    return path


@pytest.fixture
def shown(base: Path, rust: Path) -> Path:
    """The base, and in it an entry whose picture is not there yet."""
    spoil(rust, "\n## 怎么办", f"{LINE}\n\n## 怎么办")
    return base


def spots(folder: Path) -> list[tuple[str, int, str, str]]:
    return [(one.path, one.line, one.rule, one.level) for one in check(folder, TODAY)]


# --- reading ---------------------------------------------------------------------------------


def test_a_picture_is_read_with_its_caption_size_and_bytes(shown: Path) -> None:
    put(shown, drawn())
    base = load(shown)
    assert Block("picture", "叶背的黄粉", NAME) in base.entries["pepper-rust"].details
    picture = base.pictures[NAME]
    assert (picture.width, picture.height) == (160, 120)
    assert (picture.media.mime, picture.media.content) == ("image/jpeg", drawn())
    assert spots(shown) == []


def test_where_only_text_can_be_shown_the_caption_stands() -> None:
    blocks = (Block("paragraph", "一"), Block("picture", "叶背", NAME), Block("item", "二"))
    assert plain(blocks) == "一\n【图：叶背】\n· 二"


@pytest.mark.parametrize("before", ["", "- 一条\n", "一段\n"])
def test_a_picture_ends_what_stands_above_it(base: Path, before: str) -> None:
    write_entry(base, body=f"{SHORT_ANSWER}\n\n{before}{LINE}\n后面一段\n")
    kinds = [block.kind for block in load(base).entries["pepper-rust"].details]
    assert kinds[-2:] == ["picture", "paragraph"]
    assert len(kinds) == 2 + bool(before)


def test_an_entry_may_not_open_with_a_picture(base: Path) -> None:
    write_entry(base, body=f"{LINE}\n\n{SHORT_ANSWER}\n\n{DETAILS}")
    assert place_of(only_problem_of(base)) == ("pepper-rust.md", 21, 1, "body")


def test_two_entries_may_share_a_picture_and_two_domains_a_name(shown: Path) -> None:
    spoil(shown / "sichuan-pepper" / "pepper-leaf-spot.md", "\n## 怎么办", f"{LINE}\n\n## 怎么办")
    write_domain(shown, "citrus")
    write_entry(shown, "rot", domain="citrus", body=f"{SHORT_ANSWER}\n\n{LINE}\n")
    other = "citrus/pepper-rust-1.jpg"
    put(shown, drawn())
    put(shown, drawn("PNG"), other)
    assert {name: one.media.mime for name, one in load(shown).pictures.items()} == {
        NAME: "image/jpeg",
        other: "image/png",  # by its bytes, whatever its name says
    }


def test_a_picture_of_a_draft_is_not_served(base: Path) -> None:
    draft = {"status": "draft", "by": None, "on": None}
    write_entry(base, reviewed=draft, body=f"{SHORT_ANSWER}\n\n{LINE}\n")
    put(base, drawn())
    assert load(base).pictures == {}
    assert [rule for _, _, rule, _ in spots(base)] == ["draft"]


@pytest.mark.parametrize("content", [None, b"", b"no picture", drawn()[:-9], b"x" * 2**21])
def test_a_picture_that_cannot_be_shown_takes_no_answer_away(
    shown: Path, content: bytes | None
) -> None:
    if content is not None:
        put(shown, content)
    base = load(shown)
    assert base.pictures == {}
    assert "【图：叶背的黄粉】" in plain(base.entries["pepper-rust"].details)


def test_a_changed_picture_changes_revision_digest_and_fingerprint(shown: Path) -> None:
    watch = Watch(shown)
    seen = {(load(shown).revision, None, watch.fingerprint())}
    for end in (b"1", b"2", b"3"):  # far behind what is read of an entry's text
        put(shown, drawn() + b"x" * 200_000 + end)
        base = load(shown)
        seen.add((base.revision, base.pictures[NAME].digest, watch.fingerprint()))
    assert [len(set(column)) for column in zip(*seen, strict=True)] == [4, 4, 4]


def test_the_room_loads_no_image_library() -> None:
    code = "import sys, bot.knowledge; sys.exit('PIL' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# --- files -----------------------------------------------------------------------------------


def test_a_file_that_no_entry_uses_is_a_warning(shown: Path) -> None:
    put(shown, drawn())
    put(shown, drawn(), "sichuan-pepper/pepper-rust-2.jpg")
    (shown / "sichuan-pepper" / "pictures" / "old").mkdir()
    folder = FILE.rpartition("/")[0]
    assert spots(shown) == [
        (f"{folder}/old", 1, "unused-picture", "warning"),
        (f"{folder}/pepper-rust-2.jpg", 1, "unused-picture", "warning"),
    ]


def test_a_file_in_place_of_the_folder_is_stray(base: Path) -> None:
    (base / "sichuan-pepper" / "pictures").write_bytes(b"")
    assert [rule for _, _, rule, _ in spots(base)] == ["stray"]


def _linked(path: Path, target: Path) -> None:
    target.write_bytes(drawn())
    path.symlink_to(target)


def _folder_linked(path: Path, target: Path) -> None:
    path.parent.rmdir()
    target.mkdir()
    (target / path.name).write_bytes(drawn())
    path.parent.symlink_to(target)


ODD = {
    "a link out of the folder": _linked,
    "a folder that is a link out of the folder": _folder_linked,
    "a link to nowhere": lambda path, target: path.symlink_to(target),
    "a ring of links": lambda path, _: path.symlink_to(path),
    "a pipe": lambda path, _: os.mkfifo(path),
    "a folder": lambda path, _: path.mkdir(),
}


@pytest.mark.parametrize("make", ODD.values(), ids=ODD)
def test_a_picture_that_is_no_file_of_ours_is_refused_once(shown: Path, tmp_path, make) -> None:
    path = shown / "sichuan-pepper" / "pictures" / "pepper-rust-1.jpg"
    path.parent.mkdir()
    make(path, tmp_path / "outside")
    assert [place_of(one) for one in problems_of(shown)] == [(path.name, 1, 1, "file")]
    assert spots(shown) == [(FILE, 1, "file", "error")]


def test_a_link_to_a_picture_inside_the_folder_is_followed(shown: Path) -> None:
    path = put(shown, drawn())
    path.rename(path.with_name("pepper-rust-2.jpg"))
    path.symlink_to(path.with_name("pepper-rust-2.jpg"))
    assert NAME in load(shown).pictures


# --- rules -----------------------------------------------------------------------------------

GOOD = {
    "a JPEG": drawn(),
    "a progressive JPEG": drawn(progressive=True),
    "a JPEG with a comment": drawn(comment=b"\xff\xc0" * 99),
    "a JPEG with something behind it": drawn() + b"SEFT",
    "a PNG": drawn("PNG"),
    "the largest sides": drawn(size=(2000, 500)),
    "the largest file": drawn() + b"x" * (2**20 - len(drawn())),
}
BAD = {
    "missing": (None, "picture-missing", "error", "sichuan-pepper/pictures/"),
    "empty": (b"", "picture-kind", "error", "画图"),
    "another kind": (drawn("WEBP"), "picture-kind", "error", "画图"),
    "a JPEG not copied to its end": (drawn()[:-2], "picture-kind", "error", "画图"),
    "a PNG not copied to its end": (drawn("PNG")[:-1], "picture-kind", "error", "画图"),
    "only a beginning": (b"\xff\xd8\xff", "picture-kind", "error", "画图"),
    "too many bytes": (grainy(600, 600), "picture-too-large", "error", "微信"),
    "too wide": (drawn(size=(2001, 900)), "picture-too-large", "error", "1600"),
    "too high": (drawn("PNG", (900, 2001)), "picture-too-large", "error", "1600"),
    "a strip": (drawn(size=(801, 200)), "picture-narrow", "warning", "裁掉"),
    "a place in it": (drawn(exif=b"Exif\0\0" + b"x" * 9), "picture-exif", "warning", "微信"),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_a_good_picture_is_no_problem(shown: Path, content: bytes) -> None:
    put(shown, content)
    assert spots(shown) == []


@pytest.mark.parametrize("case", BAD.values(), ids=BAD)
def test_a_bad_picture_is_told_at_its_line(shown: Path, case: tuple) -> None:
    content, rule, level, mend = case
    (shown / "sichuan-pepper" / "pictures").mkdir()
    if content is not None:
        put(shown, content)
    assert spots(shown) == [(RUST, 27, rule, level)]
    assert mend in check(shown, TODAY)[0].mend


def test_sizes_are_those_that_an_image_library_finds() -> None:
    chance = random.Random(7)
    for _ in range(60):
        size = chance.randrange(1, 90), chance.randrange(1, 90)
        mode = chance.choice(["RGB", "L", "CMYK"])
        target = io.BytesIO()
        kind = chance.choice(["JPEG", "PNG"]) if mode != "CMYK" else "JPEG"
        Image.new(mode, size).save(target, kind, optimize=chance.random() < 0.5)
        found = pictures.look(target.getvalue())
        assert found
        assert (found.width, found.height) == size


def test_ruined_pictures_raise_nothing() -> None:
    chance = random.Random(11)
    for whole in (drawn(), drawn("PNG"), drawn(progressive=True, comment=b"\xff" * 50)):
        for _ in range(400):
            ruined = bytearray(whole[: chance.randrange(len(whole) + 1)])
            for _ in range(chance.randrange(4) if ruined else 0):
                ruined[chance.randrange(len(ruined))] = chance.randrange(256)
            found = pictures.look(bytes(ruined))
            assert found is None or found.width * found.height
