"""What a commissioner is asked to look at before his words go to a farmer."""

from __future__ import annotations

import pytest

from bot.__main__ import HOME
from bot.knowledge import banned, worries

LISTS, _ = banned(HOME / "knowledge")


@pytest.mark.parametrize(
    ("text", "domain", "heard"),
    [
        ("打甲胺磷，隔几天再看", "sichuan-pepper", "甲胺磷：全国禁"),
        ("用三九一一灌根", "sichuan-pepper", "甲拌磷"),
        ("喂点氯霉素", "beekeeping", "氯霉素"),
        ("喂点氯霉素", None, "氯霉素"),
        ("兑八百倍，再加 800 倍的", "sichuan-pepper", "用量“800 倍”"),
        ("药每桶水放20克", "sichuan-pepper", "每桶水放20克"),
        ("第一句没事。\n第二行打甲胺磷", "sichuan-pepper", "甲胺磷"),
    ],
)
def test_banned_substances_and_loose_doses_are_named(text, domain, heard):
    assert heard in "；".join(worries(text, domain, LISTS))


@pytest.mark.parametrize(
    "text",
    [
        "甲胺磷是禁用的，莫打",
        "先剪病枝，拿出去烧",
        "照标签兑 800 倍，安全间隔期也看标签",
        "隔两天再看看，有变化就拍照发来",
        "",
    ],
)
def test_sound_words_pass(text):
    assert worries(text, "sichuan-pepper", LISTS) == ()


def test_each_worry_is_told_once():
    twice = "打甲胺磷。再打一道甲胺磷"
    assert len(worries(twice, "sichuan-pepper", LISTS)) == 1
