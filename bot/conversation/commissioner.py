"""What a commissioner's message leads to: accept, decline, answer, ask back; never by guess."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation.keeping import Keeping
from bot.conversation.own_ledger import OwnLedger
from bot.conversation.recall import addressed, case_by, open_cases, says_something, settled
from bot.conversation.replies import only
from bot.conversation.rulings import Rulings
from bot.conversation.understanding import Worries
from bot.conversation.wishes import COURTESY, Lexicon, Wish
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

LINE_SHOWN, WORDS_SHOWN = 20, 10  # characters of a question in a list, on a button
MOST_BUTTONS = 10
UNDER_WAY = frozenset({CaseState.UNPLACED, CaseState.OFFERED, CaseState.ACCEPTED, CaseState.ASKED})
_DECLINING = re.compile(r"^\s*退回(?:\s*[:：,，。、 ]\s*|$)")
_HANDING_ON = re.compile(r"^\s*转给\s*[:：]?\s*([^\s:：,，。]{1,20})\s*[:：,，。]?\s*")
_ASKING = re.compile(r"^\s*问\s*[:：,，、 ]\s*")


class CommissionerTalk:
    """Takes one message of a bound commissioner or dispatcher."""

    def __init__(
        self,
        desk: Desk,
        own_ledger: OwnLedger,
        keeping: Keeping,
        worries: Worries,
        lexicon: Lexicon,
        phrases: Phrases,
    ) -> None:
        self._desk = desk
        self._worries = worries
        self._own_ledger = own_ledger
        self._keeping = keeping
        self._rulings = Rulings(desk.roster, phrases)
        self._lexicon = lexicon
        self._say = phrases

    def take(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        if incoming.press:
            return self._pressed(incoming, context, me)
        incoming, context = addressed(incoming, context)
        wish = self._lexicon.wish(incoming.text) if incoming.text.strip() else None
        if incoming.case is not None:
            return self._words_for(incoming.case, incoming, context, me)
        if self._keeping.is_wanted(incoming.text):
            return self._keeping.take(context.about, incoming, context, me)
        if context.about is not None:
            return self._about(context.about, wish, incoming, context, me)
        if context.memory.focus is not None and context.memory.intent in {"answer", "ask"}:
            return self._announced(wish, incoming, context, me)
        suggestion = self._own_ledger.suggestion_in(incoming.text)
        if suggestion is not None and not me.is_dispatcher:
            return self._own_ledger.suggest(suggestion, incoming, context, me)
        if wish and not incoming.attachments:
            return self._wish(wish, incoming, context, me)
        return self._which_case(incoming, context, me)

    def _about(
        self, number: int, wish: Wish | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """A reply or “#12 …”: 接单 and 退回 are moves, a mere 收到 is asked about, never sent."""
        if handing_on := _HANDING_ON.match(incoming.text):
            words = replace(incoming, text=incoming.text[handing_on.end() :])
            return self._hand_on(number, handing_on[1], words, context, me)
        declining = _DECLINING.match(incoming.text)
        if declining or wish in {Wish.ACCEPT, Wish.DECLINE}:
            words = replace(incoming, text=incoming.text[declining.end() :] if declining else "")
            verb = "accept" if wish is Wish.ACCEPT else "decline"
            return self._act(number, verb, words, context, me)
        case = case_by(number, context)
        is_courtesy = wish in COURTESY and not incoming.attachments
        if is_courtesy and case and self._may(me, case):
            return self._accept_or_send(case, incoming, context)
        return self._words_for(number, incoming, context, me)

    def _announced(
        self, wish: Wish | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """What 答复 or 追问 was pressed for, unless he turns to something else."""
        number, verb = context.memory.focus, context.memory.intent or "answer"
        if wish is Wish.CANCEL:
            return self._which_case(incoming, context, me)
        if wish in {Wish.LIST, Wish.HELP, Wish.LEDGER}:
            return self._wish(wish, incoming, context, me)
        return self._act(number, verb, incoming, context, me)

    def _pressed(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        match (incoming.press or "").split(":"):
            case ["case", number, ("accept" | "decline" | "answer" | "ask") as verb]:
                return self._act(number, verb, incoming, context, me)
            case ["case", number, "hand", person]:
                return self._hand_on(number, person, incoming, context, me)
            case ["case", number, "keep", *domain]:
                return self._keeping.take(number, incoming, context, me, "".join(domain))
            case ["case", number, "sure"] if context.memory.draft:
                words = replace(context.memory.draft, id=incoming.id)
                return self._act(number, "sure", words, context, me)
            case ["ledger", number, verb, *rest]:
                turn = self._rulings.take(number, verb, rest, incoming, context)
                return turn or only(self._say, "press.stale", incoming, context)
            case ["draft", number] if context.memory.draft:
                words = replace(context.memory.draft, id=incoming.id)
                return self._words_for(number, words, context, me)
            case _:
                return only(self._say, "press.stale", incoming, context)

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
        if verb in {"accept", "decline"}:
            return self._take_or_leave(case, verb, words, context, me)
        match verb:
            case _ if not (words.text.strip() or words.attachments):
                return self._await_words(case, verb, words, context)
            case "ask":
                step = self._desk.ask(case, me.id, words, context)
                return self._done(step, "desk.asked", words, context)
            case _:
                return self._answer(case, words, context, me, is_sure=verb == "sure")

    def _answer(
        self, case: Case, words: Incoming, context: Context, me: Commissioner, *, is_sure: bool
    ) -> Turn:
        """Words about a banned substance or a loose dose are sent when he says so once more, and
        the case's thread tells it."""
        worries = "；".join(self._worries(words.text, case.domain))
        if worries and not is_sure:
            sure = Button(self._say("button.send_anyway"), f"case:{case.number}:sure")
            text = self._say("desk.look_again", number=case.number, worries=worries)
            reply = Outgoing(words.sender, paragraphs(text), (sure,), case=case.number)
            return Turn((reply,), replace(settled(context), draft=words))
        note = self._say("case.sent_anyway", worries=worries) if worries else ""
        step = self._desk.answer(case, me.id, words, context, note)
        turn = self._done(step, "desk.answered", words, context)
        confirmed = replace(turn.replies[0], buttons=(self._keeping.button(case.number),))
        return replace(turn, replies=(confirmed, *turn.replies[1:]))

    def _hand_on(
        self, number: str | int, name: str, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """“#12 转给 吕玉奎，看看是不是锈病”: the rest of the words is the reason."""
        case, person = case_by(number, context), self._desk.roster.find(name)
        if case is None or not self._may(me, case):
            return self._not_yours(case, number, words, context)
        if case.state not in UNDER_WAY:
            return only(self._say, "desk.too_late", words, context, number=case.number)
        if person is None or person.id in {case.holder, me.id} or person.is_dispatcher:
            others = [one for one in self._desk.roster.experts() if one.id != me.id]
            names = "、".join(one.name for one in others)
            return only(
                self._say, "desk.hand_to_whom", words, context, number=case.number, names=names
            )
        step = self._desk.hand_on(case, person.id, me.id, words.text.strip(), context)
        return self._done(step, "desk.handed_on", words, context, name=person.name)

    def _take_or_leave(
        self, case: Case, verb: str, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        is_mine = case.holder == me.id
        if case.state not in UNDER_WAY:
            return only(self._say, "desk.too_late", words, context, number=case.number)
        if verb == "decline" and not is_mine:
            return only(self._say, "desk.left", words, context, number=case.number)
        if verb == "decline":
            step = self._desk.decline(case, me.id, words.text, context)
            return self._done(step, "desk.declined", words, context)
        if is_mine and case.state is not CaseState.OFFERED:
            return only(self._say, "desk.already_yours", words, context, number=case.number)
        return self._done(self._desk.accept(case, me.id, context), "desk.accepted", words, context)

    def _may(self, me: Commissioner, case: Case) -> bool:
        """His own case, and one that he passed up and nobody has since; a dispatcher's also any
        that nobody has accepted, or whose answer is late."""
        if case.state is CaseState.CANCELLED:
            return False
        if case.holder == me.id:
            return True
        if case.state is CaseState.UNPLACED:
            return me.is_dispatcher or me.id in case.passed
        is_late = case.is_open and case.reminders > 1
        return me.is_dispatcher and (case.state is CaseState.OFFERED or is_late)

    def _mine(self, context: Context, me: Commissioner) -> list[Case]:
        """What waits for him; another's offer concerns a dispatcher only where it is urgent."""
        return [
            case
            for case in open_cases(context)
            if self._may(me, case)
            and (case.holder == me.id or case.state is not CaseState.OFFERED or case.is_urgent)
        ]

    def _not_yours(
        self, case: Case | None, number: object, incoming: Incoming, context: Context
    ) -> Turn:
        if case is None:
            return only(self._say, "desk.no_such_case", incoming, context, number=number)
        if case.state in CLOSED:
            return only(self._say, "desk.closed", incoming, context, number=number)
        who = self._desk.letters.holder(case)
        is_words = says_something(incoming)
        key = "desk.not_sent" if is_words else "desk.not_yours"
        return only(self._say, key, incoming, context, number=number, who=who)

    def _await_words(self, case: Case, verb: str, incoming: Incoming, context: Context) -> Turn:
        if incoming.other:
            return only(self._say, "desk.unsupported", incoming, context)
        turn = only(self._say, f"desk.send_{verb}", incoming, context, number=case.number)
        announced = replace(settled(context), focus=case.number)
        asks = verb == "ask"
        return replace(turn, memory=replace(announced, intent="ask" if asks else "answer"))

    def _wish(self, wish: Wish, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        if wish is Wish.LEDGER and not me.is_dispatcher:
            return self._own_ledger.show(incoming, context, me)
        if wish is not Wish.LIST:
            return only(self._say, "desk.help", incoming, context)
        lines = [
            self._say(
                "desk.line",
                number=case.number,
                state=self._say(f"state.{case.state}"),
                words=self._desk.letters.brief(case, LINE_SHOWN),
            )
            for case in self._mine(context, me)
        ]
        text = "\n".join([self._say("desk.list"), *lines]) if lines else self._say("desk.none")
        return Turn((Outgoing(incoming.sender, paragraphs(text)),), settled(context))

    def _which_case(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """Words without an address are kept until he says which case they are for; more of them
        join the first."""
        mine = sorted(self._mine(context, me), key=lambda case: case.state is CaseState.ANSWERED)
        if not mine:
            return only(self._say, "desk.none", incoming, context)
        if not (incoming.text.strip() or incoming.attachments):
            return only(self._say, "desk.unsupported", incoming, context)
        buttons = tuple(self._send_button(case) for case in mine[:MOST_BUTTONS])
        reply = Outgoing(incoming.sender, paragraphs(self._say("desk.which_case")), buttons)
        return Turn((reply,), replace(settled(context), draft=_joined(context, incoming)))

    def _accept_or_send(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        """收到 below an offer: is the case accepted, or is that the answer?"""
        accept = Button(self._say("button.accept"), f"case:{case.number}:accept")
        is_offered = case.state in {CaseState.OFFERED, CaseState.UNPLACED}
        buttons = ((accept,) if is_offered else ()) + (self._send_button(case),)
        key = "desk.accept_or_send" if is_offered else "desk.really_send"
        reply = Outgoing(incoming.sender, paragraphs(self._say(key, number=case.number)), buttons)
        return Turn((reply,), replace(settled(context), draft=incoming))

    def _send_button(self, case: Case) -> Button:
        words = self._desk.letters.brief(case, WORDS_SHOWN)
        label = self._say("button.send_to", number=case.number, words=words)
        return Button(label, f"draft:{case.number}")

    def _done(
        self, step: Step, key: str, incoming: Incoming, context: Context, **blanks: object
    ) -> Turn:
        number = step.case.number
        words = paragraphs(self._say(key, number=number, **blanks))
        reply = Outgoing(incoming.sender, words, case=number)
        return Turn((reply, *step.messages), settled(context), (step.change,), filed_under=number)


def _joined(context: Context, incoming: Incoming) -> Incoming:
    """The words kept so far and these, as one message."""
    kept = context.memory.draft
    if kept is None:
        return incoming
    text = "\n".join(filter(None, (kept.text, incoming.text)))
    return replace(incoming, text=text, attachments=kept.attachments + incoming.attachments)
