"""From what search found to what is done: answer, offer choices, or give it to a person."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.domain import (
    Answer,
    Clarify,
    Decision,
    Decline,
    Domain,
    Escalate,
    Findings,
    Reason,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How sure is sure enough, as probabilities; `tianwen calibrate` finds them."""

    answer_at: float
    offer_at: float
    after_at: float = 1.0  # for words read as going on from the question before
    most_choices: int = 3
    other_subjects: tuple[str, ...] = ()  # crops and animals that the base says nothing about

    def __post_init__(self) -> None:
        if not all(0 <= at <= 1 for at in (self.answer_at, self.offer_at, self.after_at)):
            raise ValueError("thresholds are probabilities")
        if not 1 <= self.most_choices <= 3:
            raise ValueError("a farmer chooses among one to three")

    def others_in(self, text: str) -> tuple[str, ...]:
        """The crops and animals in the text that the base says nothing about."""
        return tuple(word for word in self.other_subjects if word in text)


def decide(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> Decision:
    """Decide on one question; danger has been looked for before."""
    others = policy.others_in(text)
    named = _named(text, others, domains)
    subject = _subject(findings, named)
    seems_sure = findings.right >= policy.answer_at
    if others and not named and not seems_sure:
        return Escalate(Reason.OUT_OF_SCOPE, subject)
    is_ours = bool(named) or not others
    first, nearest = findings.matches[:1], findings.matches[: policy.most_choices]
    is_of_its_subject = not named or all(match.entry.domain in named for match in first)
    is_sure = seems_sure and is_ours and is_of_its_subject and findings.conflict is None
    if findings.out_of_scope and not is_sure:
        return Decline(findings.out_of_scope.reply, subject)
    if is_sure and first:
        return Answer(first[0], findings.right)
    if first and findings.among >= policy.offer_at:
        return Clarify(nearest, findings.right)
    return Escalate(Reason.NO_MATCH, subject, nearest, findings.right)


def _named(text: str, others: tuple[str, ...], domains: Mapping[str, Domain]) -> dict[str, int]:
    """The domains whose words the text names, with how many characters of them; 椒 in 辣椒 does
    not name Sichuan pepper."""
    for word in others:
        text = text.replace(word, "")
    weights = {name: domain.named_in(text) for name, domain in domains.items()}
    return {name: weight for name, weight in weights.items() if weight}


def subject_of(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> str | None:
    """The domain a question belongs to: by all that search found, and where it was not asked, by
    the words that name it."""
    return _subject(findings, _named(text, policy.others_in(text), domains))


def _subject(findings: Findings, named: Mapping[str, int]) -> str | None:
    return findings.domain or max(named, key=named.__getitem__, default=None)
