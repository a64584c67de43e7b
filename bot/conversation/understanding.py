"""What a farmer's words ask: by themselves, as two questions, or going on from the one before."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol

from bot.conversation.decision import Policy, decide
from bot.domain import (
    Answer,
    Clarify,
    Decision,
    Decline,
    Domain,
    Entry,
    Escalate,
    Findings,
    Part,
    Reason,
    Several,
)

_ELLIPTIC = 12  # characters
_PIECE = 14  # characters
_ASKS = re.compile(
    "[?？咋啷怎啥哪吗么]|好[多久大]|多[少久大]|几[天次回月点斤]|([能要可得该会是有])不\\1|如何"
    "|[不没嘛][得有]?[\\s。，！]*$"
)
_POINTS_BACK = ("那", "它", "这", "还", "再", "然后", "要是", "万一")


class Search(Protocol):
    def __call__(self, text: str, after: str = "") -> Findings:
        """What answers the text; read as going on from the question `after`, where there is one."""


class Apart(Protocol):
    def __call__(self, text: str, whole: Findings) -> tuple[Part, Part] | None:
        """Two questions in the text and what each finds; None where it holds one. `whole` is what
        the search for it found."""


class FindEntry(Protocol):
    def __call__(self, entry_id: str) -> Entry | None: ...


class Worries(Protocol):
    def __call__(self, text: str, domain: str | None) -> tuple[str, ...]:
        """What speaks against sending these words to a farmer: banned substances, loose doses."""


class Domains(Protocol):
    def __call__(self) -> Mapping[str, Domain]: ...


@dataclass(frozen=True, slots=True)
class Library:
    """The knowledge of the moment: one snapshot behind five questions."""

    search: Search
    apart: Apart
    entry: FindEntry
    domains: Domains
    worries: Worries


@dataclass(frozen=True, slots=True)
class Understanding:
    """Decides on a text by the reading that finds most."""

    library: Library
    policy: Policy

    def decide(self, text: str, before: str = "") -> tuple[Decision, bool]:
        """The decision, and whether the text was read as going on from the question `before`."""
        whole = self.library.search(text)
        alone = self._decide(text, whole)
        if isinstance(alone, Decline) or _is_out_of_scope(alone):
            return alone, False
        if several := self._several(text, whole):
            return several, False
        if not before or (isinstance(alone, Answer) and not self.leans(text)):
            return alone, False
        findings = self.library.search(text, before)
        policy = replace(self.policy, answer_at=self.policy.after_at)
        going_on = decide(text, findings, self.library.domains(), policy)
        match alone, going_on:
            case _, Answer():
                is_more = True
            case Answer(match), Clarify(offered):  # 有没得药医 says little by itself
                is_more = match.entry.domain != offered[0].entry.domain
            case Clarify(), Clarify():
                is_more = findings.among > whole.among
            case _:
                is_more = False
        return (going_on, True) if is_more else (alone, False)

    def leans(self, text: str) -> bool:
        """Whether it makes most sense with the question before: 几天一次 names nothing that it
        could be about, 那发了芽还敢打不 points back."""
        is_short = len(text) <= _ELLIPTIC
        return not self.named(text) and (is_short or text.startswith(_POINTS_BACK))

    def named(self, text: str) -> set[str]:
        """The ids of the domains whose words the text names."""
        domains = self.library.domains().items()
        return {name for name, domain in domains if domain.named_in(text)}

    def _several(self, text: str, whole: Findings) -> Several | None:
        """Two answers, where nothing speaks against either: that the message holds two questions
        which are found is sure then, though neither may be sure by itself."""
        bold = replace(self.policy, answer_at=0)
        answers = [
            decide(half, found, self.library.domains(), bold)
            for half, found in self.library.apart(text, whole) or ()
            if found.out_of_scope is None
        ]
        sure = tuple(one for one in answers if isinstance(one, Answer))
        return Several(sure) if len(sure) > 1 else None

    def _decide(self, text: str, findings: Findings) -> Decision:
        return decide(text, findings, self.library.domains(), self.policy)


def is_piece(text: str) -> bool:
    """Whether it is short enough to be part of a sentence; what is longer stands for itself."""
    return len(text) <= _PIECE


def is_whole(text: str, decision: Decision) -> bool:
    """Whether the text needs no more words: sure to be answered, and no mere beginning, as
    存起的橘子 is, which finds an entry too."""
    match decision:
        case Several():
            return True
        case Answer():
            return not is_piece(text) or _ASKS.search(text.splitlines()[-1]) is not None
        case _:
            return False


def _is_out_of_scope(decision: Decision) -> bool:
    return isinstance(decision, Escalate) and decision.reason is Reason.OUT_OF_SCOPE
