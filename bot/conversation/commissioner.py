"""What a commissioner's message leads to: accept, decline, answer, ask back; never by guess."""

from __future__ import annotations

from dataclasses import replace

from bot.conversation.bees import BeeWatch
from bot.conversation.casework import ORDERS, Casework
from bot.conversation.colleagues import is_consulted
from bot.conversation.keeping import Keeping
from bot.conversation.orders import Order, order_in
from bot.conversation.own_ledger import OwnLedger
from bot.conversation.recall import addressed, case_by, joined, settled
from bot.conversation.replies import only
from bot.conversation.rulings import Rulings
from bot.conversation.understanding import Library
from bot.conversation.visits import Visits, begins
from bot.conversation.wishes import COURTESY, Lexicon, Wish
from bot.domain import (
    Button,
    Case,
    CaseState,
    Commissioner,
    Context,
    Incoming,
    Other,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk
from bot.phrases import Phrases

LINE_SHOWN, WORDS_SHOWN = 20, 10  # characters of a question in a list, on a button
MOST_BUTTONS = 10


class CommissionerTalk:
    """Takes one message of a bound commissioner or dispatcher."""

    def __init__(
        self,
        desk: Desk,
        own_ledger: OwnLedger,
        visits: Visits,
        bees: BeeWatch,
        keeping: Keeping,
        library: Library,
        lexicon: Lexicon,
        phrases: Phrases,
    ) -> None:
        self._letters = desk.letters
        self._work = Casework(desk, library, keeping, bees, phrases)
        self._bees = bees
        self._own_ledger = own_ledger
        self._keeping = keeping
        self._rulings = Rulings(desk.roster, phrases)
        self._visits = visits
        self._lexicon = lexicon
        self._say = phrases

    def take(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        if incoming.press:
            return self._pressed(incoming, context, me)
        incoming, context = addressed(incoming, context)
        wish = self._wish_of(incoming)
        if incoming.case is not None:
            return self._work.words(incoming.case, incoming, context, me)
        if self._keeping.is_wanted(incoming.text):
            return self._keeping.take(context.about, incoming, context, me)
        if begins(incoming.text):
            context = replace(context, memory=settled(context))
            return self._visits.tell(incoming, context, case_by(context.about, context))
        if context.about is not None:
            return self._about(context.about, wish, incoming, context, me)
        if context.memory.focus is not None and context.memory.intent in {"answer", "ask"}:
            return self._announced(wish, incoming, context, me)
        if context.memory.intent == "log" and not wish:
            case = case_by(context.memory.focus, context)
            return self._visits.tell(incoming, context, case)
        suggestion = self._own_ledger.suggestion_in(incoming.text)
        if suggestion is not None and not me.is_dispatcher:
            return self._own_ledger.suggest(suggestion, incoming, context, me)
        if wish and not incoming.attachments:
            return self._wish(wish, incoming, context, me)
        return self._which_case(incoming, context, me)

    def asks_of_ledger(self, text: str) -> bool:
        is_suggestion = self._own_ledger.suggestion_in(text) is not None
        return is_suggestion or self._lexicon.wish(text) is Wish.LEDGER

    def _about(
        self, number: int, wish: Wish | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """A reply or “#12 …”: 接单 and 退回 are moves, a mere 收到 is asked about, never sent."""
        case = case_by(number, context)
        if order := order_in(incoming.text):
            return self._work.order(number, order, incoming, context, me)
        if wish in {Wish.ACCEPT, Wish.DECLINE}:
            verb = "accept" if wish is Wish.ACCEPT else "decline"
            return self._work.act(number, verb, replace(incoming, text=""), context, me)
        if case and is_consulted(me, case):
            opinion = Order("opine", "", incoming.text)
            return self._work.order(number, opinion, incoming, context, me)
        is_courtesy = wish in COURTESY and not incoming.attachments
        if is_courtesy and case and self._work.may(me, case):
            return self._accept_or_send(case, incoming, context)
        return self._work.words(number, incoming, context, me)

    def _announced(
        self, wish: Wish | None, incoming: Incoming, context: Context, me: Commissioner
    ) -> Turn:
        """What 答复 or 追问 was pressed for, unless he turns to something else."""
        number, verb = context.memory.focus, context.memory.intent or "answer"
        if wish is Wish.CANCEL:
            return self._which_case(incoming, context, me)
        if wish in {Wish.LIST, Wish.HELP, Wish.LEDGER}:
            return self._wish(wish, incoming, context, me)
        return self._work.act(number, verb, incoming, context, me)

    def _pressed(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        match (incoming.press or "").split(":"):
            case ["case", number, ("accept" | "decline" | "answer" | "ask") as verb]:
                return self._work.act(number, verb, incoming, context, me)
            case ["case", number, verb, *named] if verb in ORDERS and len(named) < 2:
                order = Order(verb, "".join(named), incoming.text)
                return self._work.order(number, order, incoming, context, me)
            case ["case", number, "keep", *domain]:
                return self._keeping.take(number, incoming, context, me, "".join(domain))
            case ["case", number, "sure"] if context.memory.draft:
                words = replace(context.memory.draft, id=incoming.id)
                return self._work.act(number, "sure", words, context, me)
            case ["ledger", number, verb, *rest]:
                turn = self._rulings.take(number, verb, rest, incoming, context)
                return turn or only(self._say, "press.stale", incoming, context)
            case ["bees", number]:
                turn = self._bees.tell(number, incoming, context, me)
                return turn or only(self._say, "press.stale", incoming, context)
            case ["visit", "save"]:
                return self._visits.save(incoming, context, me)
            case ["draft", number] if context.memory.draft:
                words = replace(context.memory.draft, id=incoming.id)
                return self._work.words(number, words, context, me)
            case _:
                return only(self._say, "press.stale", incoming, context)

    def _wish_of(self, incoming: Incoming) -> Wish | None:
        """Whoever opens the chat is shown what waits for him."""
        if incoming.other is Other.JOINED:
            return Wish.LIST
        return self._lexicon.wish(incoming.text) if incoming.text.strip() else None

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
                words=self._letters.brief(case, LINE_SHOWN),
            )
            for case in self._work.mine(context, me)
        ]
        text = "\n".join([self._say("desk.list"), *lines]) if lines else self._say("desk.none")
        return Turn((Outgoing(incoming.sender, paragraphs(text)),), settled(context))

    def _which_case(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """Words without an address are kept until he says which case they are for; more of them
        join the first."""
        mine = sorted(
            self._work.mine(context, me), key=lambda case: case.state is CaseState.ANSWERED
        )
        if not mine:
            return only(self._say, "desk.none", incoming, context)
        if not (incoming.text.strip() or incoming.attachments):
            return only(self._say, "desk.unsupported", incoming, context)
        buttons = tuple(self._send_button(case) for case in mine[:MOST_BUTTONS])
        reply = Outgoing(incoming.sender, paragraphs(self._say("desk.which_case")), buttons)
        return Turn((reply,), replace(settled(context), draft=joined(context, incoming)))

    def _accept_or_send(self, case: Case, incoming: Incoming, context: Context) -> Turn:
        """收到 below an offer: is the case accepted, or is that the answer?"""
        accept = Button(self._say("button.accept"), f"case:{case.number}:accept")
        is_offered = case.state in {CaseState.OFFERED, CaseState.UNPLACED}
        buttons = ((accept,) if is_offered else ()) + (self._send_button(case),)
        key = "desk.accept_or_send" if is_offered else "desk.really_send"
        reply = Outgoing(incoming.sender, paragraphs(self._say(key, number=case.number)), buttons)
        return Turn((reply,), replace(settled(context), draft=incoming))

    def _send_button(self, case: Case) -> Button:
        words = self._letters.brief(case, WORDS_SHOWN)
        label = self._say("button.send_to", number=case.number, words=words)
        return Button(label, f"draft:{case.number}")
