"""One commissioner, ten open cases, answered in any order and in every way, photos included: each
answer reaches its own farmer, and none another."""

from __future__ import annotations

import asyncio
import hashlib
import random

import pytest

from bot.channels.photos import clean_photo
from bot.domain import Attachment, CaseState
from tests.channels.telegram_world import photo
from tests.walk.homes import LV, STRANGE
from tests.walk.village import Message, Person, Village

WAYS = ("reply", "number", "desk")
CASES = 10


def picture(number: int) -> bytes:
    """Another one for each case."""
    return photo(f"#{number * 20:02x}{255 - number * 20:02x}40")


async def answer(
    village: Village, lv: Person, offer: Message, number: int, way: str, *, has_photo: bool
) -> None:
    words, shown = f"答复{number}号，先停水", picture(number)
    sizes = {"photo": village.telegram.photo_sizes(shown)} if has_photo else {}
    match way:
        case "reply" if has_photo:
            back = {**offer, "chat": {"id": lv.user, "type": "private"}}
            await lv.says("", caption=words, reply_to_message=back, **sizes)
        case "reply":
            await lv.replies(offer, words)
        case "number" if has_photo:
            await lv.says("", caption=f"#{number} {words}", **sizes)
        case "number":
            await lv.says(f"#{number} {words}")
        case _:
            kept = village.store.media.keep(clean_photo(shown), village.clock())
            photos = (Attachment("photo", kept, "image/jpeg"),) if has_photo else ()
            village.desk(LV, number, "answer", words, attachments=photos)
            village.arrived.ring()


@pytest.mark.parametrize("seed", range(2))
async def test_every_answer_reaches_its_own_farmer_and_none_another(
    village: Village, seed: int
) -> None:
    chance = random.Random(seed)
    lv = await village.bound(LV)
    farmers = [village.somebody() for _ in range(CASES)]
    offers = {}
    for farmer in farmers:
        offer, number = await village.offer(farmer, lv, f"{STRANGE}，{farmer.user}号地")
        offers[number] = (farmer, offer)
    order = list(offers)
    chance.shuffle(order)
    plan = {number: (chance.choice(WAYS), chance.random() < 0.6) for number in order}
    acts = [
        answer(village, lv, offers[number][1], number, way, has_photo=has_photo)
        for number, (way, has_photo) in plan.items()
    ]
    for act in acts:
        await act
        if chance.random() < 0.5:
            await asyncio.sleep(0.05)
    for number in order:
        await village.case_becomes(number, CaseState.ANSWERED)
    await village.said_all()

    for number, (farmer, _) in offers.items():
        answers = [text for text in farmer.texts if "先停水" in text]
        assert len(answers) == 1
        assert f"答复{number}号，" in answers[0]
        assert sum("photo" in one for one in farmer.messages) == plan[number][1]
    lines = village.store.ledger.of(LV, village.clock().replace(month=1, day=1))
    assert sorted(line.entered.case or 0 for line in lines) == sorted(order)
    for line in lines:
        number = line.entered.case or 0
        assert line.entered.proof["farmer"] == str(offers[number][0].address)
        assert f"答复{number}号，" in line.entered.proof["answer"]
        digest = hashlib.sha256(clean_photo(picture(number)).content).hexdigest()
        evidence = list(line.entered.proof["evidence"].values())
        assert evidence == ([digest] if plan[number][1] else [])
