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
    Match,
    Reason,
)


@dataclass(frozen=True, slots=True)
class Policy:
    """How sure is sure enough. Scores are cosines of the configured model, measured with
    `tianwen evaluate`; they mean nothing under another model."""

    answer_score: float
    answer_margin: float  # over the runner-up
    offer_score: float
    most_choices: int = 3
    other_subjects: tuple[str, ...] = ()  # crops and animals that the base says nothing about

    def __post_init__(self) -> None:
        if not -1 <= self.offer_score <= self.answer_score <= 1:
            raise ValueError("thresholds must satisfy -1 <= offer_score <= answer_score <= 1")
        if not 1 <= self.most_choices <= 3:
            raise ValueError("a farmer chooses among one to three")


def decide(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> Decision:
    """Decide on one question; danger has been looked for before."""
    others = tuple(word for word in policy.other_subjects if word in text)
    named = _named(text, others, domains)
    if others and not named:
        return Escalate(Reason.OUT_OF_SCOPE, None)
    matches = _within(named, findings.matches)
    best = matches[0].score if matches else -1.0
    subject = subject_of(text, findings, domains, policy)
    least = max(policy.answer_score, best + policy.answer_margin)
    if findings.out_of_scope and findings.out_of_scope_score >= least:
        return Decline(findings.out_of_scope.reply, subject)
    if best < policy.offer_score:
        return Escalate(Reason.NO_MATCH, subject, matches[: policy.most_choices])
    if best >= policy.answer_score and _lead(matches[0], findings) >= policy.answer_margin:
        return Answer(matches[0])
    near = tuple(match for match in matches if match.score >= policy.offer_score)
    return Clarify(near[: policy.most_choices])


def _lead(match: Match, findings: Findings) -> float:
    """How far a match is ahead of every other, of whatever subject."""
    rivals = [other.score for other in findings.matches if other.entry.id != match.entry.id]
    return match.score - max(rivals, default=-1.0)


def _named(text: str, others: tuple[str, ...], domains: Mapping[str, Domain]) -> dict[str, int]:
    """The domains whose words the text names, with how many characters of them; 椒 in 辣椒 does
    not name Sichuan pepper."""
    for word in others:
        text = text.replace(word, "")
    weights = {
        name: sum(len(word) for word in domain.words if word in text)
        for name, domain in domains.items()
    }
    return {name: weight for name, weight in weights.items() if weight}


def _within(named: Mapping[str, int], matches: tuple[Match, ...]) -> tuple[Match, ...]:
    """A question that names its subjects is answered from them."""
    return tuple(match for match in matches if not named or match.entry.domain in named)


def subject_of(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> str | None:
    """The domain a question belongs to: by the words that name it, else by a good match."""
    others = tuple(word for word in policy.other_subjects if word in text)
    named = _named(text, others, domains)
    if named:
        return max(named, key=named.__getitem__)
    if not others and findings.matches and findings.matches[0].score >= policy.offer_score:
        return findings.matches[0].entry.domain
    return None
