"""After the storm: was everything that was asked answered, and nothing twice?"""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from html import unescape
from typing import Any

from sqlalchemy import text

from bot.domain import Address, CaseState
from bot.store import Store, codec
from tests.walk.crowd import Browser, Farmer, Town
from tests.walk.village import text_of


@dataclass
class Books:
    """Every message of the database, read once."""

    store: Store
    incoming: dict[tuple[str, str], list[Any]]
    replies: dict[int, list[Any]]
    outgoing: list[Any]

    @classmethod
    def of(cls, store: Store) -> Books:
        with store.database.read() as connection:
            rows = connection.execute(text("SELECT * FROM messages ORDER BY id")).all()
        came: dict[tuple[str, str], list[Any]] = {}
        caused: dict[int, list[Any]] = {}
        for row in rows:
            if row.direction == "in":
                came.setdefault((row.channel, row.user), []).append(row)
            elif row.cause is not None:
                caused.setdefault(row.cause, []).append(row)
        return cls(store, came, caused, [row for row in rows if row.direction == "out"])

    def states(self) -> set[str]:
        """What states messages are in, once all is said: only these two."""
        return {row.state for rows in self.incoming.values() for row in rows} | {
            row.state for row in self.outgoing
        }

    def check_farmer(self, farmer: Farmer, address: Address) -> None:
        """Every question once, with one answer or one case."""
        rows = self.incoming[(address.channel, address.user)]
        asked = [row for row in rows if json.loads(row.body)["text"]]
        texts = Counter(json.loads(row.body)["text"] for row in asked)
        assert texts == Counter([*farmer.known, farmer.strange]), (farmer, texts)
        cases = self.store.cases.of_farmer(address)
        assert [case.question for case in cases] == [farmer.strange], (farmer, cases)
        for row in asked:
            replies = [one for one in self.replies[row.id] if one.user == address.user]
            assert len(replies) == 1, (farmer, replies)
            kind = json.loads(row.decision)["kind"]
            is_strange = json.loads(row.body)["text"] == farmer.strange
            assert kind == ("escalate" if is_strange else "answer"), (farmer, kind)

    def relays(self, words: str) -> list[Any]:
        return [row for row in self.outgoing if row.purpose == "relay" and words in row.body]

    def check_reply(self, number: int, words: str) -> None:
        """A commissioner's answer went to his farmer, once."""
        case = self.store.cases.get(number)
        assert case
        (relay,) = self.relays(words)
        assert (relay.channel, relay.user) == (case.farmer.channel, case.farmer.user)
        assert case.state in {CaseState.ANSWERED, CaseState.RESOLVED}, case


def duplicates(town: Town, books: Books) -> int:
    """How many messages Telegram was given more than once; none may be missing, and each copy
    says that it may be one."""
    maybe = town.say("delivery.maybe_repeated")
    shown = [(str(one["chat"]["id"]), text_of(one)) for one in town.telegram.sent]
    given = Counter((user, words.removeprefix(maybe).strip()) for user, words in shown)
    due = Counter(
        (row.user, _text(row.body).strip()) for row in books.outgoing if row.channel == "telegram"
    )
    assert not due - given, due - given
    twice = given - due
    assert set(twice) <= set(due), set(twice) - set(due)
    marked = Counter(
        (user, words.removeprefix(maybe).strip()) for user, words in shown if maybe in words
    )
    assert not twice - marked, twice - marked
    return twice.total()


def _text(body: str) -> str:
    return codec.outgoing(body, to=Address("telegram", "")).text


async def check_page(farmer: Farmer, browser: Browser, town: Town, books: Books) -> Address:
    """The farmer's page shows all that he asked and each answer once; gives his address."""
    token = browser.http.cookies["tianwen_farmer"]
    session = books.store.accounts.session(token, datetime.now(UTC))
    assert session
    address = Address("web", session.user)
    page = unescape(await browser.open("/"))
    mine = re.findall(r'<article class="line mine".*?</article>', page, re.DOTALL)
    for words in (*farmer.known, farmer.strange):
        assert sum(words in one for one in mine) == 1, (farmer, words, page)
    theirs = re.findall(r'<article class="line bot".*?</article>', page, re.DOTALL)
    (case,) = books.store.cases.of_farmer(address)
    assert sum(town.replies[case.number] in one for one in theirs) == 1, (farmer, page)
    return address
