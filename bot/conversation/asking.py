"""A farmer's question: answered, offered choices, or opened as a case."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from bot.conversation.answers import Answers
from bot.conversation.decision import Policy, subject_of
from bot.conversation.own_cases import OwnCases
from bot.conversation.photo_guide import PhotoGuide
from bot.conversation.recall import (
    asked_back,
    case_by,
    domain_before,
    is_recent,
    last_question,
    open_cases,
    question_before,
    question_by,
    question_of,
    remember,
    urgent,
)
from bot.conversation.safety import Lookout
from bot.conversation.understanding import Library, Understanding, is_piece, is_whole
from bot.conversation.wishes import Lexicon
from bot.domain import (
    Answer,
    Button,
    Case,
    CaseState,
    Clarify,
    Context,
    Decision,
    Decline,
    Emergency,
    Entry,
    Escalate,
    Findings,
    Incoming,
    Match,
    Outgoing,
    Question,
    Reason,
    Several,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk, Why
from bot.escalation.hours import day_and_hour
from bot.escalation.ledger import Targets
from bot.phrases import Phrases

UNCERTAIN = frozenset({Reason.NO_MATCH, Reason.UNSURE, Reason.OUT_OF_SCOPE})
JUST_NOW = 3  # pauses: two may be waited, and the next words take a moment
ADDABLE = 3  # open cases shown as buttons


@dataclass(frozen=True, slots=True)
class Rules:
    """What staff set: thresholds, word lists, dangers, what a year asks of a commissioner."""

    policy: Policy
    lexicon: Lexicon
    dangers: Lookout
    whole_within: int = 160
    pause: timedelta = timedelta(0)  # in which a sender may go on with a sentence
    targets: Targets = field(default_factory=Targets)
    mute: frozenset[str] = frozenset()  # channels on which nobody can be written to first


class Asking:
    """Turns about questions. `draw_number` gives the number of a case about to be opened."""

    def __init__(
        self,
        library: Library,
        rules: Rules,
        desk: Desk,
        phrases: Phrases,
        draw_number: Callable[[], int],
    ) -> None:
        self._library = library
        self._rules = rules
        self._understanding = Understanding(library, rules.policy)
        self._desk = desk
        self._say = phrases
        self._draw_number = draw_number
        self._answers = Answers(phrases, library.domains, rules.whole_within)
        self._own_cases = OwnCases(desk, phrases)
        self._photo_guide = PhotoGuide(library.domains, phrases)

    # --- asking ------------------------------------------------------------------------------

    def danger(self, incoming: Incoming, context: Context) -> Turn | None:
        """A person in danger: 120 first, and commissioner and dispatchers are told at once.
        Nothing is searched: first aid must not wait for, or fail with, a model."""
        is_command = incoming.text.startswith("/")  # /help is no cry for help
        danger = None if is_command else self._danger(incoming.text, context)
        if danger is None:
            return None
        subject = self._subject(incoming.text, Findings())
        if case := urgent(context):
            turn = self._own_cases.add(case, incoming, context)
        else:
            why = Why(Reason.EMERGENCY, subject, is_urgent=True)
            turn = self.open(question_of(incoming, context), why, incoming, context)
        first_aid = Outgoing(incoming.sender, paragraphs(self._say(f"emergency.{danger}")))
        replies = (first_aid, *turn.replies)
        return replace(turn, replies=replies, decision=Emergency(danger, subject))

    def _danger(self, text: str, context: Context) -> str | None:
        """In the words themselves, in one line of them, or in what they add to the question
        before: 老公遭叮了, then 他喉咙紧. Where the words do not tell the kind of danger, that
        question may."""
        dangers, last = self._rules.dangers, last_question(context)
        found = dangers.heard_in(text)
        if not text or last is None or found not in {None, "other"}:
            return found
        if found is None and dangers.danger_in(last.text):
            return None
        return dangers.danger_in(f"{last.text}，{text}") or found

    def ask(self, incoming: Incoming, context: Context) -> Turn:
        question = question_of(incoming, context)
        if context.memory.intent == "ask":
            findings = self._library.search(question.text)
            subject = self._subject(question.text, findings)
            why = Why(Reason.ASKED_FOR_PERSON, subject, findings.nearest)
            return self.open(question, why, incoming, context)
        before = question_before(context)
        decision, goes_on = self._understanding.decide(question.text, before)
        begun = None if incoming.attachments else self._begun(question.text, decision, context)
        if begun:
            whole = f"{begun.text}\n{question.text}"
            joined, _ = self._understanding.decide(whole)
            if isinstance(joined, Escalate) and isinstance(decision, Clarify):
                begun = None
            else:
                question, decision = replace(question, text=whole), joined
                goes_on, before = False, ""
        if context.may_wait and not is_whole(question.text, decision) and not urgent(context):
            return Turn(memory=context.memory, waits=True)
        if before and isinstance(decision, Escalate) and self._understanding.leans(question.text):
            domain = domain_before(context) or decision.domain
            goes_on, decision = True, replace(decision, domain=domain)
        question = replace(question, after=before if goes_on else "")
        if begun and isinstance(decision, Answer) and decision.match.entry.id == begun.answered:
            turn = self._as_before(replace(question, answered=begun.answered), incoming, context)
        else:
            turn = self._carry_out(decision, question, incoming, context)
        return replace(turn, decision=decision)

    def _as_before(self, question: Question, incoming: Incoming, context: Context) -> Turn:
        """What has just been answered need not be said again."""
        question = replace(question, domain=domain_before(context))
        button = Button(self._say("button.to_person"), f"unsolved:{question.id}")
        reply = Outgoing(incoming.sender, paragraphs(self._say("answer.same")), (button,))
        return Turn((self._with_addition(reply, question, context),), remember(context, question))

    def _begun(self, text: str, decision: Decision, context: Context) -> Question | None:
        """The question of a moment ago, where these words rather belong to it than make one of
        their own: 存起的橘子 was answered at once, and now follows 开始长绿毛毛."""
        is_own = isinstance(decision, Answer | Several | Decline)
        if is_own or not self._rules.pause or not all(map(is_piece, text.splitlines())):
            return None
        last = last_question(context)
        if last is None or not (last.answered or last.offered) or last.attachments:
            return None
        if open_cases(context) or last.case is not None or not self._is_of(last, text):
            return None
        return last if is_recent(last, context, JUST_NOW * self._rules.pause) else None

    def _is_of(self, last: Question, text: str) -> bool:
        """Whether the text names no other subject than the question did."""
        is_foreign = self._rules.policy.others_in(text)
        return not is_foreign and self._understanding.named(text) <= {last.domain}

    def _carry_out(
        self, decision: Decision, question: Question, incoming: Incoming, context: Context
    ) -> Turn:
        if waiting := asked_back(decision, context):
            return self._own_cases.add(waiting, incoming, context)
        match decision:
            case Answer(match):
                return self._answer([match.entry], question, incoming, context)
            case Several(answers):
                entries = [one.match.entry for one in answers]
                return self._answer(entries, question, incoming, context)
            case Clarify():
                return self._clarify(decision, question, incoming, context)
            case Decline(said, domain):
                buttons = (Button(self._say("button.person"), f"person:{question.id}"),)
                reply = Outgoing(incoming.sender, paragraphs(said), buttons)
                return Turn((reply,), remember(context, replace(question, domain=domain)))
            case Escalate(reason, domain, matches):
                why = Why(reason, domain, tuple(match.entry.id for match in matches))
                return self._escalate(question, why, incoming, context)
            case Emergency():  # pragma: no cover
                raise AssertionError("danger is read before a question is searched")

    def _answer(
        self, entries: Sequence[Entry], question: Question, incoming: Incoming, context: Context
    ) -> Turn:
        """One reply each; what answers the whole best comes first and is remembered, and the last
        asks whether the words were meant for an open case."""
        to, now = incoming.sender, context.now
        replies = [self._answers.entry(to, one, question.id, now) for one in entries]
        replies[-1] = self._with_addition(replies[-1], question, context)
        remembered = replace(question, answered=entries[0].id, domain=entries[0].domain)
        return Turn(tuple(replies), remember(context, remembered))

    def _clarify(
        self, decision: Clarify, question: Question, incoming: Incoming, context: Context
    ) -> Turn:
        offered = tuple(match.entry.id for match in decision.matches)
        domain = decision.matches[0].entry.domain
        reply = self._answers.choices(incoming.sender, decision, question.id)
        remembered = replace(question, offered=offered, domain=domain)
        return Turn((self._with_addition(reply, question, context),), remember(context, remembered))

    def _escalate(self, question: Question, why: Why, incoming: Incoming, context: Context) -> Turn:
        """Open a case, unless the words may belong to one that is open already."""
        if case := urgent(context):
            return self._own_cases.add(case, incoming, context)
        if not open_cases(context):
            return self.open(question, why, incoming, context)
        return self.new_or_more(replace(question, domain=why.domain), incoming, context)

    def new_or_more(self, question: Question, incoming: Incoming, context: Context) -> Turn:
        """Which open case do the words belong to, or are they a new question?"""
        buttons = (
            *(self._addition_button(case, question) for case in open_cases(context)[-ADDABLE:]),
            Button(self._say("button.new_question"), f"person:{question.id}"),
        )
        reply = Outgoing(incoming.sender, paragraphs(self._say("case.new_or_more")), buttons)
        return Turn((reply,), remember(context, question))

    def unspoken(self, incoming: Incoming, context: Context) -> Turn:
        """Photos wait for a word; a voice note goes to a person, who can listen."""
        question = replace(question_of(incoming, context), text="")
        is_voice = any(one.kind == "voice" for one in incoming.attachments)
        if is_voice or context.memory.intent == "ask":
            return self.open(question, Why(Reason.PHOTO, None), incoming, context)
        if open_cases(context):
            return self.new_or_more(question, incoming, context)
        button = Button(self._say("button.person"), f"person:{question.id}")
        reply = Outgoing(incoming.sender, paragraphs(self._say("photo.say_more")), (button,))
        return Turn((reply,), remember(context, question))

    def _with_addition(self, reply: Outgoing, question: Question, context: Context) -> Outgoing:
        """While another case is open, the words may have been meant for it."""
        others = [case for case in open_cases(context) if case.number != question.case]
        buttons = tuple(self._addition_button(case, question) for case in others[-1:])
        return replace(reply, buttons=reply.buttons + buttons)

    def _addition_button(self, case: Case, question: Question) -> Button:
        label = self._own_cases.label("button.add", case)
        return Button(label, f"add:{case.number}:{question.id}")

    def open(self, question: Question, why: Why, incoming: Incoming, context: Context) -> Turn:
        """A new case for the question; the farmer is told its number and what comes next."""
        number = self._draw_number()
        step = self._desk.open(number, incoming.sender, self._whole(question), why, context)
        words = paragraphs(*self._opened(step.case, context.now))
        told = Outgoing(incoming.sender, words, case=number)
        memory = remember(context, replace(question, domain=why.domain, case=number))
        return Turn((told, *step.messages), memory, (step.change,), filed_under=number)

    def _whole(self, question: Question) -> Question:
        """With the question that it goes on from, for somebody who has not seen that one."""
        if not question.after:
            return question
        text = self._say("case.goes_on", text=question.text, before=question.after)
        return replace(question, text=text)

    def _opened(self, case: Case, now: datetime) -> Iterator[str]:
        who = self._desk.letters.holder(case)
        if case.is_urgent:
            yield self._say("case.opened_urgent", number=case.number, who=who)
            return
        if case.reason in UNCERTAIN:
            yield self._say("case.unsure")
        yield self._say("case.opened", number=case.number, who=who)
        if back := self._desk.back_at(now):
            yield self._say("case.off_hours", when=day_and_hour(back, now))
        if case.farmer.channel in self._rules.mute:
            yield self._say("case.comes_with_next")
        yield self._photo_guide.ask(case)
        if case.township is None:
            yield self._say("township.ask")

    # --- after a reply -------------------------------------------------------------------------

    def show(
        self, entry_id: str, question_id: str, incoming: Incoming, context: Context
    ) -> Turn | None:
        """A picked choice; None where entry or question are gone."""
        entry = self._library.entry(entry_id)
        question = question_by(question_id, context)
        if entry is None or question is None:
            return None
        turn = self._answer([entry], question, incoming, context)
        return replace(turn, decision=Answer(Match(entry, 0.0, ""), is_picked=True))

    def details(
        self, entry_id: str, question_id: str, incoming: Incoming, context: Context
    ) -> Turn | None:
        """The rest of an answer; None where the entry is gone."""
        entry = self._library.entry(entry_id)
        if entry is None:
            return None
        reply = self._answers.details(incoming.sender, entry, question_id, context.now)
        return Turn((reply,), context.memory)

    def hand_over(
        self, question_id: str, reason: Reason, incoming: Incoming, context: Context
    ) -> Turn | None:
        """A remembered question goes to a person, once; None where it is forgotten."""
        question = question_by(question_id, context)
        if question is None:
            return None
        match case_by(question.case, context):
            case Case(state=CaseState.RESOLVED) as closed:
                return self._own_cases.reopen(closed, incoming, context)
            case Case(is_open=True) as case:
                return self._own_cases.already(case, incoming, context)
        findings = self._library.search(question.text) if question.text else Findings()
        domain = question.domain or self._subject(question.text, findings)
        seen = question.offered or tuple(filter(None, [question.answered]))
        return self.open(question, Why(reason, domain, seen), incoming, context)

    def add_to(
        self, number: str, question_id: str, incoming: Incoming, context: Context
    ) -> Turn | None:
        """The remembered words were meant for an open case; None where either is gone."""
        case, question = case_by(number, context), question_by(question_id, context)
        if case is None or case.state is CaseState.CANCELLED or question is None:
            return None
        if question.case == case.number:
            return self._own_cases.already(case, incoming, context)
        words = replace(incoming, text=question.text, attachments=question.attachments)
        turn = self._own_cases.add(case, words, context)
        memory = remember(replace(context, memory=turn.memory), replace(question, case=case.number))
        return replace(turn, memory=memory)

    def _subject(self, text: str, findings: Findings) -> str | None:
        return subject_of(text, findings, self._library.domains(), self._rules.policy)
