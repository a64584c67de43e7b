"""Reads question files for `tianwen evaluate`: what is asked, and what should come of it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field

from bot.errors import KnowledgeError
from bot.reading.fields import Name, Shape, wrong
from bot.reading.files import UNSEEN
from bot.reading.fitting import fit
from bot.reading.nodes import parse
from bot.reading.report import START, Report

TrialKind = Literal[
    "question",
    "unanswerable",
    "followup",
    "compound",
    "near",
    "far",
    "emergency",
    "not_emergency",
    "burst",
]

_NO_DOMAIN = "none"
_ASIDE = 0xF0000  # private characters that stand in for zero-width ones while YAML is read


@dataclass(frozen=True, slots=True)
class Trial:
    """One conversation to play and what should come of its last message."""

    kind: TrialKind
    messages: tuple[str, ...]
    source: str  # name of the file, without ending
    expected: tuple[str, ...] = ()  # entry ids; a compound question wants all, others any
    style: str | None = None
    route: str | None = None  # domain id


def read_trials(paths: Sequence[Path]) -> tuple[Trial, ...]:
    """Every case of the files. Raises KnowledgeError with every wrong found."""
    reports = [Report(str(path)) for path in paths]
    trials = [
        trial for path, report in zip(paths, reports, strict=True) for trial in _read(path, report)
    ]
    if problems := tuple(problem for report in reports for problem in report.problems):
        raise KnowledgeError(problems)
    return tuple(trials)


def _read(path: Path, report: Report) -> list[Trial]:
    text = _text(path, report)
    node = parse(text, report) if text is not None else None
    shape = fit(_FileShape, node, report) if node else None
    trials = list(shape.trials(path.stem)) if shape else []
    if shape and not trials:
        report.error("empty", START, "文件里一道题也没有。", "至少写一道，如 questions 下面一项。")
    return trials


def _text(path: Path, report: Report) -> str | None:
    """The file's text; farmers' emoji may hold zero-width characters, which are put aside."""
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError:
        report.error("encoding", START, "文件不是 UTF-8 编码。", "另存为，编码选 UTF-8。")
    except OSError as error:
        report.error("file", START, f"读不了这个文件（{error.strerror}）。", "检查文件名和权限。")
    else:
        return UNSEEN.sub(lambda found: chr(_ASIDE + ord(found.group())), text)
    return None


def _words(value: object) -> object:
    if not isinstance(value, str) or not value.strip():
        raise wrong("这里应该是一句话。", "补上文字，整句加英文双引号。")
    return "".join(chr(ord(one) - _ASIDE) if ord(one) >= _ASIDE else one for one in value)


_Words = Annotated[str, BeforeValidator(_words)]
_Style = Literal["dialect", "symptom", "short", "noisy"]


class _Case(Shape):
    """What any case may carry."""

    style: _Style | None = None
    route: Name | None = None

    def trial(
        self, kind: TrialKind, source: str, messages: Sequence[str], expected: Sequence[str] = ()
    ) -> Trial:
        route = None if self.route == _NO_DOMAIN else self.route
        return Trial(kind, tuple(messages), source, tuple(expected), self.style, route)


class _Question(_Case):
    text: _Words
    topic: Name
    also: tuple[Name, ...] = ()


class _Plain(_Case):
    """A text from which nothing is to be answered; `why`, `hard` and `kind` are for people."""

    text: _Words
    why: str | None = None
    hard: bool | None = None
    kind: str | None = None


class _Near(_Plain):
    route: Name


class _Step(Shape):
    text: _Words
    topic: Name


class _FollowUp(_Case):
    first: _Step
    then: _Step


class _Compound(_Case):
    text: _Words
    topics: Annotated[tuple[Name, ...], Field(min_length=1)]


class _NotEmergency(_Case):
    text: _Words
    topic: Name | None


class _Burst(_Case):
    messages: Annotated[tuple[_Words, ...], Field(min_length=1)]
    topic: Name


class _FileShape(Shape):
    questions: tuple[_Question, ...] = ()
    unanswerable: tuple[_Plain, ...] = ()
    followups: tuple[_FollowUp, ...] = ()
    compound: tuple[_Compound, ...] = ()
    near: tuple[_Near, ...] = ()
    far: tuple[_Plain, ...] = ()
    emergency: tuple[_Plain, ...] = ()
    not_emergency: tuple[_NotEmergency, ...] = ()
    bursts: tuple[_Burst, ...] = ()

    def trials(self, source: str) -> Iterator[Trial]:
        for one in self.questions:
            yield one.trial("question", source, [one.text], [one.topic, *one.also])
        for two in self.followups:
            yield two.trial("followup", source, [two.first.text, two.then.text], [two.then.topic])
        for both in self.compound:
            yield both.trial("compound", source, [both.text], both.topics)
        for alike in self.not_emergency:
            expected = [alike.topic] if alike.topic else []
            yield alike.trial("not_emergency", source, [alike.text], expected)
        for burst in self.bursts:
            yield burst.trial("burst", source, burst.messages, [burst.topic])
        for kind, plain in self._plain():
            yield plain.trial(kind, source, [plain.text])

    def _plain(self) -> Iterator[tuple[TrialKind, _Plain]]:
        for unanswerable in self.unanswerable:
            yield "unanswerable", unanswerable
        for near in self.near:
            yield "near", near
        for far in self.far:
            yield "far", far
        for emergency in self.emergency:
            yield "emergency", emergency
