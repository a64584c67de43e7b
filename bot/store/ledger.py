"""The ledger: lines that are only ever added, each sealed over the one before.

A line's seal is the SHA-256 of the seal before it and all its own columns, so that whoever changes,
removes or puts in a line later would have to forge every seal after it; the last seal, written
down elsewhere, shows even that.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, bindparam, func, insert, select, update

from bot.domain import CaseState, Deed, Entered, Line, Outgoing
from bot.store import codec
from bot.store.database import Database
from bot.store.tables import EPOCH, MICROSECOND, cases, ledger, media, messages, numbers

NO_SEAL = "0" * 64
SERVICES = (Deed.SERVICE, Deed.VISIT, Deed.CALL)
_IS_OURS = numbers.c.name == "ledger"
_NEXT = update(numbers).where(_IS_OURS).values(value=numbers.c.value + 1).returning(numbers.c.value)
_SERVED = (
    select(ledger.c.commissioner, func.count())
    .where(ledger.c.at >= bindparam("since"), ledger.c.deed.in_([one.value for one in SERVICES]))
    .group_by(ledger.c.commissioner)
)
_PAGE = 1000  # lines read at a time


@dataclass(frozen=True, slots=True)
class Audit:
    """What a look at every seal found: how many lines are sound, the last seal, and in words what
    is wrong with the first that is not."""

    lines: int
    seal: str
    fault: str = ""


class Ledger:
    """Reads the ledger, and adds what follows from no message."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, entered: Entered, now: datetime) -> Line:
        with self._database.write() as connection:
            return append(connection, entered, now)

    def of(self, commissioner: str, since: datetime) -> tuple[Line, ...]:
        """One commissioner's lines from then on, and the rulings on them."""
        with self._database.read() as connection:
            return own(connection, commissioner, since)

    def served(self, since: datetime) -> dict[str, int]:
        """Answers delivered, visits and calls from then on, by commissioner id."""
        with self._database.read() as connection:
            return served(connection, since)

    def between(self, first: datetime, end: datetime) -> tuple[Line, ...]:
        """Everybody's lines from `first` to before `end`, and whatever corrects one of them."""
        is_then = and_(ledger.c.at >= first, ledger.c.at < end)
        those = select(ledger.c.number).where(is_then)
        query = select(ledger).where(is_then | ledger.c.about.in_(those)).order_by(ledger.c.number)
        with self._database.read() as connection:
            return tuple(map(_line, connection.execute(query)))

    def audit(self) -> Audit:
        """Look at every line from the first."""
        before, count = NO_SEAL, 0
        with self._database.read() as connection:
            for row in _rows(connection):
                if row.number != count + 1:
                    return Audit(count, before, f"第 {count + 1} 笔不见了")
                if row.seal != _seal(before, row):
                    return Audit(count, before, f"第 {row.number} 笔的内容和印记对不上")
                before, count = row.seal, row.number
            written = connection.execute(select(numbers.c.value).where(_IS_OURS)).scalar_one()
        if written != count:
            return Audit(count, before, f"记过 {written} 笔，只剩 {count} 笔")
        return Audit(count, before)


def append(
    connection: Connection, entered: Entered, now: datetime, *, message: int | None = None
) -> Line:
    """Add a line inside an open transaction; until its end nobody else can add one."""
    number = connection.execute(_NEXT).scalar_one()
    last = select(ledger.c.seal).where(ledger.c.number == number - 1)
    before = connection.execute(last).scalar_one_or_none() or NO_SEAL
    evidence = {"evidence": _digests(connection, entered.media)} if entered.media else {}
    row = {
        "number": number,
        "at": now,
        "deed": entered.deed.value,
        "commissioner": entered.commissioner,
        "by": entered.by,
        "case_number": entered.case,
        "about": entered.about,
        "message": message,
        "proof": json.dumps({**entered.proof, **evidence}, ensure_ascii=False, sort_keys=True),
    }
    seal = _seal_of(before, row)
    connection.execute(insert(ledger).values(**row, seal=seal))
    return Line(number, now, entered, seal)


