"""Tells our people once a day, in working hours, of what farmers suddenly ask more about."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

from bot.app.clock import keep_looking
from bot.app.compose import Core
from bot.channels.base import Bell
from bot.domain import CHINA, Address, Block, Commissioner, Outgoing, paragraphs
from bot.reports.outbreaks import Rise, news, rises
from bot.store import Store

OUTBREAKS = "looking for outbreaks"
EVERY_SECONDS = 600.0
NOTE = "outbreaks"  # the day of the last look, and the last day of each rise that was told
_NUMBERS = 20  # cases named in a message


class OutbreakWatch:
    """Looks once on each working day. Messages and what is remembered of them are saved together,
    so neither a restart nor a second process tells anything twice."""

    def __init__(
        self, core: Core, store: Store, *, due: Bell, clock: Callable[[], datetime]
    ) -> None:
        self._core = core
        self._store = store
        self._due = due
        self._clock = clock

    async def run(self) -> None:
        await keep_looking(self.tick, self._due, EVERY_SECONDS, OUTBREAKS)

    def tick(self) -> set[str]:
        """The channels that have something to send now."""
        now, config = self._clock(), self._core.config
        today = now.astimezone(CHINA).date()
        before = self._store.notes.get(NOTE)
        told = before or {"day": "", "told": {}}
        if told["day"] == today.isoformat() or config.timers.hours.working(now) != now:
            return set()
        asked = self._store.statistics.asked(now - config.outbreaks.span, now)
        found = rises(asked, now, self._domain_of, config.outbreaks)
        fresh, kept = news(found, told["told"], today, config.outbreaks)
        addresses = self._store.cases.addresses()
        letters = [
            Outgoing(to, self._words(rise), purpose="notice")
            for rise in fresh
            for person in self._readers(rise)
            for to in addresses.get(person.id) or (Address("desk", person.id),)
        ]
        after = {"day": today.isoformat(), "told": kept}
        if not self._store.outbox.post_once(letters, now, note=NOTE, before=before, after=after):
            return set()
        return {letter.to.channel for letter in letters}

    def _domain_of(self, entry: str) -> str | None:
        found = self._core.library.entry(entry)
        return found.domain if found else None

    def _readers(self, rise: Rise) -> Iterable[Commissioner]:
        """Dispatchers, and whose subject and township it is."""
        speciality = self._core.naming.speciality(rise.domain)
        for person in self._core.config.commissioners:
            is_here = not (person.townships and rise.township) or rise.township in person.townships
            if person.is_dispatcher or (speciality in person.specialities and is_here):
                yield person

    def _words(self, rise: Rise) -> tuple[Block, ...]:
        say, naming = self._core.config.phrases, self._core.naming
        what = naming.entry(rise.entry) if rise.entry else None
        title = say(
            "outbreak.title",
            place=rise.township or say("outbreak.district"),
            what=what or say("outbreak.unknown", subject=naming.domain(rise.domain)),
            farmers=rise.farmers,
            usual=f"{rise.usual:.1f}".removesuffix(".0"),
        )
        towns = "、".join(
            say("outbreak.town", place=town or say("outbreak.nowhere"), farmers=farmers)
            for town, farmers in rise.towns.items()
        )
        cases = "、".join(f"#{number}" for number in rise.cases[:_NUMBERS])
        return paragraphs(
            title,
            "" if rise.township else say("outbreak.towns", towns=towns),
            say("outbreak.cases", numbers=cases) if cases else say("outbreak.no_cases"),
            say("outbreak.how"),
        )
