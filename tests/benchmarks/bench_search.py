"""Starts, one question, and a crowd of askers, beside plain sentence-transformers in one run.

    python -m tests.benchmarks.bench_search --questions FILE… [--json OUT] [--most 60] [--rounds 3]

The plain side is `SentenceTransformer.encode` on torch, one question at a time, with the same model
and as many threads. The sides take turns, so a busy machine slows both alike. No question of a
crowd comes twice, so recent vectors help nobody.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from argparse import ArgumentParser
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle, islice
from pathlib import Path
from threading import Lock

import numpy as np
import torch
from sentence_transformers import SentenceTransformer

from bot.app.compose import Core, build_core, open_embedder
from bot.config import load as load_config
from bot.retrieval.batching import BatchingEmbedder
from bot.retrieval.bundled import TORCH, unpack
from bot.retrieval.question_files import read_trials

ROOT = Path(__file__).resolve().parents[2]
ASKERS = 64
CROWD, TEXTS = 256, 1000  # questions a crowd asks; texts encoded at once

START = """
import time; began = time.perf_counter()
import json, sys; from pathlib import Path
from bot.app.compose import build_core
from bot.config import load
core = build_core(load(Path(sys.argv[1]), {}), lambda _what: lambda _done, _total: None)
core.rehearsal().say("花椒叶子背面一层黄粉粉")
seconds = time.perf_counter() - began
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
resident, most = (int(status[name].split()[0]) // 1024 for name in ("VmRSS", "VmHWM"))
print(json.dumps({"s": round(seconds, 2), "mb": resident, "most_mb": most,
                  "has_torch": "torch" in sys.modules}))
"""


def silent(_what):
    return lambda _done, _total: None


def start(home: Path) -> dict:
    """A new process from its first line to its first decision, and its memory then."""
    command = [sys.executable, "-c", START, str(home)]
    done = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return json.loads(done.stdout.splitlines()[-1])


def seconds_of(action, *arguments) -> float:
    began = time.perf_counter()
    action(*arguments)
    return time.perf_counter() - began


def in_turns(ways: dict, rounds: list) -> dict[str, list[float]]:
    """The seconds that every way takes for every round, the ways in turn."""
    taken = {name: [] for name in ways}
    for one in rounds:
        for name, way in ways.items():
            taken[name].append(seconds_of(way, one))
    return taken


def in_milliseconds(seconds: list[float]) -> dict[str, float]:
    p50, p95 = np.percentile(np.array(seconds) * 1000, [50, 95])
    return {"p50_ms": round(float(p50), 2), "p95_ms": round(float(p95), 2)}


class Sides:
    """The plain side and ours, loaded in one process."""

    def __init__(self, home: Path) -> None:
        config = load_config(home, {})
        folder = unpack(config.data / "models" / TORCH.folder, TORCH)
        self.torch = SentenceTransformer(str(folder), local_files_only=True)
        torch.set_num_threads(len(os.sched_getaffinity(0)))
        self.embedder = open_embedder(config, silent)._embedder  # without the recent ones
        self.core: Core = build_core(config, silent)

    def encode(self, texts: list[str], prefix: str = "query: ") -> np.ndarray:
        texts = [prefix + text for text in texts]
        return self.torch.encode(texts, normalize_embeddings=True, show_progress_bar=False)


def measure_questions(sides: Sides, questions: list[str], rounds: int) -> dict:
    ways = {
        "encode_torch": lambda text: sides.encode([text]),
        "embedder": lambda text: sides.embedder.queries([text]),
        "search": lambda text: sides.core.library.search(f"{text}{time.perf_counter_ns() % 10}"),
        "decision": lambda text: sides.core.rehearsal().say(f"{time.perf_counter_ns() % 10}{text}"),
    }
    in_turns(ways, questions[:3])  # the first calls are slow
    taken = in_turns(ways, questions * rounds)
    return {name: in_milliseconds(seconds) for name, seconds in taken.items()}


def measure_crowd(sides: Sides, questions: list[str], rounds: int) -> dict:
    """Questions a second of 64 threads that all ask at once; the median of `rounds`."""

    def of_the_crowd(ask):
        def all_ask(texts: list[str]) -> None:
            with ThreadPoolExecutor(ASKERS) as pool:
                list(pool.map(ask, texts))

        return all_ask

    one_by_one = Lock()  # its tokenizer is not for several threads

    def encode(text: str) -> None:
        with one_by_one:
            sides.encode([text])

    batching = BatchingEmbedder(sides.embedder)
    ways = {
        "encode_torch": of_the_crowd(encode),
        "embedder_one_by_one": of_the_crowd(lambda text: sides.embedder.queries([text])),
        "embedder_batched": of_the_crowd(lambda text: batching.queries([text])),
    }
    crowds = [
        [f"{text}{number}" for number, text in enumerate(islice(cycle(questions), CROWD))]
        for questions in ([f"{n}，{text}" for text in questions] for n in range(rounds))
    ]
    taken = in_turns(ways, crowds)
    return {name: round(CROWD / float(np.median(seconds)), 1) for name, seconds in taken.items()}


def measure_encoding(sides: Sides, rounds: int) -> dict:
    """Texts of the knowledge base a second, as a first start encodes them."""
    entries = sides.core.bookshelf.retriever.index.base.entries.values()
    texts = [text for entry in entries for text in (*entry.questions, entry.short_answer)]
    some = sorted(texts[:: max(1, len(texts) // TEXTS)], key=len)
    ways = {
        "encode_torch": lambda texts: sides.encode(texts, "passage: "),
        "embedder": sides.embedder.passages,
    }
    taken = in_turns(ways, [some] * rounds)
    return {name: round(len(some) / min(seconds), 1) for name, seconds in taken.items()}


def measure(questions: list[str], rounds: int) -> dict:
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder)
        for part in ("knowledge", "config"):
            shutil.copytree(ROOT / part, home / part)
        cold = start(home)
        warm = sorted((start(home) for _ in range(3)), key=lambda one: one["s"])[1]
        sides = Sides(home)
        return {
            "machine": {"cpus": os.cpu_count(), "load": os.getloadavg()[0]},
            "start": {"cold": cold, "warm": warm},
            "one_question": measure_questions(sides, questions, rounds),
            "crowd_per_second": measure_crowd(sides, questions, rounds),
            "texts_per_second": measure_encoding(sides, rounds),
        }


def table(result: dict) -> str:
    def of_start(one: dict) -> str:
        return f"{one['s']:.1f} s, {one['mb']} MB"

    rows = [
        ("start, nothing unpacked or encoded", of_start(result["start"]["cold"])),
        ("start, model and vectors kept", of_start(result["start"]["warm"])),
        *(
            (f"one question, {name}, p50 / p95", f"{one['p50_ms']} / {one['p95_ms']} ms")
            for name, one in result["one_question"].items()
        ),
        *(
            (f"{ASKERS} askers, {name}", f"{rate} questions/s")
            for name, rate in result["crowd_per_second"].items()
        ),
        *(
            (f"all knowledge, {name}", f"{rate} texts/s")
            for name, rate in result["texts_per_second"].items()
        ),
    ]
    return "\n".join(f"{name:<44}{value:>24}" for name, value in rows)


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
