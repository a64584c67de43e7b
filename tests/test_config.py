"""Reading config/: what is right becomes values, what is wrong is told with file and line."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from bot.config import load
from bot.domain import Address, Kind
from bot.errors import ConfigError


def change(home: Path, name: str, old: str, new: str) -> None:
    path = home / "config" / name
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def complaint(home: Path, **environ: str) -> str:
    with pytest.raises(ConfigError) as caught:
        load(home, environ)
    return str(caught.value)


def test_the_shipped_configuration_is_right(home):
    config = load(home, {})
    assert [person.name for person in config.commissioners] == [
        "王瑞生",
        "吕玉奎",
        "秦兆华",
        "分诊台",
    ]
    assert config.commissioners[-1].kind is Kind.DISPATCHER
    assert config.timers.offer == timedelta(hours=2)
    assert config.database == f"sqlite:///{home}/data/tianwen.db"
    assert config.telegram is None
    assert config.url == "http://127.0.0.1:8000"


def test_an_unknown_key_is_refused_with_the_nearest_known_one(home):
    change(home, "settings.yaml", "  port: 8000", "  prot: 8000")
    said = complaint(home)
    assert said.startswith("config/settings.yaml:")
    assert "没有 prot 这个键" in said
    assert "是不是 port" in said


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("port: 8000", "port: 八千", "port"),
        ("port: 8000", "port: 80000", "太大"),
        ("  offer: 2 ", "  offer: -2 ", "太小"),
        ("mode: polling", "mode: pull", "只能写 'polling' 或 'webhook'"),
        ("confidence:", "confidense:", "confidence"),
        ("  wrong: 0.03 ", "  wrong: 3 ", "wrong"),
        ("budget:", "budget: 3\nx:", "budget"),
    ],
)
def test_a_wrong_setting_is_told_in_chinese_with_its_line(home, old, new, word):
    change(home, "settings.yaml", old, new)
    said = complaint(home)
    assert word in said
    assert "config/settings.yaml:" in said
    assert "怎么改" in said


def test_a_missing_file_says_where_to_stand(tmp_path):
    assert "--home" in complaint(tmp_path)


@pytest.mark.parametrize("content", [b"\xff\xfe\x00", b"", "网：\t".encode()])
def test_a_file_that_is_no_text_is_refused(home, content):
    (home / "config" / "settings.yaml").write_bytes(content)
    assert "config/settings.yaml:" in complaint(home)


def test_two_commissioners_may_not_share_a_name_or_an_id(home):
    change(home, "commissioners.yaml", "name: 吕玉奎", "name: 王瑞生")
    assert "name 重复：王瑞生" in complaint(home)


def test_a_commissioner_may_have_townships_leave_and_addresses(home):
    change(
        home,
        "commissioners.yaml",
        "    specialities: [beekeeping]\n",
        "    specialities: [beekeeping]\n    townships: [盘龙镇]\n    capacity: 3\n"
        "    leave:\n      - {first: 2026-12-01, last: 2026-12-05}\n"
        "    addresses: {telegram: 1001}\n",
    )
    person = load(home, {}).commissioners[0]
    assert person.townships == ("盘龙镇",)
    assert person.is_on_leave(date(2026, 12, 5))
    assert not person.is_on_leave(date(2026, 12, 6))
    assert person.addresses == (Address("telegram", "1001"),)


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("useful.thanks:", "useful.thank:", "useful.thank"),
        ("useful.thanks: 好，帮上忙就好。", "useful.thanks: ''", "是空的"),
        ("{source}", "{sauce}", "{source}"),
        ("{source}", "{source", "{source}"),
    ],
)
def test_a_sentence_that_does_not_fit_the_code_is_refused(home, old, new, word):
    change(home, "phrases.yaml", old, new)
    said = complaint(home)
    assert "config/phrases.yaml:" in said
    assert word in said


def test_a_sentence_cut_off_by_a_comment_sign_is_noticed(home):
    text = (home / "config" / "phrases.yaml").read_text()
    line = next(line for line in text.splitlines() if line.startswith("button.add:"))
    change(home, "phrases.yaml", line, "button.add: 补充到 #{number}")
    assert "button.add 的空格不对" in complaint(home)
    assert "空格后面的 # 会让后面的字都丢掉" in complaint(home)


def test_secrets_come_from_the_environment_or_a_named_file(home, tmp_path):
    secret = tmp_path / "token"
    secret.write_text("123:abc\n")
    config = load(
        home, {"TIANWEN_TELEGRAM_TOKEN_FILE": str(secret), "TIANWEN_DATABASE": "sqlite:////x"}
    )
    assert config.telegram is not None
    assert config.telegram.token == "123:abc"
    assert config.database == "sqlite:////x"
    assert "123:abc" not in repr(config)


def test_a_secret_file_that_is_not_there_is_named(home):
    assert "TIANWEN_DATABASE_FILE" in complaint(home, TIANWEN_DATABASE_FILE="/nowhere")


def test_a_token_of_the_wrong_form_is_refused(home):
    assert "token" in complaint(home, TIANWEN_TELEGRAM_TOKEN="rubbish")


def test_an_address_open_to_all_is_shown_as_this_machine(home):
    change(home, "settings.yaml", "host: 127.0.0.1", "host: 0.0.0.0")
    assert load(home, {}).url == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("old", "new", "word"),
    [
        ("  怎么: [啷个,", "  怎么: [怎么, 啷个,", "“怎么”后面又写了它自己"),
        ("  怎么: [啷个,", "  怎么: [啥子, 啷个,", "“啥子”写了两处：“怎么”和“什么”"),
        ("  怎么: [啷个,", "  怎么: [什么, 啷个,", "自己又是一个标准说法"),
        ("  怎么: [啷个,", "  怎样办: []\n  怎么: [啷个,", "至少要有一项"),
        ("by_sound:\n  [花椒,", "by_sound:\n  [椒, 花椒,", "“椒”不能按读音认"),
        ("by_sound:\n  [花椒,", "by_sound:\n  [DDT药, 花椒,", "“DDT药”不能按读音认"),
        ("classes:\n  crop:", "classes:\n  animal: {猪: [猪]}\n  crop:", "只能写 'crop'"),
    ],
)
def test_a_word_list_that_leaves_a_meaning_open_is_refused(home, old, new, word):
    change(home, "lexicon.yaml", old, new)
    said = complaint(home)
    assert "config/lexicon.yaml:" in said
    assert word in said


def test_other_subjects_are_whole_words_of_the_search(home):
    words = load(home, {}).words
    assert words.standards["没有"][0] == "没得"
    assert {"海椒", "一窝蜂"} <= set(words.whole)
