"""The forms of a case's page: what somebody at the desk may do with it now."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import uuid4

from bot.domain import Case, CaseState, Commissioner, Entry
from bot.escalation.likeness import alike
from bot.store import Shown

OURS = frozenset({CaseState.ACCEPTED, CaseState.ASKED})
NOT_TAKEN = frozenset({CaseState.UNPLACED, CaseState.OFFERED})
DONE = frozenset({CaseState.ANSWERED, CaseState.RESOLVED})
ALIKE = 3  # offered to be answered in the same way
VERBS = frozenset(
    {"accept", "answer", "ask", "decline", "hand", "sure", "note", "consult", "opine", "oppose"}
    | {"entry", "canned", "as", "keep", "assign", "unassign"}
)
NEEDS_WORDS = {
    "answer": "还没有写答复。",
    "ask": "还没有写要问什么。",
    "decline": "请写一句为什么退回。",
    "note": "还没有写备注。",
    "opine": "还没有写意见。",
    "oppose": "请写一句哪里不同意。",
}


@dataclass(frozen=True, slots=True)
class Move:
    """A form of the case page; `why_not` says why it can't be used now."""

    verb: str
    title: str
    why_not: str = ""
    label: str = ""
    hint: str = ""
    rows: int = 2
    is_required: bool = False
    takes_photos: bool = False
    is_main: bool = False
    uid: str = ""
    choices: Sequence[tuple[str, str]] = ()  # what its button may stand for, and their names


_ACCEPT = Move("accept", "接单", label="接单", is_main=True)
_ANSWER = Move(
    "answer",
    "发给农户",
    label="答复农户",
    hint="写清楚怎么做；用药请按标签。",
    rows=5,
    takes_photos=True,
)
_ASK = Move("ask", "问农户", label="先问农户", hint="还想了解什么？", takes_photos=True)
_DECLINE = Move("decline", "退回", label="退回给下一位", hint="为什么退回？", is_required=True)
_HAND_ON = Move("hand", "转给他", label="转给别的特派员", hint="为什么转给他？")
_ENTRY = Move("entry", "发给农户", label="发一条知识库的")
_CANNED = Move("canned", "发给农户", label="发常用语")
_AS = Move("as", "发给农户", label="照相近的问题那样答")
_CONSULT = Move("consult", "请他出主意", label="请人会诊", hint="想问他什么？")
_NOTE = Move("note", "记下", label="备注，农户看不到", hint="给同事看的话", is_required=True)
_KEEP = Move("keep", "收进知识库", label="收进知识库（先是草稿，农户看不到）")
_ASSIGN = Move("assign", "定下", label="定点联系：这位农户以后先找谁")
_ASK_ASSIGN = Move("assign", "请分诊员定", label="想定点联系这位农户")
_OPINE = Move(
    "opine",
    "给负责人",
    label="您的意见，农户看不到",
    hint="您怎么看？",
    is_required=True,
    takes_photos=True,
    is_main=True,
)
_OPPOSE = Move(
    "oppose", "记为分歧待定", label="不同意他的看法", hint="哪里不同意？", is_required=True
)


@dataclass(frozen=True, slots=True)
class Moves:
    """`people` by id; `entry` finds one by id; `canned` are the texts to send with a tap."""

    people: Mapping[str, Commissioner]
    entries: Sequence[Entry]
    canned: Sequence[str]
    others: Sequence[Case]

    def of(self, me: Commissioner, case: Case) -> list[Move]:
        """The forms of a case, the main one first; or the reason why he has none. The
        conversation decides again when the form arrives."""
        if barred := self._why_not(me, case):
            moves = [replace(_ANSWER, why_not=barred, is_main=True)]
            if me.id in case.consulted and case.is_open:
                moves = [_OPINE, _OPPOSE]
        else:
            moves = list(self._own(me, case))
        is_done = case.state in DONE and not case.is_kept
        if is_done and (me.is_dispatcher or case.holder == me.id):
            moves.append(_KEEP)
        moves += self._assigning(me, case)
        return [replace(move, uid=str(uuid4())) for move in moves]

    def _own(self, me: Commissioner, case: Case) -> Iterator[Move]:
        is_taken = case.state not in NOT_TAKEN and case.holder == me.id
        if not is_taken:
            yield _ACCEPT
        yield replace(_ANSWER, is_main=is_taken)
        yield from self._ready(me, case)
        yield _ASK
        is_his_to_give = me.is_dispatcher or case.holder == me.id
        if is_his_to_give:
            yield replace(_CONSULT, choices=self._people("consult", me, case))
            yield _NOTE
        if case.is_open and case.holder:
            yield _DECLINE
        if is_his_to_give and case.state in NOT_TAKEN | OURS:
            yield replace(_HAND_ON, choices=self._people("hand", me, case))

    def _ready(self, me: Commissioner, case: Case) -> Iterator[Move]:
        """Answers that need no writing."""
        answered = [one for one in alike(case, self.others) if one.answer and one.holder == me.id]
        sorts = (
            (_AS, [(one.number, f"#{one.number} {one.answer}") for one in answered[:ALIKE]]),
            (_ENTRY, [(entry.id, entry.title) for entry in self.entries]),
            (_CANNED, list(enumerate(self.canned))),
        )
        for move, found in sorts:
            if found:
                yield replace(
                    move, choices=[(f"{move.verb}:{key}", name[:40]) for key, name in found]
                )

    def _people(self, verb: str, me: Commissioner, case: Case) -> list[tuple[str, str]]:
        """Who may be asked, those of the case's subject first."""
        barred = {me.id, case.holder}
        everybody = (one for one in self.people.values() if not one.is_dispatcher)
        people = [one for one in everybody if one.id not in barred]
        considered = {one.commissioner for one in case.candidates}
        likeliest = sorted(people, key=lambda one: one.id not in considered)
        return [(f"{verb}:{one.id}", one.name) for one in likeliest]

    def _assigning(self, me: Commissioner, case: Case) -> list[Move]:
        """A dispatcher decides, whoever has the case may ask for it."""
        if me.is_dispatcher:
            people = [one for one in self.people.values() if not one.is_dispatcher]
            choices = [(f"assign:{one.id}", one.name) for one in people if one.id != case.assigned]
            end = [("unassign", "取消定点")] if case.assigned else []
            return [replace(_ASSIGN, choices=choices + end)]
        return [_ASK_ASSIGN] if case.holder == me.id != case.assigned else []

    def _why_not(self, me: Commissioner, case: Case) -> str:
        nobody_took_it = case.state in NOT_TAKEN
        if case.state is CaseState.CANCELLED:
            return "农户已经取消了这个问题，不用再办。"
        if case.holder == me.id or (me.is_dispatcher and nobody_took_it):
            return ""
        if case.holder is None and me.id in case.passed:
            return ""  # he may have second thoughts while nobody has it
        if case.holder is None:
            return "这个问题现在由分诊员处理，您不用办。"
        holder = self.people.get(case.holder)
        who = holder.name if holder else case.holder
        return f"这个问题现在由{who}负责，您可以看，不能答复。"


def confirmations(said: Iterable[Shown], room: str, *verbs: str) -> list[Move]:
    """The buttons under what was just shown, those of a room that begin so: it is done only when
    one of them is pressed."""
    buttons = (one for line in said if line.outgoing for one in line.outgoing.buttons)
    starts = tuple(room + verb for verb in verbs)
    return [
        Move(one.action.removeprefix(room), one.label, uid=str(uuid4()))
        for one in buttons
        if one.action.startswith(starts)
    ]
