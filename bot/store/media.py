"""Photos, voice notes and files, kept in the database with everything else."""

from __future__ import annotations

import secrets
from datetime import datetime

from sqlalchemy import ColumnElement, and_, bindparam, delete, exists, insert, or_, select

from bot.domain import Address, Commissioner, Media
from bot.store.database import Database
from bot.store.records import State
from bot.store.tables import case_people, media, media_uses, messages

DELETE = delete(media).where(media.c.id == bindparam("orphan"))
NOT_TAKEN = select(messages.c.raw).where(
    messages.c.state.in_([State.NEW.value, State.FAILED.value]), messages.c.raw.is_not(None)
)


class MediaShelf:
    """Content under random 128-bit ids; who may see it follows from where it was shown."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def keep(self, content: Media, now: datetime) -> str:
        media_id = secrets.token_urlsafe(16)
        row = {"id": media_id, "mime": content.mime, "content": content.content}
        with self._database.write() as connection:
            connection.execute(insert(media).values(**row, created_at=now))
        return media_id

    def get(self, media_id: str) -> Media | None:
        query = select(media.c.mime, media.c.content).where(media.c.id == media_id)
        with self._database.read() as connection:
            row = connection.execute(query).one_or_none()
        return Media(row.mime, bytes(row.content)) if row else None

    def sweep(self, before: datetime) -> None:
        """Delete what was kept before then and stands in no message: it came twice, or its
        message was never sent. What a message brought that was not taken yet stays."""
        unused = ~exists().where(media_uses.c.media == media.c.id)
        query = select(media.c.id).where(media.c.created_at < before, unused)
        with self._database.write() as connection:
            waiting = "\n".join(connection.execute(NOT_TAKEN).scalars())
            orphans = [one for one in connection.execute(query).scalars() if one not in waiting]
            if orphans:
                connection.execute(DELETE, [{"orphan": one} for one in orphans])

    def is_shown_to(self, media_id: str, viewer: Address | Commissioner) -> bool:
        """Whether it stands in this user's conversation, or in a case that the commissioner was
        ever offered; a dispatcher sees every case."""
        can_see = _in_talk(viewer) if isinstance(viewer, Address) else _in_case(viewer)
        query = select(media_uses.c.media).where(media_uses.c.media == media_id, can_see)
        with self._database.read() as connection:
            return connection.execute(query.limit(1)).one_or_none() is not None


def _in_talk(address: Address) -> ColumnElement[bool]:
    return and_(media_uses.c.channel == address.channel, media_uses.c.user == address.user)


def _in_case(commissioner: Commissioner) -> ColumnElement[bool]:
    own = _in_talk(Address("desk", commissioner.id))
    if commissioner.is_dispatcher:
        return or_(own, media_uses.c.case_number > 0)
    his = select(case_people.c.case_number).where(case_people.c.commissioner == commissioner.id)
    return or_(own, media_uses.c.case_number.in_(his))
