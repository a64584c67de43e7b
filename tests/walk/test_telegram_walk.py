"""The whole walk on Telegram: farmer, commissioner and everything in between, on real parts."""

from __future__ import annotations

import asyncio
import time

import httpx
import pytest
from starlette.applications import Starlette

from bot.app.compose import Core
from bot.domain import CaseState, Escalate, Reason
from tests.channels.fake_telegram import serving
from tests.channels.shots import blurred, jpeg, shot
from tests.channels.telegram_world import photo
from tests.walk.homes import DRONE, HORN, LV, QIN, SPRAYER, STRANGE, UNPLACED, WANG
from tests.walk.samples import decision, known, vague
from tests.walk.village import Village, open_village, text_of

SECRET = "0123456789abcdef"


@pytest.mark.parametrize("text", [DRONE, SPRAYER, HORN, UNPLACED])
def test_nothing_in_the_base_is_near_to_what_these_walks_escalate(core: Core, text: str) -> None:
    """A guard: where new knowledge comes near, other words are needed."""
    assert isinstance(decision(core, text), Escalate)


async def test_a_question_in_the_base_is_answered_word_for_word(village: Village) -> None:
    farmer = village.somebody()
    question, entry = known(village.core)
    await farmer.says(question)
    answer = text_of(await farmer.hears(entry.title))
    assert entry.short_answer in answer
    assert entry.sources[0] in answer


async def test_a_picked_choice_is_answered(village: Village) -> None:
    farmer = village.somebody()
    words, entry = vague(village.core)
    await farmer.says(words)
    await farmer.presses(f"show:{entry}:", await farmer.is_offered("show:"))
    picked = village.core.library.entry(entry)
    assert picked
    await farmer.hears(f"【{picked.title}】", picked.short_answer)


async def test_none_of_the_choices_goes_to_a_commissioner(village: Village) -> None:
    words, entry = vague(village.core)
    found = village.core.library.entry(entry)
    assert found
    speciality = village.core.library.domains()[found.domain].speciality
    (expert,) = [one for one in village.core.config.commissioners if speciality in one.specialities]
    commissioner, farmer = await village.bound(expert.id), village.somebody()
    await farmer.says(words)
    await farmer.presses("none:", await farmer.is_offered("show:"))
    offer, number = await village.offered(farmer, commissioner, set())
    assert words in text_of(offer)
    assert Reason.NONE_FITS.value in text_of(offer)
    await farmer.is_told("case.opened", number=number, who=f"科技特派员{expert.name}")


async def test_an_invitation_binds_one_chat_only(village: Village) -> None:
    code = village.invitation(WANG)
    wang, thief = village.somebody(), village.somebody()
    await wang.says(f"/bind {code}")
    await wang.is_told("desk.bound", name="王瑞生")
    await thief.says(f"/bind {code}")
    await village.said_all()
    assert village.store.accounts.bindings() == {WANG: (wang.address,)}


async def test_a_question_with_photos_is_answered_reopened_and_solved(village: Village) -> None:
    lv, farmer = await village.bound(LV), village.somebody()
    await village.telegram.shows(farmer.user, photo("green"), photo("red"), caption=STRANGE)
    offer, number = await village.offered(farmer, lv, set())
    assert STRANGE in text_of(offer)
    assert sum("photo" in one for one in lv.messages) == 2
    await farmer.is_told("case.opened", number=number, who="科技特派员吕玉奎")

    await lv.presses(f"case:{number}:accept", offer)
    await lv.is_told("desk.accepted", number=number)
    await farmer.is_told("case.accepted", number=number, who="科技特派员吕玉奎")

    await lv.replies(offer, "先看插头有没有进水。")
    await lv.is_told("desk.answered", number=number)
    answer = await farmer.hears("吕玉奎", f"#{number}", "先看插头有没有进水。")

    await farmer.presses(f"case:{number}:unsolved", answer)
    await farmer.is_told("case.reopened_thanks", number=number, who="科技特派员吕玉奎")
    reopened = await lv.is_told("case.reopened", number=number)
    assert village.case(number).state is CaseState.ACCEPTED

    await lv.replies(reopened, "那就换一块电池。")
    second = await farmer.hears("吕玉奎", "那就换一块电池。")
    await farmer.presses(f"case:{number}:solved", second)
    await farmer.is_told("case.closed", number=number)
    await lv.is_told("case.resolved", number=number)
    await village.said_all()
    assert village.case(number).state is CaseState.RESOLVED
    assert village.store.outbox.tally().keys() == {"sent"}


