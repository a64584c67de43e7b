"""Field visits and calls: told in a few words, shown once more, written into the ledger; where the
farmer is known he says whether it was so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from bot.conversation.recall import case_by, joined, settled
from bot.conversation.replies import only
from bot.conversation.wishes import Lexicon
from bot.domain import (
    CHINA,
    Block,
    Button,
    Case,
    Commissioner,
    Context,
    Deed,
    Entered,
    Incoming,
    Line,
    Outgoing,
    Turn,
    paragraphs,
)
from bot.escalation.desk import Desk
from bot.phrases import Phrases

LATEST = timedelta(days=31)  # a visit can be told of this long
LEAST = 6  # characters of what was done
_BEGINS = re.compile(r"\s*(?:/log\b|记(走访|电话))\s*[:：,，]?\s*")
_DAY = re.compile(
    r"(今天|昨天|前天)|(?:(\d{4})[-年/])?(\d{1,2})[-月/](\d{1,2})(?:[日号]|(?![\d天个次亩斤棵株年]))"
)
_AGO = {"今天": 0, "昨天": 1, "前天": 2}
_TIME = re.compile(r"(\d{1,3}|半|[一两二三四五六])\s*(?:个)?(多)?(分钟|分|小时|钟头)(半)?")
_COUNTS = {"半": 0.5, "一": 1, "两": 2, "二": 2, "三": 3, "四": 4, "五": 5, "六": 6}
_FARMER = re.compile(
    r"农户\s*[:：]\s*([^\s,，。；;]{2,16})"
    r"|([\u4e00-\u9fff](?:大爷|大妈|大娘|大姐|大哥|婆婆|嬢嬢|孃孃|叔叔|老板|师傅)"
    r"|[\u4e00-\u9fff]{2,8}?(?:合作社|家庭农场))"
)
_EDGES = " \t\n,，。；;、:："


@dataclass(frozen=True, slots=True)
class Visit:
    """`day` is None where none could be meant; minutes 0 and empty words were not told."""

    deed: Deed
    day: date | None
    township: str
    farmer: str
    minutes: int
    done: str

    def missing(self) -> Iterator[str]:
        """Names of the phrases that ask for the rest."""
        fields = {
            "day": self.day,
            "township": self.township,
            "farmer": self.farmer,
            "minutes": self.minutes,
            "done": len(self.done) >= LEAST,
        }
        return (name for name, value in fields.items() if not value)


def begins(text: str) -> bool:
    """Whether the words tell of a visit or a call."""
    return _BEGINS.match(text) is not None


@dataclass(frozen=True, slots=True)
class Visits:
    """Each method but `read` is a whole turn."""

    desk: Desk
    lexicon: Lexicon
    say: Phrases

    def tell(self, incoming: Incoming, context: Context, case: Case | None) -> Turn:
        """What is missing is asked for and joins these words; what is complete is shown."""
        words = joined(context, incoming)
        memory = replace(
            settled(context), draft=words, intent="log", focus=case.number if case else None
        )
        visit = self.read(words.text, context, case)
        missing = [self.say(f"visit.no_{one}") for one in visit.missing()]
        if missing:
            text = self.say("visit.missing", deed=visit.deed.value, missing="；".join(missing))
            return Turn((Outgoing(incoming.sender, paragraphs(text)),), memory)
        button = Button(self.say("button.log"), "visit:save")
        blocks = (*paragraphs(self.say("visit.look")), *self._shown(visit, words))
        return Turn((Outgoing(incoming.sender, blocks, (button,)),), memory)

    def save(self, incoming: Incoming, context: Context, me: Commissioner) -> Turn:
        """The line is never changed again, so it is written only at his second word."""
        words, case = context.memory.draft, case_by(context.memory.focus, context)
        if words is None or context.memory.intent != "log":
            return only(self.say, "press.stale", incoming, context)
        visit = self.read(words.text, context, case)
        if visit.day is None or any(visit.missing()):
            return self.tell(replace(incoming, text=""), context, case)
        proof = {
            "day": visit.day.isoformat(),
            "township": visit.township,
            "farmer_name": visit.farmer,
            "farmer": str(case.farmer) if case else None,
            "minutes": visit.minutes,
            "done": visit.done,
            "location": words.location,
            "domain": case.domain if case else None,
        }
        media = tuple(one.media for one in words.attachments)
        entered = Entered(
            visit.deed, me.id, me.id, case.number if case else None, proof=proof, media=media
        )
        turn = only(self.say, "visit.saved", incoming, context, deed=visit.deed.value)
        asked = (self._ask_farmer(visit, case, incoming, me),) if case else ()
        return replace(turn, replies=(*turn.replies, *asked), entered=(entered,))

    def confirm(self, verb: str, incoming: Incoming, context: Context) -> Turn | None:
        """The farmer's yes or no, once; None where it is not for him to say."""
        visit = next(iter(context.named), None)
        if visit is None or visit.entered.proof.get("farmer") != str(incoming.sender):
            return None
        known = {one.entered.deed for one in context.named}
        if verb not in {"yes", "no"} or known & {Deed.CONFIRMED, Deed.DENIED}:
            return None
        deed = Deed.CONFIRMED if verb == "yes" else Deed.DENIED
        who = visit.entered.commissioner
        entered = Entered(deed, who, str(incoming.sender), visit.entered.case, visit.number)
        turn = only(self.say, "visit.thanks", incoming, context)
        told = self._tell_of_denial(visit, context) if deed is Deed.DENIED else ()
        return replace(turn, replies=(*turn.replies, *told), entered=(entered,))

    def read(self, text: str, context: Context, case: Case | None) -> Visit:
        """What the words tell, in any order; today where they name no day."""
        begun = _BEGINS.match(text)
        deed = Deed.CALL if begun and begun[1] == "电话" else Deed.VISIT
        rest = text[begun.end() :] if begun else text
        today = context.now.astimezone(CHINA).date()
        day, rest = _taken(_DAY, rest)
        time, rest = _taken(_TIME, rest)
        farmer, rest = _taken(_FARMER, rest)
        township = self.lexicon.township(rest) or ""
        done = rest.replace(township, "", 1) if township else rest
        known = self.say("visit.asker", number=case.number) if case else ""
        return Visit(
            deed,
            _day(day, today),
            township or (case.township or "" if case else ""),
            (farmer[1] or farmer[2]) if farmer else known,
            _minutes(time),
            re.sub(rf"[{_EDGES}]{{2,}}", "，", done).strip(_EDGES),
        )

    def _shown(self, visit: Visit, words: Incoming) -> Iterator[Block]:
        yield Block("item", f"{visit.deed.value} {visit.day:%m-%d} {visit.township} {visit.farmer}")
        yield Block("item", self.say("visit.minutes", minutes=visit.minutes))
        yield Block("item", visit.done)
        if words.attachments or words.location:
            place = self.say("visit.place") if words.location else ""
            photos = self.say("visit.photos", count=len(words.attachments))
            yield Block("item", "，".join(filter(None, (photos, place))))

    def _ask_farmer(
        self, visit: Visit, case: Case, incoming: Incoming, me: Commissioner
    ) -> Outgoing:
        text = self.say(
            "visit.call" if visit.deed is Deed.CALL else "visit.came",
            who=me.name,
            day=f"{visit.day:%m月%d日}",
            minutes=visit.minutes,
            done=visit.done,
        )
        buttons = tuple(
            Button(self.say(f"visit.{verb}"), f"visit:{incoming.id}:{verb}")
            for verb in ("yes", "no")
        )
        return Outgoing(case.farmer, paragraphs(text), buttons, (), case.number, "notice")

    def _tell_of_denial(self, visit: Line, context: Context) -> tuple[Outgoing, ...]:
        who = self.desk.roster.name(visit.entered.commissioner)
        text = self.say("visit.denied", number=visit.number, who=who)
        people = (visit.entered.commissioner, *self.desk.roster.dispatchers())
        return tuple(
            Outgoing(to, paragraphs(text), purpose="notice")
            for person in people
            for to in context.where(person)
        )


def _taken(pattern: re.Pattern[str], text: str) -> tuple[re.Match[str] | None, str]:
    """The first match, and the text without it."""
    found = pattern.search(text)
    return (found, text[: found.start()] + "，" + text[found.end() :]) if found else (None, text)


def _day(found: re.Match[str] | None, today: date) -> date | None:
    """None for a day to come, one long past, one of last year, and one that does not exist."""
    if found is None:
        return today
    if found[1]:
        day = today - timedelta(days=_AGO[found[1]])
    else:
        try:
            day = date(int(found[2] or today.year), int(found[3]), int(found[4]))
        except ValueError:
            return None
    return day if today - LATEST <= day <= today and day.year == today.year else None


def _minutes(found: re.Match[str] | None) -> int:
    if found is None:
        return 0
    count = _COUNTS.get(found[1]) or float(found[1])
    is_hours = found[3] in {"小时", "钟头"}
    half = 0.5 if found[4] else 0
    return round((count + half) * 60) if is_hours else round(count)
