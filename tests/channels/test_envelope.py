"""The envelope against WeChat's published vectors, two foreign implementations, and 10,000
forgeries."""

from __future__ import annotations

import base64
import json
import random
import shutil
import string
import subprocess
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from wechatpy.crypto import WeChatCrypto

from bot.channels.envelope import Envelope, fields, reply_xml, signed
from bot.errors import ConfigError, Forged

# The example of WeChat's page on message push (消息推送).
PUBLISHED = Envelope("AAAAA", ("A" * 43,), "wxba5fad812f8e6fb9")
PUSHED_AT = datetime.fromtimestamp(1714112445, UTC)
CIPHER = (
    "+qdx1OKCy+5JPCBFWw70tm0fJGb2Jmeia4FCB7kao+/Q5c/ohsOzQHi8khUOb05JCpj0JB4RvQMkUyus8TPxLKJGQqcv"
    "ZqzDpVzazhZv6JsXUnnR8XGT740XgXZUXQ7vJVnAG+tE8NUd4yFyjPy7GgiaviNrlCTj+l5kdfMuFUPpRSrfMZuMcp3F"
    "n2Pede2IuQrKEYwKSqFIZoNqJ4M8EajAsjLY2km32IIjdf8YL/P50F7mStwntrA2cPDrM1kb6mOcfBgRtWygb3VIYnSe"
    "OBrebufAlr7F9mFUPAJGj04="
)
SIGNED = "046e02f8204d34f8ba5fa3b1db94908f3df2e9b3"
QUERY = {"timestamp": "1714112445", "nonce": "415670741", "msg_signature": SIGNED}

TOKEN, APP = "tianwen", "wx0123456789abcdef"
CHANCE = random.Random(20261124)
KEYS = ["".join(CHANCE.choices(string.ascii_letters, k=42)) + "A" for _ in range(2)]
OURS = Envelope(TOKEN, (KEYS[0],), APP)
NOW = datetime(2026, 11, 24, tzinfo=UTC)
STAMP = str(int(NOW.timestamp()))
LETTERS = "蜂子花椒柑橘啥咋个🌶👍🏽é𠮷]]><&>\"'\\ \n\tabc0123456789"


def key_of(key: str) -> bytes:
    return base64.b64decode(key + "=")


def messages(count: int) -> Iterator[str]:
    for number in range(count):
        length = number % 70 if number < 500 else CHANCE.randint(0, 900)
        yield "".join(CHANCE.choices(LETTERS, k=length)) or "空"


def query_of(sealed: str, **changes: str) -> dict[str, str]:
    query = {"timestamp": STAMP, "nonce": "n0"}
    return {**query, "msg_signature": signed(TOKEN, STAMP, "n0", sealed), **changes}


def pushed(text: str, **changes: Any) -> tuple[dict[str, str], bytes]:
    """A push of the platform."""
    sealed = fields(OURS.seal(text, key=key_of(KEYS[0]), now=NOW))["Encrypt"]
    return query_of(sealed, **changes), f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()


def test_the_published_signatures_are_ours():
    assert signed("AAAAA", "1714037059", "486452656") == "899cf89e464efb63f54ddac96b0a0a235f53aa78"
    url = {"timestamp": "1714036504", "nonce": "1514711492", "echostr": "4375120948345356249"}
    url["signature"] = "f464b24fc39322e44b38aa78f5edd27bd1441696"
    asked_at = datetime.fromtimestamp(1714036504, UTC)
    assert PUBLISHED.echo(url, asked_at) == "4375120948345356249"


@pytest.mark.parametrize("form", ["xml", "json"])
def test_the_published_push_is_opened(form: str):
    body = {
        "xml": f"<xml><Encrypt>{CIPHER}</Encrypt></xml>",
        "json": json.dumps({"ToUserName": "gh_97417a04a28d", "Encrypt": CIPHER}),
    }[form]
    found = fields(PUBLISHED.open(QUERY, body.encode(), PUSHED_AT).text)
    assert found["Event"] == "debug_demo"
    assert found["debug_str"] == "hello world"
    assert found["CreateTime"] == "1714112445"


def test_the_published_answer_is_sealed():
    answer = PUBLISHED.seal(
        '{"demo_resp":"good luck"}',
        key=key_of("A" * 43),
        now=datetime.fromtimestamp(1713424427, UTC),
        nonce="415670741",
        random=b"707722b803182950",
    )
    assert fields(answer)["Encrypt"] == (
        "ELGduP2YcVatjqIS+eZbp80MNLoAUWvzzyJxgGzxZO/5sAvd070Bs6qrLARC9nVHm48Y4hyRbtzve1L32tmxSQ=="
    )


