"""Counts what came of the cases of an evaluation, and how far the rates can be trusted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
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
STYLES: Mapping[str, str] = {
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
class Record:
    """One case as it is written down; the names are those of the file format."""

    kind: str
    text: str | list[str]
    style: str | None
    expected: list[str]
    expected_route: str | None
    decision: str | list[str]
    entries: list[str]
    route: str | None
    probability: float | None
    seconds: float

    @property
    def words(self) -> str:
        """The text on one line."""
        return self.text if isinstance(self.text, str) else " ／ ".join(self.text)

    @property
    def came(self) -> str:
        """What came of it, in Chinese."""
        return OUTCOMES[self.outcome]

    @property
    def is_routed(self) -> bool | None:
        """Whether it reached the right subject's people; None where it has no subject or did not
        go to a person. A compound question has several subjects, so none to ask for."""
        if self.decision != "escalate" or self.expected_route is None:
            return None
        return self.route == self.expected_route

    @property
    def outcome(self) -> str:
        """One of OUTCOMES: judged from what is written down, as any reader of the file would."""
        return judge(self._shown(), self.expected, needs_all=self.kind == "compound")

    def _shown(self) -> Iterator[tuple[str, Sequence[str]]]:
        """Each decision with its entries: an answer has one, a choice what the others leave."""
        rest = self.entries
        names = [self.decision] if isinstance(self.decision, str) else self.decision
        for place, name in enumerate(names, 1):
            kept = names[place:].count("answer")
            many = {"answer": 1, "clarify": len(rest) - kept}.get(name, 0)
            yield name, rest[:many]
            rest = rest[many:]


@dataclass(frozen=True, slots=True)
class Judged:
    """A case as it counts: under which headings, and what came of it."""

    kind: str
    style: str | None
    domain: str
    outcome: str
    is_routed: bool | None  # as in Record


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

    @property
    def label(self) -> str:
        """Its own name in Chinese, without that of the kind around it; a domain's is its id."""
        if part := self.style or self.domain:
            return STYLES.get(part, part)
        kind = self.kind.removesuffix(WITHOUT_ENTRY)
        return KINDS[kind] + ("（库里没有）" if kind != self.kind else "")

    def plain(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


def judge(
    shown: Iterable[tuple[str, Sequence[str]]], expected: Sequence[str], *, needs_all: bool
) -> str:
    """One of OUTCOMES for pairs of a decision and the entries it showed.

    The entries `expected` are equally right, or with `needs_all` must all be answered.
    """
    pairs = tuple(shown)
    answered = {entry for decision, entries in pairs if decision == "answer" for entry in entries}
    offered = {entry for decision, entries in pairs if decision == "clarify" for entry in entries}
    if answered - set(expected):
        return "answer_wrong"
    if answered:
        return "answer_part" if needs_all and set(expected) - answered else "answer_right"
    if offered:
        return "offer_right" if offered & set(expected) else "offer_wrong"
    return pairs[0][0]


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
        ("  " if each.style or each.domain else "") + each.label,
        str(each.cases),
        *(str(count or "·") for count in each.counts.values()),
        f"{wrong.rate:.1%}（{wrong.low:.1%}–{wrong.high:.1%}）" if wrong else "·",
        f"{routed.rate:.0%}" if routed else "·",
    )
