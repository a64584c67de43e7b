"""What staff may write in a field, checked and put right; the messages are for them."""

from __future__ import annotations

import re
from datetime import date
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

# Entry ids, domain ids, groups, specialities. An id travels in a button's 64 bytes.
NAME = re.compile(r"(?=.{1,40}$)[a-z0-9]+(-[a-z0-9]+)*")
NAME_MEND = "只用小写字母、数字和减号，最多 40 个，如 pepper-rust。"
_LONGEST = 500
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


def wrong(message: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("house", "{message}", {"message": message, "mend": mend})


def _text(value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise wrong("这里是空的。", "补上文字；整项不要就连键一起删掉。")
    return value.strip() if isinstance(value, str) else value


def _line(value: object) -> object:
    text = _text(value)
    if isinstance(text, str) and "\n" in text:
        raise wrong("这里换了行。", "写在一行里，不要用 | 或 >。")
    if isinstance(text, str) and len(text) > _LONGEST:
        raise wrong(f"这里有 {len(text)} 个字，太长。", f"最多 {_LONGEST} 个字，越短越好。")
    return text


def _name(value: object) -> object:
    text = _line(value)
    if isinstance(text, str) and not NAME.fullmatch(text):
        raise wrong(f"“{text[:40]}”不能作代号。", NAME_MEND)
    return text


def _day(value: object) -> object:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise wrong("日期不对。", "写成 2027-10-31 的样子，月和日都是两位数，并且真有这一天。")


Text = Annotated[str, BeforeValidator(_text)]
Line = Annotated[str, BeforeValidator(_line)]
Name = Annotated[str, BeforeValidator(_name)]
Day = Annotated[date, BeforeValidator(_day)]
Lines = Annotated[tuple[Line, ...], Field(min_length=1)]


class Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
