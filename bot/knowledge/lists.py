"""The lists that staff keep beside the entries: what law bans, trade names, and questions that
have no answer here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic import Field

from bot.domain import Problem, Unanswerable
from bot.reading import files
from bot.reading.fields import Day, Line, Lines, Name, Shape
from bot.reading.fitting import fit
from bot.reading.nodes import parse
from bot.reading.report import START, Report

BANNED = "_banned.yaml"
UNANSWERABLE = "_unanswerable.yaml"

_MOST_BYTES = 512 * 1024  # a list is as long as it must be

_S = TypeVar("_S", bound=Shape)


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


class UnanswerableShape(Shape):
    """Questions without an answer in the base, by domain id or by how far off they are."""

    unanswerable: dict[Name, Lines] = Field(title="本行的")
    other_agriculture: Lines = Field(title="别的农业问题")
    unrelated: Lines = Field(title="不相干的")

    @property
    def all(self) -> tuple[Unanswerable, ...]:
        own = (
            Unanswerable(text, domain)
            for domain, texts in self.unanswerable.items()
            for text in texts
        )
        return (*own, *map(Unanswerable, (*self.other_agriculture, *self.unrelated)))


def read(folder: Path) -> tuple[Lists, tuple[Problem, ...]]:
    """What law bans and trade names, and what is wrong with their file; never raises."""
    mend = "从项目里拷一份回来；没有它，禁用药就没人查了。"
    shape, problems = _read(folder / BANNED, ListsShape, f"没有禁限用清单。{mend}")
    return Lists(shape.banned, shape.trade_names) if shape else Lists(), problems


def unanswerable(folder: Path) -> tuple[UnanswerableShape | None, tuple[Problem, ...]]:
    """The questions to learn not to answer, and what is wrong with their file; never raises."""
    mend = "从项目里拷一份回来；没有它，田问就不大晓得什么时候不答。"
    return _read(folder / UNANSWERABLE, UnanswerableShape, f"没有答不了的问题。{mend}")


def _read(path: Path, shape: type[_S], missing: str) -> tuple[_S | None, tuple[Problem, ...]]:
    folder = path.parent
    report = Report(files.shown(path, folder))
    if _is_missing(path):
        message, _, mend = missing.partition("。")
        report.warn("missing-list", START, message + "。", mend)
        return None, tuple(report.problems)
    raw = files.read(path, folder, report, most=_MOST_BYTES)
    text = None if raw is None else files.decode(raw, report)
    node = parse(text, report, is_prose=True) if text else None
    fitted = fit(shape, node, report) if node else None
    return fitted, tuple(report.problems)


def _is_missing(path: Path) -> bool:
    """A closed folder is told by `load`."""
    try:
        return not path.exists()
    except OSError:
        return False
