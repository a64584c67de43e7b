"""Reads what config/ says about danger: rules, sentences, and the weights learnt from them."""

from __future__ import annotations

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, ValidationError, model_validator

from bot.conversation.safety import Danger, spelled_out
from bot.conversation.sense import Sense, Vocabulary
from bot.errors import ConfigError
from bot.reading import files
from bot.reading.fields import Line, Lines, Shape
from bot.reading.fitting import fit
from bot.reading.nodes import parse
from bot.reading.report import Report

SENTENCES = "emergency_sentences.yaml"
WEIGHTS = "emergency_weights.json"
_MOST_BYTES = 2 * 1024 * 1024
_LEARN = "运行 tianwen learn。"

Kind = Literal["sting", "poison", "fall", "electric", "other"]


class DangerShape(Shape):
    danger: Kind
    all_of: tuple[Annotated[tuple[Line, ...], Field(min_length=1)], ...] = Field(min_length=1)
    unless: tuple[Line, ...] = ()
    despite: tuple[Line, ...] = ()

    def build(self, groups: Mapping[str, tuple[str, ...]]) -> Danger:
        return Danger(
            self.danger,
            tuple(spelled_out(words, groups) for words in self.all_of),
            spelled_out(self.unless, groups),
            spelled_out(self.despite, groups),
        )


class SentencesShape(Shape):
    """What the sense learns from: sentences of danger by kind, and sentences of none."""

    words: dict[Line, Lines]
    danger: dict[Kind, Lines]
    look_alike: Lines
    ordinary: Lines

    @model_validator(mode="after")
    def _unique(self) -> SentencesShape:
        every = [*self.look_alike, *self.ordinary, *(one for _, one in self.dangerous)]
        if doubled := {one for one in every if every.count(one) > 1}:
            raise ValueError(f"重复的句子：{'；'.join(sorted(doubled))}")
        return self

    @property
    def dangerous(self) -> tuple[tuple[Kind, str], ...]:
        return tuple((kind, one) for kind, lines in self.danger.items() for one in lines)


class WeightsShape(Shape):
    """What was learnt, and the fingerprint of the sentences it was learnt from."""

    learnt_from: str
    bias: float
    alarm: float
    calm: float
    words: dict[str, tuple[str, ...]]
    kinds: dict[str, dict[str, float]]
    weights: dict[str, float]

    def build(self) -> Sense:
        return Sense(
            Vocabulary(self.words), self.weights, self.kinds, self.bias, self.alarm, self.calm
        )


def sentences(folder: Path) -> SentencesShape:
    """What there is to learn from; ConfigError with every mend."""
    report = Report(f"config/{SENTENCES}")
    raw = files.read_head(folder / SENTENCES, folder, report, most=_MOST_BYTES)
    text = files.decode(raw, report) if raw else None
    node = parse(text, report) if text else None
    found = fit(SentencesShape, node, report) if node else None
    if found is None:
        raise ConfigError("\n".join(map(str, report.problems)) or f"config/{SENTENCES} 是空的。")
    return found


def sense(folder: Path) -> Sense:
    """The learnt sense; ConfigError where the sentences have changed since."""
    try:
        shape = WeightsShape.model_validate_json((folder / WEIGHTS).read_bytes())
        is_fresh = shape.learnt_from == fingerprint(folder / SENTENCES)
    except (OSError, ValidationError) as error:
        raise ConfigError(f"config/{WEIGHTS} 或 {SENTENCES} 读不了。{_LEARN}") from error
    if not is_fresh:
        raise ConfigError(f"config/{SENTENCES} 改过，还没有学。{_LEARN}")
    return shape.build()


def fingerprint(path: Path) -> str:
    """Of the lines, however a system ends them."""
    lines = path.read_bytes().splitlines()
    return sha256(b"\n".join(lines)).hexdigest()[:16]
