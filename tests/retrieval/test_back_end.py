"""Which engine the settings give, and what happens where OpenVINO does not run."""

import logging
import shutil
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from bot.app.compose import open_embedder
from bot.config import EmbedderShape
from bot.errors import ModelError
from bot.retrieval.bundled import OPENVINO, TORCH
from tests.retrieval.test_embedder_contract import (  # noqa: F401 - fixtures
    model_folder,
    openvino_folder,
)

TEXTS = ["花椒叶子背面一层黄粉粉", "蜂子爬起走不动"]


@pytest.fixture
def data(tmp_path, model_folder, openvino_folder):  # noqa: F811
    """A data folder where both forms of the model are unpacked."""
    (tmp_path / "models").mkdir()
    for form, folder in ((TORCH, model_folder), (OPENVINO, openvino_folder)):
        shutil.copytree(folder, tmp_path / "models" / form.folder, copy_function=shutil.copy2)
    return tmp_path


def opened(data, **settings):
    config = SimpleNamespace(data=data, embedder=EmbedderShape(**settings))
    return open_embedder(config, lambda _what: lambda _done, _total: None)


def engine(embedder):
    return type(embedder._embedder).__name__


@pytest.mark.model
@pytest.mark.parametrize(
    ("backend", "expected"),
    [
        ("auto", "OpenVinoEmbedder"),
        ("openvino", "OpenVinoEmbedder"),
        ("torch", "SentenceTransformerEmbedder"),
    ],
)
def test_the_settings_choose_the_engine(data, backend, expected):
    assert engine(opened(data, backend=backend)) == expected


@pytest.mark.model
def test_without_openvino_torch_takes_over_aloud_and_with_the_same_vectors(
    data, monkeypatch, caplog
):
    usual = opened(data)
    monkeypatch.setitem(sys.modules, "openvino", None)
    with caplog.at_level(logging.WARNING, "bot.app.compose"):
        fallback = opened(data)
    assert "OpenVINO can't be used" in caplog.text
    assert engine(fallback) == "SentenceTransformerEmbedder"
    assert fallback.fingerprint == usual.fingerprint
    np.testing.assert_allclose(fallback.queries(TEXTS), usual.queries(TEXTS), atol=1e-5)


@pytest.mark.model
def test_who_insists_on_openvino_is_told_that_it_fails(data, monkeypatch):
    monkeypatch.setitem(sys.modules, "openvino", None)
    with pytest.raises(ModelError, match="OpenVINO 用不了"):
        opened(data, backend="openvino")


def test_who_insists_on_openvino_for_another_model_is_told_that_it_cannot_be(tmp_path):
    with pytest.raises(ModelError, match="只能配自带的模型"):
        opened(tmp_path, backend="openvino", model="nobody/no-such-model")


@pytest.mark.model
def test_torch_is_not_unpacked_where_openvino_runs(tmp_path):
    opened(tmp_path)
    assert [each.name for each in (tmp_path / "models").iterdir() if each.is_dir()] == [
        OPENVINO.folder
    ]
