"""Who is who: chat accounts of commissioners, one-time codes, browser sessions."""

from __future__ import annotations

import hashlib
import re
import secrets
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, and_, delete, exists, insert, or_, select, update

from bot.domain import Address, Commissioner, Invitation
from bot.errors import ConfigError
from bot.store.database import Database
from bot.store.records import Session
from bot.store.tables import bindings, conversations, invitations, sessions

CODE_LETTERS = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # no 0 O 1 I; 50 bits in ten of them
CODE_LENGTH = 10
CARRIED = re.compile(
    rf"(?:/(?:start|bind)(?:@\w+)?|绑定)?[\s:：]*([{CODE_LETTERS}]{{{CODE_LENGTH}}})", re.IGNORECASE
)

# (idle, whole): a farmer's cookie is his only key to his transcript, so it lives as long as
# browsers allow (400 days); a commissioner's phone may lie unused over a holiday week.
LIFETIMES = {
    "farmer": (timedelta(days=400), timedelta(days=4000)),
    "desk": (timedelta(days=10), timedelta(days=60)),
}
BINDINGS = select(bindings.c.channel, bindings.c.user, bindings.c.commissioner)
TOUCH = timedelta(hours=1)  # last_seen is written no more often than this


@dataclass(frozen=True, slots=True)
class People:
    """The commissioners of the configuration and their addresses, configured or bound."""

    commissioners: Mapping[str, Commissioner]
    owners: Mapping[Address, str]

    def at(self, address: Address) -> Commissioner | None:
        if address.channel == "desk":
            return self.commissioners.get(address.user)
        return self.commissioners.get(self.owners.get(address, ""))

    def addresses(self) -> dict[str, tuple[Address, ...]]:
        """By commissioner id, desk pages left out: those need no sending."""
        found = defaultdict[str, list[Address]](list)
        for address, owner in self.owners.items():
            if owner in self.commissioners:
                found[owner].append(address)
        return {owner: tuple(addresses) for owner, addresses in found.items()}


class Accounts:
    """Only hashes of codes and tokens are stored, so a stolen database opens no session."""

    def __init__(self, database: Database, commissioners: Sequence[Commissioner]) -> None:
        self._database = database
        self.commissioners = {one.id: one for one in commissioners}

    def people(self, connection: Connection) -> People:
        owners = {
            address: one.id for one in self.commissioners.values() for address in one.addresses
        }
        for row in connection.execute(BINDINGS):
            owners[Address(row.channel, row.user)] = row.commissioner
        return People(self.commissioners, owners)

    def bindings(self) -> dict[str, tuple[Address, ...]]:
        """Every commissioner's addresses, configured or bound."""
        with self._database.read() as connection:
            return self.people(connection).addresses()

    def commissioner_of(self, address: Address) -> Commissioner | None:
        with self._database.read() as connection:
            return self.people(connection).at(address)

    def invite(self, commissioner_id: str, now: datetime, *, valid: timedelta) -> str:
        """A code that binds one chat account or opens one desk session."""
        if commissioner_id not in self.commissioners:
            raise ConfigError(f"config/commissioners.yaml 里没有 {commissioner_id}")
        code = "".join(secrets.choice(CODE_LETTERS) for _ in range(CODE_LENGTH))
        row = {"code_hash": digest(code), "commissioner": commissioner_id}
        with self._database.write() as connection:
            connection.execute(insert(invitations).values(**row, expires_at=now + valid))
        return code

    def is_anyone_bound(self) -> bool:
        """Whether any commissioner has ever used a code, to bind a chat or to enter the desk."""
        query = select(invitations.c.commissioner).where(invitations.c.used_at.is_not(None))
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).one_or_none() is not None

    def redeem(self, code: str, now: datetime) -> str | None:
        """The commissioner id behind a valid code, which is used up by this."""
        with self._database.write() as connection:
            invitation = carried(connection, code, now)
            if invitation is None or not use_up(connection, invitation, now):
                return None
        return invitation.commissioner if invitation.commissioner in self.commissioners else None

    def open_session(
        self, kind: Literal["farmer", "desk"], user: str, now: datetime
    ) -> tuple[str, str]:
        """A new session's token (for the cookie) and its CSRF token (for the forms)."""
        token, csrf = secrets.token_urlsafe(32), secrets.token_urlsafe(24)
        row = {"token_hash": digest(token), "kind": kind, "user": user, "csrf": csrf}
        with self._database.write() as connection:
            connection.execute(insert(sessions).values(**row, created_at=now, last_seen=now))
        return token, csrf

    def session(self, token: str, now: datetime) -> Session | None:
        """None where it is unknown, has expired, or its commissioner has left."""
        is_this = sessions.c.token_hash == digest(token)
        with self._database.read() as connection:
            row = connection.execute(select(sessions).where(is_this)).one_or_none()
        if row is None or not self._is_live(row.kind, row.user, now - row.last_seen):
            return None
        if now - row.created_at > LIFETIMES[row.kind][1]:
            return None
        if now - row.last_seen > TOUCH:
            with self._database.write() as connection:
                connection.execute(update(sessions).where(is_this).values(last_seen=now))
        return Session(row.kind, row.user, row.csrf, row.created_at)

    def _is_live(self, kind: str, user: str, idle: timedelta) -> bool:
        return idle <= LIFETIMES[kind][0] and (kind == "farmer" or user in self.commissioners)

    def sweep(self, now: datetime, *, silent_since: datetime) -> None:
        """Delete sessions that have expired, those of visitors who never wrote and were not seen
        since then, and expired codes that nobody used."""
        is_over = [
            and_(
                sessions.c.kind == kind,
                or_(sessions.c.last_seen < now - idle, sessions.c.created_at < now - whole),
            )
            for kind, (idle, whole) in LIFETIMES.items()
        ]
        is_silent = and_(
            sessions.c.kind == "farmer",
            sessions.c.last_seen < silent_since,
            ~exists().where(
                conversations.c.channel == "web", conversations.c.user == sessions.c.user
            ),
        )
        is_wasted = and_(invitations.c.used_at.is_(None), invitations.c.expires_at < now)
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(or_(is_silent, *is_over)))
            connection.execute(delete(invitations).where(is_wasted))

    def close_session(self, token: str) -> None:
        with self._database.write() as connection:
            connection.execute(delete(sessions).where(sessions.c.token_hash == digest(token)))


def digest(secret: str) -> str:
    """Looking a secret up by its hash leaks nothing through timing."""
    return hashlib.sha256(secret.encode()).hexdigest()


def carried(connection: Connection, words: str, now: datetime) -> Invitation | None:
    """The valid, unused invitation whose code the words carry: bare, after 绑定, /start, /bind."""
    found = CARRIED.fullmatch(words.strip())
    if not found:
        return None
    code_hash = digest(found[1].upper())
    is_valid = invitations.c.used_at.is_(None) & (invitations.c.expires_at > now)
    owner = connection.execute(
        select(invitations.c.commissioner).where(invitations.c.code_hash == code_hash, is_valid)
    ).scalar_one_or_none()
    return Invitation(owner, code_hash) if owner else None


def use_up(connection: Connection, invitation: Invitation, now: datetime) -> bool:
    """False where somebody was faster."""
    is_this = invitations.c.code_hash == invitation.code_hash
    done = connection.execute(
        update(invitations).where(is_this, invitations.c.used_at.is_(None)).values(used_at=now)
    )
    return done.rowcount == 1
