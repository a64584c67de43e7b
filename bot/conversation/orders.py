"""What the head of a commissioner's words about a case asks for: 退回, 转给 吕玉奎, 备注, 会诊 …"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_END = r"(?:\s*[:：,，。、 ]\s*|\s*$)"
_PERSON = r"\s*[:：]?\s*([^\s:：,，。]{1,20})\s*[:：,，。]?\s*"
_HEADS: Mapping[str, re.Pattern[str]] = {
    "decline": re.compile(rf"\s*退回{_END}"),
    "hand": re.compile(rf"\s*转给{_PERSON}"),
    "consult": re.compile(rf"\s*会诊{_PERSON}"),
    "note": re.compile(rf"\s*备注{_END}"),
    "oppose": re.compile(rf"\s*(?:不同意|有分歧){_END}"),
    "assign": re.compile(r"\s*定点(?:联系)?(?:[\s:：]+([^\s:：,，。]{1,20}))?\s*$"),
    "unassign": re.compile(r"\s*取消定点(?:联系)?\s*$"),
    "find": re.compile(rf"\s*找条目{_END}"),
    "canned": re.compile(r"\s*常用语\s*$"),
    "as": re.compile(r"\s*同\s*[#＃]\s*([0-9]{1,9})\s*$"),
}


@dataclass(frozen=True, slots=True)
class Order:
    """`object`: the person, entry or case that it names; `words`: what follows."""

    verb: str
    object: str = ""
    words: str = ""


def order_in(text: str) -> Order | None:
    """None where the words are meant for the farmer."""
    for verb, head in _HEADS.items():
        if found := head.match(text):
            named = found.groups("")
            return Order(verb, "".join(named), text[found.end() :])
    return None
