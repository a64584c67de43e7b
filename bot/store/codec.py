"""Domain values to JSON text and back."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any, TypeVar

from pydantic import TypeAdapter, ValidationError

from bot.domain import (
    Address,
    Answer,
    Case,
    Clarify,
    Decision,
    Decline,
    Emergency,
    Escalate,
    Incoming,
    Match,
    Memory,
    Outgoing,
    Several,
)

T = TypeVar("T")
PICKED = "picked"  # the kind of an answer whose question was counted when choices were offered

_adapters: dict[Any, TypeAdapter[Any]] = {}  # made at first use: building one takes milliseconds


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def _read(kind: type[T], text: str) -> T:
    try:
        value: T = _adapter(kind).validate_json(text)
    except ValidationError as error:  # quotes what it read: a farmer's words
        places = sorted({".".join(map(str, one["loc"])) for one in error.errors()})
        raise ValueError(f"a stored {kind.__name__} can't be read: {places}") from None
    return value


def dump(value: Memory | Case | Incoming | Outgoing) -> str:
    return _adapter(type(value)).dump_json(value).decode()


def memory(text: str | None) -> Memory:
    return _read(Memory, text) if text else Memory()


def case(text: str, *, version: int) -> Case:
    return replace(_read(Case, text), version=version)


def incoming(text: str) -> Incoming:
    return _read(Incoming, text)


def outgoing(text: str, *, to: Address) -> Outgoing:
    """`to` comes from the columns: a chat may have moved since the text was written."""
    return replace(_read(Outgoing, text), to=to)


def summary(decision: Decision | None) -> str | None:
    """What reports need of a decision: entries by id, without their bodies."""
    fields: dict[str, object]
    match decision:
        case None:
            return None
        case Answer(match):
            fields = {"entries": _entries([match])}
        case Several(answers):
            fields = {"entries": _entries(one.match for one in answers)}
        case Clarify(matches):
            fields = {"entries": _entries(matches)}
        case Escalate(reason, domain, matches):
            fields = {"reason": reason, "domain": domain, "entries": _entries(matches)}
        case Emergency(danger, domain):
            fields = {"danger": danger, "domain": domain}
        case Decline(_, domain):
            fields = {"domain": domain}
    is_picked = isinstance(decision, Answer) and decision.is_picked
    kind = PICKED if is_picked else type(decision).__name__.lower()
    return json.dumps({"kind": kind, **fields}, ensure_ascii=False)


def _entries(matches: Iterable[Match]) -> list[list[object]]:
    return [[one.entry.id, round(one.score, 4), one.phrasing] for one in matches]
