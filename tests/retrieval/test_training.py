"""Training: batches that teach, a run that survives a kill, changes that every engine applies."""

import sys
from dataclasses import replace

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

from bot.domain import Unanswerable
from bot.errors import ModelError
from bot.retrieval import bundled, training
from bot.retrieval.adapter import Adapter
from bot.retrieval.bundled import OPENVINO, TORCH, UNTRAINED, WEIGHTS, identity
from bot.retrieval.openvino_embedder import OpenVinoEmbedder
from bot.retrieval.training import Plan, Sampler, train
from tests.retrieval.bases import APHID, PRICE, RUST, SWARM, base_of
from tests.retrieval.test_bundled_model import site  # noqa: F401 - a fixture

LOST = Unanswerable("柑子皮能不能做药", "citrus-marketing")
NEAR = replace(RUST, confusable_with=(APHID.id,))
BASE = replace(base_of(NEAR, APHID, SWARM, PRICE), unanswerable=(LOST,))
PREFIXES = {"query": "问", "passage": "答"}
PLAN = Plan(steps=30, rank=4, entries=3, texts=2, unanswerable=1, threads=1)
QUERY = "encoder.layer.0.attention.self.query.weight"


# --- batches --------------------------------------------------------------------------------------


def test_the_same_step_gives_the_same_batch_and_another_another():
    sampler, again = Sampler(BASE, PLAN), Sampler(BASE, PLAN)
    assert [sampler.batch(n) for n in range(9)] == [again.batch(n) for n in range(9)]
    assert sampler.batch(0) != sampler.batch(1)
    assert sampler.batch(0) != Sampler(BASE, replace(PLAN, seed=1)).batch(0)


def test_every_entry_of_a_batch_has_two_texts_and_nobody_owns_the_unanswerable():
    for step in range(20):
        batch = Sampler(BASE, PLAN).batch(step)
        owners = [owner for owner in batch.owners if owner]
        assert all(owners.count(owner) == 2 for owner in owners)
        assert len(set(owners)) == 3
        texts = dict(zip(batch.texts, batch.owners, strict=True))
        assert [text for text, owner in texts.items() if owner is None] == [("query", LOST.text)]


def test_what_is_easily_confused_stands_in_one_batch():
    plan = replace(PLAN, entries=2)
    with_rust = [
        set(batch.owners)
        for batch in map(Sampler(BASE, plan).batch, range(40))
        if batch.owners[0] == RUST.id
    ]
    assert with_rust
    assert all(APHID.id in owners for owners in with_rust)


