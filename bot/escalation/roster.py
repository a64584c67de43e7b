"""Who is asked: speciality, whose farmer it is, township, duty, leave and load decide, never being
"online"."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date

from bot.domain import Candidate, Commissioner


class Roster:
    """The district's commissioners and dispatchers."""

    def __init__(self, commissioners: Iterable[Commissioner]) -> None:
        self._people = {person.id: person for person in commissioners}

    def name(self, commissioner_id: str | None) -> str:
        """The name to show; a person who has left the roster shows as his id."""
        if commissioner_id is None:
            return "分诊员"
        person = self._people.get(commissioner_id)
        return person.name if person else commissioner_id

    def find(self, name: str) -> Commissioner | None:
        """By name or id."""
        known = (one for one in self._people.values() if name in {one.name, one.id})
        return next(known, None)

    def experts(self) -> tuple[Commissioner, ...]:
        return tuple(one for one in self._people.values() if not one.is_dispatcher)

    def dispatchers(self) -> tuple[str, ...]:
        return tuple(person.id for person in self._people.values() if person.is_dispatcher)

    def consider(
        self,
        speciality: str | None,
        township: str | None,
        *,
        day: date,
        load: Mapping[str, int],
        served: Mapping[str, int],
        passed: tuple[str, ...],
        assigned: str | None = None,
    ) -> tuple[Candidate, ...]:
        """Everyone with the speciality, best first, with what speaks for and against each. The
        farmer's own commissioner goes before whoever is nearer or freer. Of two alike the one with
        fewer services this year comes first: he is further from the target."""

        def rank(person: Commissioner) -> tuple[bool, int, bool, float, int, str]:
            busy = load.get(person.id, 0) / person.capacity
            is_off, count = not person.is_on_duty(day), served.get(person.id, 0)
            is_other = person.id != assigned
            return is_other, _distance(person, township), is_off, busy, count, person.id

        experts = [p for p in self._people.values() if speciality in p.specialities]
        return tuple(
            _assess(
                p,
                township,
                day,
                load.get(p.id, 0),
                served.get(p.id, 0),
                passed,
                is_own=p.id == assigned,
            )
            for p in sorted(experts, key=rank)
        )


def _distance(person: Commissioner, township: str | None) -> int:
    if township in person.townships:
        return 0
    return 2 if person.townships and township else 1


def _assess(
    person: Commissioner,
    township: str | None,
    day: date,
    load: int,
    served: int,
    passed: tuple[str, ...],
    *,
    is_own: bool,
) -> Candidate:
    against = [
        reason
        for holds, reason in (
            (person.id in passed, "已退回或没接"),
            (person.is_on_leave(day), "请假"),
            (load >= person.capacity, "手上已满"),
        )
        if holds
    ]
    place = f"负责{township}" if township and township in person.townships else "服务全区"
    if person.townships and township not in person.townships:
        place = f"负责{'、'.join(person.townships)}"
    duty = ("今天值班" if person.is_on_duty(day) else "今天不值班",) if person.duty else ()
    hands = f"手上 {load} 件", f"今年答过 {served} 次"
    own = ("定点联系这一户",) if is_own else ()
    note = "；".join(["专长对口", *own, place, *duty, *hands, *against])
    return Candidate(person.id, note, is_eligible=not against)
