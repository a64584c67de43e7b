"""The command line `tianwen`: parses the arguments and says in Chinese what went wrong."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from bot.errors import TianwenError

_Commands = Any  # argparse gives the class of add_subparsers() no public name
HOME = Path(__file__).resolve().parent.parent


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    logging.basicConfig(level=options.log, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Nothing is ever fetched behind the operator's back; a hub model must be in its cache.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    # Its threads spin after every product of ours, too small to be shared out, and take a core.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    # We use no plugin of pydantic; looking for some, it would read of every package installed.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    try:
        return _run(options)
    except TianwenError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Only what the command needs is loaded: `check` must not wait for a model's libraries."""
    room, function = getattr(options, "does", ("commands", options.command))
    return int(getattr(import_module(f"bot.app.{room}"), function)(options))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="tianwen", description="田问：农户问，知识库答，特派员兜底"
    )
    parser.add_argument(
        "--home", type=Path, default=_home(), help="放 knowledge/ 和 config/ 的文件夹"
    )
    levels = ("DEBUG", "INFO", "WARNING", "ERROR")
    parser.add_argument(
        "--log", type=str.upper, choices=levels, default="WARNING", help="日志级别（默认 WARNING）"
    )
    commands = parser.add_subparsers(dest="command", title="命令", metavar="命令")
    serve = commands.add_parser("serve", help="开门：网页、工作台、Telegram")
    serve.add_argument("--port", type=int, help="网页端口，盖过设置")
    ask = commands.add_parser("ask", help="问一句，看怎么答")
    ask.add_argument("text", nargs="+", help="农户的话")
    commands.add_parser("chat", help="在终端里当农户聊天（用临时数据库）")
    check = commands.add_parser("check", help="查知识库和设置写得对不对")
    check.add_argument("--quiet", action="store_true", help="只说错误，不说提醒")
    check.set_defaults(does=("staff", "check"))
    check.add_argument(
        "--search",
        dest="does",
        action="store_const",
        const=("search_commands", "check"),
        help="再查每句问法能不能找回自己的条目（要几分钟）",
    )
    _add_search(commands)
    _add_knowledge(commands.add_parser("knowledge", help="管知识：导出、导入、起草、核定、统计"))
    _add_evaluate(commands.add_parser("evaluate", help="用问题文件考一考"))
    learn = commands.add_parser("learn", help="从 config/emergency_sentences.yaml 学认危险的话")
    learn.set_defaults(does=("learning", "learn"))
    commands.add_parser("index", help="解开模型、编码知识库（serve 会自己做）")
    invite = commands.add_parser("invite", help="给特派员或分诊员一个一次性绑定码")
    invite.add_argument("name", help="config/commissioners.yaml 里的姓名或 id")
    invite.add_argument("--hours", type=float, default=72, help="多少小时内有效（默认 72）")
    _add_reports(commands)
    _add_doctor(commands)
    return parser


def _add_doctor(commands: _Commands) -> None:
    doctor = commands.add_parser("doctor", help="体检：设置、知识库、模型、数据库，或一个聊天平台")
    platforms = ("wechat", "wecom", "telegram")
    doctor.add_argument("part", nargs="?", choices=platforms, help="只看一个聊天平台，问它本身")


def _add_reports(commands: _Commands) -> None:
    report = commands.add_parser("report", help="年报、月报：服务、提问、没答上的")
    report.add_argument("span", choices=("year", "month"), help="year 全年，month 一个月")
    report.add_argument("when", nargs="?", help="哪一年（2026）或哪个月（2026-11）；不写就是现在")
    report.add_argument("--commissioner", metavar="姓名", help="只看一位特派员")
    report.add_argument("--xlsx", type=Path, help="写成 Excel 文件")
    report.add_argument("--html", type=Path, help="写成一张网页，能打印")
    report.set_defaults(does=("reporting", "report"))
    ledger = commands.add_parser("ledger", help="核对台账：有没有被动过")
    ledger.set_defaults(does=("reporting", "ledger"))
    news = commands.add_parser("news", help="告诉以前没问到答案的农户：现在有了")
    news.add_argument("entries", nargs="+", metavar="id", help="新条目的代号")
    news.add_argument("--send", action="store_true", help="真的发；不写就只数有几位")
    news.set_defaults(does=("news", "news"))


