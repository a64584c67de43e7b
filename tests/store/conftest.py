"""Every store test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.store import Store
from tests.postgres import NoPostgres, fresh_schema, postgres_server
from tests.store.cast import COMMISSIONERS


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    try:
        with postgres_server() as url:
            yield url
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request, tmp_path) -> Iterator[str]:
    """An empty database."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store/tianwen.db"
        return
    with fresh_schema(request.getfixturevalue("postgres")) as address:
        yield address


@pytest.fixture
def store(url) -> Iterator[Store]:
    opened = Store.open(url, commissioners=COMMISSIONERS)
    yield opened
    opened.close()