def test_wechatpy_and_we_read_each_other():
    peer = WeChatCrypto(TOKEN, KEYS[0], APP)
    for text in messages(1000):
        theirs = peer.encrypt_message(text, "n1", STAMP)
        query = {"timestamp": STAMP, "nonce": "n1", "msg_signature": fields(theirs)["MsgSignature"]}
        assert OURS.open(query, theirs.encode(), NOW).text == text
        ours = OURS.seal(text, key=key_of(KEYS[0]), now=NOW, nonce="n2")
        read = peer.decrypt_message(ours, fields(ours)["MsgSignature"], STAMP, "n2")
        assert (read.decode() if isinstance(read, bytes) else read) == text


@pytest.fixture(scope="module")
def tencent(tmp_path_factory) -> Iterator[Callable[..., Any]]:
    """Tencent's own package for Node, asked line by line."""
    if shutil.which("npm") is None:
        pytest.skip("no npm here to bring Tencent's package")
    folder = tmp_path_factory.mktemp("wecom-crypto")
    shutil.copy(Path(__file__).with_name("wecom_crypto.cjs"), folder)
    bring = ["npm", "install", "--silent", "--no-audit", "--no-fund", "@wecom/crypto@1.0.1"]
    done = subprocess.run(
        bring, check=False, cwd=folder, capture_output=True, text=True, timeout=120
    )
    if done.returncode:
        pytest.skip(f"the package registry does not give it: {done.stderr[-200:]}")
    with subprocess.Popen(
        ["node", "wecom_crypto.cjs"],
        cwd=folder,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ) as node:

        def ask(**asked: str) -> Any:
            node.stdin.write(json.dumps(asked) + "\n")
            node.stdin.flush()
            return json.loads(node.stdout.readline())

        yield ask
        node.stdin.close()


def test_tencents_package_and_we_read_each_other(tencent: Callable[..., Any]):
    for text in messages(1000):
        sealed = tencent(act="encrypt", key=KEYS[0], text=text, receiver=APP)["sealed"]
        body = f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()
        assert OURS.open(query_of(sealed), body, NOW).text == text
        ours = fields(OURS.seal(text, key=key_of(KEYS[0]), now=NOW))["Encrypt"]
        read = tencent(act="decrypt", key=KEYS[0], text=ours)
        assert (read["message"], read["id"]) == (text, APP)


def test_a_push_under_the_key_before_is_opened_and_answered_with_it():
    changed = Envelope(TOKEN, (KEYS[1], KEYS[0]), APP)
    opened = changed.open(*pushed("换钥匙"), NOW)
    assert (opened.text, opened.key) == ("换钥匙", key_of(KEYS[0]))
    with pytest.raises(Forged):
        Envelope(TOKEN, (KEYS[1],), APP).open(*pushed("换钥匙"), NOW)


def test_a_push_for_another_account_or_of_long_ago_is_forged():
    query, body = pushed("在吗")
    with pytest.raises(Forged):
        Envelope(TOKEN, (KEYS[0],), "wxfedcba9876543210").open(query, body, NOW)
    for shift in (timedelta(minutes=11), -timedelta(minutes=11)):
        with pytest.raises(Forged):
            OURS.open(query, body, NOW + shift)
    assert OURS.open(query, body, NOW + timedelta(minutes=9)).text == "在吗"


def forgery(text: str) -> tuple[dict[str, str], bytes]:
    """A push that was changed somewhere, in one of the ways that people and noise find."""
    query, body = pushed(text)
    ways: tuple[Callable[[], tuple[dict[str, str], bytes]], ...] = (
        lambda: (query, flipped(body)),
        lambda: (query, body[: CHANCE.randrange(len(body))]),
        lambda: (query, cut_out(body)),
        lambda: (query, doubled(body)),
        lambda: ({**query, CHANCE.choice(list(query)): "x" * CHANCE.randint(0, 40)}, body),
        lambda: ({name: query[name] for name in list(query)[1:]}, body),
        lambda: ({**query, "nonce": query["timestamp"], "timestamp": query["nonce"]}, body),
        lambda: (query, pushed(text + "。")[1]),
        lambda: (query, CHANCE.randbytes(CHANCE.randint(0, 2000))),
        lambda: resigned(CHANCE.randbytes(32 * CHANCE.randint(0, 20))),
        lambda: (query, CHANCE.choice(ODD).encode("utf-8", "surrogatepass")),
    )
    return CHANCE.choice(ways)()


