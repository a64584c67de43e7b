"""The shape of an entry's front matter and of _domain.yaml.

A field's `title` is its Chinese name: messages show it, and as a key it is a slip we understand.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from bot.reading.fields import NAME, Day, Line, Lines, Name, Shape, Text, wrong

_MONTH = re.compile(r"0?[1-9]|1[0-2]")
_MONTHS_MEND = "写 1 到 12 的数字，用英文逗号隔开，如 [6, 7, 8]；一年到头都有就写 []。"
_PHOTOS_MEND = (
    "写要拍的几样，用英文逗号隔开，如 photos: [整株, 叶背, 病处近照]；不要照片就删掉这一行。"
)
_MOST_VIEWS, _LONGEST_VIEW = 5, 10
_LINKS_MEND = "写别的条目的文件名，不带 .md，用英文逗号隔开，如 [pepper-rust, pepper-leaf-spot]。"


def _month(value: object) -> object:
    if isinstance(value, str) and _MONTH.fullmatch(value):
        return int(value)
    raise wrong("月份不对。", _MONTHS_MEND)


def _months(value: object) -> object:
    if isinstance(value, str):
        raise wrong("月份不对。", _MONTHS_MEND)
    return value


def _link(value: object) -> object:
    if isinstance(value, str) and not NAME.fullmatch(value):
        raise wrong(f"“{value[:40]}”不是条目的代号。", _LINKS_MEND)
    return value


def _links(value: object) -> object:
    if isinstance(value, str):
        raise wrong("这里要用方括号括起来。", _LINKS_MEND)
    return value


def _group(value: object) -> object:
    if isinstance(value, str) and not NAME.fullmatch(value):
        mend = "写 _domain.yaml 的 groups 里冒号前面的英文代号，不写中文名。"
        raise wrong(f"“{value[:40]}”不是分组的代号。", mend)
    return value


def _status(value: object) -> object:
    if value not in {"draft", "pending", "approved"}:
        shown = f"“{value[:40]}”" if isinstance(value, str) else "空的"
        mend = "只能写 draft（草稿）、pending（待审）或 approved（已审）。"
        raise wrong(f"审核状态不能是{shown}。", mend)
    return value


def _view(value: object) -> object:
    if isinstance(value, str) and (
        len(value.strip()) > _LONGEST_VIEW or set(value) & set("、，,。；")
    ):
        mend = f"一样只写几个字（{_LONGEST_VIEW} 字以内，不带标点），如 病处近照。"
        raise wrong(f"“{value[:40]}”不像是一样要拍的。", mend)
    return value


def _views(value: object) -> object:
    if not isinstance(value, list):
        raise wrong("要拍的照片没有用方括号括起来。", _PHOTOS_MEND)
    if len(value) > _MOST_VIEWS:
        mend = f"留最要紧的，最多 {_MOST_VIEWS} 样；多了农户不会拍。"
        raise wrong(f"要拍的照片有 {len(value)} 样，太多。", mend)
    if len({str(one) for one in value}) < len(value):
        raise wrong("要拍的照片有重复的。", "删掉重复的那一样。")
    return value


_Month = Annotated[int, BeforeValidator(_month)]
_Months = Annotated[tuple[_Month, ...], BeforeValidator(_months)]
_Links = Annotated[tuple[Annotated[Name, BeforeValidator(_link)], ...], BeforeValidator(_links)]
_Views = Annotated[tuple[Annotated[Line, BeforeValidator(_view)], ...], BeforeValidator(_views)]
_Group = Annotated[Name, BeforeValidator(_group)]
_Status = Annotated[Literal["draft", "pending", "approved"], BeforeValidator(_status)]


class ReviewShape(Shape):
    status: _Status = Field(title="审核状态")
    by: Line | None = Field(default=None, title="审核人")
    on: Day | None = Field(default=None, title="审核日期")

    @model_validator(mode="after")
    def _approved_by_somebody(self) -> ReviewShape:
        if self.status == "approved" and not (self.by and self.on):
            message = "写了 approved（已审核），却没有审核人或审核日期。"
            mend = "写上审核人（by）和审核日期（on）；还没人审就写 pending（待审）。"
            raise wrong(message, mend)
        return self


class AuthorShape(Shape):
    """Whose reply to which case the entry was made from; written by the program."""

    id: Name = Field(title="特派员代号")
    name: Line = Field(title="姓名")
    case: int = Field(gt=0, title="问题单号")


class EntryShape(Shape):
    title: Line = Field(title="标题")
    group: _Group | None = Field(default=None, title="分组")
    questions: Lines = Field(title="问法")
    season: _Months = Field(default=(), title="月份")
    confusable_with: _Links = Field(default=(), title="易混条目")
    see_also: _Links = Field(default=(), title="相关条目")
    sources: Lines = Field(title="出处")
    author: AuthorShape | None = Field(default=None, title="作者")
    reviewed: ReviewShape = Field(title="审核")
    review_by: Day | None = Field(default=None, title="复审期限")


class OutOfScopeShape(Shape):
    questions: Lines = Field(title="问法")
    reply: Text = Field(title="答复")


class DomainShape(Shape):
    title: Line = Field(title="名称")
    speciality: Name = Field(title="特派员专长")
    words: Lines = Field(title="词语")
    groups: dict[Name, Line] = Field(default_factory=dict, title="分组")
    bloom: _Months = Field(default=(), title="花期月份")
    photos: _Views = Field(default=(), title="要拍的照片")
    out_of_scope: tuple[OutOfScopeShape, ...] = Field(default=(), title="不答的问题")
