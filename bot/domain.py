"""The nouns of Tianwen, all frozen values.

Glossary (English term ↔ 中文):
    farmer 农户 · commissioner 科技特派员 · dispatcher 分诊员 · staff 工作人员 · township 镇街
    entry 知识条目 · phrasing 问法 · short answer 短答 · domain 领域 · speciality 专长
    match 匹配 · decision 判断 · answer 直接回答 · clarify 请农户选 · escalate 转特派员
    emergency 紧急 · decline 婉拒
    case 问题单 (what an escalation opens) · offer 派单 · accept 接单 · decline (a case) 退回
    duty 值班 · holder 当前负责人 · follow-up 到期跟进 · invitation 邀请码
    consult 会诊 · dispute 分歧待定 · note 备注 · canned text 常用语
    assigned 定点联系 (the commissioner is the farmer's own)
    ledger 台账 · line 一笔 · seal 印记 · visit 走访 · suggestion 建议 · ask for somebody 代问
    strike 记为无效 · appeal 申诉 · deny 农户说没有
    keep 收进知识库 (a reply made a draft entry) · author 作者 · spread 传播量 (later uses of it)
    arrival 到达的平台原始消息 · incoming 来信 · outgoing 去信 · turn 一轮 · memory 会话记忆
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any, Literal

CHINA = timezone(timedelta(hours=8))  # days and times of day are meant here


def midnight(day: date) -> datetime:
    """The first instant of that day in China."""
    return datetime(day.year, day.month, day.day, tzinfo=CHINA)


def year_start(at: datetime) -> datetime:
    """The first instant of that year in China."""
    return midnight(at.astimezone(CHINA).date().replace(month=1, day=1))


# --- who -------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Address:
    """Where a person is reached: `user` is the platform's own id, kept as text."""

    channel: str
    user: str

    def __str__(self) -> str:
        return f"{self.channel}:{self.user}"


class Weekday(StrEnum):
    MONDAY = "周一"
    TUESDAY = "周二"
    WEDNESDAY = "周三"
    THURSDAY = "周四"
    FRIDAY = "周五"
    SATURDAY = "周六"
    SUNDAY = "周日"


class Kind(StrEnum):
    """A commissioner's kind in the district's register; dispatchers are staff."""

    TECHNICAL = "技术服务型"
    ENTREPRENEUR = "创业型"
    DISPATCHER = "分诊员"


@dataclass(frozen=True, slots=True)
class Commissioner:
    """One line of config/commissioners.yaml. `id` never changes; names may."""

    id: str
    name: str
    kind: Kind
    specialities: tuple[str, ...] = ()
    townships: tuple[str, ...] = ()  # empty: the whole district
    capacity: int = 10  # cases in hand at a time
    leave: tuple[tuple[date, date], ...] = ()  # first and last day, both included
    duty: tuple[Weekday, ...] = ()  # on which he is asked first; empty: any day
    addresses: tuple[Address, ...] = ()

    @property
    def is_dispatcher(self) -> bool:
        return self.kind is Kind.DISPATCHER

    def is_on_duty(self, day: date) -> bool:
        return not self.duty or tuple(Weekday)[day.weekday()] in self.duty

    def is_on_leave(self, day: date) -> bool:
        return any(first <= day <= last for first, last in self.leave)


# --- what is written -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of text as every channel can show it; the knowledge base's Markdown subset. The text
    of a picture is its caption, `picture` is its name in the knowledge base."""

    kind: Literal["paragraph", "heading", "item", "picture"]
    text: str
    picture: str = ""


def paragraphs(*texts: str) -> tuple[Block, ...]:
    return tuple(Block("paragraph", text) for text in texts if text)


def plain(blocks: tuple[Block, ...]) -> str:
    """The blocks as unmarked text: headings in 【】, items behind a dot, captions for pictures."""
    shapes = {"paragraph": "{}", "heading": "【{}】", "item": "· {}", "picture": "【图：{}】"}
    lines: list[str] = []
    previous = ""
    for block in blocks:
        if previous and (block.kind == "heading" or previous == block.kind == "paragraph"):
            lines.append("")
        lines.append(shapes[block.kind].format(block.text))
        previous = block.kind
    return "\n".join(lines)


@dataclass(frozen=True, slots=True)
class Button:
    """`action` travels through the platform: at most 64 bytes (Telegram callback_data)."""

    label: str
    action: str

    def __post_init__(self) -> None:
        if len(self.action.encode()) > 64:
            raise ValueError(f"action too long for a button: {self.action}")


class Flaw(StrEnum):
    """What makes a photo hard to judge, as the commissioner reads it."""

    BLURRED = "有点糊"
    DARK = "偏暗"
    BRIGHT = "太亮"
    SMALL = "太小"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A photo, voice note or file kept in the store under a random `media` id."""

    kind: Literal["photo", "voice", "file"]
    media: str
    mime: str
    name: str = ""
    flaws: tuple[Flaw, ...] = ()