def _add_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("files", nargs="+", type=Path, help="问题文件（YAML）")
    parser.add_argument("--json", type=Path, help="把每一题写到这个文件")
    parser.add_argument("--html", type=Path, help="把考评写成一张网页")
    parser.add_argument("--against", type=Path, help="上次的 --json 文件，看哪些题变了")


def _add_search(commands: _Commands) -> None:
    explain = commands.add_parser("explain", help="说一说一句话为什么这样答")
    explain.add_argument("text", nargs="+", help="农户的话")
    explain.set_defaults(does=("search_commands", "explain"))
    calibrate = commands.add_parser("calibrate", help="按容许的差错重定把握的门槛")
    calibrate.add_argument("files", nargs="+", type=Path, help="没写进知识库的考题（YAML）")
    calibrate.add_argument("--out", type=Path, help="写到别处（默认换掉现用的）")
    calibrate.set_defaults(does=("search_commands", "calibrate"))
    train = commands.add_parser("train", help="用知识库的问法微调向量模型，考题答得更好才换上")
    train.add_argument("files", nargs="+", type=Path, help="没写进知识库的考题（YAML）")
    train.add_argument("--steps", type=int, default=500, help="练多少步（默认 500，约半小时）")
    train.add_argument("--seed", type=int, default=0, help="抽句子的次序（默认 0）")
    train.set_defaults(does=("training", "train"))


def _add_knowledge(parser: argparse.ArgumentParser) -> None:
    actions = parser.add_subparsers(dest="action", title="命令", metavar="命令", required=True)
    export = actions.add_parser("export", help="导出成 Excel 表")
    export.add_argument("file", type=Path, help="要写的 .xlsx 文件")
    export.add_argument("--force", action="store_true", help="文件已经在了也盖掉")
    export.set_defaults(does=("workbook_commands", "export"))
    take_in = actions.add_parser("import", help="把改好的 Excel 表导回来")
    take_in.add_argument("file", type=Path, help="改好的 .xlsx 文件")
    take_in.add_argument("--dry-run", action="store_true", help="只说会改什么，什么也不写")
    take_in.set_defaults(does=("workbook_commands", "take_in"))
    new = actions.add_parser("new", help="起草一条新条目")
    new.add_argument("id", help="代号，如 pepper-rust")
    new.add_argument("--domain", help="领域（文件夹名或中文名）；不写就照代号猜")
    new.add_argument("--title", help="标题")
    new.set_defaults(does=("knowledge_commands", "new"))
    approve = actions.add_parser("approve", help="核定条目")
    approve.add_argument("ids", nargs="+", metavar="id", help="代号")
    approve.add_argument("--by", required=True, help="审核人姓名")
    approve.add_argument("--on", type=_day, help="审核日期（默认今天）")
    approve.add_argument("--review-by", type=_day, help="复审期限（默认照文件里定的长短）")
    approve.set_defaults(does=("knowledge_commands", "approve"))
    stats = actions.add_parser("stats", help="各领域、各分组有多少条、审到哪里")
    stats.set_defaults(does=("knowledge_commands", "stats"))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        message = f"“{text}”不是日期，写成 2027-10-31 的样子"
        raise argparse.ArgumentTypeError(message) from None


def _home() -> Path:
    """TIANWEN_HOME, else the folder one stands in if it has a config/, else the checkout."""
    if named := os.environ.get("TIANWEN_HOME"):
        return Path(named)
    here = Path.cwd()
    return here if (here / "config").is_dir() else HOME


if __name__ == "__main__":
    sys.exit(main())
