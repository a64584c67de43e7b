"""SIGKILL at random instants, again and again: nothing is lost, hardly anything is said twice.
TIANWEN_KILL_SEED repeats a run's dice, TIANWEN_KILLS changes the number."""

from __future__ import annotations

import asyncio
import os
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.app.compose import Core
from bot.conversation.understanding import is_piece
from bot.domain import Address, CaseState
from bot.store import Store
from tests.channels.fake_telegram import FakeTelegram
from tests.postgres import fresh_schema
from tests.walk.crowd import Town, busy
from tests.walk.homes import LV, QIN, WANG, ZHAO, furnish
from tests.walk.processes import Serving, run
from tests.walk.reckoning import Books, check_page, duplicates
from tests.walk.samples import answerable, strange
from tests.walk.village import core_of, is_busy, text_of, until

KILLS = int(os.environ.get("TIANWEN_KILLS", "15"))
CHATS = {WANG: 900, LV: 901, ZHAO: 902}
VISITORS = 2  # new farmers before each kill
LEASES = {"take": 6, "send": 4}
DRAINED = 120.0  # seconds: one message a second to a commissioner's chat, and a lease or two
pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]


@dataclass
class Storm:
    """The servers of a home, and when they die."""

    servers: Sequence[Serving]
    chance: random.Random
    kills: int = 0

    async def blow(self, times: int, visitors: Callable[[], object] = lambda: None) -> None:
        """Kill one server after the other: some while they start, most at work. New `visitors`
        come before each kill."""
        for _ in range(times):
            visitors()
            victim = self.chance.choice(self.servers)
            if self.chance.random() < 0.2:
                await asyncio.sleep(self.chance.uniform(0, 1.5))
            else:
                await victim.is_open()
                await asyncio.sleep(self.chance.uniform(0.1, 2))
            victim.kill()
            self.kills += 1
            victim.start()


async def weather(
    url: str, folder: Path, telegram: FakeTelegram, *, servers: int, kills: int
) -> None:
    """A busy town under a storm; then everything is reckoned up."""
    seed = int(os.environ.get("TIANWEN_KILL_SEED", random.SystemRandom().randrange(10**6)))
    print(f"\nTIANWEN_KILL_SEED={seed}")
    home = furnish(
        folder / "home",
        every=5,
        addresses={name: str(chat) for name, chat in CHATS.items()},
        leases=LEASES,
        answers={"pause": 1},
        web={"trusted_proxies": ["127.0.0.1"]},
        telegram={"base_url": f"{telegram.url}/bot", "base_file_url": f"{telegram.url}/file/bot"},
    )
    core = core_of(home)
    log = folder / "serve.log"
    serving = [Serving(home, url, log=log) for _ in range(servers)]
    doors = [lambda one=one: one.url for one in serving]
    chance = random.Random(seed + 1)
    stories = strange(core, VISITORS * kills)
    chance.shuffle(stories)
    # Each question is to have an answer of its own, so none is so short that it may be a piece.
    known = [text for text in answerable(core, 60) if not is_piece(text)][:12]
    town = Town(telegram, core.config.phrases, chance, doors, known, stories)
    storm = Storm(serving, random.Random(seed))
    try:
        await _through(storm, town, core, url, kills)
        for one in serving:  # the last one killed may still be starting
            await one.is_open()
            assert await one.stop() == 0
    finally:
        for one in serving:
            one.kill()
        await town.leave()
    assert "ERROR" not in log.read_text(), log.read_text()[-5000:]


async def _through(storm: Storm, town: Town, core: Core, url: str, kills: int) -> None:
    start = time.monotonic()
    for one in storm.servers:
        one.start()
    await storm.blow(3)  # also while the tables are made
    for one in storm.servers:
        await one.is_open()
    store = Store.open(url, commissioners=core.config.commissioners)
    try:
        await _live_through(town, storm, store, kills - 3)
        twice = await _reckon(town, store)
    finally:
        store.close()
    print(
        f"{storm.kills} kills, {time.monotonic() - start:.0f} s, "
        f"{len(town.farmers)}+{len(town.browsers)} farmers by Telegram and web, "
        f"{len(town.replies)} replies, {town.troubles} requests made again, {twice} sent twice"
    )
    assert twice <= storm.kills