@dataclass(frozen=True, slots=True)
class Media:
    """The bytes behind an attachment; photos are already re-encoded JPEG without EXIF."""

    mime: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Arrival:
    """What a platform delivered, before anyone understood it. (channel, uid) is unique."""

    channel: str
    uid: str
    user: str
    raw: str  # JSON
    group: str | None = None  # album: arrivals of one group are read as one message
    id: int = 0  # the message id, given by the store
    at: datetime | None = None  # when the store received it


class Other(StrEnum):
    """Things a chat can bring that are neither text, photo, voice, file nor button."""

    STICKER = "sticker"
    LOCATION = "location"
    VIDEO = "video"
    CONTACT = "contact"
    VOICE = "voice"  # one that can't be had from its platform
    JOINED = "joined"  # the user started or unblocked the bot: nothing was asked
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Incoming:
    """A message as the conversation takes it."""

    id: int
    sender: Address
    text: str = ""
    attachments: tuple[Attachment, ...] = ()
    press: str | None = None  # the action of a pressed button
    other: Other | None = None
    location: tuple[float, float] | None = None  # latitude, longitude in degrees
    reply_to: str | None = None  # the platform's id of our message that this one replies to
    quoted: str = ""  # the first line of that message, where the platform sends it along
    case: int | None = None  # named by the channel itself, as the desk page does
    asked_for: str = ""  # 代问: who it is, where the farmer asks for somebody else


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message due to somebody. Buttons stand below it, one per row on narrow screens."""

    to: Address
    blocks: tuple[Block, ...]
    buttons: tuple[Button, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    case: int | None = None
    purpose: Literal["reply", "offer", "relay", "notice"] = "reply"
    is_silent: bool = False  # it comes at night, and nobody need wake up for it
    service_of: str | None = None  # whose service it is, as a commissioner id, once delivered
    closing: str = ""  # what the buttons of the case's offer become, where the channel can do so

    @property
    def text(self) -> str:
        return plain(self.blocks)


@dataclass(frozen=True, slots=True)
class Receipt:
    """The platform's ids of what was sent (one an album part or text piece), for replies to it."""

    ids: tuple[str, ...] = ()


# --- knowledge -------------------------------------------------------------------------------

DIAL_120 = "立即拨打120"  # the first words wherever a person is in danger


@dataclass(frozen=True, slots=True)
class Review:
    """Whether staff have confirmed an entry; a draft is seen by nobody but staff."""

    status: Literal["draft", "pending", "approved"] = "pending"
    by: str | None = None
    on: date | None = None


@dataclass(frozen=True, slots=True)
class Author:
    """The commissioner whose reply to a case an entry was made from."""

    id: str
    name: str
    case: int


@dataclass(frozen=True, slots=True)
class Entry:
    """One vetted answer. `short_answer` is the body's first paragraph, `details` the rest."""

    id: str
    domain: str
    title: str
    questions: tuple[str, ...]
    short_answer: str
    details: tuple[Block, ...]
    sources: tuple[str, ...]
    review: Review = Review()
    review_by: date | None = None
    group: str = ""
    season: tuple[int, ...] = ()  # months 1–12; empty: all year
    confusable_with: tuple[str, ...] = ()
    see_also: tuple[str, ...] = ()
    author: Author | None = None  # None: staff wrote it

    @property
    def is_first_aid(self) -> bool:
        return self.short_answer.startswith(DIAL_120)

    @property
    def is_draft(self) -> bool:
        return self.review.status == "draft"


@dataclass(frozen=True, slots=True)
class OutOfScope:
    """A known question the base must not answer, with the honest reply."""

    questions: tuple[str, ...]
    reply: str


@dataclass(frozen=True, slots=True)
class Domain:
    """A subject: knowledge/<id>/_domain.yaml."""

    id: str
    title: str
    speciality: str
    words: tuple[str, ...]
    groups: Mapping[str, str] = field(default_factory=dict)
    out_of_scope: tuple[OutOfScope, ...] = ()
    bloom: tuple[int, ...] = ()  # months in which bees visit the crop
    photos: tuple[str, ...] = ()  # the views that a case of it is judged by: 整株, 叶背

    def named_in(self, text: str) -> int:
        """How many characters of its words the text has."""
        return sum(len(word) for word in self.words if word in text)


