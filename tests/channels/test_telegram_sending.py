"""What is due goes out within Telegram's limits, and every failure says what to do next."""

import asyncio
import socket
from dataclasses import replace
from datetime import timedelta

import pytest
from telegram.error import NetworkError, RetryAfter, TelegramError

from bot.channels.steps import _Broken
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.failures import as_channel_error, retry_seconds
from bot.domain import Attachment, Block, Button, Outgoing, Receipt, paragraphs
from bot.errors import Moved, OutcomeUnknown, Rejected, TryLater, Unreachable

from .telegram_world import ALICE, World, clock, open_world, settings, to


@pytest.fixture
async def world(tmp_path):
    async with open_world(tmp_path) as world:
        yield world


def photos(world: World, count: int) -> tuple[Attachment, ...]:
    media = [world.keep(b"jpeg %d" % number) for number in range(count)]
    return tuple(Attachment("photo", one, "image/jpeg") for one in media)


def methods(world: World) -> list[str]:
    return [call.method for call in world.telegram.journal]


async def test_blocks_go_out_as_plain_text(world: World):
    blocks = (Block("heading", "怎么办"), Block("item", "剪掉*病枝*_烧掉_ <b>"))
    receipt = await world.channel.send(Outgoing(to(ALICE).to, blocks))
    (sent,) = world.telegram.sent
    assert sent["text"] == "【怎么办】\n· 剪掉*病枝*_烧掉_ <b>"
    assert receipt == Receipt((str(sent["message_id"]),))
    assert "parse_mode" not in world.telegram.journal[0].fields


async def test_short_buttons_share_a_row_and_long_ones_stand_alone(world: World):
    labels = ["有用", "没解决", "转人工", "花椒锈病：叶背黄粉", "都不是"]
    buttons = tuple(Button(label, f"a:{label}") for label in labels)
    await world.channel.send(to(ALICE, "请选", buttons=buttons))
    rows = world.telegram.sent[0]["reply_markup"]["inline_keyboard"]
    assert [[one["text"] for one in row] for row in rows] == [
        ["有用", "没解决"],
        ["转人工"],
        ["花椒锈病：叶背黄粉"],
        ["都不是"],
    ]
    assert rows[0][1]["callback_data"] == "a:没解决"


async def test_long_text_goes_out_in_pieces_with_the_buttons_below_the_last(world: World):
    text = "🌶" * 2000 + "。" + "花椒" * 3000
    receipt = await world.channel.send(to(ALICE, text, buttons=(Button("好", "ok"),)))
    sent = world.telegram.sent
    assert "".join(one["text"] for one in sent) == text
    assert receipt == Receipt(tuple(str(one["message_id"]) for one in sent))
    assert ["reply_markup" in one for one in sent] == [False] * (len(sent) - 1) + [True]


async def test_one_photo_carries_a_short_text_and_the_buttons(world: World):
    outgoing = to(
        ALICE, "农户发来照片", attachments=photos(world, 1), buttons=(Button("接单", "x"),)
    )
    receipt = await world.channel.send(outgoing)
    (sent,) = world.telegram.sent
    assert (sent["caption"], len(receipt.ids)) == ("农户发来照片", 1)
    assert sent["reply_markup"]["inline_keyboard"][0][0]["text"] == "接单"
    assert world.telegram.journal[0].files == {"photo": b"jpeg 0"}


async def test_a_text_too_long_for_a_caption_follows_the_photo(world: World):
    await world.channel.send(to(ALICE, "🌶" * 513, attachments=photos(world, 1)))
    assert methods(world) == ["sendPhoto", "sendMessage"]


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (2, ["sendMediaGroup", "sendMessage"]),
        (10, ["sendMediaGroup", "sendMessage"]),
        (11, ["sendMediaGroup", "sendPhoto", "sendMessage"]),
        (12, ["sendMediaGroup", "sendMediaGroup", "sendMessage"]),
    ],
)
async def test_several_photos_go_out_as_albums_and_then_the_text(world: World, count, calls):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, count))
    receipt = await world.channel.send(outgoing)
    assert methods(world) == calls
    assert len(receipt.ids) == count + 1
    sent = [one for call in world.telegram.journal for one in call.files.values()]
    assert sorted(sent) == sorted(b"jpeg %d" % number for number in range(count))


async def test_photos_alone_need_no_text(world: World):
    await world.channel.send(to(ALICE, attachments=photos(world, 2)))
    await world.channel.send(to(ALICE, attachments=photos(world, 1)))
    assert methods(world) == ["sendMediaGroup", "sendPhoto"]


