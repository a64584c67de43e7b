"""Fits a small adapter to the encoder: LoRA (Hu et al. 2021, arXiv:2106.09685) on the knowledge
base's own phrasings, so that what one entry answers lies together and what others answer apart.

Needs `pip install "tianwen[train]"`. The loss is supervised contrastive learning (Khosla et al.
2020, arXiv:2004.11362): every text of a batch is drawn to the others of its entry and pushed from
the rest, among them entries that are easily taken for it and questions without an answer.
"""

from __future__ import annotations

import logging
import random
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import cos, pi
from pathlib import Path
from typing import Any

from bot.domain import Entry, KnowledgeBase
from bot.errors import ModelError
from bot.retrieval.adapter import Factors, Matrix
from bot.retrieval.vectors import Role

logger = logging.getLogger(__name__)

_TARGETS = r".*encoder\.layer\.\d+\..*(query|key|value|dense)"
_CHECKPOINT_EVERY = 25  # steps: what a kill can cost, a minute
_PARTS = 3  # of a batch
_LONGEST = 64  # tokens of a text; few phrasings are longer


@dataclass(frozen=True, slots=True)
class Plan:
    """How to train. With the defaults a step takes 3 s on two cores of 2026."""

    steps: int = 500
    rank: int = 16
    learning_rate: float = 5e-4
    temperature: float = 0.05
    entries: int = 20  # in a batch, half of them confusable with another there
    texts: int = 3  # of each entry
    unanswerable: int = 12  # in a batch
    seed: int = 0
    threads: int = 2


@dataclass(frozen=True, slots=True)
class Batch:
    """Texts, and the entry each belongs to; None for a question that no entry answers."""

    texts: Sequence[tuple[Role, str]]
    owners: Sequence[str | None]


class Sampler:
    """Draws batches; the same seed and step give the same batch, so that training can resume."""

    def __init__(self, base: KnowledgeBase, plan: Plan) -> None:
        self._plan = plan
        self._entries = [entry for _, entry in sorted(base.entries.items())]
        self._near = {entry.id: _near(entry, base) for entry in self._entries}
        self._by_id: Mapping[str, Entry] = base.entries
        self._unanswerable = [one.text for one in base.unanswerable]

    def batch(self, step: int) -> Batch:
        draw = random.Random(f"{self._plan.seed} {step}")  # noqa: S311 - not for secrets
        chosen = self._chosen(draw)
        texts = [(text, entry.id) for entry in chosen for text in self._texts(entry, draw)]
        count = min(self._plan.unanswerable, len(self._unanswerable))
        unanswerable = draw.sample(self._unanswerable, count)
        return Batch(
            [*(text for text, _ in texts), *(("query", text) for text in unanswerable)],
            [*(owner for _, owner in texts), *(None for _ in unanswerable)],
        )

    def _chosen(self, draw: random.Random) -> list[Entry]:
        """Entries with one easily taken for each, as long as there are such."""
        chosen: dict[str, Entry] = {}
        for entry in draw.sample(self._entries, len(self._entries)):
            if len(chosen) >= self._plan.entries:
                break
            chosen[entry.id] = entry
            if others := [one for one in self._near[entry.id] if one not in chosen]:
                other = draw.choice(others)
                chosen[other] = self._by_id[other]
        return list(chosen.values())[: self._plan.entries]

    def _texts(self, entry: Entry, draw: random.Random) -> list[tuple[Role, str]]:
        """Mostly as farmers ask; now and then what the entry is called or says."""
        asked: list[tuple[Role, str]] = [("query", text) for text in entry.questions]
        told: list[tuple[Role, str]] = [("passage", entry.title), ("passage", entry.short_answer)]
        texts = draw.sample(asked, min(self._plan.texts, len(asked)))
        if draw.random() < 0.4:
            texts[-1] = draw.choice(told)
        return texts


def train(
    base: KnowledgeBase,
    folder: Path,
    prefixes: Mapping[Role, str],
    plan: Plan,
    checkpoint: Path,
    progress: Callable[[int, int], None],
) -> Factors:
    """Train on the sentence-transformers model in `folder`, one that nothing was added to.

    `progress` gets (steps done, steps in all). What `checkpoint` holds of a run with the same plan
    and knowledge is taken up again; the file is gone at the end. Raises ModelError where the
    libraries are missing.
    """
    try:
        run = _Run(folder, prefixes, plan, base.revision)
    except ImportError as error:
        message = f'训练要先装：pip install "tianwen[train]"（{error}）'
        raise ModelError(message) from error
    sampler = Sampler(base, plan)
    for step in range(run.resume(checkpoint), plan.steps):
        loss = run.step(step, sampler.batch(step))
        progress(step + 1, plan.steps)
        if (step + 1) % _CHECKPOINT_EVERY == 0:
            logger.info("step %d of %d: loss %.3f", step + 1, plan.steps, loss)
            run.keep(checkpoint, step + 1)
    factors = run.factors()
    checkpoint.unlink(missing_ok=True)
    return factors


