"""Pictures of the knowledge base on Telegram: behind the text, each with its caption."""

from dataclasses import replace

import pytest

from bot.domain import Attachment, Block, Button, Media, Outgoing, Picture, Receipt, paragraphs
from bot.errors import OutcomeUnknown, TryLater

from .telegram_world import ALICE, World, open_world, to

SHELF: dict[str, Picture] = {
    f"sichuan-pepper/rust-{number}.jpg": Picture(
        Media("image/jpeg", b"jpeg %d" % number), 1600, 1200, f"{number}"
    )
    for number in range(12)
}
BUTTON = Button("有用", "useful:1")


@pytest.fixture
async def world(tmp_path):
    async with open_world(tmp_path, pictures=SHELF.get) as world:
        yield world


def answer(count: int, *, words: str = "先摘病叶", **fields) -> Outgoing:
    """Text, so many pictures, and text again."""
    names = [f"sichuan-pepper/rust-{number}.jpg" for number in range(count)]
    shown = [Block("picture", f"图样{place}", name) for place, name in enumerate(names)]
    blocks = (*paragraphs(words), *shown, *paragraphs("来源：某手册"))
    return Outgoing(to(ALICE).to, blocks, **{"buttons": (BUTTON,), **fields})


def methods(world: World) -> list[str]:
    return [call.method for call in world.telegram.journal]


async def test_the_text_with_its_buttons_goes_first_and_then_the_picture(world: World):
    receipt = await world.channel.send(answer(1))
    text, picture = world.telegram.sent
    assert text["text"] == "先摘病叶\n\n来源：某手册"
    assert text["reply_markup"]["inline_keyboard"][0][0]["text"] == "有用"
    assert picture["caption"] == "图样0"
    assert "reply_markup" not in picture
    assert world.telegram.journal[1].files == {"photo": b"jpeg 0"}
    assert receipt == Receipt((str(text["message_id"]), str(picture["message_id"])))


@pytest.mark.parametrize(
    ("count", "calls"),
    [
        (2, ["sendMediaGroup"]),
        (10, ["sendMediaGroup"]),
        (11, ["sendMediaGroup", "sendPhoto"]),
        (12, ["sendMediaGroup", "sendMediaGroup"]),
    ],
)
async def test_several_pictures_go_out_as_albums_each_with_its_caption(world: World, count, calls):
    receipt = await world.channel.send(answer(count))
    assert methods(world) == ["sendMessage", *calls]
    captions = [one["caption"] for one in world.telegram.sent[1:]]
    assert captions == [f"图样{number}" for number in range(count)]
    assert len(receipt.ids) == count + 1


async def test_a_long_text_still_goes_out_in_pieces_before_the_picture(world: World):
    await world.channel.send(answer(1, words="花椒" * 3000))
    *pieces, picture = world.telegram.sent
    assert ["reply_markup" in one for one in pieces] == [False, True]
    assert "photo" in picture


async def test_attached_photos_stand_before_the_text_as_ever(world: World):
    photos = tuple(Attachment("photo", world.keep(b"own"), "image/jpeg") for _ in range(2))
    await world.channel.send(answer(1, attachments=photos))
    await world.channel.send(answer(1, attachments=photos[:1]))
    assert methods(world) == [
        *("sendMediaGroup", "sendMessage", "sendPhoto"),
        *("sendPhoto", "sendPhoto"),
    ]
    assert world.telegram.sent[-2]["caption"] == "先摘病叶\n\n来源：某手册"


async def test_a_picture_that_telegram_takes_for_no_photo_goes_as_a_file(tmp_path):
    long = Picture(Media("image/png", b"long"), 9, 900, "1")
    async with open_world(tmp_path, pictures=lambda _: long) as world:
        await world.channel.send(answer(1))
        await world.channel.send(answer(2))
    sent = [one for one in world.telegram.sent if "document" in one]
    assert [one["caption"] for one in sent] == ["图样0", "图样0", "图样1"]


async def test_after_a_failure_at_the_picture_only_the_picture_is_sent(world: World):
    world.telegram.fail("sendPhoto", 429, "Too Many Requests", retry_after=1)
    with pytest.raises(TryLater):
        await world.channel.send(answer(1))
    receipt = await world.channel.send(answer(1))
    assert methods(world) == ["sendMessage", "sendPhoto", "sendPhoto"]
    assert receipt.ids == tuple(str(one["message_id"]) for one in world.telegram.sent)


async def test_a_doubtful_picture_is_repeated_with_its_text_which_says_so(world: World):
    world.telegram.drop("sendPhoto", "after")
    outgoing = answer(1)
    with pytest.raises(OutcomeUnknown):
        await world.channel.send(outgoing)
    await world.channel.send(replace(outgoing, blocks=paragraphs("可能重复") + outgoing.blocks))
    assert methods(world) == ["sendMessage", "sendPhoto"] * 2
    assert world.telegram.sent[2]["text"].startswith("可能重复")
