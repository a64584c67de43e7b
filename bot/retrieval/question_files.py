"""Reads question files for `tianwen evaluate`: what is asked, and what should come of it."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal, get_args

import yaml

from bot.domain import Problem
from bot.errors import KnowledgeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

TrialKind = Literal[
    "question",
    "unanswerable",
    "followup",
    "compound",
    "near",
    "far",
    "emergency",
    "not_emergency",
    "burst",
]
Style = Literal["dialect", "symptom", "short", "noisy"]

_NAME = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*")
_NULL = "tag:yaml.org,2002:null"
_NO_DOMAIN = "none"


@dataclass(frozen=True, slots=True)
class Trial:
    """One conversation to play and what should come of its last message."""

    kind: TrialKind
    messages: tuple[str, ...]
    source: str  # name of the file, without ending
    expected: tuple[str, ...] = ()  # entry ids; for a compound question all of them, else any
    style: str | None = None
    route: str | None = None  # domain id


def read_trials(paths: Sequence[Path]) -> tuple[Trial, ...]:
    """Every case of the files, in order. Raises KnowledgeError with every wrong found."""
    trials: list[Trial] = []
    problems: list[Problem] = []
    for path in paths:
        reader = _Reader(path)
        trials.extend(reader.trials())
        problems.extend(reader.problems)
    if problems:
        raise KnowledgeError(tuple(problems))
    return tuple(trials)


class _Reader:
    """Reads one file and collects what is wrong with it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.problems: list[Problem] = []

    def trials(self) -> Iterator[Trial]:
        root = self._root()
        if root is None:
            return
        found = False
        for name, node in _Item(self, root).pairs():
            if name not in _LISTS:
                self.wrong(node, f"没有 {name} 这个列表。", f"能用的：{'、'.join(_LISTS)}。")
                continue
            for item in self.items(node):
                found = True
                yield _LISTS[name](item)
                item.refuse_unknown_keys()
        if not found and not self.problems:
            self.wrong(None, "文件里一道题也没有。", "至少写一道，如 questions 下面一项。")

    @property
    def source(self) -> str:
        return self._path.stem

    def items(self, node: yaml.Node) -> Iterator[_Item]:
        if not isinstance(node, yaml.SequenceNode):
            self.wrong(node, "这里应该是列表。", "每项另起一行，以“- ”开头；没有就写 []。")
            return
        for each in node.value:
            if isinstance(each, yaml.MappingNode):
                yield _Item(self, each)
            else:
                self.wrong(each, "这一项应该是“键: 值”。", '如 {topic: pepper-rust, text: "…"}。')

    def wrong(self, node: yaml.Node | None, message: str, mend: str) -> None:
        self._wrong_at(node.start_mark if node else None, message, mend)

    def _wrong_at(self, mark: yaml.Mark | None, message: str, mend: str) -> None:
        line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        self.problems.append(Problem(str(self._path), line, column, message, mend))

    def _root(self) -> yaml.MappingNode | None:
        try:
            root = yaml.compose(self._path.read_text("utf-8-sig"), Loader=yaml.CSafeLoader)
        except OSError as error:
            self.wrong(None, f"打不开文件：{error.strerror}。", "检查文件名和权限。")
        except UnicodeDecodeError:
            self.wrong(None, "文件不是 UTF-8 编码。", "另存为 UTF-8。")
        except yaml.YAMLError as error:
            mark = getattr(error, "problem_mark", None)
            self._wrong_at(mark, "这里的 YAML 写法不对。", "检查冒号、引号、括号和缩进。")
        else:
            if isinstance(root, yaml.MappingNode):
                return root
            self.wrong(root, "文件应该是一组组列表。", "如 questions: 下面每题一行。")
        return None