async def test_a_question_back_is_answered_by_the_farmers_next_words(village: Village) -> None:
    lv, farmer = await village.bound(LV), village.somebody()
    offer, number = await village.offer(farmer, lv, STRANGE)
    await lv.replies(offer, "问：插上电灯亮不亮？")
    await farmer.hears("吕玉奎", f"#{number}", "插上电灯亮不亮？")
    await farmer.says("灯是亮的，就是充不进去")
    await lv.is_told("case.added", number=number, words="灯是亮的，就是充不进去")


async def test_three_open_cases_answered_in_mixed_order_never_cross(village: Village) -> None:
    lv, qin = await village.bound(LV), await village.bound(QIN)
    li, zhou = village.somebody(), village.somebody()
    first, one = await village.offer(li, lv, DRONE)
    _, two = await village.offer(zhou, lv, SPRAYER)
    await li.says(HORN)
    await li.presses("person:", await li.is_offered("person:"))
    third, three = await village.offered(li, qin, {one})

    await lv.says(f"#{two} 把滤网洗一下。")
    await qin.replies(third, "把线拔了。")
    await lv.replies(first, "充电器换一个。")

    await zhou.hears("吕玉奎", f"#{two}", "把滤网洗一下。")
    await village.said_all()
    for words, reader, who, number in (
        ("把滤网洗一下。", zhou, "吕玉奎", two),
        ("把线拔了。", li, "秦兆华", three),
        ("充电器换一个。", li, "吕玉奎", one),
    ):
        (text,) = [text for one in (li, zhou) for text in one.texts if words in text]
        assert reader.times(words) == 1
        assert who in text
        assert f"#{number}" in text


async def test_words_without_a_case_are_not_sent_by_guess(village: Village) -> None:
    lv, li, zhou = await village.bound(LV), village.somebody(), village.somebody()
    await village.offer(li, lv, DRONE)
    _, number = await village.offer(zhou, lv, SPRAYER)
    await lv.says("把滤网洗一下。")
    await lv.presses(f"draft:{number}", await lv.is_told("desk.which_case"))
    await zhou.hears("把滤网洗一下。")
    await village.said_all()
    assert li.times("把滤网洗一下。") == 0


async def test_flood_control_is_waited_out_and_nothing_is_sent_twice(village: Village) -> None:
    farmer = village.somebody()
    question, entry = known(village.core)
    village.telegram.fail("sendMessage", 429, "Too Many Requests: retry after 1", retry_after=1)
    await farmer.says(question)
    await village.called("sendMessage", 1)
    start = time.monotonic()
    await farmer.hears(entry.title)
    assert time.monotonic() - start > 0.9
    assert [call.status for call in village.telegram.calls("sendMessage")] == [429, 200]
    assert farmer.times(village.say("delivery.maybe_repeated")) == 0


async def test_an_answer_to_a_farmer_who_blocked_us_waits_until_he_writes_again(
    village: Village,
) -> None:
    lv, farmer = await village.bound(LV), village.somebody()
    offer, number = await village.offer(farmer, lv, STRANGE)
    await village.said_all()
    village.telegram.blocked.add(farmer.user)
    await lv.replies(offer, "先看插头有没有进水。")
    await lv.is_told("delivery.not_delivered", number=number)
    (lost,) = village.store.outbox.undelivered(number)
    assert "先看插头有没有进水。" in lost.outgoing.text

    village.telegram.blocked.clear()
    await farmer.says("在吗")
    await farmer.hears("吕玉奎", "先看插头有没有进水。")
    await village.said_all()
    assert village.store.outbox.undelivered(number) == ()
    assert lv.times(village.say("delivery.not_delivered", number=number)) == 1
    assert farmer.times("先看插头有没有进水。") == 1


