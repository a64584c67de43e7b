"""Opening, migrating, locking."""

from __future__ import annotations

import stat
from concurrent.futures import ThreadPoolExecutor

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import text

from bot.errors import ConfigError
from bot.store import Store
from bot.store.tables import metadata
from tests.store.cast import NOW, arrival


def test_the_migrations_build_exactly_the_tables_of_the_code(store):
    with store.database.read() as connection:
        context = MigrationContext.configure(connection)
        assert compare_metadata(context, metadata) == []
        assert context.get_current_revision() == "0004"


def test_opening_again_changes_nothing(store, url):
    store.inbox.receive(arrival(), NOW)
    again = Store.open(url, commissioners=())
    assert again.inbox.tally() == {"new": 1}
    again.close()


def test_processes_that_start_together_migrate_once(url):
    with ThreadPoolExecutor(3) as pool:
        stores = list(pool.map(lambda _: Store.open(url, commissioners=()), range(3)))
    assert stores[0].inbox.draw_number() == 1
    for store in stores:
        store.close()


def test_the_packaged_migrations_are_found_without_the_working_folder(store, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Store.open(f"sqlite:///{tmp_path}/100%/other.db", commissioners=()).close()
    assert (tmp_path / "100%" / "other.db").exists()


def test_sqlite_is_durable_and_its_folder_is_private(tmp_path):
    store = Store.open(f"sqlite:///{tmp_path}/data/tianwen.db", commissioners=())
    with store.database.read() as connection:
        names = ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        pragmas = [connection.execute(text(f"PRAGMA {name}")).scalar() for name in names]
    assert pragmas == ["wal", 2, 1, 10000]
    assert stat.S_IMODE((tmp_path / "data").stat().st_mode) == 0o700
    store.close()


def test_a_write_that_raises_leaves_nothing(store):
    def spoil():
        with store.database.write() as connection:
            connection.execute(text("UPDATE numbers SET value = 99"))
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        spoil()
    assert store.inbox.draw_number() == 1


@pytest.mark.parametrize(
    ("url", "word"),
    [
        ("nonsense", "看不懂"),
        ("mysql://localhost/x", "mysql"),
        ("sqlite://", "内存库"),
        ("sqlite:///:memory:", "内存库"),
    ],
)
def test_an_unusable_url_is_told_to_staff(url, word):
    with pytest.raises(ConfigError, match=word):
        Store.open(url, commissioners=())


def test_a_role_is_held_by_one_process_and_passed_on_at_its_end(store, url):
    other = Store.open(url, commissioners=())
    assert store.hold("telegram")
    assert store.hold("telegram")
    assert other.hold("wecom")
    assert other.hold("telegram") is store.database.is_sqlite
    store.close()
    assert other.hold("telegram")
    other.close()


@pytest.mark.postgres
@pytest.mark.parametrize("url", ["postgresql"], indirect=True)  # SQLite has none to lose
def test_a_role_is_lost_and_asked_for_again_with_its_connection(store):
    assert store.hold("telegram")
    others = "SELECT pg_terminate_backend(pid) FROM pg_locks WHERE locktype = 'advisory'"
    with store.database.write() as connection:
        connection.execute(text(others))
    assert store.hold("telegram")
