"""An account that may not write first: answers go along with calls, however slow they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from bot.domain import Attachment, Button, Media
from tests import cast

from .fake_wechat import BROKEN
from .wechat_world import ALICE, BOB, World, clock, open_world, until_held


@pytest.fixture
async def mute(tmp_path) -> AsyncIterator[World]:
    async with open_world(f"sqlite:///{tmp_path / 'tianwen.db'}", pushes=False, pace=0.2) as world:
        yield world


async def answered(world: World, text: str, who: str = ALICE) -> str:
    """What he reads in the end; where the machine is slow he is told to ask for it, or asks by
    himself because the platform told him of trouble: for what he may have missed, then for more."""
    told, nothing = await world.says(text, who), cast.phrases()("wechat.nothing")
    while "答：" not in told:
        told = await world.says("重发" if told == BROKEN else "查看", who)
        assert told in (BROKEN, nothing) or "回1看答复" in told or "答：" in told
    return told.rpartition("\n")[2]


@pytest.mark.parametrize(("seconds", "earliest"), [(0.1, 1), (4, 1), (7, 2), (12, 3)])
async def test_an_answer_goes_along_with_the_call_that_is_open_then(mute: World, seconds, earliest):
    mute.slow["蜂子死了"] = seconds
    assert await answered(mute, "蜂子死了") == "答：蜂子死了"
    first = next(one.attempt for one in mute.wechat.journal if one.status == 200)
    assert first >= earliest
    assert sum("答：蜂子死了" in one for one in mute.seen()) == 1
    assert mute.taken == ["蜂子死了"]


@pytest.mark.parametrize("seconds", [17, 60])
async def test_a_slow_answer_is_fetched_by_a_number(mute: World, seconds):
    mute.slow["蜂子死了"] = seconds
    assert "答：" not in await mute.says("蜂子死了")
    while "答：" not in (told := await mute.says("1")):
        assert "回1" in told or told == BROKEN
    assert told == "您先前问的“蜂子死了”：\n答：蜂子死了"
    assert mute.taken[0] == "蜂子死了"


async def test_two_questions_in_a_row_each_get_their_own_answer(mute: World):
    mute.slow |= {"第一问": 6, "第二问": 1}
    first = asyncio.create_task(answered(mute, "第一问"))
    while not mute.taken:  # noqa: ASYNC110 - a list rings no bell
        await asyncio.sleep(0.01)
    assert await answered(mute, "第二问") == "答：第二问"
    assert await first == "答：第一问"
    assert sum("答：第一问" in one for one in mute.seen()) == 1
    assert mute.taken == ["第一问", "第二问"]


async def test_a_question_given_up_is_answered_with_the_next_and_says_which_it_was(mute: World):
    mute.slow["第一问"] = 17
    assert "答：" not in await mute.says("第一问")
    told = await mute.says("第二问")
    assert told.index("您先前问的“第一问”") < told.index("答：第一问") < told.index("答：第二问")
    assert mute.seen().count("答：第二问") == 0


async def test_a_commissioners_late_answer_comes_first_with_the_next_message(mute: World):
    await mute.says("蜂子死了")
    mute.writes("特派员王瑞生：换王。")
    await until_held(mute, 1)
    told = await mute.says("花椒叶子黄")
    assert told.startswith("特派员王瑞生：换王。")
    assert told.endswith("答：花椒叶子黄")
    assert mute.store.outbox.tally() == {"sent": 3}


async def test_the_same_call_again_gets_the_same_answer_and_asks_nobody(mute: World):
    fields = {"MsgType": "text", "Content": "蜂子死了"}
    first = await mute.wechat.call(mute.url, ALICE, uid="77", **fields)
    mute.writes("特派员王瑞生：换王。")
    await until_held(mute, 1)
    again = await mute.wechat.call(mute.url, ALICE, uid="77", **fields)
    assert first == again == "答：蜂子死了"
    assert mute.taken == ["蜂子死了"]


async def test_a_lost_answer_is_sent_once_more(mute: World):
    await mute.says("蜂子死了")
    assert await mute.says("重发") == "答：蜂子死了"
    assert await mute.says("重发", BOB) == cast.phrases()("wechat.nothing")
    assert mute.taken == ["蜂子死了"]


async def test_a_long_answer_is_read_in_pieces(mute: World):
    sentences = [f"第{number}句🌶。" for number in range(400)]
    mute.writes("".join(sentences))
    await until_held(mute, 1)
    pieces = [await mute.says("查看")]
    while "接着看" in pieces[-1]:
        pieces.append(await mute.says("1"))
    whole = "".join(pieces)
    assert all(sentence in whole for sentence in sentences)
    assert len(pieces) > 3


async def test_more_waiting_than_one_answer_holds_comes_piece_by_piece(mute: World):
    for number in range(5):
        mute.writes(f"第{number}封。" + "好" * 300)
    await until_held(mute, 5)
    told = [await mute.says("蜂子死了")]
    while "接着看" in told[-1]:
        told.append(await mute.says("1"))
    whole = "\n".join(told)
    places = [whole.index(f"第{number}封。") for number in range(5)]
    assert places == sorted(places)
    assert whole.rindex("答：蜂子死了") > places[-1]
    assert mute.store.outbox.tally() == {"sent": 6}


async def test_a_number_presses_the_button_it_stood_before(mute: World):
    mute.buttons = (Button("有用", "useful:1"), Button("没解决", "unsolved:1"))
    told = await mute.says("蜂子死了")
    assert told.endswith("1 有用\n2 没解决")
    mute.buttons = ()
    assert await mute.says("第２个") == "答：按了unsolved:1"
    assert await mute.says("3") == "答：3"


async def test_pictures_are_seen_on_the_page_behind_a_link(mute: World):
    kept = mute.store.media.keep(Media("image/jpeg", b"\xff\xd8x"), clock())
    mute.writes("看图", attachments=(Attachment("photo", kept, "image/jpeg"),))
    await until_held(mute, 1)
    told = await mute.says("查看")
    assert "看图" in told
    assert "1张照片" in told
    assert "https://tianwen.test/from/" in told


async def test_a_hundred_farmers_at_once_all_get_their_own_answer(tmp_path):
    url = f"sqlite:///{tmp_path / 'tianwen.db'}"
    async with open_world(url, pushes=False, pace=1) as world:
        asks = {f"o{number}": f"第{number}问" for number in range(100)}
        world.slow |= dict.fromkeys(asks.values(), 6)
        told = await asyncio.gather(*(answered(world, text, who) for who, text in asks.items()))
        assert told == [f"答：{text}" for text in asks.values()]
        assert sorted(world.taken) == sorted(asks.values())
        assert world.store.outbox.tally() == {"sent": 100}
        for who, text in asks.items():
            assert sum(text in one for one in world.seen(who)) == 1
