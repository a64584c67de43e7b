"""The cast: two farmers who must never see each other's things, three commissioners, a deputy and
a dispatcher; and a village where they talk, with the shipped wording and word lists."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from functools import cache
from itertools import count
from pathlib import Path

import yaml

from bot.conversation.asking import Rules
from bot.conversation.decision import Policy
from bot.conversation.safety import Lookout
from bot.conversation.turn import Conversation
from bot.conversation.understanding import Library
from bot.conversation.wishes import Lexicon, Wish
from bot.dangers import DangerShape, sense
from bot.domain import (
    Address,
    Attachment,
    Block,
    Case,
    CaseChange,
    CaseState,
    Commissioner,
    Context,
    Domain,
    Entry,
    Findings,
    Incoming,
    Invitation,
    Kind,
    Line,
    Match,
    Memory,
    OutOfScope,
    Part,
    Reason,
    Turn,
)
from bot.escalation.desk import Desk, Timers
from bot.escalation.follow_up import follow_up
from bot.escalation.letters import Naming
from bot.escalation.roster import Roster
from bot.phrases import Phrases

CONFIG = Path(__file__).resolve().parent.parent / "config"
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)

LI = Address("telegram", "li-dajie")  # 李大姐
ZHANG = Address("web", "zhang-san")  # 张三
WANG_CHAT = Address("telegram", "wang")
LV_CHAT = Address("telegram", "lv")
QIN_CHAT = Address("telegram", "qin")
DEPUTY_CHAT = Address("telegram", "zhou")
DESK_CHAT = Address("telegram", "dispatcher")

WANG = Commissioner("wang-ruisheng", "王瑞生", Kind.TECHNICAL, ("beekeeping",))
LV = Commissioner("lv-yukui", "吕玉奎", Kind.TECHNICAL, ("sichuan-pepper",))
QIN = Commissioner("qin-zhaohua", "秦兆华", Kind.ENTREPRENEUR, ("citrus-marketing",))
DISPATCHER = Commissioner("dispatcher", "分诊台", Kind.DISPATCHER)
DEPUTY = Commissioner("zhou-fu", "周副", Kind.TECHNICAL, ("beekeeping",), ("盘龙镇",))
PEOPLE = (WANG, LV, QIN, DISPATCHER)
ADDRESSES: Mapping[str, tuple[Address, ...]] = {
    WANG.id: (WANG_CHAT,),
    LV.id: (LV_CHAT,),
    QIN.id: (QIN_CHAT,),
    DISPATCHER.id: (DESK_CHAT,),
    DEPUTY.id: (DEPUTY_CHAT,),
}

PHOTO = Attachment("photo", "media-1", "image/jpeg")
VOICE = Attachment("voice", "media-2", "audio/ogg")

RUST = Entry(
    id="pepper-rust",
    domain="sichuan-pepper",
    title="花椒锈病",
    questions=("花椒叶子背面一层黄粉",),
    short_answer="先把病叶清出园子烧掉。",
    details=(Block("heading", "怎么办"), Block("item", "雨前喷一次")),
    sources=("《花椒病虫害》", "省农科院"),
)
SPOT = replace(RUST, id="pepper-leaf-spot", title="花椒叶斑病", short_answer="先剪掉病枝。")
SACBROOD = replace(RUST, id="bee-sacbrood", domain="beekeeping", title="中蜂囊状幼虫病")
LONG = replace(
    RUST,
    id="pepper-root-rot",
    title="花椒根腐病",
    short_answer="先挖开看根，再开沟排水。",
    details=(Block("heading", "怎么认"), Block("item", "须根发黑，一搓就脱皮。" * 20)),
)
APHID = replace(RUST, id="pepper-aphid", title="花椒蚜虫")
ENTRIES = {entry.id: entry for entry in (RUST, SPOT, APHID, SACBROOD, LONG)}
DOMAINS = {
    "beekeeping": Domain("beekeeping", "养蜂", "beekeeping", ("蜂", "蜜", "蜇")),
    "sichuan-pepper": Domain("sichuan-pepper", "花椒病害", "sichuan-pepper", ("花椒", "椒")),
    "citrus-marketing": Domain("citrus-marketing", "柑橘销售", "citrus-marketing", ("柑", "卖")),
}
SUBSIDY = OutOfScope(("补贴好多钱",), "补贴的事请问镇街农业服务中心。")

SURE = "花椒叶子背面一层黄粉"  # answered
ASKED = "叶子背面一层黄粉咋个办"  # answered; a whole question
MORE = "一抹一手"  # says nothing by itself; after SURE it is answered as that is
UNSURE = "花椒叶子上有点点"  # RUST, SPOT and APHID are offered
LENGTHY = "花椒蔸蔸挖出来乌黑"  # answered with LONG
GOES_ON = "那要好久打一回"  # answered with RUST, right after SURE
TWO = "叶子背面一层黄粉，还有尖尖上爬满虫"  # two questions: RUST and APHID
UNKNOWN_BEES = "蜂子不进箱咋个办"  # a case for 王瑞生
UNKNOWN_PEPPER = "花椒树子开花不结籽"  # a case for 吕玉奎
UNKNOWN = "拖拉机发不燃"  # nobody's subject: the dispatcher
DECLINED = "养羊补贴好多钱"
STUNG = "我老汉遭马蜂蜇了，现在喘不过气"


def findings_for(text: str, after: str = "") -> Findings:
    """The scripted search: what goes on from SURE in these words is about its entry."""
    if after:
        goes_on = (after, text) == (SURE, GOES_ON)
        return Findings((Match(RUST, 9.0, SURE),), 0.95, 0.99) if goes_on else Findings()
    script = {
        SURE: Findings((Match(RUST, 9.7, SURE), Match(SPOT, 8.8, "叶子有斑")), 0.97, 0.99),
        ASKED: Findings((Match(RUST, 9.7, SURE),), 0.97, 0.99),
        f"{SURE}\n{MORE}": Findings((Match(RUST, 9.7, SURE),), 0.97, 0.99),
        LENGTHY: Findings((Match(LONG, 9.7, LENGTHY),), 0.97, 0.99),
        UNSURE: Findings(
            (Match(RUST, 9.0, ""), Match(SPOT, 8.9, ""), Match(APHID, 8.7, "")), 0.5, 0.8
        ),
        DECLINED: Findings((), out_of_scope=SUBSIDY),
    }
    return script.get(text, Findings((Match(SPOT, 4.0, "叶子有斑"),), 0.1, 0.2))


def worries(text: str, domain: str | None) -> tuple[str, ...]:
    """The scripted linter: 甲胺磷 is banned in every subject but one that is not known."""
    return ("甲胺磷：全国禁用",) if "甲胺磷" in text and domain else ()


def apart(text: str, whole: Findings) -> tuple[Part, Part] | None:
    """The scripted search for two questions in one message."""
    first, _, second = text.partition("，还有")
    if text != TWO and second != DECLINED:
        return None
    rule = SUBSIDY if second == DECLINED else None
    rusty = Findings((Match(RUST, 9.0, ""),), 0.9, 0.9)
    return (first, rusty), (second, Findings((Match(APHID, 9.0, ""),), 0.9, 0.9, rule))


@cache
def phrases() -> Phrases:
    return Phrases(yaml.safe_load((CONFIG / "phrases.yaml").read_text(encoding="utf-8")))


@cache
def _words() -> dict:
    return yaml.safe_load((CONFIG / "lexicon.yaml").read_text(encoding="utf-8"))


@cache
def lexicon() -> Lexicon:
    words = _words()
    wishes = {Wish(name): tuple(map(str, forms)) for name, forms in words["wishes"].items()}
    return Lexicon(wishes, tuple(words["fillers"]), tuple(words["townships"]))


@cache
def dangers() -> Lookout:
    groups = {name: tuple(words) for name, words in _words()["groups"].items()}
    rules = (DangerShape(**one).build(groups) for one in _words()["emergency"])
    return Lookout(tuple(rules), sense(CONFIG))


def naming() -> Naming:
    return Naming(
        entry=lambda entry_id: ENTRIES[entry_id].title if entry_id in ENTRIES else entry_id,
        domain=lambda name: DOMAINS[name].title if name else "说不准",
        speciality=lambda name: DOMAINS[name].speciality if name else None,
    )


def desk(people: tuple[Commissioner, ...] = PEOPLE, timers: Timers = Timers()) -> Desk:  # noqa: B008 - a frozen value
    return Desk(Roster(people), phrases(), timers, naming())


def conversation(
    people: tuple[Commissioner, ...] = PEOPLE,
    first_number: int = 1,
    pause: timedelta = timedelta(0),
    timers: Timers = Timers(),  # noqa: B008 - a frozen value
) -> Conversation:
    library = Library(findings_for, apart, ENTRIES.get, lambda: DOMAINS, worries)
    policy = Policy(answer_at=0.8, offer_at=0.4, after_at=0.9)
    rules = Rules(policy, lexicon(), dangers(), pause=pause)
    numbers = count(first_number)
    return Conversation(library, rules, desk(people, timers), phrases(), numbers.__next__)


class Village:
    """Everybody's chats over a store that is a few dictionaries. Each take is one saved turn."""

    def __init__(
        self,
        *people: Commissioner,
        pause: timedelta = timedelta(0),
        timers: Timers = Timers(),  # noqa: B008 - a frozen value
    ) -> None:
        self.people = {one.id: one for one in people or PEOPLE}
        self.cases: dict[int, Case] = {}
        self.events: list[CaseChange] = []
        self.now = NOW
        self.ledger: tuple[Line, ...] = ()
        self.assigned: dict[Address, str | None] = {}
        self.beekeepers: tuple[Address, ...] = ()
        self._memories: dict[Address, Memory] = {}
        self._shown: set[tuple[str, int]] = set()
        self._ids = count(1)
        everybody = tuple(self.people.values())
        self._conversation = conversation(everybody, pause=pause, timers=timers)
        self._desk = desk(everybody, timers)

    def memory(self, address: Address) -> Memory:
        return self._memories.get(address, Memory())

    def says(
        self,
        sender: Address,
        text: str = "",
        *,
        about: int | None = None,
        invitation: Invitation | None = None,
        may_wait: bool = False,
        **more: object,
    ) -> Turn:
        """One message; `about` is the case of the message that it replies to."""
        incoming = Incoming(next(self._ids), sender, text, **more)
        context = replace(
            self._context(sender), about=about, invitation=invitation, may_wait=may_wait
        )
        if not self._conversation.needs_ledger(incoming):
            context = replace(context, ledger=())
        turn = self._conversation.take(incoming, context)
        self._memories[sender] = turn.memory
        return self._kept(turn)

    def presses(self, sender: Address, action: str, **more: object) -> Turn:
        return self.says(sender, press=action, **more)

    def time_comes(self, number: int) -> Turn:
        """The clock stands where the case is due, and follow-up looks at it."""
        self.now = self.cases[number].due_at or self.now
        context = Context(self.now, load=self._load(), addresses=ADDRESSES)
        return self._kept(follow_up(self.cases[number], context, self._desk))

    def _kept(self, turn: Turn) -> Turn:
        if turn.assigns:
            self.assigned[turn.assigns.farmer] = turn.assigns.commissioner
        for change in turn.changes:
            case = change.case
            self.cases[case.number] = replace(case, version=case.version + 1)
            people = (case.holder, *case.passed, *case.consulted)
            self._shown |= {(person, case.number) for person in people if person}
            self.events.append(change)
        return turn

    def _context(self, sender: Address) -> Context:
        owner = next((who for who, at in ADDRESSES.items() if sender in at), "")
        me = self.people.get(owner)
        cases = tuple(case for case in self.cases.values() if self._may_know(sender, me, case))
        return Context(
            self.now,
            self.memory(sender),
            cases,
            me,
            load=self._load(),
            addresses=ADDRESSES,
            ledger=self.ledger if me else (),
            named=self.ledger,
            assigned=self.assigned.get(sender),
            beekeepers=self.beekeepers,
        )

    def _may_know(self, sender: Address, me: Commissioner | None, case: Case) -> bool:
        if me is None:
            return case.farmer == sender
        return (me.id, case.number) in self._shown or (me.is_dispatcher and case.is_open)

    def _load(self) -> dict[str, int]:
        holders = [case.holder for case in self.cases.values() if case.is_open]
        return {who: holders.count(who) for who in self.people}


def told(turn: Turn, address: Address) -> list[str]:
    """The texts that the turn sends to the address."""
    return [reply.text for reply in turn.replies if reply.to == address]


def buttons(turn: Turn, address: Address) -> list[str]:
    """The actions below what the turn sends to the address."""
    return [
        button.action for reply in turn.replies if reply.to == address for button in reply.buttons
    ]


def said(key: str, **blanks: object) -> str:
    return phrases()(key, **blanks)


def a_case(number: int = 12, **more: object) -> Case:
    """A case of 李大姐 that 王瑞生 was offered."""
    fields = {
        "farmer": LI,
        "question": UNKNOWN_BEES,
        "reason": Reason.NO_MATCH,
        "opened_at": NOW,
        "changed_at": NOW,
        "state": CaseState.OFFERED,
        "domain": "beekeeping",
        "holder": WANG.id,
        "due_at": NOW + timedelta(hours=2),
    }
    return Case(number, **(fields | more))


def on_leave(person: Commissioner, first: date, last: date) -> Commissioner:
    return replace(person, leave=((first, last),))