async def test_an_update_polled_three_times_is_one_turn(village: Village) -> None:
    farmer = village.somebody()
    question, entry = known(village.core)
    update = await farmer.says(question)
    again = [one for one in village.telegram.updates if one["update_id"] == update]
    village.telegram.updates += again * 2
    await farmer.hears(entry.title)
    await village.said_all()
    assert len(farmer.texts) == 1
    assert village.store.inbox.tally() == {"done": 1}


async def test_an_update_that_the_webhook_brings_three_times_is_one_turn(
    core, url, telegram
) -> None:
    hook = {"mode": "webhook", "webhook_url": "http://127.0.0.1:1/telegram", "secret": SECRET}
    async with open_village(core, url, telegram, **hook) as village:
        farmer = village.somebody()
        question, entry = known(village.core)
        await farmer.says(question)
        (update,) = telegram.updates
        app = Starlette(routes=list(village.channel.routes()))
        async with serving(app) as address, httpx.AsyncClient(trust_env=False) as caller:
            headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
            answers = await asyncio.gather(
                *(caller.post(f"{address}/telegram", json=update, headers=headers) for _ in "123")
            )
        telegram.updates.clear()
        assert [one.status_code for one in answers] == [200, 200, 200]
        await farmer.hears(entry.title)
        await village.said_all()
        assert len(farmer.texts) == 1
        assert village.store.inbox.tally() == {"done": 1}


@pytest.mark.parametrize(("when", "copies"), [("after", 2), ("before", 1)])
async def test_a_connection_lost_while_sending_repeats_the_message_once_and_says_so(
    village: Village, when, copies
) -> None:
    """Nobody can know whether it arrived; the second try settles it."""
    farmer = village.somebody()
    question, entry = known(village.core)
    village.telegram.drop("sendMessage", when)
    await farmer.says(question)
    await village.outgoing("doubtful")
    village.clock.skip(minutes=1)
    repeated = await farmer.hears(village.say("delivery.maybe_repeated"), entry.title)
    await village.said_all()
    assert len(village.telegram.calls("sendMessage")) == 2
    assert farmer.messages[-1] == repeated
    assert farmer.times(entry.title) == copies


async def test_what_was_asked_before_a_restart_is_answered_after_it(core, url, telegram) -> None:
    async with open_village(core, url, telegram) as before:
        lv, farmer = await before.bound(LV), before.somebody()
        offer, number = await before.offer(farmer, lv, STRANGE)
        await before.said_all()
    async with open_village(core, url, telegram):
        await lv.replies(offer, "先看插头有没有进水。")
        await farmer.hears("吕玉奎", f"#{number}", "先看插头有没有进水。")


async def test_blurred_photos_are_passed_on_with_a_note_and_the_farmer_is_guided(
    village: Village,
) -> None:
    lv, farmer = await village.bound(LV), village.somebody()
    offer, number = await village.offer(farmer, lv, STRANGE)
    assert "照片" not in text_of(offer)
    opened = await farmer.is_told("case.opened", number=number, who="科技特派员吕玉奎")
    assert village.say("photo.guide", views="整株、叶背、病处近照") in text_of(opened)

    spoilt = jpeg(blurred(shot("flower")))
    await village.telegram.shows(farmer.user, jpeg(shot("flower")), spoilt, caption="整株，近照")
    added = await farmer.is_told("case.added_thanks", number=number, who="科技特派员吕玉奎")
    assert village.say("photo.blurred") in text_of(added)
    await lv.hears(f"（#{number}）", "第 2 张照片有点糊")

    await village.telegram.shows(farmer.user, spoilt)
    again = await farmer.is_told("case.added_thanks", number=number, who="科技特派员吕玉奎")
    assert village.say("photo.blurred") not in text_of(again)
    await lv.hears(f"（#{number}）", "照片有点糊")
    assert len(village.case(number).attachments) == 3