@dataclass(frozen=True, slots=True)
class Picture:
    """A JPEG or PNG as staff left it; `digest` changes with any byte of it."""

    media: Media
    width: int  # pixels
    height: int
    digest: str


@dataclass(frozen=True, slots=True)
class Unanswerable:
    """A question that no entry answers, to learn from; `domain` is None where none is near."""

    text: str
    domain: str | None = None


@dataclass(frozen=True, slots=True)
class KnowledgeBase:
    """Everything under knowledge/, read and checked. `revision` changes with any byte of it."""

    revision: str
    domains: Mapping[str, Domain]
    entries: Mapping[str, Entry]
    pictures: Mapping[str, Picture] = field(default_factory=dict)  # by `Block.picture`
    unanswerable: tuple[Unanswerable, ...] = ()


@dataclass(frozen=True, slots=True)
class Problem:
    """Something staff must mend, said in Chinese; line and column count from 1."""

    path: str
    line: int
    column: int
    message: str
    mend: str
    level: Literal["error", "warning"] = "error"
    rule: str = ""

    def __str__(self) -> str:
        word = "错误" if self.level == "error" else "提醒"
        return f"{self.path}:{self.line}:{self.column} {word}：{self.message} 怎么改：{self.mend}"


@dataclass(frozen=True, slots=True)
class Match:
    """An entry that search brought, what speaks for it in standard deviations over all entries,
    and its text nearest to the question."""

    entry: Entry
    score: float
    phrasing: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What search brought for one text: an entry at most once, best first, with the calibrated
    probabilities that the first, or one of the first three, answers it; the known question
    without an answer that is clearly nearer than any entry; the domain that the text most likely
    belongs to, and in what (crop, organ) text and first entry contradict each other."""

    matches: tuple[Match, ...] = ()
    right: float = 0.0
    among: float = 0.0
    out_of_scope: OutOfScope | None = None
    domain: str | None = None
    conflict: str | None = None

    @property
    def nearest(self) -> tuple[str, ...]:
        """The ids of the entries that a person is shown."""
        return tuple(match.entry.id for match in self.matches[:3])


Part = tuple[str, Findings]  # of a message, and what it finds


# --- decision --------------------------------------------------------------------------------


class Reason(StrEnum):
    """Why a question goes to a person."""

    NO_MATCH = "知识库里没有相近的内容"
    UNSURE = "有相近的内容，但把握不够"
    NONE_FITS = "农户说列出的都不是"
    UNSOLVED = "农户看了答案说没解决"
    ASKED_FOR_PERSON = "农户要求转特派员"
    PHOTO = "农户发来图片、语音或文件，需要人看"
    OUT_OF_SCOPE = "问题不在知识库范围内"
    EMERGENCY = "可能有人身危险"


@dataclass(frozen=True, slots=True)
class Answer:
    """Say this entry, word for word."""

    match: Match
    right: float | None = field(default=None, compare=False)  # P(the best entry answers it)
    is_picked: bool = False  # by the farmer, from what a Clarify offered


@dataclass(frozen=True, slots=True)
class Several:
    """Two questions in one message, each answered."""

    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Clarify:
    """Let the farmer choose among at most three entries or none of them."""

    matches: tuple[Match, ...]
    right: float | None = field(default=None, compare=False)  # P(the best entry answers it)


@dataclass(frozen=True, slots=True)
class Escalate:
    """Give it to a person; `domain` is None where no subject could be told."""

    reason: Reason
    domain: str | None
    matches: tuple[Match, ...] = ()
    right: float | None = field(default=None, compare=False)  # P(the best entry answers it)


@dataclass(frozen=True, slots=True)
class Emergency:
    """A person may be in danger: 120 first; `danger` names the first-aid text."""

    danger: str
    domain: str | None


@dataclass(frozen=True, slots=True)
class Decline:
    """Not ours to answer, and no case is opened; `reply` is what an out-of-scope rule says."""

    reply: str
    domain: str | None = None


Decision = Answer | Several | Clarify | Escalate | Emergency | Decline


# --- cases -----------------------------------------------------------------------------------


class CaseState(StrEnum):
    """See the diagram in bot/escalation/__init__.py."""

    UNPLACED = "unplaced"  # nobody to offer it to: the dispatchers see it
    OFFERED = "offered"
    ACCEPTED = "accepted"
    ASKED = "asked"  # the commissioner asked back and waits for the farmer
    ANSWERED = "answered"
    RESOLVED = "resolved"
    CANCELLED = "cancelled"


OUR_MOVE = frozenset({CaseState.UNPLACED, CaseState.OFFERED, CaseState.ACCEPTED})
CLOSED = frozenset({CaseState.RESOLVED, CaseState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Candidate:
    """A commissioner who was considered and what spoke for or against, in Chinese."""

    commissioner: str
    note: str
    is_eligible: bool


@dataclass(frozen=True, slots=True)
class Case:
    """A question on its way through people. `version` guards against two writers."""

    number: int
    farmer: Address
    question: str
    reason: Reason
    opened_at: datetime
    changed_at: datetime
    state: CaseState = CaseState.UNPLACED
    attachments: tuple[Attachment, ...] = ()
    domain: str | None = None
    township: str | None = None
    is_urgent: bool = False
    holder: str | None = None  # commissioner id: offered to, or working on it
    passed: tuple[str, ...] = ()  # commissioner ids who declined or let it lie
    candidates: tuple[Candidate, ...] = ()
    suggestions: tuple[str, ...] = ()  # entry ids that search found, best first
    due_at: datetime | None = None  # when follow-up looks at it next
    reminders: int = 0  # sent in the present state
    rating: int | None = None  # by the farmer, 1 (no help) to 3
    complaint: str = ""  # why it was no help
    consulted: tuple[str, ...] = ()  # commissioner ids asked for a second opinion
    is_disputed: bool = False  # 分歧待定: they disagree, and nobody has settled it
    answer: str = ""  # the last that was sent to the farmer
    answer_attachments: tuple[Attachment, ...] = ()
    same_as: int | None = None  # the case whose answer served this one too
    asked_for: str = ""  # 代问
    assigned: str | None = None  # commissioner id: the farmer's own
    bees_told: bool = False  # the beekeepers around were told that it may be sprayed
    is_kept: bool = False  # its answer was made a draft entry
    version: int = 0

    @property
    def is_open(self) -> bool:
        return self.state not in CLOSED

    def is_late(self, now: datetime) -> bool:
        """Overdue, or reminded of already, where the next move is ours."""
        is_due = self.due_at is not None and self.due_at <= now
        return self.state in OUR_MOVE and (is_due or self.reminders > 0)


class Event(StrEnum):
    """What happened to a case, as its thread shows it."""

    OPENED = "开单"
    PASSED = "没接，转下一位"
    ACCEPTED = "接单"
    DECLINED = "退回"
    HANDED_ON = "转给"
    NOTED = "备注（不发给农户）"
    CONSULTED = "请人会诊"
    OPINION = "会诊意见"
    DISPUTED = "分歧待定"
    BEES_TOLD = "告诉养蜂户"
    ASSIGNED = "定点联系"
    ANSWERED = "答复"
    ASKED = "追问农户"
    ADDED = "农户补充"
    RESOLVED = "解决"
    REOPENED = "没解决，重开"
    CANCELLED = "农户取消"
    REMINDED = "催办"
    ASKED_OUTCOME = "问效果"
    OUTCOME = "农户说效果"
    RATED = "农户评价"
    KEPT = "收进知识库"


FARMER, SYSTEM = "农户", "系统"  # who did it, where it was no commissioner


@dataclass(frozen=True, slots=True)
class CaseChange:
    """A case's new value and the event that led there; `by` is a commissioner id, 农户 or 系统."""

    case: Case
    what: Event
    by: str
    note: str = ""


