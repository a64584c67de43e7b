"""What people send becomes a message of the conversation."""

import json

import pytest

from bot.domain import Address, Arrival, Attachment, Flaw, Incoming, Other
from bot.errors import TryLater

from .telegram_world import ALICE, BOB, NOON, World, eventually, open_world, photo

SENDER = Address("telegram", str(ALICE))


@pytest.fixture
async def world(tmp_path):
    async with open_world(tmp_path) as world, world.listening():
        yield world


async def only(message: Incoming | None, **fields) -> bool:
    """Whether the message has these fields and nothing else."""
    assert message is not None
    return message == Incoming(message.id, SENDER, **fields)


async def test_text_is_read(world: World):
    await world.telegram.says(ALICE, "花椒叶子背面一层黄粉粉")
    assert await only(await world.take(), text="花椒叶子背面一层黄粉粉")


async def test_a_start_code_comes_as_text(world: World):
    await world.telegram.says(ALICE, "/start ABCDEFGHJK")
    assert await only(await world.take(), text="/start ABCDEFGHJK")


async def test_an_edited_message_is_a_new_one(world: World):
    await world.telegram.arrive(
        "edited_message", world.telegram.message(ALICE, text="改一下", edit_date=1_790_000_001)
    )
    assert await only(await world.take(), text="改一下")


async def test_a_reply_names_the_message_it_answers(world: World):
    ours = world.telegram.message(ALICE, text="新问题 #12\n农户说：#3")
    ours["from"] = {"id": 1, "is_bot": True, "first_name": "田问"}
    await world.telegram.says(ALICE, "晓得了", reply_to_message=ours)
    replied = str(ours["message_id"])
    assert await only(await world.take(), text="晓得了", reply_to=replied, quoted="新问题 #12")


async def test_what_a_person_wrote_is_not_taken_for_ours_when_quoted(world: World):
    theirs = world.telegram.message(ALICE, text="#12")
    await world.telegram.says(ALICE, "晓得了", reply_to_message=theirs)
    replied = str(theirs["message_id"])
    assert await only(await world.take(), text="晓得了", reply_to=replied, quoted="")


async def test_a_photo_is_fetched_at_full_size_and_cleaned(world: World):
    await world.telegram.shows(ALICE, photo("red", (900, 600)), caption="这是啥子病")
    message = await world.take()
    (attachment,) = message.attachments
    media = world.store.media.get(attachment.media)
    assert message.text == "这是啥子病"
    nothing_to_see = (Flaw.BLURRED,)
    assert attachment == Attachment("photo", attachment.media, "image/jpeg", flaws=nothing_to_see)
    assert media.content.startswith(b"\xff\xd8")


async def test_an_album_is_one_message_with_its_photos_in_order(world: World):
    await world.telegram.shows(ALICE, photo("red"), photo("blue"), photo("green"), caption="看")
    await world.confirmed()
    message = await world.take()
    kept = [world.store.media.get(one.media).content for one in message.attachments]
    assert message.text == "看"
    assert len(set(kept)) == 3
    assert world.is_idle()


async def test_two_albums_of_two_people_do_not_mix(world: World):
    await world.telegram.shows(ALICE, photo("red"), photo("blue"))
    await world.telegram.shows(BOB, photo("red"), photo("blue"), photo("green"))
    await world.confirmed()
    messages = [await world.take(), await world.take()]
    assert [len(one.attachments) for one in messages] == [2, 3]


async def test_a_photo_that_is_none_is_told_and_the_rest_of_the_album_stays(world: World):
    await world.telegram.shows(ALICE, b"not a photo")
    assert await only(await world.take(), other=Other.UNKNOWN)
    await world.telegram.shows(ALICE, b"not a photo", photo("red"))
    await world.confirmed()
    message = await world.take()
    assert (len(message.attachments), message.other) == (1, None)


async def test_a_voice_note_is_kept_as_it_is(world: World):
    file_id = world.telegram.keep_file(b"OggS voice")
    voice = {"file_id": file_id, "file_unique_id": "v", "duration": 3, "mime_type": "audio/ogg"}
    await world.telegram.says(ALICE, voice=voice)
    (attachment,) = (await world.take()).attachments
    assert (attachment.kind, attachment.mime) == ("voice", "audio/ogg")
    assert world.store.media.get(attachment.media).content == b"OggS voice"


@pytest.mark.parametrize(
    ("name", "mime", "kept_name", "kept_mime"),
    [
        ("用药记录.pdf", "application/pdf", "用药记录.pdf", "application/pdf"),
        ("../../etc/passwd", "text/html; charset=x", "passwd", "application/octet-stream"),
        ("C:\\蜂\n箱.xls", "", "蜂 箱.xls", "application/octet-stream"),
    ],
)
async def test_a_document_is_kept_under_a_harmless_name(
    world: World, name, mime, kept_name, kept_mime
):
    file_id = world.telegram.keep_file(b"bytes")
    document = {"file_id": file_id, "file_unique_id": "d", "file_name": name, "mime_type": mime}
    await world.telegram.says(ALICE, document=document)
    (attachment,) = (await world.take()).attachments
    expected = Attachment("file", attachment.media, kept_mime, kept_name)
    assert attachment == expected


async def test_a_picture_sent_as_a_document_is_a_photo(world: World):
    file_id = world.telegram.keep_file(photo())
    document = {"file_id": file_id, "file_unique_id": "d", "mime_type": "image/png"}
    await world.telegram.says(ALICE, document=document)
    (attachment,) = (await world.take()).attachments
    assert (attachment.kind, attachment.mime) == ("photo", "image/jpeg")


