"""Every walk goes over SQLite and over PostgreSQL."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from bot.app.compose import Core
from tests.channels.fake_telegram import FakeTelegram
from tests.walk.homes import furnish
from tests.walk.village import Village, core_of, open_village


@pytest.fixture(scope="session")
def core(tmp_path_factory: pytest.TempPathFactory) -> Core:
    """Knowledge and rules, loaded once: walks do not change them."""
    return core_of(furnish(tmp_path_factory.mktemp("home")))


@pytest.fixture
async def telegram() -> AsyncIterator[FakeTelegram]:
    async with FakeTelegram().running() as one:
        yield one


@pytest.fixture
async def village(core: Core, url: str, telegram: FakeTelegram) -> AsyncIterator[Village]:
    async with open_village(core, url, telegram) as one:
        yield one
