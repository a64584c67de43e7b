"""The lists that staff keep beside the entries: what law bans, and trade names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import Field

from bot.domain import Problem
from bot.reading import files
from bot.reading.fields import Day, Line, Lines, Name, Shape
from bot.reading.fitting import fit
from bot.reading.nodes import parse
from bot.reading.report import START, Report

BANNED = "_banned.yaml"


class BannedShape(Shape):
    """A substance that a public announcement bans or restricts."""

    name: Line = Field(title="名称")
    also: tuple[Line, ...] = Field(default=(), title="别名、旧商品名")
    scope: Line = Field(title="禁用范围")
    domains: tuple[Name, ...] = Field(default=(), title="管到的领域")  # empty: all
    announcement: Line = Field(title="公告")
    date: Day = Field(title="公告日期")

    @property
    def names(self) -> tuple[str, ...]:
        return (self.name, *self.also)


class ListsShape(Shape):
    sources: Lines = Field(title="出处")
    banned: tuple[BannedShape, ...] = Field(title="禁限用")
    trade_names: dict[Line, Line] = Field(default_factory=dict, title="商品名")


@dataclass(frozen=True, slots=True)
class Lists:
    """Empty where the file lacks or is wrong, which is reported."""

    banned: tuple[BannedShape, ...] = ()
    trade_names: Mapping[str, str] = field(default_factory=dict)  # to the common name


def read(folder: Path) -> tuple[Lists, tuple[Problem, ...]]:
    """The lists, and what is wrong with their file; never raises."""
    path = folder / BANNED
    report = Report(files.shown(path, folder))
    if _is_missing(path):
        mend = "从项目里拷一份回来；没有它，禁用药就没人查了。"
        report.warn("banned-list", START, "没有禁限用清单。", mend)
        return Lists(), tuple(report.problems)
    raw = files.read(path, folder, report)
    text = None if raw is None else files.decode(raw, report)
    node = parse(text, report, is_prose=True) if text else None
    shape = fit(ListsShape, node, report) if node else None
    lists = Lists(shape.banned, shape.trade_names) if shape else Lists()
    return lists, tuple(report.problems)


def _is_missing(path: Path) -> bool:
    """A closed folder is told by `load`."""
    try:
        return not path.exists()
    except OSError:
        return False
