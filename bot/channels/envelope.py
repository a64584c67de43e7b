"""The encrypted envelope of WeChat Official Accounts and of apps built on WeCom.

A push is `<xml><Encrypt>…</Encrypt></xml>`, signed by SHA-1 over the sorted token, timestamp,
nonce and ciphertext. Inside: AES-256-CBC, the IV being the key's first half, padded to blocks of
32 bytes, over 16 random bytes, the text's length (4 bytes, big-endian), the text and the receiver.
Source: WeChat's documentation of message encryption (消息加解密说明).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import re
import secrets
import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from defusedxml import ElementTree
from defusedxml.common import DefusedXmlException

from bot.channels.text import legible
from bot.errors import ConfigError, Forged

BLOCK = 32  # bytes: PKCS7 as WeChat pads, not AES's own 16
HEAD = 20  # bytes before the text: 16 random ones and its length


@dataclass(frozen=True, slots=True)
class Opened:
    """What came in, and the key that opened it: the answer is sealed with the same."""

    text: str
    key: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Envelope:
    """Opens and seals for one receiver: an AppID, or with WeCom a corp id.

    `keys` are EncodingAESKeys, the current one and the one before, which pushes under way still
    use. Every way in which a request is not the platform's raises the same Forged.
    """

    token: str = field(repr=False)
    keys: tuple[str, ...] = field(repr=False)
    receiver: str
    tolerance: timedelta = timedelta(minutes=10)  # clocks of village machines drift

    def __post_init__(self) -> None:
        if not self.token:
            raise ConfigError("消息推送的 Token 没有填：在后台“服务器配置”里抄过来。")
        if not self.keys or not all(re.fullmatch(r"[A-Za-z0-9]{43}", key) for key in self.keys):
            raise ConfigError("EncodingAESKey 不对：是后台“服务器配置”里 43 位的字母和数字。")

    def open(self, query: Mapping[str, str], body: bytes, now: datetime) -> Opened:
        """The text of a push in safe mode."""
        sealed = _encrypt_of(body)
        self._check(query, "msg_signature", sealed, now=now)
        return self._decrypt(sealed)

    def echo(self, query: Mapping[str, str], now: datetime) -> str:
        """The answer to the platform's check of our address."""
        echo = query.get("echostr", "")
        if "msg_signature" in query:
            self._check(query, "msg_signature", echo, now=now)
            return self._decrypt(echo).text
        self._check(query, "signature", now=now)
        return echo

    def plain(self, query: Mapping[str, str], body: bytes, now: datetime) -> str:
        """A push in plain mode, whose signature does not cover the body: for development only."""
        self._check(query, "signature", now=now)
        return _decoded(body)

    def seal(
        self,
        text: str,
        *,
        key: bytes,
        now: datetime,
        nonce: str | None = None,
        random: bytes | None = None,
    ) -> str:
        """The XML of an answer."""
        content = text.encode()
        head = (random or secrets.token_bytes(16)) + struct.pack(">I", len(content))
        whole = head + content + self.receiver.encode()
        spare = BLOCK - len(whole) % BLOCK
        cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).encryptor()
        sealed = cipher.update(whole + bytes([spare]) * spare) + cipher.finalize()
        encrypt = base64.b64encode(sealed).decode()
        stamp, nonce = str(int(now.timestamp())), nonce or secrets.token_hex(8)
        signature = signed(self.token, stamp, nonce, encrypt)
        return (
            f"<xml><Encrypt><![CDATA[{encrypt}]]></Encrypt>"
            f"<MsgSignature><![CDATA[{signature}]]></MsgSignature>"
            f"<TimeStamp>{stamp}</TimeStamp><Nonce><![CDATA[{nonce}]]></Nonce></xml>"
        )

    def _check(self, query: Mapping[str, str], name: str, *sealed: str, now: datetime) -> None:
        stamp, nonce = query.get("timestamp", ""), query.get("nonce", "")
        expected = signed(self.token, stamp, nonce, *sealed)
        if not hmac.compare_digest(expected.encode(), _bytes(query.get(name, ""))):
            raise Forged("signature")
        is_number = stamp.isascii() and stamp.isdecimal() and len(stamp) <= 11
        if not is_number or abs(int(stamp) - now.timestamp()) > self.tolerance.total_seconds():
            raise Forged("timestamp")

    def _decrypt(self, sealed: str) -> Opened:
        for given in self.keys:
            key = base64.b64decode(given + "=")
            text = self._with_key(sealed, key)
            if text is not None:
                return Opened(text, key)
        raise Forged("key")

    def _with_key(self, sealed: str, key: bytes) -> str | None:
        try:
            content = base64.b64decode(sealed, validate=True)
            cipher = Cipher(algorithms.AES(key), modes.CBC(key[:16])).decryptor()
            whole = cipher.update(content) + cipher.finalize()
        except (ValueError, binascii.Error):
            return None
        spare = whole[-1] if whole else 0
        is_padded = 1 <= spare <= BLOCK and whole.endswith(bytes([spare]) * spare)
        whole = whole[:-spare] if is_padded else b""
        if len(whole) < HEAD or len(content) % BLOCK:
            return None
        end = HEAD + struct.unpack(">I", whole[16:HEAD])[0]
        if end > len(whole) or not hmac.compare_digest(whole[end:], self.receiver.encode()):
            return None
        try:
            return whole[HEAD:end].decode()
        except UnicodeDecodeError:
            return None


def signed(*parts: str) -> str:
    """SHA-1 of the sorted parts, in hex."""
    return hashlib.sha1(b"".join(sorted(map(_bytes, parts)))).hexdigest()  # noqa: S324 - theirs


def fields(text: str) -> dict[str, str]:
    """A push's elements by name, those of nested elements by their own names; raises Forged.
    Accounts may be set to push JSON instead of XML."""
    if text.lstrip().startswith("{"):
        return _of_json(text)
    root = _parsed(text.encode("utf-8", "surrogatepass"))
    return {one.tag: one.text or "" for one in root.iter() if not len(one)}


def reply_xml(**elements: str | int) -> str:
    """An answer before it is sealed."""
    inside = "".join(
        f"<{name}>{value}</{name}>"
        if isinstance(value, int)
        else f"<{name}><![CDATA[{_cdata(value)}]]></{name}>"
        for name, value in elements.items()
    )
    return f"<xml>{inside}</xml>"


def _cdata(text: str) -> str:
    return legible(text).replace("]]>", "]]]]><![CDATA[>")


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


def _decoded(body: bytes) -> str:
    try:
        return body.decode()
    except UnicodeDecodeError as error:
        raise Forged("encoding") from error


def _encrypt_of(body: bytes) -> str:
    if body.lstrip()[:1] == b"{":
        return _of_json(_decoded(body)).get("Encrypt", "")
    found = _parsed(body).findall("Encrypt")
    if len(found) != 1:
        raise Forged("no ciphertext")
    return found[0].text or ""


def _of_json(text: str) -> dict[str, str]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise Forged("JSON") from error
    if not isinstance(found, dict):
        raise Forged("JSON")
    return {name: value if isinstance(value, str) else str(value) for name, value in found.items()}


def _parsed(body: bytes) -> Any:
    try:
        return ElementTree.fromstring(body, forbid_dtd=True)
    except (ElementTree.ParseError, DefusedXmlException, ValueError, LookupError) as error:
        raise Forged("XML") from error
