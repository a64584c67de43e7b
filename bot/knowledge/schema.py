"""The shape of an entry's front matter and of _domain.yaml.

A field's `title` is its Chinese name: messages show it, and as a key it is a slip we understand.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import BeforeValidator, Field, model_validator

from bot.reading.fields import Day, Line, Lines, Name, Shape, Text, wrong

_MONTH = re.compile(r"0?[1-9]|1[0-2]")


def _month(value: object) -> object:
    if isinstance(value, str) and _MONTH.fullmatch(value):
        return int(value)
    raise wrong("月份不对。", "写 1 到 12 的数字，如 season: [6, 7, 8]；一年到头都有就写 []。")


_Month = Annotated[int, BeforeValidator(_month)]


class ReviewShape(Shape):
    status: Literal["draft", "pending", "approved"] = Field(title="审核状态")
    by: Line | None = Field(default=None, title="审核人")
    on: Day | None = Field(default=None, title="审核日期")

    @model_validator(mode="after")
    def _approved_by_somebody(self) -> ReviewShape:
        if self.status == "approved" and not (self.by and self.on):
            message = "写了 approved（已审核），却没有审核人或审核日期。"
            raise wrong(message, "补上 by 和 on；还没人审就写 status: pending。")
        return self


class EntryShape(Shape):
    title: Line = Field(title="标题")
    group: Name | None = Field(default=None, title="分组")
    questions: Lines = Field(title="问法")
    season: tuple[_Month, ...] = Field(default=(), title="月份")
    confusable_with: tuple[Name, ...] = Field(default=(), title="易混条目")
    see_also: tuple[Name, ...] = Field(default=(), title="相关条目")
    sources: Lines = Field(title="出处")
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
    out_of_scope: tuple[OutOfScopeShape, ...] = Field(default=(), title="不答的问题")
