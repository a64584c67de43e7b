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

    def __post_init__(self) -> None:
        if not -1 <= self.offer_score <= self.answer_score <= 1:
            raise ValueError("thresholds must satisfy -1 <= offer_score <= answer_score <= 1")
        if not 1 <= self.most_choices <= 3:
            raise ValueError("a farmer chooses among one to three")


def decide(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> Decision:
    """Decide on one question; danger has been looked for before."""
    subject = subject_of(text, findings, domains, policy)
    matches = findings.matches
    best = matches[0].score if matches else -1.0
    if findings.out_of_scope and findings.out_of_scope_score >= max(best, policy.answer_score):
        return Decline(findings.out_of_scope.reply, subject)
    if best < policy.offer_score:
        return Escalate(Reason.NO_MATCH, subject, matches[: policy.most_choices])
    if best >= policy.answer_score and _margin(matches) >= policy.answer_margin:
        return Answer(matches[0])
    near = tuple(match for match in matches if match.score >= policy.offer_score)
    return Clarify(near[: policy.most_choices])


def _margin(matches: tuple[Match, ...]) -> float:
    return matches[0].score - matches[1].score if len(matches) > 1 else 1.0


def subject_of(
    text: str, findings: Findings, domains: Mapping[str, Domain], policy: Policy
) -> str | None:
    """The domain a question belongs to: by the words that name it, else by a good match."""
    weights = {
        name: sum(len(word) for word in domain.words if word in text)
        for name, domain in domains.items()
    }
    named = max(weights, key=weights.__getitem__, default=None)
    if named is not None and weights[named] > 0:
        return named
    if findings.matches and findings.matches[0].score >= policy.offer_score:
        return findings.matches[0].entry.domain
    return None
