"""The commands that run the bot; each gets the parsed arguments and returns the exit status."""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
from argparse import Namespace
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from time import perf_counter
from typing import Any

from tqdm import tqdm

from bot.app import doctor as doctors
from bot.app import serving
from bot.app.calendar import now
from bot.app.compose import Core, build_core
from bot.app.library import Progress
from bot.channels.base import Bell
from bot.channels.console import ConsoleChannel
from bot.config import Config, load
from bot.domain import Commissioner, Several
from bot.errors import ConfigError
from bot.retrieval import evaluation
from bot.retrieval.adapter import SHIPPED
from bot.retrieval.judge import Judge
from bot.retrieval.report import changes, page
from bot.store import Store


def serve(options: Namespace) -> int:
    config = configured(options)
    if options.port is not None:
        config = replace(config, web=config.web.model_copy(update={"port": options.port}))
    with serving.open_door(config.web) as door:
        asyncio.run(serving.serve(core_of(config), door))
    return 0


def ask(options: Namespace) -> int:
    rehearsal = core_of(configured(options)).rehearsal()
    turn = rehearsal.say(" ".join(options.text))
    for reply in turn.replies:
        print(reply.text)
        for button in reply.buttons:
            print(f"  [{button.label}]")
        print()
    return 0


def chat(options: Namespace) -> int:
    """The whole pipe with a throw-away database, so that trying things out leaves no trace."""
    core = core_of(configured(options))
    with tempfile.TemporaryDirectory(prefix="tianwen-") as folder:
        url = f"sqlite:///{Path(folder) / 'chat.db'}"
        store = Store.open(url, commissioners=core.config.commissioners)
        arrived = Bell()
        console = ConsoleChannel(store, arrived, now, lines=sys.stdin, out=sys.stdout)
        print(core.config.phrases("greeting"), end="\n\n")
        try:
            asyncio.run(serving.converse(core, store, console, arrived))
        finally:
            store.close()
    return 0


def evaluate(options: Namespace) -> int:
    former = changes.read(options.against) if options.against else None
    can_write(options.json, options.html)
    core = core_of(configured(options))
    report = evaluation.evaluate(
        options.files, _player(core), known=core.library.entry, progress=bar("考题")
    )
    print(report.summary())
    compared = changes.compare(former, report.records, report.measures) if former else None
    if compared:
        print(compared.summary())
    if options.json:
        report.write(options.json)
    if options.html:
        files = [path.name for path in options.files]
        about = page.About(now(), files, core.status.revision, _title(core))
        evaluation.replace(options.html, page.render(report, about, compared))
    return 0


def can_write(*paths: Path | None) -> None:
    """ConfigError where not: better told before the work than after it."""
    for path in paths:
        if path and not path.parent.is_dir():
            raise ConfigError(f"没有文件夹 {path.parent}，{path.name} 写不进去；先建好它。")


def _title(core: Core) -> Callable[[str], str]:
    """Of an entry or a domain, by its id."""
    domains = core.library.domains()

    def title(name: str) -> str:
        found = core.library.entry(name) or domains.get(name)
        return found.title if found else name

    return title


def _player(core: Core) -> evaluation.Player:
    """Each case is a chat of its own, on the very path of the real one."""

    def play(messages: Sequence[str], *, in_a_row: bool) -> evaluation.Played:
        rehearsal = core.rehearsal()
        start = perf_counter()
        if in_a_row and core.config.answers.pause:
            turns = rehearsal.say_in_a_row(messages)
        else:
            turns = [rehearsal.say(message) for message in messages]
        seconds = perf_counter() - start
        decision = turns[-1].decision
        probability = getattr(decision, "right", None)
        several = decision.answers if isinstance(decision, Several) else (decision,)
        return evaluation.Played(several, seconds, probability)

    return play


def index(options: Namespace) -> int:
    core = core_of(configured(options))
    units = len(core.bookshelf.retriever.index)
    print(f"{core.status.entries} 条知识，{units} 句可查，版本 {core.status.revision[:12]}。")
    return 0


def invite(options: Namespace) -> int:
    config = configured(options)
    chosen = person_named(options.name, config)
    store = Store.open(config.database, commissioners=config.commissioners)
    try:
        valid = timedelta(hours=options.hours)
        code = store.accounts.invite(chosen.id, now(), valid=valid)
    finally:
        store.close()
    print(f"{chosen.name}的绑定码：{code}（只能用一次，{options.hours:g} 小时内有效）")
    print(f"  用网页：打开 {config.url}/desk/enter/{code}")
    print(f"  用 Telegram：给机器人发 /bind {code}")
    return 0


def person_named(name: str, config: Config) -> Commissioner:
    """By name or id; ConfigError with everybody's name."""
    for one in config.commissioners:
        if name in {one.name, one.id}:
            return one
    names = "、".join(one.name for one in config.commissioners)
    raise ConfigError(f"config/commissioners.yaml 里没有“{name}”。有：{names}。")


def doctor(options: Namespace) -> int:
    home, part = options.home.resolve(), options.part
    findings = tuple(
        doctors.examine_platform(home, os.environ, part)
        if part
        else doctors.examine(home, os.environ)
    )
    for finding in findings:
        print(finding)
    return 0 if all(finding.is_good for finding in findings) else 1


def configured(options: Namespace) -> Config:
    return load(options.home.resolve(), os.environ)


def core_of(config: Config, *, judge: Judge | None = None, adapter: Path = SHIPPED) -> Core:
    return build_core(config, bar, judge=judge, adapter=adapter)


def bar(what: str) -> Progress:
    """A progress bar that appears with the first step, on the terminal's error stream."""
    bars: list[Any] = []

    def step(done: int, total: int) -> None:
        if not bars:
            bars.append(tqdm(total=total, desc=what, file=sys.stderr, leave=False, disable=None))
        bars[0].update(done - bars[0].n)
        if done >= total:
            bars[0].close()

    return step
