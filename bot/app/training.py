"""The command `tianwen train`: adapts the encoder to the knowledge base, if that helps."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bot.app.calendar import today
from bot.app.commands import bar, configured, core_of
from bot.app.compose import BUNDLED
from bot.app.search_commands import fitted, told
from bot.config import Config
from bot.errors import ModelError
from bot.knowledge.load import load
from bot.retrieval import adapter
from bot.retrieval.adapter import Adapter
from bot.retrieval.bundled import UNTRAINED, unpack
from bot.retrieval.judge import NOBODY, SHIPPED, Judge
from bot.retrieval.training import Plan
from bot.retrieval.training import train as fit
from bot.retrieval.vectors import Role

_FOLDER = "training"
_CANDIDATE = "adapter.safetensors"


def train(options: Namespace) -> int:
    """Train, then let the check questions, which were not trained on, decide: a judge is fitted to
    each model, and the adapter is kept, with its judge, if more are answered right."""
    config = configured(options)
    if config.embedder.model != BUNDLED:
        raise ModelError("只有自带的模型（embedder.model: bundled）能微调。")
    candidate = config.data / _FOLDER / _CANDIDATE
    plan = Plan(steps=options.steps, seed=options.seed)
    trained = _trained(config, plan)
    trained.save(candidate)
    before = _judged(config, "before", adapter.SHIPPED, options.files)
    after = _judged(config, "after", candidate, options.files)
    print(f"微调前：{told(before, config)}\n微调后：{told(after, config)}")
    if right(after.figures) <= right(before.figures):
        print(f"考题没有答得更好，不换。训练的结果在 {candidate}。")
        return 0
    trained.save(adapter.SHIPPED)
    after.save(SHIPPED)
    print("考题答得更好，已经换上；下次启动会重新编码知识库。")
    return 0


def right(figures: Mapping[str, float]) -> float:
    """The share of check questions answered right, alone, after another and two in one."""
    kinds = (
        ("questions", "answered_right"),
        ("going_on", "going_on_right"),
        ("compound", "compound_right"),
    )
    asked = sum(figures[count] for count, _ in kinds)
    return sum(figures[count] * figures[share] for count, share in kinds) / asked


def _trained(config: Config, plan: Plan) -> Adapter:
    chosen = config.embedder
    models, checkpoint = config.data / "models", config.data / _FOLDER / "checkpoint.pt"
    base = load(config.knowledge)
    folder = unpack(models / UNTRAINED.folder, UNTRAINED, progress=bar("解开向量模型"))
    prefixes: dict[Role, str] = {"query": chosen.query_prefix, "passage": chosen.passage_prefix}
    factors = fit(base, folder, prefixes, plan, checkpoint, bar("训练"))
    made = {"made_on": today().isoformat(), "learnt_from": base.revision, "plan": str(plan)}
    return Adapter(factors, made)


def _judged(config: Config, name: str, adapter_file: Path, files: list[Path]) -> Judge:
    """With a data folder of its own: what the running bot has encoded stays."""
    apart = replace(config, data=config.data / _FOLDER / name)
    return fitted(core_of(apart, judge=NOBODY, adapter=adapter_file), files)
