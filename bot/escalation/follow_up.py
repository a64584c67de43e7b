"""What time demands: an offer nobody took, an answer that is late, a farmer who went quiet."""

from __future__ import annotations

from bot.domain import SYSTEM, Case, CaseState, Context, Event, Turn
from bot.escalation.desk import Desk, Step


def follow_up(case: Case, context: Context, desk: Desk) -> Turn:
    """The turn for a case whose `due_at` has come."""
    step = _next_step(case, context, desk)
    return Turn(replies=step.messages, changes=(step.change,), filed_under=case.number)


def _next_step(case: Case, context: Context, desk: Desk) -> Step:
    match case.state:
        case CaseState.OFFERED if case.reminders == 0 and not case.is_urgent:
            return desk.remind(case, "case.offer_reminder", context)
        case CaseState.OFFERED:
            return desk.pass_on(case, Event.PASSED, SYSTEM, "", context)
        case CaseState.UNPLACED:
            return desk.remind(case, "case.unplaced_reminder", context)
        case CaseState.ACCEPTED:
            return desk.remind(case, "case.answer_reminder", context)
        case CaseState.ASKED if case.reminders == 0:
            return desk.nudge_farmer(case, context)
        case CaseState.ANSWERED if case.reminders == 0:
            return desk.ask_outcome(case, context)
        case _:
            return desk.close_quietly(case, context)
