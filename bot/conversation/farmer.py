"""What a farmer's message leads to: a list of readings, and the first that fits is taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from bot.conversation.asking import Asking
from bot.conversation.own_cases import OwnCases
from bot.conversation.recall import (
    case_by,
    last_question,
    open_cases,
    question_of,
    remember,
    settled,
)
from bot.conversation.wishes import Lexicon, Wish
from bot.domain import (
    Button,
    CaseState,
    Context,
    Incoming,
    Other,
    Outgoing,
    Reason,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Why
from bot.phrases import Phrases

Reading = Callable[[Incoming, Context], Turn | None]
HAND_OVER = {
    "none": Reason.NONE_FITS,
    "unsolved": Reason.UNSOLVED,
    "person": Reason.ASKED_FOR_PERSON,
}


class FarmerTalk:
    """Takes one farmer's message."""

    def __init__(
        self, asking: Asking, own_cases: OwnCases, lexicon: Lexicon, phrases: Phrases
    ) -> None:
        self._asking = asking
        self._own_cases = own_cases
        self._lexicon = lexicon
        self._say = phrases
        self._readings: tuple[Reading, ...] = (
            asking.danger,
            self._press,
            self._addition,
            self._wordless,
            self._number,
            self._wish,
            self._township,
        )

    def take(self, incoming: Incoming, context: Context) -> Turn:
        for read in self._readings:
            if turn := read(incoming, context):
                return turn
        return self._asking.ask(incoming, context)

    def _press(self, incoming: Incoming, context: Context) -> Turn | None:
        """A button; one that no longer means anything is said to be so."""
        if incoming.press is None:
            return None
        return self._pressed(incoming, context) or self._only(incoming, context, "press.stale")

    def _pressed(self, incoming: Incoming, context: Context) -> Turn | None:
        match (incoming.press or "").split(":"):
            case ["show", entry_id, question_id]:
                return self._asking.show(entry_id, question_id, incoming, context)
            case ["useful", _]:
                return self._only(incoming, context, "useful.thanks")
            case [("none" | "unsolved" | "person") as verb, question_id]:
                reason = HAND_OVER[verb]
                return self._asking.hand_over(question_id, reason, incoming, context)
            case ["add", number, question_id]:
                return self._asking.add_to(number, question_id, incoming, context)
            case ["case", number, verb]:
                return self._own_cases.button(number, verb, incoming, context)
            case _:
                return None

    def _addition(self, incoming: Incoming, context: Context) -> Turn | None:
        """A reply to a message about a case, or what was announced by 补充."""
        memory = context.memory
        number = context.about or (memory.focus if memory.intent == "add" else None)
        case = case_by(number, context)
        is_cancelled = case is not None and case.state is CaseState.CANCELLED
        if case is None or is_cancelled or incoming.other or self._lexicon.wish(incoming.text):
            return None
        return self._own_cases.add(case, incoming, context)

    def _wordless(self, incoming: Incoming, context: Context) -> Turn | None:
        """A photo, voice, place or sticker without words."""
        if incoming.text.strip():
            return None
        if not incoming.attachments and incoming.location is None:
            return self._only(incoming, context, f"other.{incoming.other or Other.UNKNOWN}")
        candidates = open_cases(context)
        if len(candidates) == 1:
            return self._own_cases.add(candidates[0], incoming, context)
        if incoming.location:
            return self._only(incoming, context, "other.location")
        return self._unspoken(incoming, context)

    def _unspoken(self, incoming: Incoming, context: Context) -> Turn:
        """Photos wait for a word; a voice note goes to a person, who can listen."""
        question = question_of(incoming, context)
        if any(one.kind == "voice" for one in incoming.attachments):
            return self._asking.open(question, Why(Reason.PHOTO, None), incoming, context)
        button = Button(self._say("button.person"), f"person:{question.id}")
        reply = Outgoing(incoming.sender, paragraphs(self._say("photo.say_more")), (button,))
        return Turn((reply,), remember(context, question))

    def _number(self, incoming: Incoming, context: Context) -> Turn | None:
        """A bare number picks from the choices offered last; 0 is 都不是."""
        text = incoming.text.strip().rstrip(".。、")
        question = last_question(context)
        if not (text.isdecimal() and question and question.offered and not question.answered):
            return None
        number = int(text)
        if 1 <= number <= len(question.offered):
            entry_id, question_id = question.offered[number - 1], str(question.id)
            return self._asking.show(entry_id, question_id, incoming, context)
        if number in {0, len(question.offered) + 1}:
            return self._asking.hand_over(str(question.id), Reason.NONE_FITS, incoming, context)
        return self._only(incoming, context, "clarify.out_of_range", memory_kept=True)

    def _wish(self, incoming: Incoming, context: Context) -> Turn | None:
        match wish := self._lexicon.wish(incoming.text):
            case None:
                return None
            case Wish.LIST:
                return self._own_cases.list(incoming, context)
            case Wish.CANCEL:
                return self._own_cases.cancel(incoming, context)
            case Wish.PERSON:
                return self._last(Reason.ASKED_FOR_PERSON, incoming, context)
            case Wish.NONE_FITS:
                return self._last(Reason.NONE_FITS, incoming, context)
            case Wish.SOLVED | Wish.UNSOLVED:
                return self._outcome(wish, incoming, context)
            case _:
                return self._only(incoming, context, f"wish.{wish}", memory_kept=True)

    def _outcome(self, wish: Wish, incoming: Incoming, context: Context) -> Turn:
        """解决了 or 没解决 in words: for the one answered case, else for the last answer."""
        answered = [case for case in context.cases if case.state is CaseState.ANSWERED]
        if len(answered) == 1:
            is_solved = wish is Wish.SOLVED
            act = self._own_cases.close if is_solved else self._own_cases.reopen
            return act(answered[0], incoming, context)
        if wish is Wish.SOLVED:
            return self._only(incoming, context, "useful.thanks")
        return self._last(Reason.UNSOLVED, incoming, context)

    def _last(self, reason: Reason, incoming: Incoming, context: Context) -> Turn:
        """The last question goes to a person; where there is none, the next one will."""
        last = last_question(context)
        if last and last.case is None:
            turn = self._asking.hand_over(str(last.id), reason, incoming, context)
            if turn:
                return turn
        turn = self._only(incoming, context, "person.ask_away")
        return replace(turn, memory=replace(turn.memory, intent="ask"))

    def _township(self, incoming: Incoming, context: Context) -> Turn | None:
        if not self._lexicon.is_township(incoming.text):
            return None
        name = self._lexicon.township(incoming.text) or ""
        return self._own_cases.locate(name, incoming, context)

    def _only(
        self, incoming: Incoming, context: Context, key: str, *, memory_kept: bool = False
    ) -> Turn:
        reply = Outgoing(incoming.sender, paragraphs(self._say(key)))
        return Turn((reply,), context.memory if memory_kept else settled(context))