# --- ledger ----------------------------------------------------------------------------------


class Deed(StrEnum):
    """What a line of the ledger stands for."""

    SERVICE = "答复"  # that reached its farmer
    VISIT = "走访"  # these two as the commissioner told of them
    CALL = "电话"
    CONFIRMED = "农户确认"
    DENIED = "农户说没有"  # counts no more, until a dispatcher restores it
    SUGGESTION = "建议"
    STRUCK = "记为无效"  # by the supervisor; the line it is about counts no more
    APPEAL = "申诉"  # by the commissioner, against that
    RESTORED = "恢复有效"
    REVIEWED = "复核通过"  # by the supervisor: looked at, and it counts
    REPLIED = "建议答复"  # what became of a suggestion
    RATED = "农户评价"  # of an answered case; the last one stands


@dataclass(frozen=True, slots=True)
class Entered:
    """What is to be written into the ledger: never changed again, corrected by further lines.
    `proof` shows that it is so: who was served with what, and why a line was struck."""

    deed: Deed
    commissioner: str
    by: str  # commissioner id, or who acts at the command line
    case: int | None = None
    about: int | None = None  # the line that it corrects
    proof: Mapping[str, Any] = field(default_factory=dict)  # JSON
    media: tuple[str, ...] = ()  # pictures; their SHA-256 joins the proof when it is written


