"""Two hundred seeded ways to ruin the folder: load always ends in a base or in a list of mends."""

import random
import shutil
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from bot.domain import Problem
from bot.errors import KnowledgeError
from bot.knowledge import check, fingerprint, load
from tests.knowledge.builders import TODAY, write_base
from tests.knowledge.ordinary_user import as_an_ordinary_user, make_reachable

Chance = random.Random


def _truncate(path: Path, chance: Chance) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: chance.randrange(len(content))])


def _swap(path: Path, chance: Chance) -> None:
    content = bytearray(path.read_bytes())
    for _ in range(chance.randint(1, 8)):
        one, other = chance.randrange(len(content)), chance.randrange(len(content))
        content[one], content[other] = content[other], content[one]
    path.write_bytes(content)


def _flip(path: Path, chance: Chance) -> None:
    content = bytearray(path.read_bytes())
    content[chance.randrange(len(content))] = chance.randrange(256)
    path.write_bytes(content)


def _wrong_type(path: Path, chance: Chance) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    keys = [number for number, line in enumerate(lines) if line[:1].isalpha() and ": " in line]
    number = chance.choice(keys)
    wrongs = [
        "",
        "[]",
        "{}",
        "12",
        "[[1], {a: b}]",
        "{x: [y]}",
        "true",
        "2027-01-01",
        "&a *a",
        "? x",
    ]
    lines[number] = f"{lines[number].partition(':')[0]}: {chance.choice(wrongs)}"
    path.write_text("\n".join(lines), encoding="utf-8")


def _tab(path: Path, chance: Chance) -> None:
    text = path.read_text(encoding="utf-8")
    spaces = [index for index, letter in enumerate(text) if letter in " \n"]
    index = chance.choice(spaces)
    path.write_text(f"{text[:index]}\t{text[index:]}", encoding="utf-8")


def _double_line(path: Path, chance: Chance) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    number = chance.randrange(len(lines))
    path.write_text("\n".join([*lines[:number], lines[number], *lines[number:]]), encoding="utf-8")


def _lose_line(path: Path, chance: Chance) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    del lines[chance.randrange(len(lines))]
    path.write_text("\n".join(lines), encoding="utf-8")


def _huge(path: Path, chance: Chance) -> None:
    path.write_bytes(path.read_bytes() * chance.choice([50, 5_000]))


def _binary(path: Path, chance: Chance) -> None:
    path.write_bytes(chance.randbytes(chance.choice([1, 100, 60_000])))


def _empty(path: Path, chance: Chance) -> None:
    path.write_bytes(chance.choice([b"", b"\n", b"---\n---\n", b"---", b"---\n\n---\n\n"]))


def _deep(path: Path, chance: Chance) -> None:
    depth = chance.choice([50, 2_000, 30_000])
    nest = chance.choice(["[" * depth, "{a: " * depth, "[" * depth + "]" * depth, "- " * depth])
    _into_front(path, f"season: {nest}" if nest[0] != "-" else f"x:\n  {nest}")


def _bomb(path: Path, chance: Chance) -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [
        f"a{number}: &a{number} [" + ", ".join([f"*a{number - 1}"] * 9) + "]"
        for number in range(1, chance.randint(2, 40))
    ]
    _into_front(path, "\n".join(lines))


def _odd_yaml(path: Path, chance: Chance) -> None:
    odd = [
        "!!python/object/apply:os.system [ls]",
        "%TAG ! x",
        "<<: *x",
        "? [a, b]\n: c",
        "x: !!binary A",
    ]
    _into_front(
        path, chance.choice([*odd, "'", '"\\', "...", "a: b: c", ": ", "@", "x: |\n\n", "- - -"])
    )


def _odd_body(path: Path, chance: Chance) -> None:
    marks = ["*", "#", "-", "`", "|", "<", "[", "](", "![", "_", "&#", ">", "\n", " ", "字"]
    with path.open("a", encoding="utf-8") as file:
        file.write("".join(chance.choices(marks, k=chance.choice([10, 15_000]))))


def _gone(path: Path, chance: Chance) -> None:
    match chance.randrange(5):
        case 0:
            shutil.rmtree(path.parent)
        case 1:
            shutil.rmtree(path.parent.parent)
        case 2:
            path.unlink()
        case 3:
            path.unlink()
            path.mkdir()
        case _:
            path.rename(path.with_name("Neu (1).md"))


def _closed(path: Path, chance: Chance) -> None:
    chance.choice([path, path.parent, path.parent.parent]).chmod(0)


def _into_front(path: Path, text: str) -> None:
    lines = path.read_text(encoding="utf-8").split("\n")
    path.write_text("\n".join([lines[0], lines[1], text, *lines[2:]]), encoding="utf-8")


MUTATIONS: tuple[Callable[[Path, Chance], None], ...] = (
    _truncate, _swap, _flip, _wrong_type, _tab, _double_line, _lose_line, _huge, _binary, _empty,
    _deep, _bomb, _odd_yaml, _odd_body, _gone, _closed,
)  # fmt: skip


@pytest.mark.parametrize("seed", range(208))
def test_a_ruined_file_ends_in_a_base_or_in_mends(tmp_path: Path, seed: int) -> None:
    base = write_base(tmp_path)
    chance = random.Random(seed)
    names = ["pepper-rust.md", "pepper-rust.md", "pepper-leaf-spot.md", "_domain.yaml"]
    MUTATIONS[seed % len(MUTATIONS)](base / "sichuan-pepper" / chance.choice(names), chance)
    make_reachable(tmp_path)
    with as_an_ordinary_user():
        start = time.perf_counter()
        problems = _problems(base)
        assert time.perf_counter() - start < 2
        found = check(base, TODAY)
        assert fingerprint(base)
    assert problems != ()
    assert set(problems or ()) <= set(found)
    for problem in found:
        assert problem.path.startswith("knowledge")
        assert min(problem.line, problem.column) >= 1
        assert problem.message
        assert problem.mend


def _problems(base: Path) -> tuple[Problem, ...] | None:
    """Why load refuses; None where it gives a base. Anything else it does fails the test."""
    try:
        assert load(base).entries
    except KnowledgeError as error:
        return error.problems
    return None


def test_most_ruins_are_refused(tmp_path: Path) -> None:
    """A guard for the test above: mutations that change nothing would prove nothing."""
    refused = 0
    for seed in range(len(MUTATIONS) * 4):
        base = write_base(tmp_path / str(seed))
        path = base / "sichuan-pepper" / "pepper-rust.md"
        MUTATIONS[seed % len(MUTATIONS)](path, random.Random(seed))
        make_reachable(base.parent)
        with as_an_ordinary_user():
            refused += _problems(base) is not None
    assert refused > len(MUTATIONS) * 3
