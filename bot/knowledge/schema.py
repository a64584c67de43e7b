"""The shape of front matter and of _domain.yaml; pydantic's findings, said in Chinese.

A field's `title` is its Chinese name: messages show it, and as a key it is a slip we understand.
"""

from __future__ import annotations

import re
from datetime import date
from difflib import get_close_matches
from typing import TYPE_CHECKING, Annotated, Literal, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator
from pydantic_core import PydanticCustomError

from bot.knowledge.report import Place, Report

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic_core import ErrorDetails

    from bot.knowledge.front_matter import Node

NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")  # entry ids, domain ids, groups, specialities
_DAY = re.compile(r"\d{4}-\d{2}-\d{2}")
_MONTH = re.compile(r"0?[1-9]|1[0-2]")


def _wrong(message: str, mend: str) -> PydanticCustomError:
    return PydanticCustomError("house", "{message}", {"message": message, "mend": mend})


def _text(value: object) -> object:
    if value is None or (isinstance(value, str) and not value.strip()):
        raise _wrong("这里是空的。", "补上文字；整项不要就连键一起删掉。")
    return value.strip() if isinstance(value, str) else value


def _line(value: object) -> object:
    text = _text(value)
    if isinstance(text, str) and "\n" in text:
        raise _wrong("这里换了行。", "写在一行里，不要用 | 或 >。")
    return text


def _name(value: object) -> object:
    text = _line(value)
    if isinstance(text, str) and not NAME.fullmatch(text):
        mend = "只用小写字母、数字和减号，如 pepper-rust。"
        raise _wrong(f"“{text[:40]}”不能作代号。", mend)
    return text


def _day(value: object) -> object:
    try:
        if isinstance(value, str) and _DAY.fullmatch(value):
            return date.fromisoformat(value)
    except ValueError:
        pass
    raise _wrong("日期不对。", "写成 2027-10-31 的样子，月和日都是两位数，并且真有这一天。")


def _month(value: object) -> object:
    if isinstance(value, str) and _MONTH.fullmatch(value):
        return int(value)
    raise _wrong("月份不对。", "写 1 到 12 的数字，如 season: [6, 7, 8]；一年到头都有就写 []。")


_Text = Annotated[str, BeforeValidator(_text)]
_Line = Annotated[str, BeforeValidator(_line)]
_Name = Annotated[str, BeforeValidator(_name)]
_Day = Annotated[date, BeforeValidator(_day)]
_Month = Annotated[int, BeforeValidator(_month)]
_Lines = Annotated[tuple[_Line, ...], Field(min_length=1)]


