"""The command `tianwen train` around the training itself: what it compares and what it keeps."""

from dataclasses import replace

import numpy as np
import pytest

from bot.__main__ import main
from bot.app import training
from bot.retrieval import adapter
from bot.retrieval.adapter import Adapter
from bot.retrieval.judge import Judge
from tests.walk.homes import furnish

SHIPPED = Judge.load()
ADAPTER = Adapter({"some": (np.ones((2, 3), np.float32), np.ones((4, 2), np.float32))})


@pytest.fixture
def home(tmp_path):
    return furnish(tmp_path / "home")


@pytest.fixture
def kept(home, monkeypatch):
    """Where the adapter and the judge go, with training and fitting left out."""
    settings = home / "config/settings.yaml"
    settings.write_text(settings.read_text("utf-8").replace("model: hashing", "model: bundled"))
    monkeypatch.setattr(training, "_trained", lambda *_: ADAPTER)
    monkeypatch.setattr(adapter, "SHIPPED", home / "shipped.safetensors")
    monkeypatch.setattr(training, "SHIPPED", home / "judge.json")
    return home / "shipped.safetensors", home / "judge.json"


def judged(**shares):
    return replace(SHIPPED, figures={**SHIPPED.figures, **shares})


def train(home, monkeypatch, before, after):
    judges = {"before": before, "after": after}
    monkeypatch.setattr(training, "_judged", lambda _config, name, *_: judges[name])
    return main(["--home", str(home), "train", "check.yaml"])


def test_what_helps_is_kept_with_its_judge(home, kept, monkeypatch, capsys):
    better = judged(answered_right=0.99)
    assert train(home, monkeypatch, SHIPPED, better) == 0
    assert Adapter.load(kept[0]).factors.keys() == {"some"}
    assert Judge.load(kept[1]) == better
    assert "已经换上" in capsys.readouterr().out


@pytest.mark.parametrize("after", [SHIPPED, judged(answered_right=0.1), judged(going_on_right=0.0)])
def test_what_does_not_help_changes_nothing_and_can_be_looked_at(
    home, kept, monkeypatch, capsys, after
):
    assert train(home, monkeypatch, SHIPPED, after) == 0
    assert not any(path.exists() for path in kept)
    said = capsys.readouterr().out
    assert "不换" in said
    (candidate,) = home.rglob("training/adapter.safetensors")
    assert str(candidate) in said


def test_every_check_question_counts_once():
    figures = {"questions": 80, "answered_right": 0.5, "going_on": 10, "going_on_right": 1.0}
    assert training.right(figures | {"compound": 10, "compound_right": 0.0}) == pytest.approx(0.5)


def test_another_model_is_not_trained(home, capsys):
    assert main(["--home", str(home), "train", "check.yaml"]) == 1
    assert "只有自带的模型" in capsys.readouterr().err
