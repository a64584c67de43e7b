"""What a commissioner's message leads to: accept, decline, answer, ask back; never by guess."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation.recall import case_by, open_cases, settled
from bot.conversation.wishes import Lexicon, Wish
from bot.domain import (
    CLOSED,
    Button,
    Case,
    CaseState,
    Commissioner,
    Context,
    Incoming,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk, Step
from bot.phrases import Phrases

_NUMBERED = re.compile(r"^\s*[#＃]\s*(\d+)\s*[:：,，、]?\s*", re.ASCII)
_ASKING = re.compile(r"^\s*问\s*[:：,，、 ]\s*")


class CommissionerTalk:
    """Takes one message of a bound commissioner or dispatcher."""

    def __init__(self, desk: Desk, lexicon: Lexicon, phrases: Phrases) -> None:
        self._desk = desk
        self._lexicon = lexicon
        self._say = phrases

    def take(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        if incoming.press:
            return self._pressed(incoming, context, me)
        if numbered := _NUMBERED.match(incoming.text):
            words = replace(incoming, text=incoming.text[numbered.end() :])
            return self._words_for(numbered[1], words, context, me)
        if context.about is not None or incoming.case is not None:
            return self._words_for(context.about or incoming.case, incoming, context, me)
        if context.memory.focus is not None and context.memory.intent in {"answer", "ask"}:
            number, verb = context.memory.focus, context.memory.intent
            return self._act(number, verb, incoming, context, me)
        if wish := self._lexicon.wish(incoming.text):
            return self._wish(wish, incoming, context)
        return self._which_case(incoming, context, me)

    def _pressed(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        match (incoming.press or "").split(":"):
            case ["case", number, ("accept" | "decline" | "answer" | "ask") as verb]:
                return self._act(number, verb, incoming, context, me)
            case ["draft", number] if context.memory.draft:
                words = replace(context.memory.draft, id=incoming.id)
                return self._words_for(number, words, context, me)
            case _:
                return self._only(incoming, context, "press.stale")

    def _words_for(
        self, number: str | int | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """Words meant for a case: an answer, or a question back when they begin with 问."""
        asking = _ASKING.match(incoming.text)
        words = replace(incoming, text=incoming.text[asking.end() :]) if asking else incoming
        return self._act(number, "ask" if asking else "answer", words, context, me)

    def _act(
        self,
        number: str | int | None,
        verb: str,
        words: Incoming,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        case = case_by(number, context)
        if case is None or not self._may(me, case):
            return self._not_yours(case, number, words, context)
        match verb:
            case "accept" if case.holder == me.id and case.state is not CaseState.OFFERED:
                return self._only(words, context, "desk.already_yours", number=case.number)
            case "accept":
                return self._done(
                    self._desk.accept(case, me.id, context), "desk.accepted", words, context
                )
            case "decline":
                step = self._desk.decline(case, me.id, words.text, context)
                return self._done(step, "desk.declined", words, context)
            case _ if not (words.text.strip() or words.attachments):
                return self._await_words(case, verb, words, context)
            case "ask":
                step = self._desk.ask(case, me.id, words, context)
                return self._done(step, "desk.asked", words, context)
            case _:
                step = self._desk.answer(case, me.id, words, context)
                return self._done(step, "desk.answered", words, context)

    def _may(self, me: Commissioner, case: Case) -> bool:
        """His own case; a dispatcher also any that nobody has accepted yet."""
        if case.state is CaseState.CANCELLED:
            return False
        if case.holder == me.id:
            return True
        nobody_took_it = case.state in {CaseState.UNPLACED, CaseState.OFFERED}
        return me.is_dispatcher and nobody_took_it

    def _not_yours(
        self, case: Case | None, number: object, incoming: Incoming, context: Context
    ) -> Turn:
        if case is None:
            return self._only(incoming, context, "desk.no_such_case", number=number)
        if case.state in CLOSED:
            return self._only(incoming, context, "desk.closed", number=number)
        who = self._desk.roster.name(case.holder)
        return self._only(incoming, context, "desk.not_yours", number=number, who=who)

    def _await_words(self, case: Case, verb: str, incoming: Incoming, context: Context) -> Turn:
        if incoming.other:
            return self._only(incoming, context, "desk.unsupported")
        turn = self._only(incoming, context, f"desk.send_{verb}", number=case.number)
        announced = replace(settled(context), focus=case.number)
        asks = verb == "ask"
        return replace(turn, memory=replace(announced, intent="ask" if asks else "answer"))

    def _wish(self, wish: Wish, incoming: Incoming, context: Context) -> Turn:
        if wish is not Wish.LIST:
            return self._only(incoming, context, "desk.help")
        lines = [
            self._say(
                "desk.line",
                number=case.number,
                state=self._say(f"state.{case.state}"),
                words=(case.question or self._say("case.photo")).splitlines()[0],
            )
            for case in open_cases(context)
        ]
        text = "\n".join([self._say("desk.list"), *lines]) if lines else self._say("desk.none")
        return Turn((Outgoing(incoming.sender, paragraphs(text)),), settled(context))

    def _which_case(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """Words without an address are kept until he says which case they are for."""
        mine = [case for case in open_cases(context) if case.holder == me.id]
        if not mine:
            return self._only(incoming, context, "desk.none")
        if incoming.other:
            return self._only(incoming, context, "desk.unsupported")
        buttons = tuple(
            Button(self._say("button.send_to", number=case.number), f"draft:{case.number}")
            for case in mine
        )
        reply = Outgoing(incoming.sender, paragraphs(self._say("desk.which_case")), buttons)
        return Turn((reply,), replace(context.memory, draft=incoming, focus=None, intent=None))

    def _done(self, step: Step, key: str, incoming: Incoming, context: Context) -> Turn:
        number = step.case.number
        reply = Outgoing(incoming.sender, paragraphs(self._say(key, number=number)), case=number)
        return Turn((reply, *step.messages), settled(context), (step.change,), filed_under=number)

    def _only(self, incoming: Incoming, context: Context, key: str, **blanks: object) -> Turn:
        reply = Outgoing(incoming.sender, paragraphs(self._say(key, **blanks)))
        return Turn((reply,), settled(context))
