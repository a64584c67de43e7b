"""Cutting text never breaks what people see as one character."""

import random

import pytest

from bot.channels.text import cut, legible, utf16_units

FAMILY = "👨‍👩‍👧‍👦"
SIGNS = ["花", "🌶", FAMILY, "👍🏽", "é", "é", "🇨🇳", "☎️", "a"]


def test_a_short_text_is_one_piece():
    assert cut("花椒叶子黄了", limit=10) == ("花椒叶子黄了",)


def test_a_blank_text_is_no_piece():
    assert cut(" \n ", limit=10) == ()


def test_length_is_counted_as_telegram_counts_it():
    assert [utf16_units(one) for one in ("花", "🌶", FAMILY)] == [1, 2, 11]


def test_a_cut_falls_after_a_paragraph_before_a_line_before_a_sentence():
    assert cut("一二三。四五\n六七\n\n八九十", limit=11) == ("一二三。四五\n六七", "八九十")
    assert cut("一二三。四五\n六七八九十", limit=9) == ("一二三。四五", "六七八九十")
    assert cut("一二三四。五六七八九十", limit=7) == ("一二三四。", "五六七八九十")


def test_a_stop_near_the_start_does_not_make_a_tiny_piece():
    assert cut("一。" + "二" * 20, limit=10)[0] == "一。" + "二" * 8


@pytest.mark.parametrize("sign", SIGNS)
@pytest.mark.parametrize("ahead", range(3))
def test_no_sign_is_broken(sign, ahead):
    limit = 2 * utf16_units(sign) + 1
    pieces = cut("一" * ahead + sign * 9, limit=limit)
    assert "".join(pieces) == "一" * ahead + sign * 9
    assert all(utf16_units(piece) <= limit for piece in pieces)
    if sign != "🇨🇳":  # a row of flags is cut between letters where it is all flags
        assert all(piece.lstrip("一").replace(sign, "") == "" for piece in pieces)


def test_nothing_is_lost_or_too_long_in_any_mixture():
    chance = random.Random(7)
    for _ in range(300):
        text = "".join(chance.choice([*SIGNS, "。", "\n"]) for _ in range(120)).strip()
        pieces = cut(text, limit=chance.randint(24, 90))
        assert "".join("".join(pieces).split()) == "".join(text.split())
        assert all(piece.strip() for piece in pieces)


def test_bytes_can_be_the_measure():
    pieces = cut("花椒" * 700, limit=2048, size=lambda text: len(text.encode()))
    assert [len(piece.encode()) for piece in pieces] == [2046, 2046, 108]


def test_a_limit_below_one_character_is_refused():
    with pytest.raises(ValueError, match="holds no character"):
        cut("🌶🌶", limit=1)


def test_text_becomes_legible():
    assert legible("a\x00b\x1bc\nd\te\r\ud83d花\ud83c\udf3f") == "abc\nd\te\ufffd花🌿"
