"""What a farmer's message leads to: a list of readings, and the first that fits is taken."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from bot.conversation.asking import Asking
from bot.conversation.bees import BeeWatch
from bot.conversation.own_cases import OwnCases
from bot.conversation.photo_guide import PhotoGuide
from bot.conversation.proxy import as_card, request_in
from bot.conversation.recall import (
    addressed,
    case_by,
    in_state,
    is_numbered,
    last_question,
    open_cases,
    question_of,
    says_something,
)
from bot.conversation.replies import only
from bot.conversation.visits import Visits
from bot.conversation.wishes import Lexicon, Wish
from bot.domain import (
    Button,
    Case,
    CaseState,
    Context,
    Incoming,
    Other,
    Outgoing,
    Reason,
    Turn,
    paragraphs,
)
from bot.phrases import Phrases

Reading = Callable[[Incoming, Context], Turn | None]
HAND_OVER = {
    "none": Reason.NONE_FITS,
    "unsolved": Reason.UNSOLVED,
    "person": Reason.ASKED_FOR_PERSON,
}
SHORT_ANSWERS = frozenset({Wish.SMALL_TALK, Wish.NONE_FITS, Wish.SOLVED, Wish.UNSOLVED})
_NUMERALS = "零一二三四"
_PICK = re.compile(rf"我?选?第?([0-9０-９{_NUMERALS}])[个号条种样]?[.。、．]?")
_BARE_NUMBER = re.compile(r"[0-9０-９]{1,3}[.。、．]?")
_MORE = re.compile(r"\s*补充(?:一下|一点|下)?\s*[:：,，。、]\s*")


class FarmerTalk:
    """Takes one farmer's message."""

    def __init__(
        self,
        asking: Asking,
        own_cases: OwnCases,
        visits: Visits,
        bees: BeeWatch,
        photo_guide: PhotoGuide,
        lexicon: Lexicon,
        phrases: Phrases,
    ) -> None:
        self._visits = visits
        self._bees = bees
        self._asking = asking
        self._own_cases = own_cases
        self._photo_guide = photo_guide
        self._lexicon = lexicon
        self._say = phrases
        self._readings: tuple[Reading, ...] = (
            asking.danger,
            self._press,
            self._addition,
            self._wordless,
            self._more,
            self._number,
            self._details,
            self._beekeeper,
            self._wish,
            self._township,
        )

    def take(self, incoming: Incoming, context: Context) -> Turn:
        words, named = addressed(incoming, context)
        if case_by(named.about, context):
            incoming, context = words, named
        if request := request_in(incoming.text):
            asked = replace(incoming, text=request.words, asked_for=request.who)
            return as_card(self.take(asked, context), incoming.sender, request.who, self._say)
        township = self._lexicon.township(incoming.text) or context.memory.township
        context = replace(context, memory=replace(context.memory, township=township))
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
            case ["details", entry_id, question_id]:
                return self._asking.details(entry_id, question_id, incoming, context)
            case ["useful", _]:
                return self._only(incoming, context, "useful.thanks")
            case [("none" | "unsolved" | "person") as verb, question_id]:
                reason = HAND_OVER[verb]
                return self._asking.hand_over(question_id, reason, incoming, context)
            case ["add", number, question_id]:
                return self._asking.add_to(number, question_id, incoming, context)
            case ["news", ("on" | "off") as wanted]:
                return self._news(incoming, context, is_wanted=wanted == "on")
            case ["visit", _, verb]:
                return self._visits.confirm(verb, incoming, context)
            case ["case", number, verb]:
                return self._own_cases.button(number, verb, incoming, context)
            case _:
                return None

    def _news(self, incoming: Incoming, context: Context, *, is_wanted: bool) -> Turn:
        """Whether he is told when there is an answer to what he once asked."""
        memory = replace(context.memory, wants_news=is_wanted)
        text = self._say("news.on" if is_wanted else "news.off")
        buttons = () if is_wanted else (Button(self._say("button.news"), "news:on"),)
        return Turn((Outgoing(incoming.sender, paragraphs(text), buttons),), memory)

    def _addition(self, incoming: Incoming, context: Context) -> Turn | None:
        """A reply to a message about a case, “#12 …”, or what was announced by 补充."""
        memory = context.memory
        number = context.about or (memory.focus if memory.intent == "add" else None)
        case = case_by(number, context)
        if case is None or case.state is CaseState.CANCELLED:
            return None
        if not says_something(incoming):
            if incoming.other:
                return None
            return self._own_cases.button(str(number), "add", incoming, context)
        if self._lexicon.wish(incoming.text) and incoming.text and not incoming.attachments:
            return None
        return self._own_cases.add(case, incoming, context)

    def _wordless(self, incoming: Incoming, context: Context) -> Turn | None:
        """A photo, voice, place or sticker, alone or with no more than a greeting, a place or what
        is to be seen."""
        text, guide = incoming.text, self._photo_guide
        is_label = self._is_aside(text) or guide.is_caption(text, context)
        if text.strip() and not (incoming.attachments and is_label):
            return None
        if not says_something(incoming):
            return self._other(incoming.other or Other.UNKNOWN, incoming, context)
        awaited = guide.just_asked(context) if incoming.attachments else ()
        candidates = in_state(CaseState.ASKED, context) or awaited or open_cases(context)
        if len(candidates) == 1:
            return self._own_cases.add(candidates[0], incoming, context)
        if not incoming.attachments:
            return self._only(incoming, context, "other.location")
        if self._lexicon.wish(incoming.text) is Wish.PERSON:
            context = replace(context, memory=replace(context.memory, intent="ask"))
        return self._asking.unspoken(incoming, context)

    def is_aside(self, text: str) -> bool:
        """Words that are no part of a question: a wish, a township, a number picked, a command,
        what names its case or is announced as an addition."""
        is_number = _PICK.fullmatch(text.strip()) or _BARE_NUMBER.fullmatch(text.strip())
        is_addressed = is_numbered(text) or _MORE.match(text) or text.startswith("/")
        return bool(is_number or is_addressed) or self._is_aside(text)

    def _is_aside(self, text: str) -> bool:
        return self._lexicon.wish(text) is not None or self._lexicon.is_township(text)

    def _other(self, other: Other, incoming: Incoming, context: Context) -> Turn:
        if other is Other.JOINED and not context.memory.is_greeted:
            return self._greet(incoming, context)
        return self._only(incoming, context, f"other.{other}")

    def _more(self, incoming: Incoming, context: Context) -> Turn | None:
        """“补充：…” joins the open case, or is asked which of them."""
        begun = _MORE.match(incoming.text)
        candidates = open_cases(context)
        if begun is None or not candidates:
            return None
        words = replace(incoming, text=incoming.text[begun.end() :])
        if len(candidates) == 1 and says_something(words):
            return self._own_cases.add(candidates[0], words, context)
        return self._asking.new_or_more(question_of(words, context), words, context)

    def _number(self, incoming: Incoming, context: Context) -> Turn | None:
        """A number picks from the choices offered last; 0 is 都不是."""
        text = incoming.text.strip()
        question, picked = last_question(context), _PICK.fullmatch(text)
        if question is None or not question.offered or question.case is not None:
            is_lost = _BARE_NUMBER.fullmatch(text) and not open_cases(context)
            return self._only(incoming, context, "clarify.no_list") if is_lost else None
        if picked is None:
            is_number = _BARE_NUMBER.fullmatch(text)
            return self._only(incoming, context, "clarify.out_of_range") if is_number else None
        number = _NUMERALS.find(picked[1]) if picked[1] in _NUMERALS else int(picked[1])
        if 1 <= number <= len(question.offered):
            entry_id, question_id = question.offered[number - 1], str(question.id)
            return self._asking.show(entry_id, question_id, incoming, context)
        if number in {0, len(question.offered) + 1}:
            return self._asking.hand_over(str(question.id), Reason.NONE_FITS, incoming, context)
        return self._only(incoming, context, "clarify.out_of_range")

    def _details(self, incoming: Incoming, context: Context) -> Turn | None:
        """详细 in words: of the last answer."""
        last = last_question(context)
        is_meant = self._lexicon.wish(incoming.text) is Wish.DETAILS
        if not is_meant or last is None or last.answered is None:
            return None
        return self._asking.details(last.answered, str(last.id), incoming, context)

    def _beekeeper(self, incoming: Incoming, context: Context) -> Turn | None:
        match self._lexicon.wish(incoming.text):
            case Wish.KEEP_BEES:
                return self._bees.join(incoming, context)
            case Wish.LEAVE_BEES:
                return self._bees.leave(incoming, context)
            case _:
                return None

    def _wish(self, incoming: Incoming, context: Context) -> Turn | None:
        wish = self._lexicon.wish(incoming.text)
        waiting = self._waiting(context)
        match wish:
            case _ if wish in SHORT_ANSWERS and waiting:
                return self._own_cases.add(waiting, incoming, context)
            case Wish.LIST:
                return self._own_cases.list(incoming, context)
            case Wish.CANCEL:
                return self._own_cases.cancel(incoming, context)
            case Wish.ADD:
                return self._own_cases.add_more(incoming, context)
            case Wish.PERSON | Wish.NEW_QUESTION:
                return self._last(Reason.ASKED_FOR_PERSON, incoming, context)
            case Wish.NONE_FITS:
                return self._last(Reason.NONE_FITS, incoming, context)
            case Wish.SOLVED | Wish.UNSOLVED:
                return self._outcome(incoming, context, is_solved=wish is Wish.SOLVED)
            case Wish.GREETING if not context.memory.is_greeted:
                return self._greet(incoming, context)
            case Wish.GREETING | Wish.HELP | Wish.THANKS | Wish.SMALL_TALK:
                return self._only(incoming, context, f"wish.{wish}", memory_kept=True)
            case _:
                return None

    def _waiting(self, context: Context) -> Case | None:
        """The case whose commissioner waits for a word; then 不是 or 嗯 is that word."""
        asked = in_state(CaseState.ASKED, context)
        if context.about is not None:
            return next((case for case in asked if case.number == context.about), None)
        others = in_state(CaseState.ANSWERED, context)
        return asked[0] if len(asked) == 1 and not others else None

    def _outcome(self, incoming: Incoming, context: Context, *, is_solved: bool) -> Turn:
        """解决了 or 没解决 in words: about the case meant, else about the last answer."""
        last = last_question(context)
        is_last_answered = last is not None and last.answered is not None and last.case is None
        answered = in_state(CaseState.ANSWERED, context)
        meant = case_by(context.about, context)
        if meant is None and len(answered) == 1 and not is_last_answered:
            meant = answered[0]
        if meant is None and answered:
            return self._own_cases.which_outcome(incoming, context, is_solved=is_solved)
        if meant is None and is_solved:
            meant = case_by(last.case, context) if last else None
        if meant and (turn := self._own_cases.judge(meant, incoming, context, is_solved=is_solved)):
            return turn
        if is_solved:
            return self._only(incoming, context, "useful.thanks")
        return self._last(Reason.UNSOLVED, incoming, context)

    def _last(self, reason: Reason, incoming: Incoming, context: Context) -> Turn:
        """The last question goes to a person; where there is none, the next one will."""
        last = last_question(context)
        if last and (last.case is None or case_by(last.case, context) in open_cases(context)):
            turn = self._asking.hand_over(str(last.id), reason, incoming, context)
            if turn:
                return turn
        if reason is Reason.NONE_FITS:
            return self._only(incoming, context, "wish.small_talk")
        turn = self._only(incoming, context, "person.ask_away")
        return replace(turn, memory=replace(turn.memory, intent="ask"))

    def _township(self, incoming: Incoming, context: Context) -> Turn | None:
        if not self._lexicon.is_township(incoming.text):
            return None
        name = self._lexicon.township(incoming.text) or ""
        return self._own_cases.locate(name, incoming, context)

    def _greet(self, incoming: Incoming, context: Context) -> Turn:
        turn = self._only(incoming, context, "greeting", memory_kept=True)
        return replace(turn, memory=replace(turn.memory, is_greeted=True))

    def _only(
        self, incoming: Incoming, context: Context, key: str, *, memory_kept: bool = False
    ) -> Turn:
        turn = only(self._say, key, incoming, context)
        return replace(turn, memory=context.memory) if memory_kept else turn
