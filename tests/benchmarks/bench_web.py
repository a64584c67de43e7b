"""Questions a second through the farmers' page, durable writes included, beside a bare loop.

    python -m tests.benchmarks.bench_web [--seconds 20] [--askers 1 16 64] [--json OUT]

A real `tianwen serve` with the bundled model; each asker posts a question and reads the page's live
stream until the reply is there. The bare loop is sentence-transformers' `encode` + FAISS with the
same model and texts, one question at a time, in the same run. Nothing is tuned for the benchmark
but `trusted_proxies`, so that askers have addresses of their own, as villages have.
"""

import asyncio
import json
import re
import statistics
import tempfile
import time
from argparse import ArgumentParser, Namespace
from dataclasses import asdict, dataclass
from itertools import count
from pathlib import Path
from uuid import uuid4

import faiss
import httpx
import numpy as np
from sentence_transformers import SentenceTransformer

from bot.app.compose import build_core
from bot.config import load
from bot.retrieval.bundled import TORCH, unpack
from tests.conftest import ROOT
from tests.walk.homes import furnish
from tests.walk.processes import Serving

PER_SESSION = 10  # below the burst that one session may send
DATA = ROOT / "data"


@dataclass(frozen=True, slots=True)
class Result:
    askers: int
    answered: int
    per_second: float
    p50_ms: float
    p95_ms: float


class Asker:
    """A farmer with the page open; a new one comes every few questions."""

    _numbers = count(1)

    def __init__(self, url: str, questions: list[str]) -> None:
        self._url = url
        self._questions = questions
        self.seconds: list[float] = []

    async def ask_until(self, end: float) -> None:
        while time.perf_counter() < end:
            number = next(self._numbers)
            address = f"10.{number // 65536 % 256}.{number // 256 % 256}.{number % 256}"
            headers = {"X-Forwarded-For": address, "accept": "application/json"}
            async with httpx.AsyncClient(
                base_url=self._url, headers=headers, timeout=60, trust_env=False
            ) as http:
                await self._sit_down(http, number, end)

    async def _sit_down(self, http: httpx.AsyncClient, number: int, end: float) -> None:
        page = (await http.get("/", headers={"accept": "text/html"})).text
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found
        async with http.stream("GET", "/events") as live:
            lines = live.aiter_lines()
            for turn in range(PER_SESSION):
                if time.perf_counter() >= end:
                    return
                text = self._questions[(number * PER_SESSION + turn) % len(self._questions)]
                began = time.perf_counter()
                form = {"csrf": found[1], "uid": str(uuid4()), "text": text}
                (await http.post("/send", data=form)).raise_for_status()
                await _reply(lines)
                self.seconds.append(time.perf_counter() - began)


async def _reply(lines) -> None:
    """Read the stream until a line of the bot's side."""
    async for line in lines:
        if line.startswith("data:") and json.loads(line[5:]).get("side") == "bot":
            return
    raise AssertionError("the stream ended")


async def measure(url: str, askers: int, seconds: float, questions: list[str]) -> Result:
    end = time.perf_counter() + seconds
    crowd = [Asker(url, questions) for _ in range(askers)]
    began = time.perf_counter()
    await asyncio.gather(*(asker.ask_until(end) for asker in crowd))
    passed = time.perf_counter() - began
    times = sorted(one for asker in crowd for one in asker.seconds)
    return Result(
        askers,
        len(times),
        round(len(times) / passed, 2),
        round(1000 * statistics.median(times), 1),
        round(1000 * times[int(len(times) * 0.95)], 1),
    )


def bare_loop(model: str, questions: list[str], texts: list[str], seconds: float) -> float:
    """Questions a second of encode + search, one at a time, nothing stored."""
    encoder = SentenceTransformer(model, local_files_only=True)
    passages = encoder.encode([f"passage: {text}" for text in texts], normalize_embeddings=True)
    flat = faiss.IndexFlatIP(passages.shape[1])
    flat.add(np.asarray(passages, np.float32))
    end, done = time.perf_counter() + seconds, 0
    while time.perf_counter() < end:
        text = f"query: {questions[done % len(questions)]}"
        query = encoder.encode([text], normalize_embeddings=True)
        flat.search(np.asarray(query, np.float32), 10)
        done += 1
    return round(done / seconds, 2)


async def serve_and_measure(options: Namespace, questions: list[str]) -> list[Result]:
    with tempfile.TemporaryDirectory() as folder:
        home = furnish(
            Path(folder) / "home",
            embedder={"model": "bundled"},
            data=str(DATA),
            web={"trusted_proxies": ["127.0.0.1"]},
        )
        database = f"sqlite:///{folder}/bench.db"
        serving = Serving(home, database, log=Path(folder) / "log", token="")
        serving.start()
        try:
            await serving.is_open()
            await measure(serving.url, 1, 3, questions)  # warm
            return [
                await measure(serving.url, askers, options.seconds, questions)
                for askers in options.askers
            ]
        finally:
            await serving.stop()


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--askers", type=int, nargs="+", default=[1, 16, 64])
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    core = build_core(load(ROOT, {}), lambda _what: lambda _done, _total: None)
    entries = core.bookshelf.retriever.index.base.entries.values()
    texts = [text for entry in entries for text in (entry.title, *entry.questions)]
    questions = [question for entry in entries for question in entry.questions[::4]]
    model = str(unpack(DATA / "models" / TORCH.folder, TORCH))
    bare = bare_loop(model, questions, texts, options.seconds)
    results = asyncio.run(serve_and_measure(options, questions))
    print(f"bare loop, no web and no store: {bare} questions/s")
    for one in results:
        print(
            f"{one.askers:3d} askers: {one.per_second:7.2f} questions/s, "
            f"p50 {one.p50_ms:.0f} ms, p95 {one.p95_ms:.0f} ms ({one.answered} answered)"
        )
    if options.json:
        content = {"bare_per_second": bare, "web": [asdict(one) for one in results]}
        options.json.write_text(json.dumps(content, indent=1) + "\n")


if __name__ == "__main__":
    main()
