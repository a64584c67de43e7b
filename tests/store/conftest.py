"""Every store test runs on SQLite and on PostgreSQL."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.store import Store
from tests.store.cast import COMMISSIONERS


@pytest.fixture
def store(url) -> Iterator[Store]:
    opened = Store.open(url, commissioners=COMMISSIONERS)
    yield opened
    opened.close()
