"""What breaks off halfway: a database that hangs up, a server that is told to stop."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from bot.app.compose import Core
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.postgres import fresh_schema
from tests.walk.homes import furnish
from tests.walk.processes import Serving
from tests.walk.samples import known
from tests.walk.village import Person, open_village, until

HANG_UP = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE application_name = 'tianwen-walk'
"""


def hang_up(server: str) -> None:
    """As when PostgreSQL is started again."""
    engine = create_engine(server)
    with engine.connect() as connection:
        connection.execute(text(HANG_UP))
    engine.dispose()


@pytest.mark.postgres
async def test_a_database_that_hangs_up_on_everybody_costs_no_question(
    core: Core, postgres: str, telegram: FakeTelegram
) -> None:
    question, entry = known(core)
    with fresh_schema(postgres) as schema:
        url = f"{schema}&application_name=tianwen-walk"
        async with open_village(core, url, telegram) as village:
            farmers = [village.somebody() for _ in range(6)]
            for farmer in farmers:
                await farmer.says(question)
                await asyncio.to_thread(hang_up, postgres)
            village.clock.skip(minutes=3)  # leases whose end nobody could write down
            await until(lambda: all(farmer.times(entry.title) for farmer in farmers))
            await village.said_all()
        store = Store.open(url, commissioners=())
        try:
            assert store.inbox.tally() == {"done": 6}
            assert store.outbox.tally() == {"sent": 6}
        finally:
            store.close()


async def test_a_server_that_is_told_to_stop_ends_what_it_is_sending(
    core: Core, url: str, tmp_path: Path, telegram: FakeTelegram
) -> None:
    """SIGTERM amid a send: the message counts as sent, and is not said twice afterwards."""
    at = {"base_url": f"{telegram.url}/bot", "base_file_url": f"{telegram.url}/file/bot"}
    home = furnish(tmp_path / "home", telegram=at)
    server = Serving(home, url, log=tmp_path / "serve.log")
    farmer = Person(501, telegram, core.config.phrases)
    telegram.slow("sendMessage", 1.5)
    server.start()
    try:
        await server.is_open()
        await farmer.says(known(core)[0])
        await until(lambda: telegram.calls("sendMessage"))
        start = datetime.now(UTC)
        assert await server.stop() == 0, server.log.read_text()
        assert (datetime.now(UTC) - start).total_seconds() < 8
    finally:
        server.kill()
    store = Store.open(url, commissioners=())
    try:
        assert store.outbox.tally() == {"sent": 1}
    finally:
        store.close()
    assert len(farmer.texts) == 1