async def test_voice_and_files_are_sent_anew_from_the_stored_bytes(world: World):
    voice = Attachment("voice", world.keep(b"OggS", "audio/ogg"), "audio/ogg")
    webm = Attachment("voice", world.keep(b"webm", "audio/webm"), "audio/webm")
    file = Attachment("file", world.keep(b"%PDF", "application/pdf"), "application/pdf", "药.pdf")
    await world.channel.send(to(ALICE, "农户发来", attachments=(voice, webm, file)))
    sent = [(call.method, call.files) for call in world.telegram.journal]
    assert sent == [
        ("sendVoice", {"voice": b"OggS"}),
        ("sendDocument", {"document": b"webm"}),
        ("sendDocument", {"document": b"%PDF"}),
        ("sendMessage", {}),
    ]


async def test_a_picture_that_telegram_takes_for_no_photo_goes_as_a_file(world: World):
    long = Attachment("photo", world.keep(b"long"), "image/jpeg")
    await world.channel.send(to(ALICE, "截图", attachments=(long,)))
    await world.channel.send(to(ALICE, "截图", attachments=(long, *photos(world, 1))))
    assert [sorted(set(one) & {"photo", "document", "text"}) for one in world.telegram.sent][
        -3:
    ] == [["document"], ["document"], ["text"]]
    assert world.telegram.sent[0]["caption"] == "截图"


async def test_a_vanished_photo_does_not_hold_the_text_back(world: World, caplog):
    gone = Attachment("photo", "gone", "image/jpeg")
    await world.channel.send(to(ALICE, "答复", attachments=(gone,)))
    assert world.telegram.sent[0]["text"] == "答复"
    assert "gone" in caplog.text


# --- failures --------------------------------------------------------------------------------


async def test_flood_control_says_how_long_to_wait(world: World):
    world.telegram.fail("sendMessage", 429, "Too Many Requests", retry_after=7)
    with pytest.raises(TryLater) as caught:
        await world.channel.send(to(ALICE, "好"))
    assert caught.value.retry_after == 7


@pytest.mark.parametrize("wait", [7, timedelta(seconds=7)])
def test_both_kinds_of_retry_after_are_taken(wait):
    class Old(RetryAfter):
        retry_after = wait

    assert retry_seconds(Old(7)) == 7


async def test_a_farmer_who_blocked_us_is_unreachable(world: World):
    world.telegram.blocked.add(ALICE)
    with pytest.raises(Unreachable):
        await world.channel.send(to(ALICE, "好"))


async def test_a_farmer_who_never_wrote_is_unreachable(world: World):
    world.telegram.unknown.add(ALICE)
    for attachments in ((), photos(world, 1), photos(world, 2)):
        with pytest.raises(Unreachable):
            await world.channel.send(to(ALICE, "好", attachments=attachments))


async def test_a_chat_that_moved_gives_its_new_id(world: World):
    world.telegram.migrated[-7] = -1007
    with pytest.raises(Moved) as caught:
        await world.channel.send(to(-7, "好"))
    assert caught.value.user == "-1007"


async def test_a_message_that_telegram_will_never_take_is_rejected(world: World):
    world.telegram.fail("sendMessage", 400, "Bad Request: can't parse entities")
    world.telegram.fail("sendMessage", 413, "Request Entity Too Large")
    for _ in range(2):
        with pytest.raises(Rejected):
            await world.channel.send(to(ALICE, "好"))


@pytest.mark.parametrize(
    ("status", "description", "kind"),
    [
        (500, "Internal Server Error", TryLater),
        (502, "Bad Gateway", OutcomeUnknown),
        (504, "Gateway Timeout", OutcomeUnknown),
    ],
)
async def test_only_a_gateway_that_gave_up_leaves_the_outcome_open(
    world: World, status, description, kind
):
    world.telegram.fail("sendMessage", status, description)
    with pytest.raises(kind):
        await world.channel.send(to(ALICE, "好"))


@pytest.mark.parametrize(("when", "arrived"), [("before", 0), ("after", 1)])
async def test_a_connection_cut_after_the_request_leaves_the_outcome_open(
    world: World, when, arrived
):
    world.telegram.drop("sendMessage", when)
    with pytest.raises(OutcomeUnknown):
        await world.channel.send(to(ALICE, "好"))
    assert len(world.telegram.sent) == arrived


