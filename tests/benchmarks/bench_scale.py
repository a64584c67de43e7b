"""Search over many more texts than we have: 100,000 exactly, a million by an inverted file.

    python -m tests.benchmarks.bench_scale [--home data-folder's home] [--json OUT]

The texts are halves of shipped phrasings put together anew, their vectors those of shipped texts
with noise, so that neighbours are as near as real ones. Search runs as the bot runs it (vectors,
characters, judge's signals) beside the encoder alone; the million is FAISS by itself, for the day
it is needed, with what it costs in memory, building and recall.
"""

import json
import random
import time
from argparse import ArgumentParser
from dataclasses import replace
from pathlib import Path

import faiss
import numpy as np

from bot.app.compose import build_core
from bot.config import load as load_config
from bot.domain import KnowledgeBase
from bot.retrieval.embedder import unit
from bot.retrieval.index import Index
from tests.benchmarks.bench_search import in_milliseconds, seconds_of, silent
from tests.conftest import ROOT

TEXTS, OWNED, MILLION = 100_000, 50, 1_000_000
ASKED, NEIGHBOURS = 200, 10
LISTS, PROBES = 1024, (8, 16, 32, 64, 128)
NOISE = 0.5  # of a vector's own length: neighbours are about as near as two phrasings of an entry


def noisy(vectors: np.ndarray, count: int, draw: np.random.Generator) -> np.ndarray:
    """Rows near to some of the vectors, of length 1."""
    size = vectors.shape[1]
    rows = vectors[draw.integers(len(vectors), size=count)]
    rows += draw.standard_normal(rows.shape, np.float32) * np.float32(NOISE / np.sqrt(size))
    return unit(rows)


def enlarged(base: KnowledgeBase, draw: random.Random) -> KnowledgeBase:
    """With as many entries as hold TEXTS texts, an entry's title, short answer and questions."""
    patterns = list(base.entries.values())
    phrasings = [text for entry in patterns for text in entry.questions]

    def phrasing() -> str:
        one, other = draw.choice(phrasings), draw.choice(phrasings)
        return one[: len(one) // 2] + other[len(other) // 2 :]

    def entry(number: int):
        pattern = draw.choice(patterns)
        questions = tuple(phrasing() for _ in range(OWNED - 2))
        return replace(pattern, id=f"made-{number:06}", questions=questions, details=())

    made = [entry(number) for number in range(TEXTS // OWNED)]
    return replace(base, entries={one.id: one for one in made}, unanswerable=())


def measure_exact(core, vectors: np.ndarray, draw: np.random.Generator) -> dict:
    shipped = core.bookshelf.retriever.index
    base = enlarged(shipped.base, random.Random(0))
    count = (
        sum(
            len(domain.out_of_scope) and sum(len(rule.questions) for rule in domain.out_of_scope)
            for domain in base.domains.values()
        )
        + TEXTS
    )
    began = time.perf_counter()
    index = Index(base, shipped.fingerprint, noisy(vectors, count, draw), core.bookshelf.plain)
    built = time.perf_counter() - began
    embedder = core.bookshelf._embedder
    asked = [text for entry in shipped.base.entries.values() for text in entry.questions[:1]]
    encoding, searching = [], []
    for text in asked[:ASKED]:
        encoding.append(seconds_of(lambda text=text: embedder.queries([f"{text}？"])))
        (query,) = embedder.queries([f"{text}？"])  # a recent one: the search alone is timed
        searching.append(seconds_of(lambda text=text, query=query: index.weigh(query, text)))
    return {
        "texts": len(index),
        "build_s": round(built, 1),
        "encode": in_milliseconds(encoding),
        "search_above_it": in_milliseconds(searching),
    }


def measure_million(vectors: np.ndarray, draw: np.random.Generator) -> dict:
    rows, queries = noisy(vectors, MILLION, draw), noisy(vectors, ASKED, draw)
    flat = faiss.IndexFlatIP(rows.shape[1])
    flat.add(rows)
    _, truth = flat.search(queries, NEIGHBOURS)
    exact = [seconds_of(flat.search, query[None], NEIGHBOURS) for query in queries[:20]]
    began = time.perf_counter()
    quantizer = faiss.IndexFlatIP(rows.shape[1])
    inverted = faiss.IndexIVFFlat(quantizer, rows.shape[1], LISTS, faiss.METRIC_INNER_PRODUCT)
    inverted.train(rows[:: MILLION // (40 * LISTS)])
    inverted.add(rows)
    built = time.perf_counter() - began
    found = {}
    for inverted.nprobe in PROBES:
        taken = [seconds_of(inverted.search, query[None], NEIGHBOURS) for query in queries]
        _, near = inverted.search(queries, NEIGHBOURS)
        hits = [len(set(one) & set(other)) for one, other in zip(near, truth, strict=True)]
        recall = round(float(np.mean(hits)) / NEIGHBOURS, 4)
        found[str(inverted.nprobe)] = {"recall": recall} | in_milliseconds(taken)
    return {
        "vectors": MILLION,
        "mb": rows.nbytes >> 20,
        "build_s": round(built, 1),
        "exact": in_milliseconds(exact),
        "inverted_by_lists_probed": found,
    }


def main() -> None:
    parser = ArgumentParser(description=__doc__)
    parser.add_argument("--home", type=Path, default=ROOT)
    parser.add_argument("--json", type=Path)
    options = parser.parse_args()
    core = build_core(load_config(options.home, {}), silent)
    with np.load(core.config.data / "vectors.npz") as kept:
        vectors = max((kept[name] for name in kept.files), key=lambda each: each.size)
    draw = np.random.default_rng(0)
    vectors = vectors.astype(np.float32)
    result = {"exact": measure_exact(core, vectors, draw)}
    print(json.dumps(result, indent=1), flush=True)
    result["million"] = measure_million(vectors, draw)
    print(json.dumps(result["million"], indent=1))
    if options.json:
        options.json.write_text(json.dumps(result, indent=1) + "\n")


if __name__ == "__main__":
    main()
