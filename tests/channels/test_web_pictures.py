"""The door to the knowledge base's pictures, and how they stand in a bubble."""

from __future__ import annotations

import re

import pytest

from bot.domain import Block, Media, Outgoing, Picture, Turn, paragraphs
from tests.channels.web_world import World, photo

NAME = "sichuan-pepper/pepper-rust-1.jpg"


def picture(digest: str = "0a1b2c3d4e5f", colour: bytes = b"") -> Picture:
    return Picture(Media("image/jpeg", photo(1600, 1200) + colour), 1600, 1200, digest)


@pytest.fixture
def shelf() -> dict[str, Picture]:
    return {NAME: picture()}


@pytest.fixture
def world(tmp_path, shelf):
    made = World(tmp_path, pictures=shelf.get)
    yield made
    made.close()


def show(caption: str):
    blocks = (*paragraphs("先看叶背"), Block("picture", caption, NAME))
    return lambda incoming: Turn((Outgoing(incoming.sender, blocks),))


async def answered(world: World, caption: str = "叶背的黄粉"):
    farmer = await world.farmer()
    await farmer.ask("花椒叶子起粉")
    await world.work(show(caption))
    return farmer


async def test_a_picture_stands_in_the_bubble_with_its_size_and_caption(world):
    page = (await (await answered(world, '叶背"><b>黄粉')).open("/")).text
    url = f"/pictures/0a1b2c3d4e5f/{NAME}"
    said = "叶背&#34;&gt;&lt;b&gt;黄粉"
    image = f'<img src="{url}" alt="{said}" loading="lazy" width="1600" height="1200">'
    assert f'<figure><a href="{url}" data-photo>{image}</a>' in page
    assert f">{said}</figcaption>" in page


async def test_a_picture_is_served_to_everybody_and_kept_by_the_browser(world, shelf):
    answer = await world.browser().open(f"/pictures/0a1b2c3d4e5f/{NAME}")
    assert (answer.status_code, answer.content) == (200, shelf[NAME].media.content)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert "set-cookie" not in answer.headers


async def test_a_changed_picture_has_another_address_and_the_old_one_is_not_kept(world, shelf):
    farmer = await answered(world)
    shelf[NAME] = picture("ffffffffffff", b"new")
    page = (await farmer.open("/")).text
    (url,) = set(re.findall(r"/pictures/[^\"]+", page))
    assert url == f"/pictures/ffffffffffff/{NAME}"
    old = await farmer.open(f"/pictures/0a1b2c3d4e5f/{NAME}")
    assert old.content == shelf[NAME].media.content
    assert old.headers["cache-control"] == "no-store"


async def test_a_picture_taken_out_of_the_base_is_gone_and_its_caption_stays(world, shelf):
    farmer = await answered(world)
    shelf.clear()
    assert "【图：叶背的黄粉】" in (await farmer.open("/")).text
    assert (await farmer.open(f"/pictures/0a1b2c3d4e5f/{NAME}")).status_code == 404


@pytest.mark.parametrize(
    "path",
    [
        "/pictures/0a1b2c3d4e5f/sichuan-pepper/other.jpg",
        "/pictures/0a1b2c3d4e5f/../../etc/passwd",
        "/pictures/0a1b2c3d4e5f/..%2f..%2f..%2fetc/passwd",
        "/pictures/0a1b2c3d4e5f/%2e%2e/passwd",
        "/pictures/0a1b2c3d4e5f/sichuan-pepper/..%2fpepper-rust.md",
        "/pictures/0a1b2c3d4e5f/sichuan-pepper/%2e%2e%5cpepper-rust.md",
        f"/pictures/0a1b2c3d4e5f//{NAME}",
        f"/pictures/{NAME}",
        "/pictures/",
        f"/pictures/0a1b2c3d4e5f/{NAME}%00.png",
    ],
)
async def test_nothing_but_what_the_base_names_is_served(world, path):
    answer = await world.browser().open(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"].startswith("text/html")
