"""What in a year's ledger somebody should look at: copied replies, a rush at the end, one farmer
again and again, questions from one's own account. Signs, never a verdict: each has innocent causes.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain import Address, Line
from bot.escalation.ledger import Standing
from bot.reports.likeness import alike, letters


@dataclass(frozen=True, slots=True)
class Limits:
    """From where on a sign is shown. Chosen so that a commissioner who answers honestly, with
    standard advice for a common disease, is not on the list; measured on no real year yet."""

    alike: float = 0.8  # Jaccard of 3-grams: a name or a number changed, no more
    different: float = 0.3  # of 2-grams: questions below it are different ones
    questions: int = 4  # different ones that got the same reply
    short: int = 6  # characters: 谢谢, 收到, 好的，知道了
    shorts: int = 3  # such replies
    last: timedelta = timedelta(days=28)  # of the year, when a rush counts
    rush: int = 8  # services in it
    rush_share: float = 0.5  # of the year's
    rush_times: float = 3.0  # as many as even work since the ledger began would give
    visits: int = 5  # services to one farmer
    visits_share: float = 0.3  # of the year's
    at_once: timedelta = timedelta(minutes=5)  # from the question to the delivered answer
    at_once_share: float = 0.8  # of one farmer's, all with the same commissioner


@dataclass(frozen=True, slots=True)
class Flag:
    """What somebody should look at, and the numbers of the lines that show it."""

    commissioner: str
    what: str
    lines: tuple[int, ...]


LIMITS = Limits()


def flags(
    standings: Sequence[Standing],
    addresses: Mapping[str, Sequence[Address]],
    limits: Limits = LIMITS,
) -> list[Flag]:
    """By commissioner in the order given. Of everybody whose lines count, since what all did
    together tells what is usual; struck lines and repeats are out of the count already."""
    owners = {str(to): who for who, several in addresses.items() for to in several}
    everybody = [line for one in standings for line in one.services]
    began = min((line.day for line in everybody), default=date.max)
    helpers = defaultdict[str, set[str]](set)
    for line in everybody:
        helpers[_farmer(line)].add(line.entered.commissioner)
    found: list[Flag] = []
    for one in standings:
        services = one.services
        found += _copied(one.commissioner, services, limits)
        found += _short(one.commissioner, services, limits)
        found += _rushed(one, began, limits)
        found += _visited(one.commissioner, services, helpers, limits)
        found += _from_inside(one.commissioner, services, owners)
    return found


def reply(line: Line) -> str:
    """The commissioner's own words, without the head that names case and writer."""
    answer = str(line.entered.proof.get("answer") or "")
    head, _, words = answer.partition("\n\n")
    return words if re.search(rf"#{line.entered.case}\b", head) else answer


def _copied(who: str, services: Sequence[Line], limits: Limits) -> Iterator[Flag]:
    """Ten farmers with one disease may well get one answer: only different questions count."""
    written = [line for line in services if len(letters(reply(line))) > limits.short]
    for group in alike([reply(line) for line in written], at=limits.alike, size=3):
        asked = [line for place in group if _question(line := written[place])]
        topics = alike([_question(line) for line in asked], at=limits.different, size=2)
        if len(topics) >= limits.questions:
            start = " ".join(reply(asked[0]).split())[:16]
            what = f"{len(topics)} 个不同的问题，答复差不多一字不改：“{start}…”"
            yield Flag(who, what, _numbers(asked))


def _short(who: str, services: Sequence[Line], limits: Limits) -> Iterator[Flag]:
    """A picture may say it all, so answers with one are left out."""
    bare = [
        line
        for line in services
        if "answer" in line.entered.proof
        and not line.entered.proof.get("evidence")
        and len(letters(reply(line))) <= limits.short
    ]
    if len(bare) >= limits.shorts:
        examples = "、".join(f"“{words}”" for words, _ in Counter(map(reply, bare)).most_common(3))
        yield Flag(who, f"{len(bare)} 次答复只有几个字：{examples}", _numbers(bare))


def _rushed(one: Standing, began: date, limits: Limits) -> Iterator[Flag]:
    end = date(one.year, 12, 31)
    first = end - limits.last + timedelta(days=1)
    late = [line for line in one.services if line.day >= first]
    if len(late) < limits.rush:
        return
    share = len(late) / len(one.services)
    usual = limits.last / max(limits.last, end - max(began, date(one.year, 1, 1)))
    if share >= limits.rush_share and share >= limits.rush_times * usual:
        what = f"全年 {len(one.services)} 次服务，有 {len(late)} 次在年底最后 {limits.last.days} 天"
        yield Flag(one.commissioner, what, _numbers(late))


def _visited(
    who: str, services: Sequence[Line], helpers: Mapping[str, set[str]], limits: Limits
) -> Iterator[Flag]:
    by_farmer = defaultdict[str, list[Line]](list)
    for line in services:
        by_farmer[_farmer(line)].append(line)
    for farmer, lines in by_farmer.items():
        if not farmer or len(lines) < limits.visits:
            continue
        if len(lines) >= limits.visits_share * len(services):
            what = f"{len(services)} 次服务里有 {len(lines)} 次是同一个农户"
            yield Flag(who, what, _numbers(lines))
        quick = [line for line in lines if _wait(line) <= limits.at_once]
        if len(quick) >= limits.at_once_share * len(lines) and len(helpers[farmer]) == 1:
            minutes = limits.at_once.seconds // 60
            what = (
                f"同一个农户问了 {len(lines)} 次，都是他答，{len(quick)} 次 {minutes} 分钟内就答了"
            )
            yield Flag(who, what, _numbers(quick))


def _from_inside(who: str, services: Sequence[Line], owners: Mapping[str, str]) -> Iterator[Flag]:
    own = [line for line in services if owners.get(_farmer(line)) == who]
    if own:
        yield Flag(who, f"{len(own)} 次提问的就是他自己的账号", _numbers(own))
    others = [line for line in services if owners.get(_farmer(line), who) != who]
    if others:
        yield Flag(who, f"{len(others)} 次提问的是别的特派员或分诊员的账号", _numbers(others))


def _question(line: Line) -> str:
    return str(line.entered.proof.get("question") or "")


def _farmer(line: Line) -> str:
    return str(line.entered.proof.get("farmer") or "")


def _wait(line: Line) -> timedelta:
    asked = line.entered.proof.get("asked_at")
    return line.at - datetime.fromisoformat(asked) if asked else timedelta.max


def _numbers(lines: Iterable[Line]) -> tuple[int, ...]:
    return tuple(line.number for line in lines)