class _Item:
    """One mapping; a key that nobody asked for is wrong."""

    def __init__(self, reader: _Reader, node: yaml.MappingNode) -> None:
        self._reader = reader
        self._node = node
        self._values: dict[str, yaml.Node] = {}
        self._asked: set[str] = set()
        for key, value in node.value:
            if key.value in self._values:
                reader.wrong(key, f"键 {key.value} 重复了。", "两处合成一处。")
            self._values[str(key.value)] = value

    def pairs(self) -> Iterator[tuple[str, yaml.Node]]:
        yield from self._values.items()

    def refuse_unknown_keys(self) -> None:
        for name, node in self.pairs():
            if name not in self._asked:
                mend = f"能用的键：{'、'.join(sorted(self._asked))}。"
                self._reader.wrong(node, f"没有 {name} 这个键。", mend)

    def trial(self, kind: TrialKind, *messages: str, expected: Sequence[str] = ()) -> Trial:
        """The case, with what any kind may have: style and route."""
        style = self._text_of(self._get("style", is_needed=False), is_needed=False)
        if style is not None and style not in get_args(Style):
            mend = f"能写的：{'、'.join(get_args(Style))}。"
            self._reader.wrong(self._values["style"], f"没有 {style} 这种问法。", mend)
        route = self.name("route", is_needed=False)
        route = None if route == _NO_DOMAIN else route
        return Trial(kind, messages, self._reader.source, tuple(expected), style, route)

    def text(self, key: str = "text") -> str:
        return self._text_of(self._get(key)) or ""

    def note(self, *keys: str) -> None:
        """Keys that are for people only: free text."""
        for key in keys:
            self._text_of(self._get(key, is_needed=False), is_needed=False)

    def flag(self, key: str) -> None:
        node = self._get(key, is_needed=False)
        if self._text_of(node, is_needed=False) not in {None, "true", "false"}:
            self._reader.wrong(node, f"{key} 只能写 true 或 false。", "改成 true 或 false。")

    def name(self, key: str, *, is_needed: bool = True) -> str | None:
        return self._name_of(self._get(key, is_needed=is_needed), is_needed=is_needed)

    def names(self, key: str, *, is_needed: bool = True) -> list[str]:
        nodes = self._list(key, is_needed=is_needed)
        return [name for node in nodes if (name := self._name_of(node))]

    def texts(self, key: str) -> list[str]:
        return [text for node in self._list(key) if (text := self._text_of(node))]

    def inner(self, key: str) -> _Item:
        node = self._get(key)
        if not isinstance(node, yaml.MappingNode):
            self._reader.wrong(node or self._node, f"{key} 应该是“键: 值”。", "写 text 和 topic。")
            return _Item(self._reader, yaml.MappingNode("", [], self._node.start_mark))
        return _Item(self._reader, node)

    def _list(self, key: str, *, is_needed: bool = True) -> list[yaml.Node]:
        node = self._get(key, is_needed=is_needed)
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode) or (is_needed and not node.value):
            self._reader.wrong(node, f"{key} 应该是列表，至少一项。", "写成 [a, b] 的样子。")
            return []
        return list(node.value)

    def _get(self, key: str, *, is_needed: bool = True) -> yaml.Node | None:
        self._asked.add(key)
        if is_needed and key not in self._values:
            self._reader.wrong(self._node, f"缺少 {key}。", f"补上 {key}: …")
        return self._values.get(key)

    def _name_of(self, node: yaml.Node | None, *, is_needed: bool = True) -> str | None:
        name = self._text_of(node, is_needed=is_needed)
        if name is not None and not _NAME.fullmatch(name):
            mend = "只用小写字母、数字和减号，如 pepper-rust。"
            self._reader.wrong(node, f"“{name[:40]}”不能作代号。", mend)
        return name

    def _text_of(self, node: yaml.Node | None, *, is_needed: bool = True) -> str | None:
        if node is None or (node.tag == _NULL and not is_needed):
            return None
        if not isinstance(node, yaml.ScalarNode) or node.tag == _NULL or not node.value.strip():
            self._reader.wrong(node, "这里应该是一句话。", "补上文字，整句加英文双引号。")
            return None
        return str(node.value)


def _question(item: _Item) -> Trial:
    topics = [item.name("topic") or "", *item.names("also", is_needed=False)]
    return item.trial("question", item.text(), expected=topics)


def _unanswerable(item: _Item) -> Trial:
    item.note("why")
    item.flag("hard")
    return item.trial("unanswerable", item.text())


def _followup(item: _Item) -> Trial:
    first, then = item.inner("first"), item.inner("then")
    first.name("topic")
    topic = then.name("topic") or ""
    trial = item.trial("followup", first.text(), then.text(), expected=[topic])
    first.refuse_unknown_keys()
    then.refuse_unknown_keys()
    return trial


def _compound(item: _Item) -> Trial:
    return item.trial("compound", item.text(), expected=item.names("topics"))


def _near(item: _Item) -> Trial:
    item.name("route")
    return item.trial("near", item.text())


def _far(item: _Item) -> Trial:
    item.note("kind")
    return item.trial("far", item.text())


def _emergency(item: _Item) -> Trial:
    return item.trial("emergency", item.text())


def _not_emergency(item: _Item) -> Trial:
    topic = item.name("topic", is_needed=False)
    return item.trial("not_emergency", item.text(), expected=[topic] if topic else [])


def _burst(item: _Item) -> Trial:
    topic = item.name("topic") or ""
    return item.trial("burst", *item.texts("messages"), expected=[topic])


_LISTS: Mapping[str, Callable[[_Item], Trial]] = {
    "questions": _question,
    "unanswerable": _unanswerable,
    "followups": _followup,
    "compound": _compound,
    "near": _near,
    "far": _far,
    "emergency": _emergency,
    "not_emergency": _not_emergency,
    "bursts": _burst,
}