async def test_an_answer_that_comes_too_late_leaves_the_outcome_open(world: World):
    world.telegram.slow("sendMessage", 1.0)
    with pytest.raises(OutcomeUnknown):
        await world.channel.send(to(ALICE, "好"))
    assert len(world.telegram.sent) == 1


async def test_a_connection_never_made_is_tried_again(world: World):
    with socket.create_server(("127.0.0.1", 0)) as door:
        closed = f"http://127.0.0.1:{door.getsockname()[1]}"
    channel = TelegramChannel(settings(closed), world.store, world.bell, clock)
    with pytest.raises(TryLater):
        await channel.send(to(ALICE, "好"))
    await channel.close()


async def test_a_refused_token_keeps_the_message_and_is_told_to_staff(tmp_path, caplog):
    async with open_world(tmp_path, token="7000:wrong-token") as world:
        with pytest.raises(TryLater):
            await world.channel.send(to(ALICE, "好"))
    assert "BotFather" in caplog.text
    assert "wrong-token" not in caplog.text


def test_what_the_library_may_invent_is_tried_again():
    assert isinstance(as_channel_error(TelegramError("odd")), TryLater)
    assert isinstance(as_channel_error(NetworkError("odd")), TryLater)


# --- several messages for one -----------------------------------------------------------------


async def test_after_a_failure_in_the_middle_only_the_rest_is_sent(world: World):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, 2))
    world.telegram.fail("sendMessage", 429, "Too Many Requests", retry_after=1)
    with pytest.raises(TryLater):
        await world.channel.send(outgoing)
    receipt = await world.channel.send(outgoing)
    assert methods(world) == ["sendMediaGroup", "sendMessage", "sendMessage"]
    assert receipt.ids == tuple(str(one["message_id"]) for one in world.telegram.sent)


async def test_the_same_message_sent_again_on_purpose_goes_out_whole(world: World):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, 2))
    await world.channel.send(outgoing)
    await world.channel.send(outgoing)
    assert methods(world) == ["sendMediaGroup", "sendMessage"] * 2


async def test_after_a_block_in_the_middle_everything_is_sent_again(world: World):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, 2))
    world.telegram.fail("sendMessage", 403, "Forbidden: bot was blocked by the user")
    with pytest.raises(Unreachable):
        await world.channel.send(outgoing)
    await world.channel.send(outgoing)
    assert methods(world) == ["sendMediaGroup", "sendMessage"] * 2


async def test_a_repeat_marked_as_such_does_not_repeat_the_photos(world: World):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, 2))
    world.telegram.drop("sendMessage", "after")
    with pytest.raises(OutcomeUnknown):
        await world.channel.send(outgoing)
    marked = replace(outgoing, blocks=paragraphs("可能重复") + outgoing.blocks)
    await world.channel.send(marked)
    assert methods(world) == ["sendMediaGroup", "sendMessage", "sendMessage"]
    assert world.telegram.sent[-1]["text"] == "可能重复\n\n农户发来照片"


async def test_another_message_after_a_failure_goes_out_whole(world: World):
    world.telegram.fail("sendMessage", 429, "Too Many Requests", retry_after=1)
    with pytest.raises(TryLater):
        await world.channel.send(to(ALICE, "一", attachments=photos(world, 2)))
    await world.channel.send(to(ALICE, "二", attachments=photos(world, 2)))
    assert methods(world) == ["sendMediaGroup", "sendMessage"] * 2


async def test_a_send_cut_off_by_delivery_goes_on_where_it_stood(world: World):
    outgoing = to(ALICE, "农户发来照片", attachments=photos(world, 2))
    world.telegram.slow("sendMessage", 0.4)
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.3):
            await world.channel.send(outgoing)
    await world.channel.send(outgoing)
    assert methods(world) == ["sendMediaGroup", "sendMessage", "sendMessage"]


async def test_broken_messages_do_not_pile_up(world: World):
    stairs = world.channel._sender._stairs
    for number in range(300):
        stairs._remember(_Broken(to(number, "好"), (("1",),)))
    assert len(stairs._broken) == 256


async def test_what_comes_at_night_makes_no_sound_in_any_of_its_parts(world: World):
    several = Outgoing(to(ALICE).to, paragraphs("先看巢门"), attachments=photos(world, 2))
    await world.channel.send(several)
    await world.channel.send(replace(several, is_silent=True))
    await world.channel.send(
        replace(to(ALICE, "先看"), attachments=photos(world, 1), is_silent=True)
    )
    sounds = [call.fields.get("disable_notification") for call in world.telegram.journal]
    assert sounds == [None, None, "true", "true", "true"]
