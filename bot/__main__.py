"""The command line `tianwen`: parses the arguments and says in Chinese what went wrong."""

from __future__ import annotations

import argparse
import logging
import os
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path

from bot.errors import TianwenError

HOME = Path(__file__).resolve().parent.parent
_ROOMS = {"check": "staff", "knowledge": "staff"}  # of the commands that need no model


def main(arguments: Sequence[str] | None = None) -> int:
    parser = _parser()
    options = parser.parse_args(arguments)
    if options.command is None:
        parser.print_help()
        return 2
    logging.basicConfig(level=options.log, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    # Nothing is ever fetched behind the operator's back; a hub model must be in its cache.
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    try:
        return _run(options)
    except TianwenError as error:
        print(error, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _run(options: argparse.Namespace) -> int:
    """Only what the command needs is loaded: `check` must not wait for a model's libraries."""
    module = import_module(f"bot.app.{_ROOMS.get(options.command, 'commands')}")
    return int(getattr(module, options.command)(options))


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
    evaluate = commands.add_parser("evaluate", help="用问题文件考一考")
    evaluate.add_argument("files", nargs="+", type=Path, help="问题文件（YAML）")
    evaluate.add_argument("--json", type=Path, help="把每一题写到这个文件")
    commands.add_parser("index", help="解开模型、编码知识库（serve 会自己做）")
    invite = commands.add_parser("invite", help="给特派员或分诊员一个一次性绑定码")
    invite.add_argument("name", help="config/commissioners.yaml 里的姓名或 id")
    invite.add_argument("--hours", type=float, default=72, help="多少小时内有效（默认 72）")
    commands.add_parser("doctor", help="体检：设置、知识库、模型、数据库、Telegram")
    return parser


def _home() -> Path:
    """TIANWEN_HOME, else the folder one stands in if it has a config/, else the checkout."""
    if named := os.environ.get("TIANWEN_HOME"):
        return Path(named)
    here = Path.cwd()
    return here if (here / "config").is_dir() else HOME


if __name__ == "__main__":
    sys.exit(main())
