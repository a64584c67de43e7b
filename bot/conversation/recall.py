"""What a conversation remembers: the last few questions, and what the next message is for."""

from __future__ import annotations

from dataclasses import replace

from bot.domain import Case, Context, Incoming, Memory, Question

QUESTIONS_KEPT = 5


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
    return Question(incoming.id, incoming.text, attachments=earlier + incoming.attachments)


def case_by(number: str | int | None, context: Context) -> Case | None:
    return next((case for case in context.cases if str(case.number) == str(number)), None)


def open_cases(context: Context) -> tuple[Case, ...]:
    return tuple(case for case in context.cases if case.is_open)
