"""What is said of a photo that is hard to judge; a good one is never found fault with."""

import pytest
from PIL import Image

from bot.channels.photos import clean_photo
from bot.domain import Flaw
from tests.channels.shots import blurred, jpeg, leaf, lit, shot

GOOD = {"temple": shot("china"), "flower": shot("flower"), "leaf before the sky": leaf()}
everyone = pytest.mark.parametrize("photo", GOOD.values(), ids=GOOD)


def flaws(photo: Image.Image, quality: int = 85) -> tuple[Flaw, ...]:
    return clean_photo(jpeg(photo, quality)).flaws


@everyone
def test_a_good_photo_has_no_flaw(photo):
    assert flaws(photo) == ()


@everyone
def test_a_photo_as_phones_and_chats_leave_it_is_good(photo):
    kinds = {
        "a little soft": blurred(photo, 0.5),
        "cloudy": lit(photo, 0.6),
        "sunny": lit(photo, 1.3),
        "sent on by a chat": photo.resize((480, 480 * photo.height // photo.width)),
        "of many megapixels": photo.resize((4000, 4000 * photo.height // photo.width)),
    }
    assert {kind: flaws(one, quality=60) for kind, one in kinds.items()} == dict.fromkeys(kinds, ())


@everyone
@pytest.mark.parametrize("radius", [3, 4, 6, 8])
def test_a_blurred_photo_is_found(photo, radius):
    assert flaws(blurred(photo, radius)) == (Flaw.BLURRED,)


@everyone
@pytest.mark.parametrize("share", [0.05, 0.1, 0.2])
def test_a_dark_photo_is_found(photo, share):
    assert Flaw.DARK in flaws(lit(photo, share))


def test_a_dark_photo_is_not_called_blurred_for_being_dark():
    assert flaws(lit(shot("china"), 0.2)) == (Flaw.DARK,)


def test_a_dark_thing_before_a_bright_sky_is_no_dark_photo():
    photo = leaf()
    photo.paste((15, 25, 10), (100, 500, 1500, 1200))
    assert flaws(photo) == ()


@everyone
def test_a_burnt_out_photo_is_found(photo):
    washed = photo.point(lambda level: min(255, 215 + level // 4))
    assert Flaw.BRIGHT in flaws(washed)


def test_a_leaf_on_white_paper_is_not_called_burnt_out():
    paper = Image.new("RGB", (1200, 900), "white")
    paper.paste(shot("flower").resize((320, 213)), (400, 300))
    assert flaws(paper) == ()


@pytest.mark.parametrize(
    ("width", "expected"), [(399, (Flaw.SMALL,)), (400, ()), (120, (Flaw.SMALL,))]
)
def test_a_small_photo_is_found(width, expected):
    photo = shot("china")
    assert flaws(photo.resize((width, width * photo.height // photo.width))) == expected


@pytest.mark.parametrize("size", [(1, 1), (1, 900), (5000, 3), (23, 23)])
def test_a_photo_of_an_odd_shape_is_kept(size):
    assert clean_photo(jpeg(Image.new("RGB", size, "green"))).content
