"""A farmer and his own cases: add to one, close it, reopen it, take it back, list them."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.recall import case_by, in_state, last_question, open_cases, settled
from bot.domain import (
    FARMER,
    Button,
    Case,
    CaseState,
    Context,
    Deed,
    Entered,
    Incoming,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import RATINGS, Desk, Step
from bot.phrases import Phrases

LISTED = 10
WORDS_SHOWN, LABEL_SHOWN = 20, 8  # characters of a question in a list, on a button


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
        """Done; where somebody answered it, the farmer is asked once how that was."""
        turn = self._after(self._desk.resolve(case, context), incoming, context, "case.closed")
        is_to_be_rated = case.state is CaseState.ANSWERED and case.holder and case.rating is None
        if not is_to_be_rated:
            return turn
        reply, *others = turn.replies
        return replace(turn, replies=(self._ask_rating(reply, case), *others))

    def _ask_rating(self, reply: Outgoing, case: Case) -> Outgoing:
        who = self._desk.letters.holder(case)
        asked = paragraphs(self._say("case.rate", who=who))
        buttons = tuple(
            Button(self._say(f"rating.{words}"), f"case:{case.number}:rate{stars}")
            for stars, words in RATINGS.items()
        )
        return replace(reply, blocks=reply.blocks + asked, buttons=buttons)

    def _rate(self, case: Case, stars: int, incoming: Incoming, context: Context) -> Turn:
        """Once a case; whoever found it no help may say why, by a button."""
        if case.rating is not None or case.holder is None:
            return Turn((self._reply(incoming, "case.rated_before"),), settled(context))
        key = "case.rate_why" if stars == 1 else "case.rate_thanks"
        turn = self._after(self._desk.rate(case, stars, context), incoming, context, key)
        if stars == 1:
            reply, *others = turn.replies
            why = tuple(
                Button(words, f"case:{case.number}:why{at}") for at, words in enumerate(self._whys)
            )
            turn = replace(turn, replies=(replace(reply, buttons=why), *others))
        return replace(turn, entered=(_rated(case, {"rating": stars}),))

    def _complain(self, case: Case, at: int, incoming: Incoming, context: Context) -> Turn | None:
        if case.rating != 1 or case.complaint or case.holder is None or at >= len(self._whys):
            return None
        words = self._whys[at]
        step = self._desk.rate(case, 1, context, complaint=words)
        turn = self._after(step, incoming, context, "case.rate_thanks")
        return replace(turn, entered=(_rated(case, {"rating": 1, "reason": words}),))

    @property
    def _whys(self) -> list[str]:
        return self._say("rating.whys").split("、")

    def reopen(
        self, case: Case, incoming: Incoming, context: Context, *, is_worse: bool = False
    ) -> Turn:
        step = self._desk.reopen(case, context, is_worse=is_worse)
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
            case "rate1" | "rate2" | "rate3", _:
                return self._rate(case, int(verb[-1]), incoming, context)
            case "why0" | "why1" | "why2" | "why3", _:
                return self._complain(case, int(verb[-1]), incoming, context)
            case "better" | "same" | "worse", _:
                return self._outcome(case, verb, incoming, context)
            case "solved" | "unsolved", _:
                return self.judge(case, incoming, context, is_solved=verb == "solved")
            case "cancel", Case(is_open=True):
                return self.withdraw(case, incoming, context)
            case "add", Case(is_open=True):
                return self._await_more(case, incoming, context)
            case _:
                return None

    def _outcome(self, case: Case, verb: str, incoming: Incoming, context: Context) -> Turn | None:
        """What became of it, some days after the answer."""
        is_asked = case.state in {CaseState.ANSWERED, CaseState.RESOLVED}
        if verb == "better" or not is_asked:
            return self.judge(case, incoming, context, is_solved=verb == "better")
        if verb == "worse":
            return self.reopen(case, incoming, context, is_worse=True)
        return self._after(self._desk.still(case, context), incoming, context, "case.same_thanks")

    def judge(
        self, case: Case, incoming: Incoming, context: Context, *, is_solved: bool
    ) -> Turn | None:
        """解决了 or 没解决 about a case; said twice it changes nothing more."""
        match case.state, is_solved:
            case CaseState.CANCELLED, _:
                return None
            case CaseState.RESOLVED, True:
                reply = self._reply(incoming, "case.closed", number=case.number)
                return Turn((reply,), settled(context))
            case _, True:
                return self.close(case, incoming, context)
            case ((CaseState.ANSWERED | CaseState.RESOLVED), False):
                return self.reopen(case, incoming, context)
            case _:
                return self.already(case, incoming, context)

    def already(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        return Turn((self._reply(incoming, "case.already", number=case.number),), settled(context))

    def _await_more(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        reply = self._reply(incoming, "case.add_now", number=case.number)
        return Turn((reply,), replace(settled(context), focus=case.number, intent="add"))

    def add_more(self, incoming: Incoming, context: Context) -> Turn:
        """补充 in words: the next message joins the open case, or which of them."""
        candidates = open_cases(context)
        if len(candidates) == 1:
            return self._await_more(candidates[0], incoming, context)
        reply = self._reply(incoming, "add.which" if candidates else "add.none")
        buttons = self._buttons("button.add", candidates[-3:], "add")
        return Turn((replace(reply, buttons=buttons),), settled(context))

    def which_outcome(self, incoming: Incoming, context: Context, *, is_solved: bool) -> Turn:
        """解决了 or 没解决 in words, where more than one thing was answered."""
        verb, key = ("solved", "useful") if is_solved else ("unsolved", "unsolved")
        answered = in_state(CaseState.ANSWERED, context)
        buttons = self._buttons(f"button.{verb}_which", answered, verb)
        last = last_question(context)
        if last and last.answered and last.case is None:
            buttons += (Button(self._say(f"button.{verb}_last"), f"{key}:{last.id}"),)
        reply = replace(self._reply(incoming, "outcome.which"), buttons=buttons)
        return Turn((reply,), settled(context))

    def list(self, incoming: Incoming, context: Context) -> Turn:
        if not context.cases:
            return Turn((self._reply(incoming, "list.none"),), settled(context))
        lines = [self._line(case) for case in context.cases[-LISTED:]]
        buttons = self._buttons("button.add", open_cases(context)[-3:], "add")
        text = "\n".join([self._say("list.title"), *lines])
        return Turn((Outgoing(incoming.sender, paragraphs(text), buttons),), settled(context))

    def _line(self, case: Case) -> str:
        words = self._desk.letters.brief(case, WORDS_SHOWN)
        who = self._desk.letters.holder(case)
        return self._say(f"list.{case.state}", number=case.number, words=words, who=who)

    def cancel(self, incoming: Incoming, context: Context) -> Turn:
        """取消 in words: at once where it is plain which case is meant, else which one."""
        candidates = open_cases(context)
        last = last_question(context)
        for case in candidates:
            is_last = len(candidates) == 1 and last is not None and last.case == case.number
            if is_last or case.number == context.about:
                return self.withdraw(case, incoming, context)
        buttons = self._buttons("button.cancel", candidates, "cancel")
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

    def _buttons(self, key: str, cases: tuple[Case, ...], verb: str) -> tuple[Button, ...]:
        return tuple(Button(self.label(key, case), f"case:{case.number}:{verb}") for case in cases)

    def label(self, key: str, case: Case) -> str:
        """A button that names a case by its words as well: nobody knows numbers by heart."""
        words = self._desk.letters.brief(case, LABEL_SHOWN)
        return self._say(key, number=case.number, words=words)

    def _reply(self, incoming: Incoming, key: str, **blanks: object) -> Outgoing:
        return Outgoing(incoming.sender, paragraphs(self._say(key, **blanks)))


def _rated(case: Case, proof: dict[str, object]) -> Entered:
    return Entered(Deed.RATED, case.holder or "", FARMER, case.number, proof=proof)