class _Run:
    """A model with its adapter and optimiser on the way."""

    def __init__(
        self, folder: Path, prefixes: Mapping[Role, str], plan: Plan, revision: str
    ) -> None:
        # Late: only training needs them, and they take seconds to import.
        import torch  # noqa: PLC0415
        from peft import LoraConfig, get_peft_model  # noqa: PLC0415
        from transformers import AutoModel, PreTrainedTokenizerFast  # noqa: PLC0415
        from transformers.utils import logging as transformers_logging  # noqa: PLC0415

        self._torch, self._plan, self._prefixes = torch, plan, prefixes
        self._name = f"{plan} {revision}"
        transformers_logging.disable_progress_bar()
        torch.set_num_threads(plan.threads)
        torch.manual_seed(plan.seed)
        config = LoraConfig(
            r=plan.rank,
            lora_alpha=2 * plan.rank,
            target_modules=_TARGETS,
        )
        with warnings.catch_warnings():  # peft asks transformers by a name that is going
            warnings.simplefilter("ignore", FutureWarning)
            self._model = get_peft_model(AutoModel.from_pretrained(folder), config)
        self._model.eval()  # dropout gained nothing in so few steps and takes a third of their time
        self._tokenizer = PreTrainedTokenizerFast.from_pretrained(folder)
        self._trained = {
            name: each for name, each in self._model.named_parameters() if each.requires_grad
        }
        self._optimizer = torch.optim.AdamW(self._trained.values(), lr=plan.learning_rate)

    def step(self, step: int, batch: Batch) -> float:
        for group in self._optimizer.param_groups:
            group["lr"] = self._plan.learning_rate * _pace(step, self._plan.steps)
        loss = self._loss(self._embed(batch.texts), batch.owners)
        self._optimizer.zero_grad()
        loss.backward()
        self._torch.nn.utils.clip_grad_norm_(list(self._trained.values()), 1.0)
        self._optimizer.step()
        return float(loss.detach())

    def _embed(self, texts: Sequence[tuple[Role, str]]) -> Any:
        """In three parts of texts nearly alike in length, so that little is padded."""
        prefixed = [self._prefixes[role] + text for role, text in texts]
        order = sorted(range(len(prefixed)), key=lambda one: len(prefixed[one]))
        size = -(-len(order) // _PARTS)
        parts = [order[at : at + size] for at in range(0, len(order), size)]
        rows = self._torch.cat([self._forward([prefixed[one] for one in part]) for part in parts])
        return rows[self._torch.tensor(order).argsort()]

    def _forward(self, texts: Sequence[str]) -> Any:
        tokens = self._tokenizer(
            texts, padding=True, truncation=True, max_length=_LONGEST, return_tensors="pt"
        )
        states = self._model(
            input_ids=tokens["input_ids"], attention_mask=tokens["attention_mask"]
        ).last_hidden_state
        mask = tokens["attention_mask"].unsqueeze(-1)
        return self._torch.nn.functional.normalize((states * mask).sum(1), dim=-1)

    def _loss(self, rows: Any, owners: Sequence[str | None]) -> Any:
        torch = self._torch
        names = {
            owner: number for number, owner in enumerate(sorted(set(owners) - {None}, key=str))
        }
        owner = torch.tensor([names.get(one, -1 - at) for at, one in enumerate(owners)])
        itself = torch.eye(len(owners), dtype=torch.bool)
        same = (owner[:, None] == owner[None, :]) & ~itself
        scores = (rows @ rows.T / self._plan.temperature).masked_fill(itself, -torch.inf)
        likely = torch.log_softmax(scores, dim=1).masked_fill(~same, 0.0)
        counts = same.sum(1)
        return -(likely.sum(1)[counts > 0] / counts[counts > 0]).mean()

    def factors(self) -> Factors:
        """With the scale within the second of each two."""
        found: dict[str, tuple[Matrix, Matrix]] = {}
        for name, module in self._model.named_modules():
            if hasattr(module, "lora_A") and "default" in module.lora_A:
                first = module.lora_A["default"].weight.detach().numpy()
                second = module.lora_B["default"].weight.detach().numpy()
                plain = name.removeprefix("base_model.model.")
                found[f"{plain}.weight"] = (first, second * module.scaling["default"])
        return found

    def keep(self, path: Path, step: int) -> None:
        state = {
            "name": self._name,
            "step": step,
            "weights": {name: each.detach() for name, each in self._trained.items()},
            "optimizer": self._optimizer.state_dict(),
        }
        part = path.with_name(f".{path.name}.part")
        path.parent.mkdir(parents=True, exist_ok=True)
        self._torch.save(state, part)
        part.replace(path)

    def resume(self, path: Path) -> int:
        """The step to go on from; 0 where nothing fits."""
        if not path.exists():
            return 0
        try:
            state = self._torch.load(path, weights_only=True)
        except Exception as error:  # noqa: BLE001 - torch meets damage with a dozen kinds
            logger.warning("training checkpoint %s is damaged, starting anew: %s", path, error)
            return 0
        if state["name"] != self._name:
            return 0
        with self._torch.no_grad():
            for name, weights in state["weights"].items():
                self._trained[name].copy_(weights)
        self._optimizer.load_state_dict(state["optimizer"])
        return int(state["step"])


def _pace(step: int, steps: int) -> float:
    """Up to full speed in a tenth of the way, then down along a cosine."""
    warm = max(steps // 10, 1)
    if step < warm:
        return (step + 1) / warm
    return 0.5 * (1 + cos(pi * (step - warm) / max(steps - warm, 1)))


def _near(entry: Entry, base: KnowledgeBase) -> list[str]:
    return [one for one in (*entry.confusable_with, *entry.see_also) if one in base.entries]