ODD = (
    "<xml>" * 3000,
    "<!DOCTYPE x [<!ENTITY a 'aaaa'><!ENTITY b '&a;&a;&a;']><xml><Encrypt>&b;</Encrypt></xml>",
    "<!DOCTYPE x SYSTEM 'http://127.0.0.1/x'><xml><Encrypt>x</Encrypt></xml>",
    "<?xml version='1.0' encoding='utf-7'?><xml><Encrypt>x</Encrypt></xml>",
    "<xml><Encrypt>\ud800</Encrypt></xml>",
    "<xml><Encrypt>\x00</Encrypt></xml>",
    "<xml><Encrypt>蜂子</Encrypt></xml>",
    "<xml><Encrypt/></xml>",
    "[" * 60_000,
    '{"Encrypt": ' + "[" * 5000,
    '{"Encrypt": 1}',
    "null",
    "",
)


def flipped(content: bytes) -> bytes:
    if not content:
        return b"x"
    place = CHANCE.randrange(len(content))
    changed = content[place] ^ (1 << CHANCE.randrange(8))
    return content[:place] + bytes([changed]) + content[place + 1 :]


def cut_out(content: bytes) -> bytes:
    start = CHANCE.randrange(len(content))
    return content[:start] + content[start + CHANCE.randint(1, 40) :]


def doubled(content: bytes) -> bytes:
    start = CHANCE.randrange(len(content))
    return content[:start] + content[start : start + CHANCE.randint(1, 40)] + content[start:]


def resigned(content: bytes) -> tuple[dict[str, str], bytes]:
    """By somebody who has the token and guesses at the key. (Who has both the token and a push
    could turn bits in it: the protocol has no check of its own against that.)"""
    sealed = base64.b64encode(content).decode()
    return query_of(sealed), f"<xml><Encrypt>{sealed}</Encrypt></xml>".encode()


def test_of_ten_thousand_forgeries_none_is_taken_and_none_breaks_us():
    harmless = 0
    for number, text in enumerate(messages(10_000)):
        query, body = forgery(f"{number} {text}")
        try:
            opened = OURS.open(query, body, NOW)
        except Forged:
            continue
        harmless += 1  # noise beside the ciphertext: what was opened is what was sealed
        assert opened.text == f"{number} {text}"
        assert fields(body.decode("utf-8", "replace"))["Encrypt"] in query_matching(query, body)
    assert harmless < 1500


def query_matching(query: dict[str, str], body: bytes) -> str:
    """The ciphertext that the signature stands for: the one the platform sealed."""
    sealed = fields(body.decode("utf-8", "replace"))["Encrypt"]
    names = ("timestamp", "nonce")
    assert query["msg_signature"] == signed(TOKEN, *(query[name] for name in names), sealed)
    return sealed


def test_ten_thousand_odd_texts_are_fields_or_forged():
    xml = reply_xml(ToUserName="gh_1", FromUserName="o1", MsgType="text", Content="蜂子", MsgId="7")
    taken = 0
    for number in range(10_000):
        way = CHANCE.choice((flipped, cut_out, doubled))
        odd = (
            ODD[number % len(ODD)]
            if number % 10 == 0
            else way(xml.encode()).decode("utf-8", "replace")
        )
        try:
            found = fields(odd)
        except Forged:
            continue
        taken += 1
        assert all(isinstance(value, str) for value in found.values())
    assert taken


def test_an_answer_carries_any_text_and_nothing_else():
    for text in (*messages(200), "]]>", "a]]>b]]>", "]]", "\x00\x01坏\ud800"):
        found = fields(reply_xml(Content=text, CreateTime=5))
        assert found["CreateTime"] == "5"
        assert found["Content"] == "".join(
            one for one in text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
            if one >= " " or one in "\n\t"
        )  # fmt: skip


@pytest.mark.parametrize("wrong", ["", "A" * 42, "A" * 44, "A" * 42 + "=", "钥" * 43])
def test_a_wrong_key_is_told_to_staff(wrong: str):
    with pytest.raises(ConfigError, match="EncodingAESKey"):
        Envelope(TOKEN, (wrong,), APP)


def test_a_missing_token_is_told_to_staff():
    with pytest.raises(ConfigError, match="Token"):
        Envelope("", (KEYS[0],), APP)
