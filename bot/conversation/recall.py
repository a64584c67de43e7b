"""What a conversation remembers: the last few questions, and what the next message is for."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import timedelta

from bot.domain import (
    Answer,
    Case,
    CaseState,
    Context,
    Decision,
    Incoming,
    Memory,
    Question,
    Several,
)

QUESTIONS_KEPT = 5
GOES_ON_WITHIN = timedelta(minutes=30)  # after that, words stand for themselves
_NUMBERED = re.compile(r"\s*[#＃]\s*([0-9]{1,9})(?![0-9])\s*[:：,，、]?\s*")


def settled(context: Context) -> Memory:
    """The memory with nothing announced for the next message."""
    return replace(context.memory, focus=None, intent=None, draft=None)


def remember(context: Context, question: Question) -> Memory:
    """The memory with the question newest, in place of its earlier form."""
    others = tuple(one for one in context.memory.questions if one.id != question.id)
    return replace(settled(context), questions=(*others, question)[-QUESTIONS_KEPT:])


def last_question(context: Context) -> Question | None:
    return context.memory.questions[-1] if context.memory.questions else None


def question_by(question_id: str, context: Context) -> Question | None:
    return next((one for one in context.memory.questions if str(one.id) == question_id), None)


def question_of(incoming: Incoming, context: Context) -> Question:
    """The message as a question; photos sent just before without words belong to it."""
    last = last_question(context)
    earlier = last.attachments if last and not last.text and last.case is None else ()
    attachments = earlier + incoming.attachments
    return Question(
        incoming.id,
        incoming.text,
        attachments=attachments,
        at=context.now,
        asked_for=incoming.asked_for,
    )


def question_before(context: Context) -> str:
    """What was asked just now, which the next words may go on from."""
    last = last_question(context)
    return last.text if last and is_recent(last, context, GOES_ON_WITHIN) else ""


def is_recent(question: Question, context: Context, within: timedelta) -> bool:
    return question.at is not None and context.now - question.at <= within


def case_by(number: str | int | None, context: Context) -> Case | None:
    return next((case for case in context.cases if str(case.number) == str(number)), None)


def open_cases(context: Context) -> tuple[Case, ...]:
    return tuple(case for case in context.cases if case.is_open)


def in_state(state: CaseState, context: Context) -> tuple[Case, ...]:
    return tuple(case for case in context.cases if case.state is state)


def is_numbered(text: str) -> bool:
    """Names its case: “#12 …”."""
    return _NUMBERED.match(text) is not None


def addressed(incoming: Incoming, context: Context) -> tuple[Incoming, Context]:
    """“#12 …” names its case as a reply does."""
    numbered = _NUMBERED.match(incoming.text)
    if numbered is None:
        return incoming, context
    words = replace(incoming, text=incoming.text[numbered.end() :])
    return words, replace(context, about=int(numbered[1]))


def joined(context: Context, incoming: Incoming) -> Incoming:
    """The words kept so far and these, as one message."""
    kept = context.memory.draft
    if kept is None:
        return incoming
    text = "\n".join(filter(None, (kept.text, incoming.text)))
    attachments = kept.attachments + incoming.attachments
    location = incoming.location or kept.location
    return replace(incoming, text=text, attachments=attachments, location=location)


def says_something(incoming: Incoming) -> bool:
    return bool(incoming.text.strip() or incoming.attachments or incoming.location)


def urgent(context: Context) -> Case | None:
    """The emergency under way: nobody has answered it yet."""
    under_way = (case for case in open_cases(context) if case.is_urgent)
    return next((case for case in under_way if case.state is not CaseState.ANSWERED), None)


def asked_back(decision: Decision, context: Context) -> Case | None:
    """The case whose commissioner waits for these words: the farmer was told to just reply here.
    A sure answer on another subject is a question of its own."""
    waiting = in_state(CaseState.ASKED, context)
    if len(waiting) != 1 or urgent(context) not in {None, waiting[0]}:
        return None
    parts = decision.answers if isinstance(decision, Several) else (decision,)
    own = waiting[0].domain
    are_others = all(isinstance(one, Answer) and one.match.entry.domain != own for one in parts)
    return None if are_others else waiting[0]


def domain_before(context: Context) -> str | None:
    """What the last question was about, where it went to nobody yet."""
    last = last_question(context)
    return last.domain if last and last.case is None else None
