"""Why a question is answered, offered or passed on: in words for the desk, and in figures."""

from __future__ import annotations

from collections.abc import Iterator

from bot.app.compose import Core
from bot.conversation.decision import Policy, decide
from bot.domain import Answer, Clarify, Decision, Decline, Findings
from bot.reading.columns import table
from bot.retrieval.index import Evidence
from bot.retrieval.words import CROP, ORGAN

_SHOWN = 5
_CLASSES = {CROP: "作物", ORGAN: "部位"}


def in_words(core: Core, text: str) -> tuple[str, ...]:
    """How the knowledge of the moment takes a question that stands alone, a line a reason."""
    findings = core.library.search(text)
    return tuple(lines(core, text, findings)) if findings.matches else ()


def lines(core: Core, text: str, findings: Findings) -> Iterator[str]:
    """See `in_words`; `findings` has at least one match."""
    policy = core.rules.policy
    decision = decide(text, findings, core.library.domains(), policy)
    yield f"读作：{core.bookshelf.plain(text)}"
    yield f"判断：{_verdict(decision)}。领域：{core.naming.domain(findings.domain)}"
    first = findings.matches[0]
    yield f"最近的是“{first.entry.title}”，像那里的“{first.phrasing}”"
    yield f"这一条答得上：{_odds(findings.right)}，到 {policy.answer_at:.0%} 才直接答"
    yield f"前三条里有答得上的：{_odds(findings.among)}，到 {policy.offer_at:.0%} 才列出来选"
    yield from _objections(text, findings, policy)


def _objections(text: str, findings: Findings, policy: Policy) -> Iterator[str]:
    if findings.conflict:
        yield f"说的{_CLASSES[findings.conflict]}和这一条不一样，不直接答"
    if others := policy.others_in(text):
        yield f"提到知识库不讲的：{'、'.join(others)}"
    if findings.out_of_scope:
        yield f"更像已知答不了的：“{findings.out_of_scope.questions[0]}”"


def _odds(probability: float) -> str:
    return "99% 以上" if probability > 0.99 else f"{probability:.0%}"


def _verdict(decision: Decision) -> str:
    match decision:
        case Answer(match):
            return f"直接答“{match.entry.title}”"
        case Clarify(matches):
            return "请农户选：" + "、".join(match.entry.title for match in matches)
        case Decline():
            return "说明答不了，告诉去哪里问"
    return "转特派员"


def figures(core: Core, findings: Findings, evidence: Evidence) -> str:
    """The candidates, and what each signal adds to the judgement of the first."""
    rows = [["", "条目", "得分", "最近的一句"]]
    for number, match in enumerate(findings.matches[:_SHOWN], 1):
        rows.append([str(number), match.entry.title, f"{match.score:.2f}", match.phrasing])
    parts = core.judge.right.parts(core.judge.standard(evidence.signals))
    weighed = [["信号", "值", "加减"]]
    weighed += [
        [name, f"{evidence.signals[name]:.3f}", f"{parts[name]:+.2f}"]
        for name in sorted(parts, key=lambda one: -abs(parts[one]))
    ]
    return f"{table(rows)}\n{table(weighed)}"