# --- a run ----------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """An encoder of two layers that knows the characters of the base."""
    folder = tmp_path_factory.mktemp("small")
    texts = [text for entry in BASE.entries.values() for text in (*entry.questions, entry.title)]
    letters = sorted({*"".join([*texts, LOST.text, *PREFIXES.values()])})
    known = {letter: number for number, letter in enumerate(["<pad>", "<unk>", *letters])}
    tokenizer = Tokenizer(models.WordLevel(known, "<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", unk_token="<unk>")
    fast.save_pretrained(folder)
    torch.manual_seed(0)
    config = BertConfig(
        vocab_size=len(known),
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        intermediate_size=64,
    )
    BertModel(config).save_pretrained(folder)
    return folder


def run(small, path, plan=PLAN, progress=lambda *_: None):
    return train(BASE, small, PREFIXES, plan, path / "checkpoint.pt", progress)


def loss(small, factors):
    """Of batches that were not trained on, with the matrices as the adapter changes them."""
    one = training._Run(small, PREFIXES, PLAN, "")
    adapter, weights = Adapter(factors), dict(one._model.named_parameters())
    with torch.no_grad():
        for name in factors:
            stem = name.removesuffix(".weight")
            weight = weights[f"base_model.model.{stem}.base_layer.weight"]
            weight.copy_(torch.from_numpy(adapter.changed(name, weight.numpy())))
        batches = map(Sampler(BASE, PLAN).batch, range(100, 120))
        return np.mean([float(one._loss(one._embed(b.texts), b.owners)) for b in batches])


def test_training_draws_an_entrys_texts_together(small, tmp_path):
    plan = replace(PLAN, learning_rate=5e-3)
    assert loss(small, run(small, tmp_path, plan)) < loss(small, {}) - 0.2
    assert not (tmp_path / "checkpoint.pt").exists()


def test_a_killed_run_goes_on_and_ends_as_if_nothing_had_happened(small, tmp_path):
    done = []

    def die(step, _):
        done.append(step)
        if step == 27:
            raise KeyboardInterrupt

    whole = run(small, tmp_path / "whole")
    with pytest.raises(KeyboardInterrupt):
        run(small, tmp_path / "cut", progress=die)
    done.clear()
    rest = run(small, tmp_path / "cut", progress=lambda step, _: done.append(step))
    assert done == [26, 27, 28, 29, 30]
    assert whole.keys() == rest.keys()
    for name, factors in whole.items():
        for one, other in zip(factors, rest[name], strict=True):
            np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize("spoil", ["damage", "plan"])
def test_a_checkpoint_that_does_not_fit_is_left_aside(small, tmp_path, spoil):
    def die(step, _):
        if step == 26:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(small, tmp_path, progress=die)
    plan = replace(PLAN, seed=3) if spoil == "plan" else PLAN
    if spoil == "damage":
        (tmp_path / "checkpoint.pt").write_bytes(b"none")
    steps = []
    run(small, tmp_path, plan, lambda step, _: steps.append(step))
    assert steps[0] == 1


def test_missing_libraries_are_told_with_what_to_install(small, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "peft", None)
    with pytest.raises(ModelError, match=r"tianwen\[train\]"):
        run(small, tmp_path)


# --- what is shipped ------------------------------------------------------------------------------


@pytest.fixture
def file(tmp_path):
    """An adapter for the small source: its hidden size is 64."""
    random = np.random.default_rng(5)
    first, second = (random.normal(size=size).astype("<f4") for size in ((4, 64), (64, 4)))
    path = tmp_path / "adapter.safetensors"
    Adapter({QUERY: (first, second)}, {"made_on": "2026-11-24"}).save(path)
    return path


def test_an_adapter_is_read_back_as_it_was_written(file):
    adapter = Adapter.load(file)
    assert adapter.made == {"made_on": "2026-11-24"}
    assert [part.shape for part in adapter.factors[QUERY]] == [(4, 64), (64, 4)]


@pytest.mark.parametrize("content", [b"", b"{}", save({f"{QUERY}.A": np.zeros((4, 64))})])
def test_a_damaged_adapter_is_told_with_what_to_do(tmp_path, content):
    (tmp_path / "bad").write_bytes(content)
    with pytest.raises(ModelError, match="tianwen train"):
        Adapter.load(tmp_path / "bad")


def test_the_model_is_unpacked_with_the_changes_and_rebuilt_without(site, tmp_path, file):  # noqa: F811
    folder, form = tmp_path / "e5", replace(TORCH, adapter=file)
    plain = load_file(bundled.unpack(folder, UNTRAINED) / WEIGHTS)
    before = identity(folder)
    assert not bundled.is_intact(folder, form)
    changed = load_file(bundled.unpack(folder, form) / WEIGHTS)
    assert (changed[QUERY] == Adapter.load(file).changed(QUERY, plain[QUERY])).all()
    assert {name for name in plain if (plain[name] != changed[name]).any()} == {QUERY}
    assert identity(folder) != before
    assert not bundled.is_intact(folder, UNTRAINED)


def test_openvino_computes_with_the_changes(site, tmp_path, file):  # noqa: F811
    rows = [_openvino(tmp_path / "plain", None), _openvino(tmp_path / "changed", file)]
    torch_rows = [_torch(tmp_path / "t", None), _torch(tmp_path / "u", file)]
    np.testing.assert_allclose(rows, torch_rows, atol=1e-5)
    assert np.abs(rows[0] - rows[1]).max() > 1e-3


def _openvino(folder, adapter):
    bundled.unpack(folder, replace(OPENVINO, adapter=adapter))
    loaded = OpenVinoEmbedder.load(folder, identity="", query_prefix="", passage_prefix="")
    return loaded.queries(["蜂", "蜂蜂蜂"])


def _torch(folder, adapter):
    bundled.unpack(folder, replace(TORCH, adapter=adapter))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    model = BertModel.from_pretrained(folder).eval()
    with torch.no_grad():
        states = [
            model(torch.tensor([tokenizer.encode(text).ids])).last_hidden_state[0]
            for text in ("蜂", "蜂蜂蜂")
        ]
    return [torch.nn.functional.normalize(one.mean(0), dim=0).numpy() for one in states]
