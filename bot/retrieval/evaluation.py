"""Plays question files through the path of the chat and writes down what came of each case."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.domain import Answer, Clarify, Decision, Decline, Emergency, Entry, Escalate
from bot.retrieval.question_files import Trial, read_trials
from bot.retrieval.tally import WITHOUT_ENTRY, Judged, Total, judge, table, total


@dataclass(frozen=True, slots=True)
class Played:
    """What came of one message. Several decisions where it held several questions; None is a
    reply that decides nothing, such as a greeting. `probability` that the answer is right, where
    the path tells it."""

    decisions: tuple[Decision | None, ...]
    seconds: float
    probability: float | None = None


# Takes the messages of one new conversation, in order; gives what came of each.
Player = Callable[[Sequence[str]], Sequence[Played]]


@dataclass(frozen=True, slots=True)
class Record:
    """One case as it is written down; the names are those of the file format."""

    kind: str
    text: str | list[str]
    style: str | None
    expected: list[str]
    expected_route: str | None
    decision: str | list[str]
    entries: list[str]
    route: str | None
    probability: float | None
    seconds: float


@dataclass(frozen=True, slots=True)
class Report:
    """Every case played, and what they come to."""

    records: tuple[Record, ...]
    totals: tuple[Total, ...]
    topics_missing: tuple[str, ...]  # entry ids that the files name and the base lacks
    seconds: dict[str, float]  # p50, p95

    def summary(self) -> str:
        """For the terminal, in Chinese."""
        p50, p95 = (1000 * value for value in self.seconds.values())
        lines = [
            table(self.totals),
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
                "groups": [each.plain() for each in self.totals],
                "topics_missing": self.topics_missing,
                "seconds": self.seconds,
            },
            "cases": [asdict(record) for record in self.records],
        }
        part = path.with_name(f".{path.name}.{os.getpid()}")
        try:
            part.write_text(json.dumps(content, ensure_ascii=False, indent=1) + "\n", "utf-8")
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
    records: list[Record] = []
    judged: list[Judged] = []
    for trial in trials:
        held = [entry for topic in trial.expected if (entry := known(topic))]
        played = play(trial.messages)[-1]
        record = _record(trial, played, held)
        records.append(record)
        judged.append(_judged(trial, record, played, held))
        if progress:
            progress(len(records), len(trials))
    missing = {topic for trial in trials for topic in trial.expected if known(topic) is None}
    seconds = _percentiles([record.seconds for record in records])
    return Report(tuple(records), total(judged), tuple(sorted(missing)), seconds)


def _record(trial: Trial, played: Played, held: Sequence[Entry]) -> Record:
    names = [_name(decision) for decision in played.decisions]
    routes = [_route(decision) for decision in played.decisions]
    return Record(
        kind=trial.kind,
        text=list(trial.messages) if trial.kind in {"followup", "burst"} else trial.messages[0],
        style=trial.style,
        expected=list(trial.expected),
        expected_route=trial.route or (held[0].domain if held else None),
        decision=names if trial.kind == "compound" else names[0],
        entries=[entry for decision in played.decisions for entry in _entries(decision)],
        route=next(filter(None, routes), None),
        probability=played.probability,
        seconds=round(played.seconds, 6),
    )


def _judged(trial: Trial, record: Record, played: Played, held: Sequence[Entry]) -> Judged:
    is_without_entry = bool(trial.expected) and not held
    shown = [(_name(decision), _entries(decision)) for decision in played.decisions]
    return Judged(
        kind=trial.kind + WITHOUT_ENTRY if is_without_entry else trial.kind,
        style=trial.style,
        domain=record.expected_route or trial.source,
        outcome=judge(shown, trial.expected, needs_all=trial.kind == "compound"),
        is_routed=None if trial.route is None else trial.route == record.route,
    )


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


def _entries(decision: Decision | None) -> list[str]:
    match decision:
        case Answer(match):
            return [match.entry.id]
        case Clarify(matches):
            return [match.entry.id for match in matches]
    return []


def _route(decision: Decision | None) -> str | None:
    match decision:
        case Answer(match) | Clarify((match, *_)):
            return match.entry.domain
        case Escalate() | Emergency() | Decline():
            return decision.domain
    return None


def _percentiles(seconds: Sequence[float]) -> dict[str, float]:
    """The nearest-rank 50th and 95th percentile."""
    ordered = sorted(seconds)
    return {f"p{share}": ordered[(len(ordered) * share - 1) // 100] for share in (50, 95)}