async def test_music_is_a_file(world: World):
    file_id = world.telegram.keep_file(b"ID3")
    audio = {"file_id": file_id, "file_unique_id": "a", "duration": 3, "file_name": "a.mp3"}
    await world.telegram.says(ALICE, audio={**audio, "mime_type": "audio/mpeg"})
    (attachment,) = (await world.take()).attachments
    assert (attachment.kind, attachment.name) == ("file", "a.mp3")


async def test_a_file_too_big_for_bots_is_not_even_asked_for(world: World):
    document = {"file_id": "big", "file_unique_id": "b", "file_size": 20_000_001}
    await world.telegram.says(ALICE, document=document, caption="看下嘛")
    assert await only(await world.take(), text="看下嘛", other=Other.UNKNOWN)
    assert world.telegram.calls("getFile") == []


async def test_a_file_that_telegram_lost_is_told(world: World):
    await world.telegram.shows(ALICE, photo())
    world.telegram.lost_files.update(world.telegram.files)
    assert await only(await world.take(), other=Other.UNKNOWN)


@pytest.mark.parametrize(
    ("status", "description", "parameters"),
    [(502, "Bad Gateway", {}), (429, "Too Many Requests", {"retry_after": 7})],
)
async def test_a_photo_that_cannot_be_fetched_now_is_read_later(
    world: World, status, description, parameters
):
    await world.telegram.shows(ALICE, photo(), caption="看")
    world.telegram.fail("getFile", status, description, **parameters)
    arrivals = await world.claim()
    with pytest.raises(TryLater):
        await world.channel.read(arrivals)
    assert len((await world.channel.read(arrivals)).attachments) == 1


async def test_a_dropped_connection_at_getfile_is_read_later(world: World):
    await world.telegram.shows(ALICE, photo())
    world.telegram.drop("getFile", "after")
    with pytest.raises(TryLater):
        await world.take()


PLACE = {"latitude": 29.4, "longitude": 105.6}
FILE = {"file_id": "x", "file_unique_id": "x", "width": 9, "height": 9, "duration": 1}
STICKER = {"type": "regular", "is_animated": False, "is_video": False}
VENUE = {"location": PLACE, "title": "村委会", "address": "荣昌"}


@pytest.mark.parametrize(
    ("content", "other", "location"),
    [
        ({"location": PLACE}, Other.LOCATION, (29.4, 105.6)),
        ({"venue": VENUE, "location": PLACE}, Other.LOCATION, (29.4, 105.6)),
        ({"video": FILE}, Other.VIDEO, None),
        ({"video_note": {**FILE, "length": 9}}, Other.VIDEO, None),
        ({"animation": FILE, "document": FILE}, Other.VIDEO, None),
        ({"sticker": {**FILE, **STICKER}}, Other.STICKER, None),
        ({"contact": {"phone_number": "1", "first_name": "x"}}, Other.CONTACT, None),
        ({"dice": {"emoji": "🎲", "value": 3}}, Other.UNKNOWN, None),
        ({"something_new": {}}, Other.UNKNOWN, None),
    ],
)
async def test_what_is_neither_text_nor_photo_is_named(world: World, content, other, location):
    await world.telegram.says(ALICE, **content)
    assert await only(await world.take(), other=other, location=location)


async def test_what_nobody_said_is_nothing_for_the_conversation(world: World):
    fake = world.telegram
    moved = fake.message(ALICE, location={**PLACE, "live_period": 60}, edit_date=1_790_000_001)
    group = {"id": -100, "type": "supergroup", "title": "蜂友群"}
    await fake.says(ALICE, pinned_message=fake.message(ALICE, text="x"))
    await fake.arrive("edited_message", moved)
    await fake.arrive("message", {**fake.message(ALICE, text="大家好"), "chat": group})
    await fake.becomes(ALICE, "kicked")
    assert [await world.take() for _ in range(4)] == [None] * 4


async def test_who_unblocks_the_bot_has_joined(world: World):
    await world.telegram.becomes(ALICE, "member")
    assert await only(await world.take(), other=Other.JOINED)


async def test_a_press_brings_its_action_and_is_confirmed_to_the_phone(world: World):
    query = await world.telegram.presses(ALICE, "show:pepper-rust:7")
    assert await only(await world.take(), press="show:pepper-rust:7")
    await eventually(lambda: world.telegram.answered == [query])


async def test_a_press_by_somebody_else_does_nothing(world: World):
    query = await world.telegram.presses(BOB, "case:12:accept", in_chat=ALICE)
    assert await world.take() is None
    await eventually(lambda: world.telegram.answered == [query])


async def test_a_press_counts_even_when_its_confirmation_fails(world: World):
    world.telegram.fail("answerCallbackQuery", 400, "Bad Request: query is too old")
    await world.telegram.presses(ALICE, "case:12:solved")
    assert await only(await world.take(), press="case:12:solved")
    await eventually(lambda: world.telegram.calls("answerCallbackQuery"))
    await eventually(lambda: not world.channel._reader._confirming)


async def test_a_press_of_a_vanished_message_does_nothing(world: World):
    person = {"id": ALICE, "is_bot": False, "first_name": "a"}
    query = {"id": "q", "from": person, "chat_instance": "1", "data": "case:12:accept"}
    raw = json.dumps({"update_id": 5, "callback_query": query})
    world.store.inbox.receive(Arrival("telegram", "7000:5", str(ALICE), raw), NOON)
    assert await world.take() is None


async def test_closing_ends_confirmations_under_way(world: World):
    world.telegram.slow("answerCallbackQuery", 0.3)
    await world.telegram.presses(ALICE, "case:12:solved")
    await world.take()
    await world.channel._reader.close()
    assert not world.channel._reader._confirming
