"""Counts what came of the cases of an evaluation, and how far the rates can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from math import sqrt
from typing import Any

from bot.reading import columns

OUTCOMES: Mapping[str, str] = {
    "answer_right": "答对",
    "answer_part": "答了一半",
    "answer_wrong": "答错",
    "offer_right": "选项里有",
    "offer_wrong": "选项里没有",
    "escalate": "转人",
    "decline": "婉拒",
    "emergency": "急救",
}
_ANSWERED = ("answer_right", "answer_part", "answer_wrong")
KINDS: Mapping[str, str] = {
    "question": "提问",
    "followup": "追问",
    "compound": "一句两问",
    "burst": "连发几条",
    "unanswerable": "答不了的",
    "near": "别的农业问题",
    "far": "不相干的",
    "emergency": "紧急",
    "not_emergency": "像紧急的",
}
_STYLES: Mapping[str, str] = {
    "dialect": "方言",
    "symptom": "症状",
    "short": "短句",
    "noisy": "错别字",
}
WITHOUT_ENTRY = "_without_entry"  # behind a kind: the base has none of the entries expected


@dataclass(frozen=True, slots=True)
class Rate:
    """A share and its 95 % Wilson interval."""

    rate: float
    low: float
    high: float

    @classmethod
    def of(cls, count: int, among: int) -> Rate | None:
        """None where there is nothing to take a share of.

        E. B. Wilson, JASA 22 (1927) 209-212; z = 1.96.
        """
        if not among:
            return None
        z2, share = 1.96**2, count / among
        centre = share + z2 / (2 * among)
        spread = sqrt(z2 * (share * (1 - share) + z2 / (4 * among)) / among)
        low, high = ((centre + sign * spread) / (1 + z2 / among) for sign in (-1, 1))
        return cls(*(round(value, 4) for value in (share, max(0.0, low), min(1.0, high))))


@dataclass(frozen=True, slots=True)
class Judged:
    """A case as it counts: under which headings, and what came of it."""

    kind: str
    style: str | None
    domain: str
    outcome: str
    is_routed: bool | None  # to the domain that was asked for; None where none was


@dataclass(frozen=True, slots=True)
class Total:
    """The cases of one kind, or of one style or domain within it."""

    kind: str
    style: str | None
    domain: str | None
    cases: int
    counts: Mapping[str, int]
    rates: Mapping[str, Rate | None]  # by outcome, of all cases
    wrong_of_answered: Rate | None
    routed: Rate | None

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def judge(
    shown: Sequence[tuple[str, Sequence[str]]], expected: Sequence[str], *, needs_all: bool
) -> str:
    """One of OUTCOMES for pairs of a decision and the entries it showed.

    The entries `expected` are equally right, or with `needs_all` must all be answered.
    """
    answered = {entry for decision, entries in shown if decision == "answer" for entry in entries}
    offered = {entry for decision, entries in shown if decision == "clarify" for entry in entries}
    if answered - set(expected):
        return "answer_wrong"
    if answered:
        return "answer_part" if needs_all and set(expected) - answered else "answer_right"
    if offered:
        return "offer_right" if offered & set(expected) else "offer_wrong"
    return shown[0][0]


def total(judged: Sequence[Judged]) -> tuple[Total, ...]:
    """Every kind, each followed by its styles and its domains."""
    kinds = (kind + ending for kind in KINDS for ending in ("", WITHOUT_ENTRY))
    return tuple(each for kind in kinds for each in _of_kind(kind, judged))


def _of_kind(kind: str, judged: Sequence[Judged]) -> Iterator[Total]:
    cases = [case for case in judged if case.kind == kind]
    if cases:
        yield _total(kind, None, None, cases)
    for style in sorted({case.style for case in cases if case.style}):
        yield _total(kind, style, None, [case for case in cases if case.style == style])
    for domain in sorted({case.domain for case in cases}):
        yield _total(kind, None, domain, [case for case in cases if case.domain == domain])


def _total(kind: str, style: str | None, domain: str | None, cases: Sequence[Judged]) -> Total:
    seen = Counter(case.outcome for case in cases)
    routed = [case.is_routed for case in cases if case.is_routed is not None]
    return Total(
        kind=kind,
        style=style,
        domain=domain,
        cases=len(cases),
        counts={outcome: seen[outcome] for outcome in OUTCOMES},
        rates={outcome: Rate.of(seen[outcome], len(cases)) for outcome in OUTCOMES},
        wrong_of_answered=Rate.of(seen["answer_wrong"], sum(seen[one] for one in _ANSWERED)),
        routed=Rate.of(sum(routed), len(routed)),
    )


def table(totals: Sequence[Total]) -> str:
    """One line a total, in columns that stand straight under each other in a terminal."""
    head = ("", "题数", *OUTCOMES.values(), "答错占答出的（95% 区间）", "转对领域")
    return columns.table([head, *map(_row, totals)])


def _row(each: Total) -> tuple[str, ...]:
    wrong, routed = each.wrong_of_answered, each.routed
    return (
        _label(each),
        str(each.cases),
        *(str(count or "·") for count in each.counts.values()),
        f"{wrong.rate:.1%}（{wrong.low:.1%}–{wrong.high:.1%}）" if wrong else "·",
        f"{routed.rate:.0%}" if routed else "·",
    )


def _label(each: Total) -> str:
    if part := each.style or each.domain:
        return f"  {_STYLES.get(part, part)}"
    kind = each.kind.removesuffix(WITHOUT_ENTRY)
    return KINDS[kind] + ("（库里没有）" if kind != each.kind else "")
