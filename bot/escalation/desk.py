"""The desk: every move of a case. Pure: clock, load and addresses come with the context."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.domain import (
    CHINA,
    FARMER,
    SYSTEM,
    Address,
    Block,
    Case,
    CaseChange,
    CaseState,
    Context,
    Event,
    Incoming,
    Outgoing,
    Question,
    Reason,
    Turn,
    paragraphs,
    plain,
)
from bot.escalation.hours import ALWAYS, Hours
from bot.escalation.letters import Letters, Naming
from bot.escalation.roster import Roster
from bot.phrases import Phrases

RATINGS = {3: "great", 2: "some", 1: "none"}  # the phrase of each
FARMERS_MOVE = frozenset({CaseState.ASKED, CaseState.ANSWERED})
BACK_TO_WORK = frozenset({CaseState.ASKED, CaseState.ANSWERED, CaseState.RESOLVED})


@dataclass(frozen=True, slots=True)
class Timers:
    """How long each state may last before follow-up acts, in the hours at which people work and
    farmers are awake; what is urgent knows no hours."""

    offer: timedelta = timedelta(hours=2)
    urgent: timedelta = timedelta(minutes=10)
    unplaced: timedelta = timedelta(hours=24)
    answer: timedelta = timedelta(hours=24)
    farmer: timedelta = timedelta(hours=48)
    outcome: timedelta = timedelta(days=3)
    hours: Hours = ALWAYS

    def due(self, case: Case, now: datetime) -> datetime | None:
        """When follow-up looks at the case next; None once it is closed."""
        waits = {
            CaseState.OFFERED: self.urgent if case.is_urgent else self.offer,
            CaseState.UNPLACED: self.urgent if case.is_urgent else self.unplaced,
            CaseState.ACCEPTED: self.answer,
            CaseState.ASKED: self.farmer,
            CaseState.ANSWERED: self.outcome,
        }
        if not case.is_open:
            return None
        if case.state in FARMERS_MOVE:
            return self.hours.waking(now + waits[case.state])
        if case.is_urgent:
            return now + waits[case.state]
        return self.hours.after(now, waits[case.state])


@dataclass(frozen=True, slots=True)
class Why:
    """Why a case is opened and what search thought of it."""

    reason: Reason
    domain: str | None
    suggestions: tuple[str, ...] = ()
    is_urgent: bool = False


@dataclass(frozen=True, slots=True)
class Step:
    """A case one move further, and what everyone is told."""

    change: CaseChange
    messages: tuple[Outgoing, ...] = ()

    @property
    def case(self) -> Case:
        return self.change.case


class Desk:
    """Moves cases along the diagram of this package's docstring."""

    def __init__(self, roster: Roster, phrases: Phrases, timers: Timers, naming: Naming) -> None:
        self.roster = roster
        self.letters = Letters(roster, phrases, naming)
        self._timers = timers
        self._naming = naming
        self._say = phrases

    def back_at(self, now: datetime) -> datetime | None:
        """When people work again; None while they do."""
        then = self._timers.hours.working(now)
        return then if then > now else None

    def hushed(self, turn: Turn, incoming: Incoming, context: Context) -> Turn:
        """At night others read it in the morning, where nothing is urgent; whoever writes is
        awake."""
        is_night = self._timers.hours.waking(context.now) > context.now
        if not is_night or any(one.case.is_urgent for one in turn.changes):
            return turn
        replies = (replace(one, is_silent=one.to != incoming.sender) for one in turn.replies)
        return replace(turn, replies=tuple(replies))

    # opening and placing

    def open(
        self, number: int, farmer: Address, question: Question, why: Why, context: Context
    ) -> Step:
        """A new case, offered to the best commissioner or left to the dispatchers."""
        fresh = Case(
            number=number,
            farmer=farmer,
            question=question.text,
            reason=why.reason,
            opened_at=context.now,
            changed_at=context.now,
            attachments=question.attachments,
            domain=why.domain,
            township=context.memory.township,
            is_urgent=why.is_urgent,
            suggestions=why.suggestions,
            asked_for=question.asked_for,
            assigned=context.assigned,
        )
        placed, offers = self._place(fresh, context)
        if why.is_urgent and placed.holder:
            offers += self.letters.offer(self.roster.dispatchers(), placed, context)
        return Step(CaseChange(placed, Event.OPENED, FARMER, why.reason.value), offers)

    def pass_on(self, case: Case, event: Event, by: str, note: str, context: Context) -> Step:
        """Offer the case to the next person, or to the dispatchers when nobody is left."""
        placed, offers = self._place(replace(case, passed=_passed(case)), context)
        return Step(CaseChange(placed, event, by, note), (*offers, self._passed_on(placed)))

    def _passed_on(self, case: Case) -> Outgoing:
        """The farmer is told who has it now."""
        key = "case.passed_on_urgent" if case.is_urgent else "case.passed_on"
        return self.letters.to_farmer(case, key, who=self.letters.holder(case))

    def _place(self, case: Case, context: Context) -> tuple[Case, tuple[Outgoing, ...]]:
        """Where somebody is in danger, near and free count more than whose farmer it is."""
        candidates = self.roster.consider(
            self._naming.speciality(case.domain),
            case.township,
            day=context.now.astimezone(CHINA).date(),
            load=context.load,
            served=context.served,
            passed=case.passed,
            assigned=None if case.is_urgent else case.assigned,
        )
        chosen = next((one.commissioner for one in candidates if one.is_eligible), None)
        state = CaseState.OFFERED if chosen else CaseState.UNPLACED
        placed = self._set(replace(case, candidates=candidates, holder=chosen), state, context)
        people = (chosen,) if chosen else self.roster.dispatchers()
        return placed, self.letters.offer(people, placed, context, placed.attachments)

    # what a commissioner does

    def accept(self, case: Case, by: str, context: Context) -> Step:
        taken = self._set(replace(case, holder=by), CaseState.ACCEPTED, context)
        told = self.letters.to_farmer(taken, "case.accepted", who=self.letters.holder(taken))
        others = self.letters.taken(self._also_offered(case, by), taken, context)
        return Step(CaseChange(taken, Event.ACCEPTED, by), (told, *others))

    def _also_offered(self, case: Case, by: str) -> tuple[str, ...]:
        """Who else was offered the case, or held it."""
        is_known = case.is_urgent or case.state is CaseState.UNPLACED or case.reminders > 1
        dispatchers = self.roster.dispatchers() if is_known else ()
        people = dict.fromkeys(filter(None, (case.holder, *dispatchers)))
        return tuple(one for one in people if one != by)

    def decline(self, case: Case, by: str, reason: str, context: Context) -> Step:
        return self.pass_on(replace(case, holder=by), Event.DECLINED, by, reason, context)

    def hand_on(self, case: Case, to: str, by: str, note: str, context: Context) -> Step:
        """Offered to somebody by name, whatever speaks against him; his no goes the usual way."""
        given = replace(case, holder=to, passed=tuple(one for one in _passed(case) if one != to))
        offered = self._set(given, CaseState.OFFERED, context)
        offers = self.letters.offer((to,), offered, context, offered.attachments)
        words = "，".join(filter(None, (self.roster.name(to), note)))
        told = self._passed_on(offered)
        return Step(CaseChange(offered, Event.HANDED_ON, by, words), (*offers, told))

    def answer(
        self,
        case: Case,
        by: str,
        words: Incoming,
        context: Context,
        note: str = "",
        *,
        blocks: tuple[Block, ...] = (),
        same_as: int | None = None,
    ) -> Step:
        """His words, and `blocks` that go below them; `same_as`: what he answered to that case."""
        said = replace(
            case,
            holder=by,
            is_disputed=False,
            answer=plain((*paragraphs(words.text), *blocks)),
            answer_attachments=words.attachments,
            same_as=same_as,
        )
        answered = self._set(said, CaseState.ANSWERED, context)
        relay = self.letters.relay(answered, "case.answer", words, blocks)
        return Step(CaseChange(answered, Event.ANSWERED, by, note), (relay,))

    def ask(self, case: Case, by: str, words: Incoming, context: Context) -> Step:
        asked = self._set(replace(case, holder=by), CaseState.ASKED, context)
        relay = self.letters.relay(asked, "case.question", words)
        return Step(CaseChange(asked, Event.ASKED, by), (relay,))

    # among colleagues: the farmer reads none of it

    def consult(self, case: Case, whom: str, by: str, words: Incoming, context: Context) -> Step:
        """A second opinion; the case stays with its holder."""
        known = tuple(one for one in case.consulted if one != whom)
        asked = replace(case, consulted=(*known, whom), changed_at=context.now)
        told = self.letters.consult(asked, whom, by, words, context)
        return Step(CaseChange(asked, Event.CONSULTED, by, self.roster.name(whom)), told)

    def confer(self, case: Case, what: Event, by: str, words: Incoming, context: Context) -> Step:
        """A note or an opinion; a disagreement stands until somebody answers."""
        is_disputed = case.is_disputed or what is Event.DISPUTED
        said = replace(case, is_disputed=is_disputed, changed_at=context.now)
        told = self.letters.to_colleagues(said, what, by, words, context)
        return Step(CaseChange(said, what, by), told)

    # what the farmer does

    def add(self, case: Case, words: Incoming, context: Context) -> Step:
        """More words or photos: they join the question and reach whoever has the case."""
        extra = self._words_of(words)
        before = case.question.strip() or self._say("case.photo")
        grown = replace(
            case,
            question=self._say("case.grown", before=before, extra=extra),
            attachments=case.attachments + words.attachments,
            township=case.township or context.memory.township,
            changed_at=context.now,
        )
        if case.state in BACK_TO_WORK:
            grown = self._back_to_work(grown, context)
        relays = self.letters.to_holder(
            grown, context, "case.added", attachments=words.attachments, words=extra
        )
        return Step(CaseChange(grown, Event.ADDED, FARMER), relays)

    def _words_of(self, words: Incoming) -> str:
        parts = [words.text]
        if words.location:
            latitude, longitude = words.location
            parts.append(self._say("case.location", latitude=latitude, longitude=longitude))
        return " ".join(filter(None, parts)) or self._say("case.photo")

    def still(self, case: Case, context: Context) -> Step:
        """好些没得? 一样: the commissioner hears of it, and the case stays as it is."""
        told = self.letters.to_holder(case, context, "case.same")
        note = self._say("outcome.same")
        return Step(
            CaseChange(self._set(case, case.state, context), Event.OUTCOME, FARMER, note), told
        )

    def rate(self, case: Case, rating: int, context: Context, complaint: str = "") -> Step:
        """How good the answer was; `complaint`: why it was no help."""
        rated = replace(case, rating=rating, complaint=complaint, changed_at=context.now)
        words = complaint or self._say(f"rating.{RATINGS[rating]}")
        told = self.letters.to_holder(rated, context, "case.rated", rating=words)
        return Step(CaseChange(rated, Event.RATED, FARMER, words), told)

    def resolve(self, case: Case, context: Context) -> Step:
        done = self._set(case, CaseState.RESOLVED, context)
        told = self.letters.to_holder(done, context, "case.resolved")
        return Step(CaseChange(done, Event.RESOLVED, FARMER), told)

    def reopen(self, case: Case, context: Context, *, is_worse: bool = False) -> Step:
        """没解决 or 更重: back to the same person."""
        again = self._back_to_work(case, context)
        told = self.letters.to_holder(again, context, "case.worse" if is_worse else "case.reopened")
        note = self._say("outcome.worse") if is_worse else ""
        return Step(CaseChange(again, Event.REOPENED, FARMER, note), told)

    def cancel(self, case: Case, context: Context) -> Step:
        gone = self._set(case, CaseState.CANCELLED, context)
        told = self.letters.to_holder(gone, context, "case.cancelled")
        return Step(CaseChange(gone, Event.CANCELLED, FARMER), told)

    def locate(self, case: Case, township: str, context: Context) -> Step:
        """The farmer named his township after the case was opened."""
        placed = replace(case, township=township, changed_at=context.now)
        told = self.letters.to_holder(placed, context, "case.township", township=township)
        return Step(CaseChange(placed, Event.ADDED, FARMER, township), told)

    # what time does

    def remind(self, case: Case, key: str, context: Context) -> Step:
        """Tell the holder; from the second time on the dispatchers too."""
        later = self._reminded(case, context)
        told = self.letters.to_holder(later, context, key)
        if case.reminders and case.holder:
            told += self.letters.offer(self.roster.dispatchers(), later, context)
        return Step(CaseChange(later, Event.REMINDED, SYSTEM), told)

    def nudge_farmer(self, case: Case, context: Context) -> Step:
        later = self._reminded(case, context)
        told = self.letters.to_farmer(later, "case.waiting_for_you", who=self.letters.holder(case))
        return Step(CaseChange(later, Event.REMINDED, SYSTEM), (told,))

    def ask_outcome(self, case: Case, context: Context) -> Step:
        """Some days after the answer: 好些没得?"""
        later = self._reminded(case, context)
        return Step(
            CaseChange(later, Event.ASKED_OUTCOME, SYSTEM), (self.letters.ask_outcome(later),)
        )

    def close_quietly(self, case: Case, context: Context) -> Step:
        """The farmer said nothing for long: closed, with the way back open."""
        done = self._set(case, CaseState.RESOLVED, context)
        told = self.letters.to_closed(done, "case.closed_quietly")
        return Step(CaseChange(done, Event.RESOLVED, SYSTEM), (told,))

    def _reminded(self, case: Case, context: Context) -> Case:
        due = self._timers.due(case, context.now)
        return replace(case, reminders=case.reminders + 1, due_at=due)

    def _back_to_work(self, case: Case, context: Context) -> Case:
        state = CaseState.ACCEPTED if case.holder else CaseState.UNPLACED
        return self._set(case, state, context)

    def _set(self, case: Case, state: CaseState, context: Context) -> Case:
        moved = replace(case, state=state, changed_at=context.now, reminders=0)
        return replace(moved, due_at=self._timers.due(moved, context.now))


def _passed(case: Case) -> tuple[str, ...]:
    """Who is not asked again, its holder included."""
    return (*case.passed, case.holder) if case.holder else case.passed