class _Shape(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ReviewShape(_Shape):
    status: Literal["pending", "approved"] = Field(title="审核状态")
    by: _Line | None = Field(default=None, title="审核人")
    on: _Day | None = Field(default=None, title="审核日期")

    @model_validator(mode="after")
    def _approved_by_somebody(self) -> ReviewShape:
        if self.status == "approved" and not (self.by and self.on):
            message = "写了 approved（已审核），却没有审核人或审核日期。"
            raise _wrong(message, "补上 by 和 on；还没人审就写 status: pending。")
        return self


class EntryShape(_Shape):
    title: _Line = Field(title="标题")
    group: _Name | None = Field(default=None, title="分组")
    questions: _Lines = Field(title="问法")
    season: tuple[_Month, ...] = Field(default=(), title="月份")
    confusable_with: tuple[_Name, ...] = Field(default=(), title="易混条目")
    see_also: tuple[_Name, ...] = Field(default=(), title="相关条目")
    sources: _Lines = Field(title="出处")
    reviewed: ReviewShape = Field(title="审核")
    review_by: _Day | None = Field(default=None, title="复审期限")


class OutOfScopeShape(_Shape):
    questions: _Lines = Field(title="问法")
    reply: _Text = Field(title="答复")


class DomainShape(_Shape):
    title: _Line = Field(title="名称")
    speciality: _Name = Field(title="特派员专长")
    words: _Lines = Field(title="词语")
    groups: dict[_Name, _Line] = Field(default_factory=dict, title="分组")
    out_of_scope: tuple[OutOfScopeShape, ...] = Field(default=(), title="不答的问题")


_Some = TypeVar("_Some", bound=_Shape)


def fit(shape: type[_Some], node: Node, report: Report) -> _Some | None:
    """The node as `shape`; every misfit is reported where it stands."""
    try:
        return shape.model_validate(node.plain())
    except ValidationError as error:
        for detail in error.errors(include_url=False, include_input=False):
            place, message, mend = _explain(detail, shape, node)
            report.error("schema", place, message, mend)
        return None


def _explain(detail: ErrorDetails, shape: type[_Shape], node: Node) -> tuple[Place, str, str]:
    loc = detail["loc"]
    fields = _fields_at(shape, loc[:-1])
    key = str(loc[-1]) if loc else ""
    match detail["type"]:
        case "missing":
            title = fields.get(key, "")
            return node.find(*loc), f"缺少 {key}（{title}）。", f"补一行 {key}: …"
        case "extra_forbidden":
            return _key_place(node, loc), f"没有 {key} 这个键。", _nearest(key, fields)
        case "house":
            context = detail["ctx"]
            return node.find(*_real(loc)), context["message"], context["mend"]
    message, mend = _KINDS.get(detail["type"], _UNUSUAL)
    return node.find(*_real(loc)), f"{_called(loc, fields)}{message}", mend


_UNUSUAL = ("的内容不对。", "对照一条能用的条目改。")
_KINDS: Mapping[str, tuple[str, str]] = {
    "string_type": ("应该是文字。", "只写一句话；句子里有英文冒号或方括号就整句加英文双引号。"),
    "tuple_type": ("应该是列表。", "每项另起一行，以“- ”开头；没有就写 []。"),
    "too_short": ("至少要有一项。", "另起一行，以“- ”开头补一项。"),
    "dict_type": ("应该是一行行的“键: 值”。", "照模板缩进写，没有就整项删掉。"),
    "model_type": ("应该是“键: 值”。", "如 reviewed: {status: pending, by: null, on: null}。"),
    "model_attributes_type": ("应该是“键: 值”。", "如 {status: pending, by: null, on: null}。"),
    "literal_error": ("不能是这个词。", "写 pending（待审核）或 approved（已审核）。"),
}


def _real(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """`loc` without the mark that pydantic adds for a mapping's key."""
    return tuple(part for part in loc if part != "[key]")


def _called(loc: tuple[int | str, ...], fields: Mapping[str, str]) -> str:
    match loc:
        case (*_, str(key)):
            return f"{key}（{fields[key]}）" if key in fields else f"{key} "
        case (*_, str(key), int(index)):
            return f"{key} 的第 {index + 1} 项"
    return "这里"


def _key_place(node: Node, loc: tuple[int | str, ...]) -> Place:
    inner: Node = node
    for part in loc[:-1]:
        match part, inner.value:
            case int(index), tuple(items):
                inner = items[index]
            case str(key), dict(pairs):
                inner = pairs[key]
    return inner.keys.get(str(loc[-1]), inner.place)


def _fields_at(shape: type[_Shape], loc: tuple[int | str, ...]) -> dict[str, str]:
    """Key and Chinese name of the fields of the shape that stands at `loc`."""
    inner: dict[str, type[_Shape]] = {"reviewed": ReviewShape, "out_of_scope": OutOfScopeShape}
    at = next((inner[part] for part in loc if isinstance(part, str) and part in inner), shape)
    return {key: field.title or "" for key, field in at.model_fields.items()}


def _nearest(key: str, fields: Mapping[str, str]) -> str:
    by_title = {title: name for name, title in fields.items()}
    meant = get_close_matches(key.strip().lower().replace("-", "_"), [*fields, *by_title], n=1)
    if meant:
        return f"是不是 {by_title.get(meant[0], meant[0])}？"
    return "删掉它；能用的键：" + "、".join(fields) + "。"
