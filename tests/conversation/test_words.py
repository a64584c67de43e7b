"""The word lists: wishes, their look-alikes, and places."""

import pytest

from bot.conversation.decision import Policy
from bot.conversation.wishes import Lexicon, Wish
from tests.cast import lexicon

NO_WISHES = [
    "谢谢老师，请问花椒好久打药",
    "谢谢，我再问一句，蜂箱好多钱",
    "感谢回复，但是叶子还是黄",
    "多谢了，那锈病打好几次",
    "麻烦看下这是啥子病",
    "麻烦老师说下咋个分蜂",
    "取消订单的客户不退押金咋办",
    "客商取消收购了找哪个",
    "合同取消了定金退不退",
    "怎么取消快递",
    "柑子不要了咋处理",
    "树子太老，算了还是砍了重栽好不",
    "算了一下，一亩要好多苗",
    "价格算不算高",
    "蜂子不行了咋个救",
    "药打了不行，换哪种",
    "这个方法可以不",
    "可以打石硫合剂吗",
    "行不行嘛",
    "要得不",
    "你好，蜂子不进箱",
    "在吗？花椒叶子黄了",
    "解决了没得",
    "锈病好转了还要不要打药",
    "治好了的树还会不会发",
    "没用过石硫合剂，咋个兑",
    "不是说花椒不能打这个药吗",
    "不对称的叶子是啥子病",
    "特派员好久来我们村",
    "专家说要重剪，对不对",
    "人工授粉咋个整",
    "找人摘花椒好多钱一天",
    "补充营养用啥子肥",
    "我的问题是花椒落果",
    "新问题又来了，叶子卷了",
    "收到假药咋办",
    "明白了，那好久打",
    "再见不到蜂王了咋办",
    "好多钱一斤",
    "是不是锈病",
    "对不对",
    "早花椒好久摘",
    "没有蜂王咋办",
    "接蜂咋个接",
    "退回来的柑子咋处理",
]


@pytest.mark.parametrize("text", NO_WISHES)
def test_a_question_is_not_taken_for_a_wish(text):
    assert lexicon().wish(text) is None


@pytest.mark.parametrize(
    ("text", "wish"),
    [
        ("算了嘛", Wish.CANCEL),
        ("帮我取消一下", Wish.CANCEL),
        ("解决了，谢谢老师！", Wish.SOLVED),
        ("没用，转特派员", Wish.PERSON),
        ("老师好，我的问题到哪一步了", Wish.LIST),
        ("OK", Wish.SMALL_TALK),
        ("接单", Wish.ACCEPT),
        ("退回", Wish.DECLINE),
        ("请", None),
    ],
)
def test_a_wish_is_the_whole_message_courtesy_aside(text, wish):
    assert lexicon().wish(text) is wish


def test_without_words_there_are_no_wishes():
    assert Lexicon({}).wish("你好") is None


@pytest.mark.parametrize(
    ("text", "township"),
    [
        ("盘龙镇", "盘龙镇"),
        ("我们荣隆这边的花椒", "荣隆镇"),
        ("在安富的花椒地", "安富街道"),
        ("清江的柑子", "清江镇"),
        ("仁义", "仁义镇"),
        ("直升飞机打药", None),
        ("花椒", None),
        ("", None),
    ],
)
def test_a_township_is_told_by_full_name_or_as_a_place(text, township):
    assert lexicon().township(text) == township


@pytest.mark.parametrize(
    "bounds",
    [{"answer_at": 1.1}, {"offer_at": -0.1}, {"most_choices": 0}, {"most_choices": 4}],
)
def test_a_policy_that_makes_no_sense_is_refused(bounds):
    with pytest.raises(ValueError):
        Policy(**({"answer_at": 0.9, "offer_at": 0.8} | bounds))
