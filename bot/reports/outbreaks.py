"""An unusual rise of one problem in one township: a sign for people, who find out whether it is
a disease that spreads. Nothing is announced by it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from bot.domain import Address
from bot.reports.thresholds import GUARD, LEAST_WEEKS, WEEK, OutbreaksShape
from bot.store import Asked

_DISTRICT = 0.1  # of `chance`: there the seasons alone make waves
_TIMES = 2  # the usual number: a season comes more slowly
_OPEN = "escalate"  # no entry answered: the subject alone is the problem


@dataclass(frozen=True, slots=True)
class Rise:
    """So many farmers asked about one problem in seven days, `usual` in such a time before.
    Without an `entry`: about what no entry of the subject answers; without a `township`: in the
    whole district."""

    domain: str
    entry: str | None
    township: str | None
    farmers: int
    usual: float
    towns: Mapping[str, int]  # farmers by township, "" where it is not known
    cases: tuple[int, ...]

    @property
    def problem(self) -> str:
        return f"{self.domain}/{self.entry or ''}"

    @property
    def key(self) -> str:
        return f"{self.problem}@{self.township or ''}"


def rises(
    asked: Sequence[Asked],
    now: datetime,
    domain_of: Callable[[str], str | None],
    limits: OutbreaksShape,
) -> list[Rise]:
    """What is unusual in the seven days before `now`.

    Counted are different farmers in windows of seven days, so one who asks ten times is one. As
    in EARS C2 (Hutwagner, Thompson, Seeman & Treadwell 2003, "The bioterrorism preparedness and
    response Early Aberration Reporting System (EARS)", J Urban Health 80, i89-i96) the last
    window is compared with a moving baseline, and a guard band keeps a slow beginning out of it;
    days are weeks here, since a township has fewer questions than a hospital patients: seven days
    of baseline became `weeks`, two of guard one week. C2's mean + 3 sd fits no counts near 0
    (its sd is 0 after quiet weeks), so instead the count must be as improbable as `chance` under
    the Poisson predictive distribution with Jeffreys' prior, which knows how short the baseline
    is (negative binomial; Riebler 2004, algo.bayes of the R package surveillance).

    It must also be twice the usual, and in the whole district ten times as improbable: where many
    ask, the seasons alone make waves. A rise of a township is not told again as the district's.
    """
    began = min((one.at for one in asked), default=now)
    weeks = min(limits.weeks, (now - began) // WEEK - GUARD - 1)
    if weeks < LEAST_WEEKS:
        return []
    found = []
    for (domain, entry), items in _by_problem(asked, domain_of).items():
        places = {one.township for one in items if one.township}
        local = [_rise(domain, entry, place, items, now, weeks, limits) for place in sorted(places)]
        whole = _rise(domain, entry, None, items, now, weeks, limits)
        found += [one for one in local if one] or ([whole] if whole else [])
    return sorted(found, key=lambda rise: rise.key)


def news(
    found: Sequence[Rise], told: Mapping[str, str], today: date, limits: OutbreaksShape
) -> tuple[list[Rise], dict[str, str]]:
    """The rises that nobody was told of yet, and `told` brought up to date: the last day of each
    rise by its key. A rise is the same one until it has been over for `quiet` days."""
    oldest = (today - timedelta(days=limits.quiet)).isoformat()
    kept = {key: day for key, day in told.items() if day > oldest}
    problems = {key.partition("@")[0] for key in kept}
    fresh = [
        one
        for one in found
        if one.key not in kept and (one.township or one.problem not in problems)
    ]
    return fresh, kept | {one.key: today.isoformat() for one in found}


def improbability(count: int, before: int, weeks: int) -> float:
    """P(X ≥ count) of a week after `weeks` weeks with `before` together."""
    size, share = before + 0.5, weeks / (weeks + 1)
    term = share**size
    below = 0.0
    for number in range(count):
        below += term
        term *= (number + size) / (number + 1) * (1 - share)
    return max(0.0, 1 - below)


def _by_problem(
    asked: Sequence[Asked], domain_of: Callable[[str], str | None]
) -> Mapping[tuple[str, str | None], list[Asked]]:
    found = defaultdict[tuple[str, str | None], list[Asked]](list)
    for one in asked:
        if one.kind == _OPEN and one.domain:
            found[one.domain, None].append(one)
        elif one.kind != _OPEN:
            for entry in one.entries if one.kind == "several" else one.entries[:1]:
                found[domain_of(entry) or "", entry].append(one)
    return found


def _rise(
    domain: str,
    entry: str | None,
    township: str | None,
    items: Sequence[Asked],
    now: datetime,
    weeks: int,
    limits: OutbreaksShape,
) -> Rise | None:
    here = [one for one in items if township is None or one.township == township]
    farmers = defaultdict[int, set[Address]](set)
    for one in here:
        farmers[(now - one.at) // WEEK].add(one.farmer)
    last = [one for one in here if one.at > now - WEEK]
    count = len(farmers[0])
    before = sum(len(farmers[1 + GUARD + week]) for week in range(weeks))
    chance = limits.chance if township else limits.chance * _DISTRICT
    least = max(limits.farmers, _TIMES * before / weeks)
    if count < least or improbability(count, before, weeks) >= chance:
        return None
    home = {one.farmer: one.township or "" for one in last}
    towns = {town: list(home.values()).count(town) for town in sorted(set(home.values()))}
    cases = sorted({one.case for one in last if one.case is not None})
    return Rise(domain, entry, township, count, before / weeks, towns, tuple(cases))
