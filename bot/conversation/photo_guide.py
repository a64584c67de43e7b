"""Which photos a subject is judged by, and what a farmer hears of those that can't be judged."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from bot.conversation.recall import case_by, is_recent, last_question, open_cases
from bot.conversation.understanding import Domains
from bot.domain import (
    Answer,
    Attachment,
    Case,
    Clarify,
    Context,
    Decline,
    Flaw,
    Incoming,
    Reason,
    Several,
    Turn,
    paragraphs,
)
from bot.phrases import Phrases

WALK = timedelta(hours=12)  # to the field and back
CAPTION = 4  # characters beside what is seen: 这是叶背的


@dataclass(frozen=True, slots=True)
class PhotoGuide:
    """Asks for photos when a case is opened, and says kindly how to take a better one."""

    domains: Domains
    say: Phrases

    def ask(self, case: Case) -> str:
        """The sentence that asks for photos; empty where none are needed."""
        views = self._views(case)
        sent = sum(one.kind == "photo" for one in case.attachments)
        return self.say("photo.guide", views="、".join(views)) if sent < len(views) else ""

    def just_asked(self, context: Context) -> tuple[Case, ...]:
        """The case whose photos are awaited, where nothing was said since."""
        last = last_question(context)
        case = case_by(last.case, context) if last else None
        if last is None or case is None or not case.is_open or not is_recent(last, context, WALK):
            return ()
        return (case,) if self._views(case) else ()

    def is_caption(self, text: str, context: Context) -> bool:
        """Whether the words below a photo only name what an open case asks for."""
        rest = text
        for view in (view for case in open_cases(context) for view in self._views(case)):
            for pair in map("".join, pairwise(view)):
                rest = rest.replace(pair, "")
        return rest != text and len(rest.strip()) <= CAPTION

    def _views(self, case: Case) -> tuple[str, ...]:
        domain = self.domains().get(case.domain or "")
        return domain.photos if domain and case.reason is not Reason.OUT_OF_SCOPE else ()

    def advise(self, turn: Turn, incoming: Incoming, context: Context) -> Turn:
        """The turn with a word on what the photos lack, where a person is to look at them; not
        twice in a row."""
        fresh, before = _fresh(turn, incoming, context)
        is_told = bool(before) and bool(before[-1].flaws)
        flaws = [flaw for flaw in Flaw if any(flaw in one.flaws for one in fresh)]
        if not flaws or is_told or any(change.case.is_urgent for change in turn.changes):
            return turn
        how = "\n".join(self.say(f"photo.{flaw.name.lower()}") for flaw in flaws)
        said = paragraphs(self.say("photo.again", how=how))
        replies = list(turn.replies)
        place = next(at for at, one in enumerate(replies) if one.to == incoming.sender)
        replies[place] = replace(replies[place], blocks=replies[place].blocks + said)
        return replace(turn, replies=tuple(replies))


Photos = tuple[Attachment, ...]


def _fresh(turn: Turn, incoming: Incoming, context: Context) -> tuple[Photos, Photos]:
    """The photos that nothing was said of yet, and those before them in the case or question."""
    if turn.waits:
        return (), ()
    if turn.changes:
        case = turn.changes[-1].case
        known = case_by(case.number, context)
        photos, seen = case.attachments, known.attachments if known else ()
    elif isinstance(turn.decision, Answer | Several | Clarify | Decline):
        return (), ()  # nobody looks at them, unless he asks for a person
    else:
        last = turn.memory.questions[-1:] if incoming.attachments else ()
        photos, seen = last[0].attachments if last else (), ()
    spoken_of = {
        one.media
        for question in context.memory.questions
        if not (question.answered or question.offered)
        for one in question.attachments
    }
    old = tuple(one for one in photos if one in seen or one.media in spoken_of)
    return tuple(one for one in photos if one not in old), old
