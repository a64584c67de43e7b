"""The house rules, checked by the tools that state them: one command for people and CI."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

import pytest

from bot.__main__ import _parser
from bot.config import SettingsShape
from tests.conftest import ROOT

MODULES = sorted((ROOT / "bot").rglob("*.py"))
TOOLS = Path(sys.executable).parent


@pytest.mark.parametrize(
    "command",
    [["ruff", "check"], ["ruff", "format", "--check"], ["mypy"], ["lint-imports"]],
    ids=" ".join,
)
def test_the_tool_finds_nothing(command):
    done = subprocess.run(
        [TOOLS / command[0], *command[1:]], cwd=ROOT, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    kinds = (ast.FunctionDef, ast.AsyncFunctionDef)
    return [node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, kinds)]


def length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    return (function.end_lineno or 0) - function.lineno + 1


def test_functions_are_short_and_modules_fit_in_a_sitting():
    sizes = {
        f"{path.relative_to(ROOT)}:{function.name}": length(function)
        for path in MODULES
        for function in functions(path)
    }
    assert {name: size for name, size in sizes.items() if size > 40} == {}
    assert median(sizes.values()) <= 9
    assert sum(size <= 25 for size in sizes.values()) / len(sizes) >= 0.9
    lines = {str(path.relative_to(ROOT)): len(path.read_text().splitlines()) for path in MODULES}
    long = {name: count for name, count in lines.items() if count > 350}
    assert set(long) <= {"bot/domain.py"}, long  # the nouns stand together


def test_async_appears_only_at_the_rim():
    inner = [
        path
        for path in MODULES
        if not {"app", "channels"} & set(path.parts) and path.stem not in {"delivery", "web"}
    ]
    assert [path.name for path in inner if "async def" in path.read_text()] == []


def test_every_module_says_in_one_sentence_what_it_is():
    silent = [path for path in MODULES if not ast.get_docstring(ast.parse(path.read_text()))]
    assert [path for path in silent if "migrations" not in path.parts] == []


def commands() -> list[str]:
    choices = next(action.choices for action in _parser()._actions if action.dest == "command")
    return list(choices)


def settings() -> list[str]:
    found = []
    for name, field in SettingsShape.model_fields.items():
        inner = getattr(field.annotation, "model_fields", {})
        found += [name, *inner]
    return found


@pytest.mark.parametrize("readme", ["README.md", "README.zh-CN.md"])
def test_the_readme_names_every_command(readme):
    text = (ROOT / readme).read_text()
    assert [name for name in commands() if f"tianwen {name}" not in text] == []


def test_the_shipped_settings_show_every_setting():
    text = (ROOT / "config" / "settings.yaml").read_text()
    assert [name for name in settings() if f"{name}:" not in text] == []


def test_the_map_in_the_readme_names_every_room():
    text = (ROOT / "README.md").read_text()
    rooms = [path for path in (ROOT / "bot").iterdir() if not path.name.startswith("__")]
    names = [f"bot/{path.name}{'/' if path.is_dir() else ''}" for path in rooms]
    assert [name for name in names if name not in text] == []


def test_variables_of_the_environment_are_documented():
    text = (ROOT / "README.md").read_text()
    code = "".join(path.read_text() for path in MODULES)
    names = set(re.findall(r"TIANWEN_[A-Z]+(?:_[A-Z]+)*", code)) - {"TIANWEN_TEST_MODEL_DIR"}
    assert {name for name in names if name not in text} == set()


def test_the_top_level_holds_nothing_but_what_it_should():
    tracked = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    ).stdout.splitlines()
    tops = {name.split("/")[0] for name in tracked}
    assert tops <= {
        ".ci", ".gitignore", "LICENSE", "README.md", "README.zh-CN.md", "bot", "config",
        "knowledge", "pyproject.toml", "tests",
    }  # fmt: skip
