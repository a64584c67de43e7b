"""A farmer and his own cases: add to one, close it, reopen it, take it back, list them."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.recall import case_by, open_cases, settled
from bot.domain import Button, Case, CaseState, Context, Incoming, Outgoing, Turn, paragraphs
from bot.escalation.desk import Desk, Step
from bot.phrases import Phrases

LISTED = 10
WORDS_SHOWN = 20


class OwnCases:
    """Each method is a whole turn about the sender's cases."""

    def __init__(self, desk: Desk, phrases: Phrases) -> None:
        self._desk = desk
        self._say = phrases

    def add(self, case: Case, words: Incoming, context: Context) -> Turn:
        return self._after(
            self._desk.add(case, words, context), words, context, "case.added_thanks"
        )

    def close(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        return self._after(self._desk.resolve(case, context), incoming, context, "case.closed")

    def reopen(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        step = self._desk.reopen(case, context)
        turn = self._after(step, incoming, context, "case.reopened_thanks")
        return replace(turn, memory=replace(turn.memory, focus=case.number, intent="add"))

    def withdraw(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        return self._after(self._desk.cancel(case, context), incoming, context, "cancel.done")

    def button(self, number: str, verb: str, incoming: Incoming, context: Context) -> Turn | None:
        """A button under a message about a case; None where it no longer means anything."""
        case = case_by(number, context)
        match verb, case:
            case _, None:
                return None
            case "solved", Case(state=CaseState.ANSWERED | CaseState.RESOLVED):
                return self.close(case, incoming, context)
            case "unsolved", Case(state=CaseState.ANSWERED | CaseState.RESOLVED):
                return self.reopen(case, incoming, context)
            case "cancel", Case(is_open=True):
                return self.withdraw(case, incoming, context)
            case "add", Case(is_open=True):
                reply = self._reply(incoming, "case.add_now", number=case.number)
                memory = replace(settled(context), focus=case.number, intent="add")
                return Turn((reply,), memory)
            case _:
                return None

    def list(self, incoming: Incoming, context: Context) -> Turn:
        if not context.cases:
            return Turn((self._reply(incoming, "list.none"),), settled(context))
        lines = [self._line(case) for case in context.cases[-LISTED:]]
        buttons = tuple(
            Button(self._say("button.add", number=case.number), f"case:{case.number}:add")
            for case in open_cases(context)[-3:]
        )
        text = "\n".join([self._say("list.title"), *lines])
        return Turn((Outgoing(incoming.sender, paragraphs(text), buttons),), settled(context))

    def _line(self, case: Case) -> str:
        words = (case.question or self._say("case.photo")).splitlines()[0]
        short = words if len(words) <= WORDS_SHOWN else words[:WORDS_SHOWN] + "…"
        who = self._desk.letters.holder(case)
        return self._say(f"list.{case.state}", number=case.number, words=short, who=who)

    def cancel(self, incoming: Incoming, context: Context) -> Turn:
        """取消 in words: at once where one case is open, else which one."""
        candidates = open_cases(context)
        if len(candidates) == 1:
            return self.withdraw(candidates[0], incoming, context)
        buttons = tuple(
            Button(self._say("button.cancel", number=case.number), f"case:{case.number}:cancel")
            for case in candidates
        )
        reply = self._reply(incoming, "cancel.which" if candidates else "cancel.none")
        return Turn((replace(reply, buttons=buttons),), settled(context))

    def locate(self, township: str, incoming: Incoming, context: Context) -> Turn:
        """A township's name: remembered, and added to the open cases that lack it."""
        lacking = [case for case in open_cases(context) if case.township is None]
        steps = [self._desk.locate(case, township, context) for case in lacking]
        reply = self._reply(incoming, "township.noted", township=township)
        return Turn(
            (reply, *(message for step in steps for message in step.messages)),
            replace(settled(context), township=township),
            tuple(step.change for step in steps),
        )

    def _after(self, step: Step, incoming: Incoming, context: Context, key: str) -> Turn:
        number, who = step.case.number, self._desk.letters.holder(step.case)
        reply = replace(self._reply(incoming, key, number=number, who=who), case=number)
        return Turn((reply, *step.messages), settled(context), (step.change,), filed_under=number)

    def _reply(self, incoming: Incoming, key: str, **blanks: object) -> Outgoing:
        return Outgoing(incoming.sender, paragraphs(self._say(key, **blanks)))
