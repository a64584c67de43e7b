"""What a commissioner does with a case: take it, leave it, hand it on, ask back, answer it."""

from __future__ import annotations

import re
from dataclasses import replace

from bot.conversation.assigning import ASSIGNING, Assigning
from bot.conversation.bees import BeeWatch, bee_notice
from bot.conversation.colleagues import CONFERRING, Colleagues
from bot.conversation.keeping import Keeping
from bot.conversation.orders import Order
from bot.conversation.ready import Ready
from bot.conversation.recall import case_by, open_cases, says_something, settled
from bot.conversation.replies import only
from bot.conversation.understanding import Library
from bot.domain import (
    CLOSED,
    Block,
    Button,
    Case,
    CaseState,
    Commissioner,
    Context,
    Incoming,
    Outgoing,
    Turn,
    paragraphs,
    plain,
)
from bot.escalation.desk import Desk, Step
from bot.phrases import Phrases

UNDER_WAY = frozenset({CaseState.UNPLACED, CaseState.OFFERED, CaseState.ACCEPTED, CaseState.ASKED})
ORDERS = CONFERRING | ASSIGNING | {"hand", "find", "entry", "canned", "as"}
_ASKING = re.compile(r"^\s*问\s*[:：,，、 ]\s*")


class Casework:
    """Each public method but `may` and `mine` is a whole turn about one case."""

    def __init__(
        self, desk: Desk, library: Library, keeping: Keeping, bees: BeeWatch, phrases: Phrases
    ) -> None:
        self._keeping = keeping
        self._bee_watch = bees
        self._desk = desk
        self._worries = library.worries
        self._domains = library.domains
        self._ready = Ready(library, phrases)
        self._colleagues = Colleagues(desk, phrases)
        self._assigning = Assigning(desk, phrases)
        self._say = phrases

    def order(
        self,
        number: str | int,
        order: Order,
        incoming: Incoming,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        """Anything but plain words, by button or by its name at the head of the words."""
        case, words = case_by(number, context), replace(incoming, text=order.words)
        if case and order.verb in CONFERRING | ASSIGNING:
            room = self._colleagues if order.verb in CONFERRING else self._assigning
            turn = room.take(order, case, words, context, me)
            return turn or self.not_yours(case, number, words, context)
        if case is None or not self.may(me, case):
            return self.not_yours(case, number, words, context)
        match order.verb:
            case "hand":
                return self._hand_on(case, order.object, words, context, me)
            case "find" | "canned" if not order.object:
                return self._offer_ready(case, order, words, context)
            case "entry" | "canned" | "as":
                return self._send_ready(case, order, words, context, me)
            case _:
                return self.act(number, order.verb, words, context, me)

    def _offer_ready(self, case: Case, order: Order, words: Incoming, context: Context) -> Turn:
        """Entries by some of their words, or the canned texts, each a button."""
        is_search = order.verb == "find"
        if is_search and not words.text.strip():
            return only(self._say, "desk.find_what", words, context, number=case.number)
        buttons = (
            self._ready.found_buttons(case, words.text)
            if is_search
            else self._ready.canned_buttons(case)
        )
        key = "desk.choose_entry" if is_search else "desk.choose_canned"
        text = paragraphs(self._say(key, number=case.number))
        return Turn((Outgoing(words.sender, text, buttons, case=case.number),), settled(context))

    def _send_ready(
        self, case: Case, order: Order, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """An entry, a canned text, or the answer that he gave to another case."""
        if order.verb == "canned":
            texts = self._ready.canned()
            at = int(order.object) if order.object.isdecimal() else len(texts)
            words = replace(words, text="".join(texts[at : at + 1]))
            return self.words(case.number, words, context, me)
        if case.is_disputed:
            return only(self._say, "desk.settle_first", words, context, number=case.number)
        if order.verb == "as":
            return self._answer_alike(case, case_by(order.object, context), words, context, me)
        blocks = self._ready.entry(order.object)
        if not blocks:
            return only(self._say, "press.stale", words, context)
        note = self._say("case.sent_entry", title=self._desk.letters.entry(order.object))
        return self._send(case, words, context, me, note, blocks=blocks)

    def _answer_alike(
        self,
        case: Case,
        other: Case | None,
        words: Incoming,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        """One answer serves both; the ledger counts it once."""
        if other is None or not other.answer or other.holder != me.id or other == case:
            return only(self._say, "desk.none_alike", words, context, number=case.number)
        again = replace(words, text=other.answer, attachments=other.answer_attachments)
        root = other.same_as or other.number
        note = self._say("case.sent_as", number=other.number)
        return self._send(case, again, context, me, note, same_as=root)

    def words(
        self, number: str | int | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """Words meant for a case: an answer, or a question back when they begin with 问."""
        asking = _ASKING.match(incoming.text)
        words = replace(incoming, text=incoming.text[asking.end() :]) if asking else incoming
        return self.act(number, "ask" if asking else "answer", words, context, me)

    def act(
        self,
        number: str | int | None,
        verb: str,
        words: Incoming,
        context: Context,
        me: Commissioner,
    ) -> Turn:
        case = case_by(number, context)
        if case is None or not self.may(me, case):
            return self.not_yours(case, number, words, context)
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
        doubts = (self._say("desk.disputed"),) if case.is_disputed else ()
        worries = "；".join((*self._worries(words.text, case.domain), *doubts))
        if worries and not is_sure:
            sure = Button(self._say("button.send_anyway"), f"case:{case.number}:sure")
            text = self._say("desk.look_again", number=case.number, worries=worries)
            reply = Outgoing(words.sender, paragraphs(text), (sure,), case=case.number)
            return Turn((reply,), replace(settled(context), draft=words))
        note = self._say("case.sent_anyway", worries=worries) if worries else ""
        return self._send(case, words, context, me, note)

    def _send(
        self,
        case: Case,
        words: Incoming,
        context: Context,
        me: Commissioner,
        note: str,
        *,
        blocks: tuple[Block, ...] = (),
        same_as: int | None = None,
    ) -> Turn:
        """What leads to spraying in bloom carries the notice, and dispatchers hear of it."""
        said = plain((*paragraphs(words.text), *blocks))
        domain = self._domains().get(case.domain or "")
        bees = bee_notice(said, domain, context.now, self._say)
        step = self._desk.answer(
            case, me.id, words, context, note, blocks=blocks + bees, same_as=same_as
        )
        mine = [one for one in self.mine(context, me) if one.state is not CaseState.ANSWERED]
        buttons = (*self._ready.others(step.case, mine), self._keeping.button(case.number))
        turn = self._done(step, "desk.answered", words, context, buttons)
        offers = self._bee_watch.offer(step.case, context) if bees else ()
        return replace(turn, replies=(*turn.replies, *offers))

    def _hand_on(
        self, case: Case, name: str, words: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """“#12 转给 吕玉奎，看看是不是锈病”: the rest of the words is the reason."""
        person = self._desk.roster.find(name)
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
            closing = self._say("button.declined")
            return self._done(step, "desk.declined", words, context, closing=closing)
        if is_mine and case.state is not CaseState.OFFERED:
            return only(self._say, "desk.already_yours", words, context, number=case.number)
        step = self._desk.accept(case, me.id, context)
        ready = self._ready.for_case(step.case, context)
        closing = self._say("button.accepted")
        return self._done(step, "desk.accepted", words, context, ready, closing=closing)

    def may(self, me: Commissioner, case: Case) -> bool:
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

    def mine(self, context: Context, me: Commissioner) -> list[Case]:
        """What waits for him; another's offer concerns a dispatcher only where it is urgent."""
        return [
            case
            for case in open_cases(context)
            if self.may(me, case)
            and (case.holder == me.id or case.state is not CaseState.OFFERED or case.is_urgent)
        ]

    def not_yours(
        self, case: Case | None, number: object, incoming: Incoming, context: Context
    ) -> Turn:
        if case is None:
            return only(self._say, "desk.no_such_case", incoming, context, number=number)
        if case.state in CLOSED:
            return only(self._say, "desk.closed", incoming, context, number=number)
        who = self._desk.letters.holder(case)
        is_words = says_something(incoming)
        key = "desk.not_sent" if is_words else "desk.not_yours"
        turn = only(self._say, key, incoming, context, number=number, who=who)
        closing = self._desk.letters.taken_by(case)
        told = replace(turn.replies[0], case=case.number, closing=closing)
        return replace(turn, replies=(told,))

    def _await_words(self, case: Case, verb: str, incoming: Incoming, context: Context) -> Turn:
        if incoming.other:
            return only(self._say, "desk.unsupported", incoming, context)
        turn = only(self._say, f"desk.send_{verb}", incoming, context, number=case.number)
        announced = replace(settled(context), focus=case.number)
        asks = verb == "ask"
        return replace(turn, memory=replace(announced, intent="ask" if asks else "answer"))

    def _done(
        self,
        step: Step,
        key: str,
        incoming: Incoming,
        context: Context,
        buttons: tuple[Button, ...] = (),
        *,
        closing: str = "",
        **blanks: object,
    ) -> Turn:
        number = step.case.number
        words = paragraphs(self._say(key, number=number, **blanks))
        reply = Outgoing(incoming.sender, words, buttons, case=number, closing=closing)
        return Turn((reply, *step.messages), settled(context), (step.change,), filed_under=number)