def append_service(connection: Connection, message: int, sent: Outgoing, now: datetime) -> None:
    """An answer has reached its farmer: once, however often that is reported."""
    known = select(ledger.c.number).where(ledger.c.message == message)
    if sent.service_of is None or connection.execute(known).first():
        return
    entered = Entered(
        Deed.SERVICE,
        sent.service_of,
        by=sent.service_of,
        case=sent.case,
        media=tuple(one.media for one in sent.attachments),
        proof={
            "farmer": str(sent.to),
            "channel": sent.to.channel,
            "answer": sent.text,
            "evidence": {},
            **_about_case(connection, sent.case),
        },
    )
    append(connection, entered, now, message=message)


def own(connection: Connection, commissioner: str, since: datetime) -> tuple[Line, ...]:
    """See `Ledger.of`; a ruling is a line of whom it concerns."""
    is_his = and_(ledger.c.commissioner == commissioner, ledger.c.at >= since)
    rows = connection.execute(select(ledger).where(is_his).order_by(ledger.c.number))
    return tuple(map(_line, rows))


def with_rulings(connection: Connection, number: int) -> tuple[Line, ...]:
    """A line, and what corrects it or answers that."""
    is_it = (ledger.c.number == number) | (ledger.c.about == number)
    rows = connection.execute(select(ledger).where(is_it).order_by(ledger.c.number))
    return tuple(map(_line, rows))


def told_in(connection: Connection, message: int) -> tuple[Line, ...]:
    """The visit or call that a message told of, and what was said to it."""
    query = select(ledger.c.number).where(ledger.c.message == message)
    number = connection.execute(query).scalar_one_or_none()
    return with_rulings(connection, number) if number is not None else ()


def of_case(connection: Connection, number: int) -> tuple[Line, ...]:
    """The answers to a case that reached its farmer, and the rulings on them."""
    relays = select(messages.c.id).where(messages.c.case_number == number)
    answers = select(ledger.c.number).where(ledger.c.message.in_(relays))
    is_theirs = ledger.c.number.in_(answers) | ledger.c.about.in_(answers)
    rows = connection.execute(select(ledger).where(is_theirs).order_by(ledger.c.number))
    return tuple(map(_line, rows))


def served(connection: Connection, since: datetime) -> dict[str, int]:
    return {row[0]: row[1] for row in connection.execute(_SERVED, {"since": since})}


def _about_case(connection: Connection, number: int | None) -> dict[str, Any]:
    query = select(cases.c.body, cases.c.version).where(cases.c.number == number)
    row = connection.execute(query).one_or_none()
    if row is None:
        return {}
    case = codec.case(row.body, version=row.version)
    return {
        "question": case.question,
        "domain": case.domain,
        "township": case.township,
        "is_urgent": case.is_urgent,
        "asked_at": case.opened_at.isoformat(),
        "is_withdrawn": case.state is CaseState.CANCELLED,
        **({"same_as": case.same_as} if case.same_as else {}),
    }


def _digests(connection: Connection, ids: tuple[str, ...]) -> dict[str, str]:
    """The SHA-256 of each picture that went along, by its id."""
    rows = connection.execute(select(media.c.id, media.c.content).where(media.c.id.in_(ids)))
    return {row.id: hashlib.sha256(row.content).hexdigest() for row in rows}


def _rows(connection: Connection) -> Iterator[Row[Any]]:
    done = 0
    while True:
        page = select(ledger).where(ledger.c.number > done).order_by(ledger.c.number).limit(_PAGE)
        rows = connection.execute(page).all()
        if not rows:
            return
        yield from rows
        done = rows[-1].number


def _seal(before: str, row: Row[Any]) -> str:
    return _seal_of(before, row._asdict())


def _seal_of(before: str, row: dict[str, Any]) -> str:
    columns = [row[one.name] for one in ledger.columns if one.name not in {"at", "seal"}]
    at = (row["at"] - EPOCH) // MICROSECOND
    return hashlib.sha256(json.dumps([before, at, *columns]).encode()).hexdigest()


def _line(row: Row[Any]) -> Line:
    entered = Entered(
        Deed(row.deed),
        row.commissioner,
        row.by,
        row.case_number,
        row.about,
        json.loads(row.proof),
    )
    return Line(row.number, row.at, entered, row.seal)
