"""How long a start takes, and a question until its decision, beside a plain search loop.

    python -m tests.benchmarks.bench_search --questions FILE… [--json OUT] [--most 60] [--rounds 3]

The plain loop is sentence-transformers' `encode` and a FAISS IndexFlatIP with the same model and
the same texts; both take the same questions in turn, so a busy machine slows both alike.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from pathlib import Path

import faiss
import numpy as np
from sentence_transformers import SentenceTransformer

from bot.app.compose import MODEL_FOLDER, Core, build_core
from bot.config import load as load_config
from bot.retrieval.question_files import read_trials

ROOT = Path(__file__).resolve().parents[2]
START = """
import time; began = time.perf_counter()
import sys; from pathlib import Path
from tests.benchmarks.bench_search import open_core
open_core(Path(sys.argv[1])).rehearsal().say("花椒叶子背面一层黄粉粉")
print(time.perf_counter() - began)
"""


def open_core(home: Path) -> Core:
    return build_core(load_config(home, {}), lambda _what: lambda _done, _total: None)


def start(home: Path) -> float:
    """Seconds of a new process from its first line to its first decision."""
    command = [sys.executable, "-c", START, str(home)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return float(done.stdout.splitlines()[-1])


class PlainLoop:
    """What a page of documentation would have one write."""

    def __init__(self, model: Path, texts: list[str]) -> None:
        self._model = SentenceTransformer(str(model), local_files_only=True)
        passages = [f"passage: {text}" for text in texts]
        self._index = faiss.IndexFlatIP(self._model.get_embedding_dimension())
        self._index.add(self._model.encode(passages, normalize_embeddings=True))

    def search(self, text: str) -> list[int]:
        vector = self._model.encode([f"query: {text}"], normalize_embeddings=True)
        _, rows = self._index.search(vector, 10)
        return list(rows[0])


def seconds_of(action, text: str) -> float:
    began = time.perf_counter()
    action(text)
    return time.perf_counter() - began


def in_milliseconds(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


def measure_questions(home: Path, questions: list[str], rounds: int) -> dict[str, dict[str, float]]:
    core = open_core(home)
    base = core.bookshelf.retriever.index.base
    texts = [
        text
        for entry in base.entries.values()
        for text in (entry.title, *entry.questions, entry.short_answer)
    ]
    began = time.perf_counter()
    plain = PlainLoop(core.config.data / "models" / MODEL_FOLDER, texts)
    building = time.perf_counter() - began
    ways = {
        "tianwen_decision": lambda text: core.rehearsal().say(text),
        "tianwen_search": core.library.search,
        "plain_search": plain.search,
    }
    for way in ways.values():
        seconds_of(way, questions[0])  # the first call of each is slow
    taken = {name: [] for name in ways}
    for text in questions * rounds:
        for name, way in ways.items():
            taken[name].append(seconds_of(way, text))
    result = {name: in_milliseconds(seconds) for name, seconds in taken.items()}
    return result | {"plain_start": {"seconds": round(building, 2)}}


def measure(questions: list[str], rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for part in ("knowledge", "config"):
            shutil.copytree(ROOT / part, home / part)
        cold = start(home)
        warm = [start(home) for _ in range(3)]
        searches = measure_questions(home, questions, rounds)
    return {
        "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0]},
        "questions": len(questions) * rounds,
        "start": {"cold_s": round(cold, 2), "warm_s": round(sorted(warm)[1], 2)},
        **searches,
    }


def table(result: dict) -> str:
    rows = [
        ("start, nothing unpacked or encoded", f"{result['start']['cold_s']:.1f} s"),
        ("start, model and vectors kept", f"{result['start']['warm_s']:.1f} s"),
        ("start of the plain loop", f"{result['plain_start']['seconds']:.1f} s"),
        *(
            (f"{name}, p50 / p95", f"{result[name]['p50_ms']} / {result[name]['p95_ms']} ms")
            for name in ("tianwen_decision", "tianwen_search", "plain_search")
        ),
    ]
    return "\n".join(f"{name:<38}{value:>24}" for name, value in rows)


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--questions", nargs="+", type=Path, required=True)
    parser.add_argument("--most", type=int, default=60, help="questions taken, spread evenly")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    questions = [trial.messages[0] for trial in read_trials(options.questions)]
    spread = questions[:: -(-len(questions) // options.most)]
    result = measure(spread, options.rounds)
    print(table(result))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
