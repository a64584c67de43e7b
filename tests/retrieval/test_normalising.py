"""Farmers' words put one way, and the guard against an answer about something else."""

from __future__ import annotations

import pytest

from bot.config import load
from bot.retrieval.normalising import Normaliser
from bot.retrieval.words import Words, conflict
from tests.conftest import ROOT

WORDS = Words(
    standards={
        "怎么": ("咋", "咋个"),
        "行不行": ("要得不",),
        "没有": ("没得",),
        "根部": ("蔸蔸",),
        "中蜂": ("土蜂",),
        "上面": ("高头",),
        "没有用": ("没得用",),
    },
    by_sound=("花椒", "打药", "土蜂", "炭疽病", "天牛", "定金", "订金", "蜂群", "分蜂", "石灰"),
    whole=("分群", "海椒", "是灰", "橘红"),
    classes={
        "crop": {"花椒": ("椒",), "蜜蜂": ("蜂",), "柑橘": ("橘",)},
        "organ": {"叶": ("叶",), "根": ("蔸蔸", "烂根"), "果": ("果",)},
    },
)


@pytest.fixture(scope="module")
def normaliser() -> Normaliser:
    return Normaliser(WORDS)


@pytest.fixture(scope="module")
def shipped() -> Normaliser:
    return Normaliser(load(ROOT, {}).words)


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("ＡＢ１２％", "ab12%"),
        ("樹葉變黃", "树叶变黄"),
        ("打坏", "打坏"),  # OpenCC would make it 打坯
        ("落了🍂怎么办[流汗]😭", "落了怎么办"),
        ("看\u200b看\ufeff", "看看"),
        ("哈哈哈哈。。。。", "哈哈。。"),
        ("1000斤，叶叶尖尖", "1000斤,叶叶尖尖"),
        ("3天打2次，12月，30亩，2月，2026年", "三天打两次,十二月,三十亩,二月,2026年"),
        ("25℃  左右", "25°c 左右"),
        ("", ""),
    ],
)
def test_looks_are_evened_out(normaliser, written, plain):
    assert normaliser.plain(written) == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("咋个治蔸蔸", "怎么治根部"),
        ("没得用", "没有用"),  # the longer first
        ("土蜂", "中蜂"),
        ("海椒高头", "海椒上面"),
    ],
)
def test_what_people_say_becomes_the_standard_word_once(normaliser, written, plain):
    assert normaliser.plain(written) == plain


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("花交树打要", "花椒树打药"),
        ("花叫炭居病", "花椒炭疽病"),
        ("天流", "天牛"),  # n and l
        ("土峰", "中蜂"),  # the slip of a variant
        ("定今，订今", "定金,订金"),  # sounds alike: what shares most characters
    ],
)
def test_a_slip_that_sounds_like_a_term_becomes_the_term(normaliser, written, plain):
    assert normaliser.plain(written) == plain


@pytest.mark.parametrize(
    "written",
    [
        "人工分群",  # whole, though it sounds like 蜂群
        "发酵",  # shares no character with 花椒
        "底下还是灰的",
        "粉粉",
    ],
)
def test_a_word_of_its_own_is_no_slip(normaliser, written):
    assert normaliser.plain(written) == written


def test_a_slip_does_not_cut_into_a_listed_word(normaliser):
    assert normaliser.plain("现在打要得不") == "现在打行不行"


def test_concepts_are_named_by_any_word_and_not_by_a_part_of_another(normaliser):
    assert normaliser.concepts("花交蔸蔸烂了，海椒也橘红") == {
        "crop": frozenset({"花椒"}),
        "organ": frozenset({"根"}),
    }


@pytest.mark.parametrize(
    ("question", "against"),
    [
        ("橘子烂根", "crop"),
        ("橘子和花椒烂根", None),
        ("椒树果子上有黑点", "organ"),
        ("椒树果子和叶子都黑", None),  # two parts say little
        ("椒叶也黄", None),  # the entry speaks of leaves too, if seldom
        ("怎么办", None),
    ],
)
def test_a_question_about_something_else_conflicts_with_the_entry(normaliser, question, against):
    entry = normaliser.subject("花椒烂根", ["蔸蔸臭", "蔸蔸黑，叶子黄", "树要死了", "树蔫了"])
    assert conflict(normaliser.concepts(question), entry) == against


def test_a_part_the_entry_merely_mentions_speaks_against_nothing(normaliser):
    entry = normaliser.subject("全年月历", ["花椒什么时候打药", "叶子黄", "几月剪", "几月施肥"])
    assert conflict(normaliser.concepts("椒果黑了"), entry) is None


def test_without_lists_nothing_is_replaced_and_nothing_conflicts():
    bare = Normaliser(Words())
    assert bare.plain("花交") == "花交"
    assert conflict(bare.concepts("花交"), bare.subject("花椒", [])) is None


@pytest.mark.parametrize(
    ("written", "plain"),
    [
        ("花交莫得叶叶啷个办嘛", "花椒没有叶子怎么办嘛"),
        ("炭居病打要好久", "炭疽病打药多久"),
        ("分封热", "分蜂热"),
        ("人工分群", "人工分群"),
        ("老家接着喂洋峰", "老家接着喂意蜂"),
        ("他开腔只晓得分级", "他开腔只知道分级"),
    ],
)
def test_the_shipped_lists_read_a_farmer(shipped, written, plain):
    assert shipped.plain(written) == plain


@pytest.mark.parametrize("text", ["一熟就一窝蜂", "背面有橘红色的粉", "采花回来"])
def test_the_shipped_lists_see_no_crop_or_part_in_a_manner_of_speaking(shipped, text):
    concepts = shipped.concepts(text)
    assert concepts["crop"] | concepts["organ"] == frozenset()


def test_every_shipped_word_is_left_as_it_is(shipped):
    words = load(ROOT, {}).words
    standards = {term: term for term in words.by_sound} | {
        variant: standard
        for standard, variants in words.standards.items()
        for variant in (standard, *variants)
    }
    wrong = {
        word: shipped.plain(word) for word in standards if shipped.plain(word) != standards[word]
    }
    assert wrong == {}