async def _live_through(town: Town, storm: Storm, store: Store, kills: int) -> None:
    def invite() -> str:
        return store.accounts.invite(QIN, datetime.now(UTC), valid=timedelta(hours=1))

    works = [
        *(town.answers_by_telegram(chat) for chat in CHATS.values()),
        town.answers_at_the_desk(invite),
        town.farmers_are_content(),
    ]
    async with busy(*works):
        start = time.monotonic()
        async with asyncio.TaskGroup() as coming:
            await storm.blow(kills, lambda: coming.create_task(town.farmers_come(VISITORS)))
        print(f"the storm took {time.monotonic() - start:.0f} s")
        await until(lambda: _is_calm(town, store), lambda: _state(town, store), seconds=DRAINED)


def _is_calm(town: Town, store: Store) -> bool:
    """Everything was received, taken and sent, and every case has its answer."""
    if town.telegram.updates or is_busy(store):
        return False
    everybody = len(town.farmers) + len(town.browsers)
    with_cases = store.cases.for_commissioner(ZHAO, is_dispatcher=True, include_closed=10_000)
    answered = {CaseState.ANSWERED, CaseState.RESOLVED}
    return len(with_cases) == everybody and all(case.state in answered for case in with_cases)


def _state(town: Town, store: Store) -> str:
    cases = store.cases.for_commissioner(ZHAO, is_dispatcher=True, include_closed=10_000)
    done = {CaseState.ANSWERED, CaseState.RESOLVED}
    waiting = [(one.number, one.holder, one.state) for one in cases if one.state not in done]
    last = [
        [text_of(one) for one in town.telegram.sent if one["chat"]["id"] == chat][-3:]
        for chat in CHATS.values()
    ]
    return (
        f"{store.inbox.tally()} {store.outbox.tally()} updates {len(town.telegram.updates)} "
        f"farmers {len(town.farmers)}+{len(town.browsers)} cases {len(cases)} "
        f"waiting {waiting} last {last}"
    )


async def _reckon(town: Town, store: Store) -> int:
    """Everything is as it should be; how many messages were sent twice."""
    books = Books.of(store)
    assert books.states() == {"done", "sent"}
    for user, farmer in town.farmers.items():
        books.check_farmer(farmer, Address("telegram", user))
    for farmer, browser in town.browsers.values():
        books.check_farmer(farmer, await check_page(farmer, browser, town, books))
    for number, words in town.replies.items():
        books.check_reply(number, words)
    for number in town.solved:
        case = store.cases.get(number)
        assert case
        assert case.state is CaseState.RESOLVED
    return duplicates(town, books)


async def test_kills_lose_no_question_and_no_reply(url, tmp_path, telegram) -> None:
    await weather(url, tmp_path, telegram, servers=1, kills=KILLS)


@pytest.mark.postgres
async def test_two_processes_share_the_work_and_survive_each_others_death(
    postgres, tmp_path, telegram
) -> None:
    with fresh_schema(postgres) as url:
        await weather(url, tmp_path, telegram, servers=2, kills=KILLS // 3)


OPENS = """
import os, sys
from bot.store import Store
print("begin", flush=True)
Store.open(os.environ["TIANWEN_DATABASE"], commissioners=()).close()
print("made", flush=True)
"""


def test_a_kill_while_the_tables_are_made_leaves_a_database_that_opens(url) -> None:
    chance = random.Random(1)
    for _ in range(8):
        process = run(OPENS, {"TIANWEN_DATABASE": url})
        assert process.stdout
        assert process.stdout.readline() == b"begin\n"
        time.sleep(chance.uniform(0, 0.25))
        process.kill()
        process.wait()
        process.stdout.close()
    store = Store.open(url, commissioners=())
    try:
        assert store.inbox.tally() == {}
    finally:
        store.close()
