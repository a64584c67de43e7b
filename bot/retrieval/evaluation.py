"""Plays question files through the path of the chat and writes down what came of each case."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Collection, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Protocol

from bot.domain import Answer, Clarify, Decision, Decline, Emergency, Entry, Escalate, Several
from bot.retrieval import tally
from bot.retrieval.question_files import Trial, read_trials
from bot.retrieval.report import measures
from bot.retrieval.report.curves import Confusion, Curves, Guess, confusions
from bot.retrieval.report.measures import Measure
from bot.retrieval.tally import WITHOUT_ENTRY, Judged, Record, Total


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one message. Several decisions where it held several questions; None is a
    reply that decides nothing, such as a greeting. `probability` that the answer is right, where
    the path tells it."""

    decisions: tuple[Decision | None, ...]
    seconds: float
    probability: float | None = None


class Player(Protocol):
    def __call__(self, messages: Sequence[str], *, in_a_row: bool) -> Played:
        """Take the messages of one new conversation, in order, and give what came of the last.
        `in_a_row`: they were written so fast that they may be one question."""


_BOLD = {"emergency": 0, "answer": 1, "clarify": 2, "escalate": 3, "decline": 4}


@dataclass(frozen=True, slots=True)
class Report:
    """Every case played, and what they come to."""

    records: tuple[Record, ...]
    measures: tuple[Measure, ...]
    totals: tuple[Total, ...]
    curves: Curves
    confusions: tuple[Confusion, ...]
    topics_missing: tuple[str, ...]  # entry ids that the files name and the base lacks
    seconds: dict[str, float]  # p50, p90, p95, p99

    def summary(self) -> str:
        """For the terminal, in Chinese."""
        p50, _, p95, _ = (1000 * value for value in self.seconds.values())
        lines = [
            measures.table(self.measures),
            "",
            tally.table(self.totals),
            "",
            f"每句用时：一半在 {p50:.0f} 毫秒内，95% 在 {p95:.0f} 毫秒内。",
        ]
        if self.topics_missing:
            lines.append(f"知识库里没有的题目 {len(self.topics_missing)} 个，已单列，不该答出。")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        """As JSON, whole or not at all."""
        content = {
            "totals": {
                "cases": len(self.records),
                "measures": [each.plain() for each in self.measures],
                "groups": [each.plain() for each in self.totals],
                "curves": asdict(self.curves),
                "confusions": [asdict(each) for each in self.confusions],
                "topics_missing": self.topics_missing,
                "seconds": self.seconds,
            },
            "cases": [asdict(record) for record in self.records],
        }
        replace(path, json.dumps(content, ensure_ascii=False, indent=1) + "\n")


def replace(path: Path, content: str | bytes) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        part.write_bytes(content.encode() if isinstance(content, str) else content)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def evaluate(
    files: Sequence[Path],
    play: Player,
    *,
    known: Callable[[str], Entry | None],
    progress: Callable[[int, int], None] | None = None,
) -> Report:
    """Play every case. `known` finds an entry by id; `progress` gets (cases played, cases).

    Raises KnowledgeError where a file is wrong, before anything is played.
    """
    trials = read_trials(files)
    topics = {topic: known(topic) for trial in trials for topic in trial.expected}
    subjects = {entry.domain for entry in topics.values() if entry}
    cases: list[_Case] = []
    for trial in trials:
        held = [entry for topic in trial.expected if (entry := topics[topic])]
        subject = _subject(trial, held, subjects)
        played = play(trial.messages, in_a_row=trial.kind == "burst")
        cases.append(_Case.of(trial, played, is_held=bool(held), subject=subject))
        if progress:
            progress(len(cases), len(trials))
    missing = [topic for topic, entry in topics.items() if entry is None]
    records = tuple(case.record for case in cases)
    return Report(
        records=records,
        measures=measures.measure(records, missing),
        totals=tally.total([case.judged for case in cases]),
        curves=Curves.of([case.guess for case in cases if case.guess]),
        confusions=confusions(records),
        topics_missing=tuple(sorted(missing)),
        seconds=_percentiles([record.seconds for record in records]),
    )


@dataclass(frozen=True, slots=True)
class _Case:
    """One trial played: as it is written, as it counts, and as a guess of the search."""

    record: Record
    judged: Judged
    guess: Guess | None

    @classmethod
    def of(cls, trial: Trial, played: Played, *, is_held: bool, subject: str | None) -> _Case:
        record = _record(trial, played, subject)
        is_without_entry = bool(trial.expected) and not is_held
        judged = Judged(
            kind=trial.kind + WITHOUT_ENTRY if is_without_entry else trial.kind,
            style=trial.style,
            domain=record.expected_route or trial.source,
            outcome=record.outcome,
            is_routed=record.is_routed,
        )
        return cls(record, judged, _guess(record, played))


def _subject(trial: Trial, held: Sequence[Entry], subjects: Collection[str]) -> str | None:
    """Where no case says it: the entry's domain, or, of what a subject's own file calls
    unanswerable, the domain that the file is named for."""
    if held and trial.route is None:
        return held[0].domain
    is_of_the_file = trial.kind == "unanswerable" and trial.source in subjects
    return trial.route or (trial.source if is_of_the_file else None)


def _record(trial: Trial, played: Played, subject: str | None) -> Record:
    """A case that wants one decision is written down as the boldest that it got."""
    is_compound = trial.kind == "compound"
    decisions = sorted(played.decisions, key=lambda one: 0 if is_compound else _BOLD[_name(one)])
    names = [_name(decision) for decision in decisions]
    return Record(
        kind=trial.kind,
        text=list(trial.messages) if trial.kind in {"followup", "burst"} else trial.messages[0],
        style=trial.style,
        expected=list(trial.expected),
        expected_route=subject,
        decision=names if is_compound else names[0],
        entries=[entry for decision in decisions for entry in _entries(decision)],
        route=next(filter(None, map(_route, decisions)), None),
        probability=played.probability,
        seconds=round(played.seconds, 6),
    )


def _guess(record: Record, played: Played) -> Guess | None:
    """None where it can't be told whether what search put first was right."""
    top = _top(played.decisions[0])
    if (
        played.probability is None
        or record.kind in {"compound", "emergency"}
        or (top is None and record.expected)
    ):
        return None
    return Guess(played.probability, top in record.expected, record.decision == "answer")


def _name(decision: Decision | None) -> str:
    match decision:
        case Answer():
            return "answer"
        case Clarify():
            return "clarify"
        case Escalate():
            return "escalate"
        case Emergency():
            return "emergency"
        case Decline() | None:
            return "decline"
        case Several():
            raise AssertionError("the player tells its answers one by one")


def _entries(decision: Decision | None) -> list[str]:
    match decision:
        case Answer(match):
            return [match.entry.id]
        case Clarify(matches):
            return [match.entry.id for match in matches]
    return []


def _top(decision: Decision | None) -> str | None:
    """The entry that search put first, shown or not."""
    match decision:
        case Answer(match) | Clarify((match, *_)) | Escalate(matches=(match, *_)):
            return match.entry.id
    return None


def _route(decision: Decision | None) -> str | None:
    match decision:
        case Answer(match) | Clarify((match, *_)):
            return match.entry.domain
        case Escalate() | Emergency() | Decline():
            return decision.domain
    return None


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """Nearest-rank percentiles."""
    ordered = sorted(seconds)
    return {f"p{share}": ordered[(len(ordered) * share - 1) // 100] for share in (50, 90, 95, 99)}
