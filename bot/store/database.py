"""The connection to SQLite or PostgreSQL: transactions, locks and migrations."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock
from typing import Any, cast

from alembic import command
from alembic.config import Config
from sqlalchemy import Connection, Table, create_engine, event, make_url, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from bot.errors import ConfigError

MIGRATIONS = Path(__file__).with_name("migrations")


class Database:
    """Opens transactions. On SQLite one writer at a time, queued here rather than in its polling
    busy handler; other processes (the command line) wait up to ten seconds in `busy_timeout`."""

    def __init__(self, url: str) -> None:
        self.url = _checked(url)
        logging.getLogger("sqlalchemy").setLevel(logging.WARNING)  # at DEBUG it prints rows
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            Path(str(self.url.database)).parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        self._engine = create_engine(
            self.url, pool_size=16, max_overflow=48, hide_parameters=True
        )  # errors end in logs, and parameters are farmers' words
        self._reader = self._engine
        self._writer = self._engine.execution_options(is_writer=True)
        self._turnstile = Lock()
        self._held: dict[str, Connection] = {}
        if self.is_sqlite:
            event.listen(self._engine, "connect", _prepare_sqlite)
            event.listen(self._engine, "begin", _begin_sqlite)
        else:  # statements that only read need no BEGIN and COMMIT round trips
            self._reader = self._engine.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def read(self) -> Iterator[Connection]:
        with self._reader.connect() as connection:
            yield connection

    @contextmanager
    def write(self) -> Iterator[Connection]:
        """One transaction: committed to disk when the block ends, undone when it raises."""
        if not self.is_sqlite:
            with self._writer.begin() as connection:
                yield connection
            return
        with self._turnstile, self._writer.begin() as connection:
            yield connection

    def insert(self, table: Table) -> postgresql.Insert:
        """An insert that knows ON CONFLICT; the two dialects spell it alike."""
        return (
            cast("postgresql.Insert", sqlite.insert(table))
            if self.is_sqlite
            else (postgresql.insert(table))
        )

    def migrate(self) -> None:
        """Bring the tables to the newest form; processes that start together take turns."""
        config = Config()
        config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
        with self.write() as connection:
            if not self.is_sqlite:
                connection.execute(
                    text("SELECT pg_advisory_xact_lock(:key)"), {"key": _key("migrate")}
                )
            config.attributes["connection"] = connection
            command.upgrade(config, "head")

    def hold(self, name: str) -> bool:
        """Take or keep a role that only one process may have; ask again now and then, because
        the lock is lost with its connection. SQLite is one process by itself."""
        if self.is_sqlite:
            return True
        if name in self._held:
            if _is_alive(self._held[name]):
                return True
            self._held.pop(name).close()
        connection = self._reader.connect()
        question = text("SELECT pg_try_advisory_lock(hashtext(current_schema()), :key)")
        if connection.execute(question, {"key": _key(name) % 2**31}).scalar_one():
            self._held[name] = connection
            return True
        connection.close()
        return False

    def close(self) -> None:
        for connection in self._held.values():
            _let_go(connection)
        self._held.clear()
        self._engine.dispose()


def _checked(url: str) -> Any:
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "数据库地址看不懂：请写 sqlite:///路径 或 postgresql+psycopg://…"
        ) from None
    backend = parsed.get_backend_name()
    if backend not in {"sqlite", "postgresql"}:
        raise ConfigError(f"数据库只支持 sqlite 和 postgresql+psycopg，写的是 {backend}")
    if backend == "sqlite" and parsed.database in {None, "", ":memory:"}:
        raise ConfigError("SQLite 要写文件路径，例如 sqlite:///data/tianwen.db；内存库断电就没有了")
    return parsed


def _prepare_sqlite(connection: Any, record: object) -> None:
    """FULL: a committed message survives a power cut, not only a crash of this process."""
    del record
    connection.isolation_level = None  # SQLAlchemy's BEGIN below, not the driver's
    for pragma in ("busy_timeout = 10000", "journal_mode = WAL", "synchronous = FULL"):
        connection.execute(f"PRAGMA {pragma}")
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    is_writer = connection.get_execution_options().get("is_writer", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")


def _key(name: str) -> int:
    return int.from_bytes(hashlib.sha256(f"tianwen:{name}".encode()).digest()[:8], signed=True)


def _let_go(connection: Connection) -> None:
    with suppress(SQLAlchemyError):  # at once, where the server would take its time to see us gone
        connection.execute(text("SELECT pg_advisory_unlock_all()"))
    connection.invalidate()
    connection.close()


def _is_alive(connection: Connection) -> bool:
    try:
        connection.execute(text("SELECT 1"))
    except SQLAlchemyError:
        return False
    return True
