"""Reads config/*.yaml and the secrets of the environment, once, into one frozen value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, Field, model_validator

from bot import dangers, platforms
from bot.calendars import CALENDAR, CalendarShape
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.wechat.settings import WeChatSettings
from bot.channels.wecom.settings import WeComSettings
from bot.conversation.safety import Lookout
from bot.conversation.wishes import Lexicon, Wish
from bot.domain import Address, Commissioner, Kind, Problem, Weekday
from bot.errors import ConfigError
from bot.escalation.desk import Timers
from bot.escalation.hours import Hours
from bot.escalation.ledger import Grade, Targets
from bot.phrases import Phrases, faults
from bot.reading import files
from bot.reading.fields import Day, Line, Name, Shape
from bot.reading.fitting import fit
from bot.reading.nodes import Node, parse
from bot.reading.report import Report
from bot.reports.thresholds import OutbreaksShape
from bot.retrieval.word_lists import WordLists
from bot.retrieval.words import Words

_Hours = Annotated[float, Field(gt=0, le=24 * 365)]
_Days = Annotated[float, Field(gt=0, le=3650)]
_Seconds = Annotated[float, Field(ge=1, le=3600)]


class EmbedderShape(Shape):
    model: Line = "bundled"
    backend: Literal["auto", "openvino", "torch"] = "auto"
    query_prefix: str = "query: "
    passage_prefix: str = "passage: "


class BudgetShape(Shape):
    """The errors that `tianwen calibrate` may allow, as shares, each with the confidence given."""

    wrong: float = Field(default=0.03, gt=0, lt=1)  # of questions answered outright
    unanswerable: float = Field(default=0.08, gt=0, lt=1)  # answered, of those without an answer
    confidence: float = Field(default=0.8, gt=0.5, lt=1)


class AnswersShape(Shape):
    whole_within: int = Field(default=160, ge=0, le=4000)
    pause: float = Field(default=0, ge=0, le=6)  # seconds


class TimersShape(Shape):
    offer: _Hours = 2
    urgent: _Hours = 1 / 6
    unplaced: _Hours = 24
    answer: _Hours = 24
    farmer: _Hours = 48
    outcome: _Hours = 72


class WebShape(Shape):
    host: Line = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    public_url: str | None = None
    trusted_proxies: tuple[Line, ...] = ()


class LeasesShape(Shape):
    """Seconds after which another process takes over what a dead one had begun."""

    take: _Seconds = 120  # longer than the slowest photo download
    send: _Seconds = 80  # longer than any send


class RetentionShape(Shape):
    """Days after which what nobody needs any more is deleted."""

    media: _Days = 1
    raw: _Days = 30
    visits: _Days = 7


class GradeShape(Shape):
    name: Line
    services: int = Field(ge=0)
    suggestions: int = Field(ge=0)


class AssessmentShape(Shape):
    services: int = Field(default=24, ge=1)
    suggestions: int = Field(default=2, ge=0)
    counted_by: Literal["times", "days"] = "times"
    grades: tuple[GradeShape, ...] | None = None

    @model_validator(mode="after")
    def _best_first(self) -> AssessmentShape:
        rungs = [(grade.services, grade.suggestions) for grade in self.grades or ()]
        if any(lower > higher for higher, lower in pairwise(rungs)):
            raise ValueError("等次要从高到低写，要求不能越往后越高")
        return self

    def build(self) -> Targets:
        targets = Targets(self.services, self.suggestions, self.counted_by)
        if self.grades is None:
            return targets
        grades = tuple(Grade(**grade.model_dump()) for grade in self.grades)
        return replace(targets, grades=grades)


class SettingsShape(Shape):
    database: Line = "sqlite:///data/tianwen.db"
    data: Line = "data"
    embedder: EmbedderShape = EmbedderShape()
    budget: BudgetShape = BudgetShape()
    answers: AnswersShape = AnswersShape()
    timers: TimersShape = TimersShape()
    assessment: AssessmentShape = AssessmentShape()
    outbreaks: OutbreaksShape = OutbreaksShape()
    leases: LeasesShape = LeasesShape()
    retention: RetentionShape = RetentionShape()
    web: WebShape = WebShape()
    telegram: platforms.TelegramShape = platforms.TelegramShape()
    wechat: platforms.WeChatShape = platforms.WeChatShape()
    wecom: platforms.WeComShape = platforms.WeComShape()


class LeaveShape(Shape):
    first: Day
    last: Day


class CommissionerShape(Shape):
    id: Name
    name: Line
    kind: Kind
    specialities: tuple[Line, ...] = ()
    townships: tuple[Line, ...] = ()
    capacity: int = Field(default=10, ge=1)
    leave: tuple[LeaveShape, ...] = ()
    duty: tuple[Weekday, ...] = ()
    addresses: dict[Line, Line] = Field(default_factory=dict)

    def build(self) -> Commissioner:
        return Commissioner(
            id=self.id,
            name=self.name,
            kind=self.kind,
            specialities=self.specialities,
            townships=self.townships,
            capacity=self.capacity,
            leave=tuple((leave.first, leave.last) for leave in self.leave),
            duty=self.duty,
            addresses=tuple(Address(*pair) for pair in self.addresses.items()),
        )


class RosterShape(Shape):
    commissioners: tuple[CommissionerShape, ...]

    @model_validator(mode="after")
    def _unique(self) -> RosterShape:
        for what in ("id", "name"):
            seen = [getattr(person, what) for person in self.commissioners]
            if doubled := {one for one in seen if seen.count(one) > 1}:
                raise ValueError(f"{what} 重复：{'、'.join(sorted(doubled))}")
        return self


class LexiconShape(WordLists):
    fillers: tuple[Line, ...] = ()
    wishes: dict[Wish, tuple[Line, ...]]
    townships: tuple[Line, ...] = ()
    other_subjects: tuple[Line, ...] = ()
    groups: dict[Line, tuple[Line, ...]] = Field(default_factory=dict)
    emergency: tuple[dangers.DangerShape, ...]

    @model_validator(mode="after")
    def _known_groups(self) -> LexiconShape:
        for danger in self.emergency:
            try:
                danger.build(self.groups)
            except KeyError as error:
                raise ValueError(f"groups 里没有 {error} 这一组") from error
        return self


@dataclass(frozen=True, slots=True)
class Config:
    """Everything staff set. Rooms get the values they need, never this."""

    home: Path
    data: Path
    database: str = field(repr=False)
    embedder: EmbedderShape
    budget: BudgetShape
    other_subjects: tuple[str, ...]
    answers: AnswersShape
    timers: Timers
    targets: Targets
    outbreaks: OutbreaksShape
    leases: LeasesShape
    retention: RetentionShape
    web: WebShape
    telegram: TelegramSettings | None
    wechat: WeChatSettings | None
    wecom: WeComSettings | None
    commissioners: tuple[Commissioner, ...]
    lexicon: Lexicon
    words: Words
    dangers: Lookout
    phrases: Phrases

    @property
    def knowledge(self) -> Path:
        return self.home / "knowledge"

    @property
    def url(self) -> str:
        """Where people open the pages."""
        host = "127.0.0.1" if self.web.host == "0.0.0.0" else self.web.host  # noqa: S104
        return (self.web.public_url or f"http://{host}:{self.web.port}").rstrip("/")


def load(home: Path, environ: Mapping[str, str]) -> Config:
    """Read `home`/config and the environment; raises ConfigError with every mend, in Chinese."""
    folder = home / "config"
    settings = _read(folder / "settings.yaml", SettingsShape)
    roster = _read(folder / "commissioners.yaml", RosterShape)
    words = _read(folder / "lexicon.yaml", LexiconShape)
    calendar = _read(folder / CALENDAR, CalendarShape)
    phrases = _phrases(folder / "phrases.yaml")
    database = platforms.secret("TIANWEN_DATABASE", environ) or settings.database
    public_url = (settings.web.public_url or "").rstrip("/")
    return Config(
        home=home,
        data=home / settings.data,
        database=_anchored(database, home),
        embedder=settings.embedder,
        budget=settings.budget,
        other_subjects=words.other_subjects,
        answers=settings.answers,
        timers=_timers(settings.timers, calendar.build()),
        targets=settings.assessment.build(),
        outbreaks=settings.outbreaks,
        leases=settings.leases,
        retention=settings.retention,
        web=settings.web,
        telegram=platforms.telegram(settings.telegram, public_url, environ, phrases),
        wechat=platforms.wechat(settings.wechat, environ),
        wecom=platforms.wecom(settings.wecom, public_url, environ),
        commissioners=tuple(shape.build() for shape in roster.commissioners),
        lexicon=Lexicon(words.wishes, words.fillers, words.townships),
        words=words.for_search(words.other_subjects),
        dangers=Lookout(
            tuple(one.build(words.groups) for one in words.emergency), dangers.sense(folder)
        ),
        phrases=phrases,
    )


def _timers(shape: TimersShape, hours: Hours) -> Timers:
    waits = {name: timedelta(hours=number) for name, number in shape.model_dump().items()}
    return Timers(**waits, hours=hours)


def _anchored(url: str, home: Path) -> str:
    """A relative SQLite path is meant from the project's folder, wherever one stands."""
    prefix = "sqlite:///"
    if not url.startswith(prefix) or url.startswith(prefix + "/"):
        return url
    return f"{prefix}{(home / url.removeprefix(prefix)).resolve()}"