@dataclass(frozen=True, slots=True)
class Line:
    """A line of the ledger as it stands; `seal` is the SHA-256 over it and the seal before."""

    number: int
    at: datetime
    entered: Entered
    seal: str

    @property
    def day(self) -> date:
        """When it was done; of a visit, when that was."""
        told = self.entered.proof.get("day")
        return date.fromisoformat(told) if told else self.at.astimezone(CHINA).date()


# --- conversation ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Kept:
    """A delivered answer that is to become a draft entry; all words as they were written."""

    author: Author
    signed: str  # how farmers were shown the author
    question: str
    answer: str
    day: date  # of its delivery
    township: str | None
    domain: str


@dataclass(frozen=True, slots=True)
class Question:
    """A farmer's question as remembered: `id` is the message id, used in button actions. `after`
    is the question before, where this one was read as going on from it."""

    id: int
    text: str
    domain: str | None = None
    offered: tuple[str, ...] = ()  # entry ids shown as choices, in order
    answered: str | None = None  # the entry id given as answer
    attachments: tuple[Attachment, ...] = ()
    case: int | None = None
    at: datetime | None = None
    after: str = ""
    asked_for: str = ""  # 代问


@dataclass(frozen=True, slots=True)
class Memory:
    """What a conversation remembers between messages."""

    questions: tuple[Question, ...] = ()  # the last few, newest last
    township: str | None = None
    focus: int | None = None  # the case that the next message belongs to
    intent: Literal["answer", "ask", "add", "log"] | None = None  # what that message is for
    draft: Incoming | None = None  # a commissioner's words waiting for another word of his
    is_greeted: bool = False
    keeps_bees: bool = False  # and wants to be told of spraying around
    wants_news: bool = True  # of answers to what was once asked in vain


@dataclass(frozen=True, slots=True)
class Invitation:
    """A valid one-time code that the message carries; the store has checked it."""

    commissioner: str
    code_hash: str


@dataclass(frozen=True, slots=True)
class Context:
    """Everything known when a message is taken. For a farmer `cases` are his own; for a
    commissioner those offered to, held or once seen by him, for a dispatcher everybody's;
    open ones and the recently closed."""

    now: datetime
    memory: Memory = Memory()
    cases: tuple[Case, ...] = ()
    commissioner: Commissioner | None = None  # the bound sender
    about: int | None = None  # the case of the message replied to
    load: Mapping[str, int] = field(default_factory=dict)  # cases in hand by commissioner id
    served: Mapping[str, int] = field(default_factory=dict)  # answers delivered this year, by id
    addresses: Mapping[str, tuple[Address, ...]] = field(default_factory=dict)  # bound, by id
    invitation: Invitation | None = None
    may_wait: bool = False  # the sender may still be typing
    ledger: tuple[Line, ...] = ()  # a commissioner's own lines of this year
    assigned: str | None = None  # commissioner id: a farmer's own
    beekeepers: tuple[Address, ...] = ()  # of the township of the case that a bees: button names
    named: tuple[Line, ...] = ()  # those of the line or case that the message names, rulings too

    def where(self, person: str) -> tuple[Address, ...]:
        """Where a commissioner is written to: his desk page, where he is bound to no chat."""
        return self.addresses.get(person, ()) or (Address("desk", person),)


@dataclass(frozen=True, slots=True)
class Assignment:
    """From now on the commissioner is the farmer's own; None: nobody is any more."""

    farmer: Address
    commissioner: str | None


@dataclass(frozen=True, slots=True)
class Turn:
    """All that follows from one message, saved in one transaction. One that `waits` says nothing
    yet: the words are no whole question, and are to be taken again with the next."""

    replies: tuple[Outgoing, ...] = ()
    memory: Memory = Memory()
    changes: tuple[CaseChange, ...] = ()
    filed_under: int | None = None  # the case whose thread the message joins
    decision: Decision | None = None
    binds: Invitation | None = None
    assigns: Assignment | None = None
    waits: bool = False
    entered: tuple[Entered, ...] = ()  # into the ledger
    kept: Kept | None = None  # written before the turn is saved, since writing it may fail
