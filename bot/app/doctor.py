"""`tianwen doctor`: looks every part over and says in Chinese what is wrong and what to do."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

from bot import calendars
from bot.app.calendar import today
from bot.app.checkups import CHECKUPS
from bot.app.compose import BUNDLED, bundled_form
from bot.app.findings import Finding
from bot.config import Config, load
from bot.errors import ConfigError, ModelError
from bot.knowledge import check
from bot.retrieval.bundled import is_intact
from bot.retrieval.judge import Judge
from bot.store import State, Store

SHOWN = 5


def examine(home: Path, environ: Mapping[str, str]) -> Iterator[Finding]:
    try:
        config = load(home, environ)
    except ConfigError as error:
        yield Finding("设置", is_good=False, said=str(error))
        return
    people = "、".join(one.name for one in config.commissioners)
    yield Finding("设置", is_good=True, said=f"读得通。名册：{people}。")
    yield _knowledge(config)
    yield _model(config)
    yield _judge()
    yield _calendar()
    yield from _database(config)
    yield _telegram(config)


def _knowledge(config: Config) -> Finding:
    errors = [one for one in check(config.knowledge, today()) if one.level == "error"]
    if not errors:
        return Finding("知识库", is_good=True, said="没有错误。")
    lines = [str(one) for one in errors[:SHOWN]]
    said = f"{len(errors)} 个错误，改好以前用的是旧版：\n" + "\n".join(
        f"      {one}" for one in lines
    )
    return Finding("知识库", is_good=False, said=said)


def _model(config: Config) -> Finding:
    if config.embedder.model != BUNDLED:
        return Finding("向量模型", is_good=True, said=f"用 {config.embedder.model}。")
    form = bundled_form(config.embedder)
    folder = config.data / "models" / form.folder
    if not folder.exists():
        return Finding("向量模型", is_good=True, said="还没解开，第一次开门会自动解开。")
    if is_intact(folder, form):
        return Finding("向量模型", is_good=True, said="完好。")
    return Finding("向量模型", is_good=False, said="坏了或旧了；运行 tianwen index 会重新解开。")


def _calendar() -> Finding:
    year = today().year
    if calendars.knows(year):
        return Finding("节假日", is_good=True, said=f"有 {year} 年的放假和调休。")
    said = (
        f"还没有 {year} 年的放假和调休，先按周一到周五上班算。"
        "运行 pip install -U chinesecalendar，或者写进 config/calendar.yaml。"
    )
    return Finding("节假日", is_good=False, said=said)


def _judge() -> Finding:
    """How good it was when it was made, and on what."""
    try:
        judge = Judge.load()
    except ModelError as error:
        return Finding("判断模型", is_good=False, said=str(error))
    counts = {name: f"{count:.0f}" for name, count in judge.figures.items()}
    shares = {name: f"{share:.1%}" for name, share in judge.figures.items()}
    said = (
        f"{judge.made_on} 定的。没写进知识库的考题 {counts['questions']} 道，"
        f"直接答对 {shares['answered_right']}，答错 {shares['answered_wrong']}；"
        f"本行答不了的 {counts['unanswerable']} 道，答了 {shares['unanswerable_answered']}；"
        f"外行的 {counts['elsewhere']} 道，答了 {shares['elsewhere_answered']}。"
    )
    return Finding("判断模型", is_good=True, said=said)


def _database(config: Config) -> Iterator[Finding]:
    try:
        store = Store.open(config.database, commissioners=config.commissioners)
    except Exception as error:  # noqa: BLE001 - whatever the driver says, staff must read it
        said = f"打不开（{type(error).__name__}）。检查地址、密码和磁盘。"
        yield Finding("数据库", is_good=False, said=said)
        return
    try:
        yield from _contents(store)
    finally:
        store.close()


def _contents(store: Store) -> Iterator[Finding]:
    came, went = store.inbox.tally(), store.outbox.tally()
    yield Finding(
        "数据库",
        is_good=True,
        said=f"收到 {sum(came.values())} 条，发出 {went.get(State.SENT, 0)} 条。",
    )
    audit = store.ledger.audit()
    said = f"被动过：{audit.fault}。" if audit.fault else f"{audit.lines} 笔，印记都对得上。"
    yield Finding("台账", is_good=not audit.fault, said=said)
    if failed := came.get(State.FAILED, 0):
        yield Finding("来信", is_good=False, said=f"{failed} 条没处理成，日志里有编号。")
    if undelivered := went.get(State.HELD, 0) + went.get(State.DEAD, 0):
        yield Finding("送信", is_good=False, said=f"{undelivered} 条未送达，工作台上看得到。")
    note = store.notes.get("knowledge")
    if note and not note["ok"]:
        said = "正在跑的田问用的还是旧版，问题：\n" + "\n".join(
            f"      {one}" for one in note["problems"][:SHOWN]
        )
        yield Finding("正在用的知识", is_good=False, said=said)


def examine_platform(home: Path, environ: Mapping[str, str], name: str) -> Iterator[Finding]:
    """One chat platform, which is asked itself."""
    try:
        config = load(home, environ)
    except ConfigError as error:
        yield Finding("设置", is_good=False, said=str(error))
        return
    yield from CHECKUPS[name](config)


def _telegram(config: Config) -> Finding:
    if config.telegram is None:
        said = "没开。要开就设环境变量 TIANWEN_TELEGRAM_TOKEN，再重新开门。"
        return Finding("Telegram", is_good=True, said=said)
    return Finding("Telegram", is_good=True, said=f"已设令牌，用 {config.telegram.mode} 方式收信。")