_S = TypeVar("_S", bound=BaseModel)


def _read(path: Path, shape: type[_S]) -> _S:
    report = Report(f"config/{path.name}")
    node = _parse(path, report)
    value = fit(shape, node, report) if node else None
    if value is None:
        raise _complaint(report)
    return value


def _parse(path: Path, report: Report, *, is_prose: bool = False) -> Node | None:
    if not path.exists():
        mend = "在项目的文件夹里运行 tianwen，或者用 --home 指明。"
        raise ConfigError(f"找不到 {path}。{mend}")
    raw = files.read(path, path.parent, report)
    text = None if raw is None else files.decode(raw, report)
    return parse(text, report, is_prose=is_prose) if text else None


def _phrases(path: Path) -> Phrases:
    """Every sentence there, none unknown, and no blank that the code does not fill."""
    report = Report("config/phrases.yaml")
    node = _parse(path, report, is_prose=True)
    pairs = node.value if node else None
    if node is None or not isinstance(pairs, dict):
        raise _complaint(report)
    sentences = {key: str(one.value or "") for key, one in pairs.items()}
    for key, message in faults(sentences).items():
        report.error(
            "phrase", node.keys.get(key, node.place), message, "照 config 里原来的样子写。"
        )
    if report.has_errors:
        raise _complaint(report)
    return Phrases(sentences)


def _complaint(report: Report) -> ConfigError:
    problems: list[Problem] = report.problems
    return ConfigError("\n".join(str(problem) for problem in problems))
