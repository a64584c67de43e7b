"""Everything that must survive: messages, conversations, cases, accounts, pictures.

One database, SQLite or PostgreSQL by URL; a method is one transaction. Synchronous: the rim calls
it in threads.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from bot.domain import Commissioner
from bot.store.accounts import Accounts
from bot.store.cases import Cases
from bot.store.database import Database
from bot.store.inbox import Inbox
from bot.store.ledger import Audit, Ledger
from bot.store.media import MediaShelf
from bot.store.notes import Notes
from bot.store.outbox import Outbox
from bot.store.records import (
    Call,
    Due,
    Event,
    Fitted,
    Retention,
    Session,
    Shown,
    State,
    ThreadItem,
    Undelivered,
    Waiting,
    Window,
)
from bot.store.statistics import Asked, Statistics
from bot.store.windows import Windows

__all__ = [
    "Accounts",
    "Asked",
    "Audit",
    "Call",
    "Cases",
    "Database",
    "Due",
    "Event",
    "Fitted",
    "Inbox",
    "Ledger",
    "MediaShelf",
    "Notes",
    "Outbox",
    "Retention",
    "Session",
    "Shown",
    "State",
    "Statistics",
    "Store",
    "ThreadItem",
    "Undelivered",
    "Waiting",
    "Window",
    "Windows",
]


@dataclass(frozen=True, slots=True)
class Store:
    """The one door: a part for each noun."""

    database: Database
    inbox: Inbox
    outbox: Outbox
    cases: Cases
    accounts: Accounts
    media: MediaShelf
    notes: Notes
    ledger: Ledger
    statistics: Statistics
    windows: Windows

    @classmethod
    def open(cls, url: str, *, commissioners: Sequence[Commissioner]) -> Store:
        """Connect, and bring the tables to the newest form. A SQLite file's folder is made."""
        database = Database(url)
        database.migrate()
        accounts, outbox = Accounts(database, commissioners), Outbox(database)
        return cls(
            database,
            inbox=Inbox(database, accounts),
            outbox=outbox,
            cases=Cases(database, accounts),
            accounts=accounts,
            media=MediaShelf(database),
            notes=Notes(database),
            ledger=Ledger(database),
            statistics=Statistics(database),
            windows=Windows(database, outbox),
        )

    def hold(self, name: str) -> bool:
        """Whether this process has the role (such as polling); see `Database.hold`."""
        return self.database.hold(name)

    def sweep(self, now: datetime, retention: Retention) -> None:
        """Delete what nobody needs any more; see `Retention`."""
        self.media.sweep(now - retention.media)
        self.inbox.forget_raw(now - retention.raw)
        self.windows.sweep(now - retention.media)
        self.accounts.sweep(now, silent_since=now - retention.visits)

    def close(self) -> None:
        self.database.close()
