"""How long `tianwen check` takes, and how soon the answer that staff change is the one given.

    python -m tests.benchmarks.bench_check [--rounds 9] [--json OUT]

The check is a new process, as staff start it, with Python's compiled files kept as any second start
finds them; beside it stands the same process when it only loads what the check needs. The edits are
of one entry each, in a copy of the shipped folder, with the bundled model: what the reader needs
anew and with what it remembers, and all that happens until the new index serves.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from collections.abc import Callable
from pathlib import Path
from statistics import median

from bot.app.calendar import now
from bot.app.compose import build_core
from bot.config import load as load_config
from bot.knowledge import Reader, load
from tests.benchmarks.bench_search import silent
from tests.conftest import ROOT

PHRASING = "椒树叶子背面起黄粉粉，第{}回问"


def seconds_of(action: Callable[[], object]) -> float:
    began = time.perf_counter()
    action()
    return time.perf_counter() - began


def measure_check(home: Path, rounds: int) -> dict[str, list[float]]:
    """Both in turn, so a busy machine slows both alike; the first of each fills the caches."""
    kept = os.environ | {"PYTHONPYCACHEPREFIX": str(home / "compiled")}
    kept.pop("PYTHONDONTWRITEBYTECODE", None)
    commands = {
        "check": ["-m", "bot", "--home", str(home), "check", "--quiet"],
        "check_imports": ["-c", "import bot.__main__, bot.app.staff"],
    }
    taken: dict[str, list[float]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, arguments in commands.items():
            command = [sys.executable, *arguments]
            taken[name].append(
                seconds_of(
                    lambda command=command: subprocess.run(
                        command, cwd=ROOT, env=kept, check=True, capture_output=True
                    )
                )
            )
    return {name: seconds[1:] for name, seconds in taken.items()}


def measure_edits(home: Path, rounds: int) -> dict[str, list[float]]:
    core = build_core(load_config(home, {}), silent)
    reader = Reader(core.config.knowledge)
    reader.load()
    entry = core.config.knowledge / "sichuan-pepper" / "pepper-rust.md"
    ways: dict[str, Callable[[], object]] = {
        "read_anew": lambda: load(core.config.knowledge),
        "read_what_changed": reader.load,
        "edit_until_served": lambda: core.bookshelf.refresh(now()),
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for number in range(rounds):
        new = f"questions:\n  - {PHRASING.format(number)}\n"
        text = entry.read_text(encoding="utf-8").replace("questions:\n", new, 1)
        entry.write_text(text, encoding="utf-8")
        for name, way in ways.items():
            taken[name].append(seconds_of(way))
    served = core.bookshelf.retriever.index.base.entries["pepper-rust"].questions
    assert served[0] == PHRASING.format(rounds - 1), "the last edit is not served"
    return taken


def measure(rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for part in ("knowledge", "config"):
            shutil.copytree(ROOT / part, home / part)
        taken = measure_check(home, rounds) | measure_edits(home, rounds)
        entries = load(home / "knowledge").entries.values()
    return {
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0]},
        "entries": len(entries),
        "phrasings": sum(len(entry.questions) for entry in entries),
        **{
            name: {"median_s": round(median(seconds), 3), "best_s": round(min(seconds), 3)}
            for name, seconds in taken.items()
        },
    }


def table(result: dict) -> str:
    titles = {
        "check": "tianwen check",
        "check_imports": "  of that, starting Python and loading",
        "read_anew": "reading the whole folder",
        "read_what_changed": "reading it again after an edit",
        "edit_until_served": "an edit until it is served",
    }
    head = f"{result['entries']} entries, {result['phrasings']} phrasings, load {{load:.1f}}"
    rows = [f"{head.format(**result['machine']):<44}{'median':>10}{'best':>10}"]
    for name, title in titles.items():
        seconds = result[name]
        rows.append(f"{title:<44}{seconds['median_s']:>8.2f} s{seconds['best_s']:>8.2f} s")
    return "\n".join(rows)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    result = measure(options.rounds)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
