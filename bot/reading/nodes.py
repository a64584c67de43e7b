"""Reads YAML into nodes that remember line and column; the one module that knows PyYAML.

Scalars stay text (or None): `on`, `no`, 2027-10-31 and 012 never turn into something else, and
the schema says what each must be. Anchors, aliases and tags are refused, so nothing can explode.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, NoReturn

import yaml

from bot.reading.files import UNSEEN
from bot.reading.report import Place, Report

_DEPTH = 6  # _domain.yaml, the deepest, needs four
_NO_KEYS: Mapping[str, Place] = MappingProxyType({})
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_Loader: type = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C scanner is 20 times as fast
_QUOTE = "含有英文冒号加空格、或以 @ % ` * & ! > | [ { 开头的句子，整句加上英文双引号。"
_NO_REFERENCES = ("不能用 & 标记和 * 引用。", _QUOTE)
_WRONGS = {
    "could not find expected ':'": (
        "这一行没有写成“键: 值”。",
        "用英文冒号加一个空格，不要用中文冒号“：”。",
    ),
    "mapping values are not allowed": ("这一行多了一个英文冒号，或者缩进不对。", _QUOTE),
    "expected key": ("这里的缩进和上面对不齐。", "同一层的键要左边对齐，用空格缩进。"),
    "expected '-' indicator": (
        "列表到这里断了，或者缩进对不齐。",
        "每项以“- ”开头，上下对齐；整句加引号后面不要再写字。",
    ),
    "expected <document start>": ("这里的内容接不上前面。", "检查上一行的引号、括号和缩进。"),
    "expected ',' or": ("括号没有配对，或者少了英文逗号。", "写成 [6, 7, 8] 的样子。"),
    "quoted scalar": ("引号没有配对。", "在句子末尾补上同样的英文引号。"),
    "cannot start any token": ("这里的符号不能放在开头。", _QUOTE),
    "alias": ("这里的 * 被当成了引用。", _QUOTE),
    "anchor": ("这里的 & 被当成了标记。", _QUOTE),
    "tag": ("这里的 ! 被当成了标记。", _QUOTE),
    "escape": ("双引号里的反斜杠 \\ 有特别含义。", "删掉反斜杠，或者改用英文单引号。"),
}


class Node(NamedTuple):
    """A value and where it stands; `keys` says where each key of a mapping stands.

    `end` is the place behind its last letter; of text written with | or >, the line after it.
    """

    place: Place
    end: Place
    value: str | tuple[Node, ...] | dict[str, Node] | None
    keys: Mapping[str, Place] = _NO_KEYS

    def plain(self) -> object:
        match self.value:
            case tuple():
                return [node.plain() for node in self.value]
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case _:
                return self.value

    def find(self, *path: str | int) -> Place:
        """Where the value at `path` stands, or the nearest thing around it that exists."""
        return self._nearest(path).place

    def items(self, *path: str | int) -> tuple[Node, ...]:
        """The items of the list at `path`."""
        value = self._nearest(path).value
        return value if isinstance(value, tuple) else ()

    def _nearest(self, path: Sequence[str | int]) -> Node:
        node = self
        for part in path:
            match node.value:
                case tuple(items) if isinstance(part, int):
                    node = items[part]
                case dict(pairs) if part in pairs:
                    node = pairs[str(part)]
                case _:
                    break
        return node


class _TooOddError(Exception):
    """The YAML can't be read further; the report already says why."""


def parse(text: str, report: Report, *, first_line: int = 1, is_prose: bool = False) -> Node | None:
    """The mapping that `text` holds; None, and the reason reported, where there is none. In prose
    nothing may stand behind a value: 花椒 #1 would lose its end as a comment, without a word."""
    composer = _Composer(text, report, first_line, is_prose=is_prose)
    try:
        node = composer.document(iter(_Loader(text).get_event, None))
    except yaml.YAMLError as error:
        composer.explain(error)
        return None
    except _TooOddError:
        return None
    if node is None or not isinstance(node.value, dict):
        place = node.place if node else Place(first_line)
        mend = "每行写成“键: 值”，如 title: 花椒锈病。"
        report.error("yaml", place, "这里应该是一行行的“键: 值”。", mend)
        return None
    return node


class _Composer:
    """Builds nodes from the scanner's events."""

    def __init__(self, text: str, report: Report, first_line: int, *, is_prose: bool) -> None:
        self._report = report
        self._first_line = first_line
        self._prose = text.split("\n") if is_prose and "#" in text else []
        self._may_hide = "\\" in text or UNSEEN.search(text) is not None

    def document(self, events: Iterator[yaml.Event]) -> Node | None:
        root: Node | None = None
        for event in events:
            match event:
                case yaml.DocumentStartEvent() if root:
                    self._refuse(event, "文件里有两段 YAML。", "删掉中间的 ---。")
                case yaml.NodeEvent():
                    root = self._node(event, events, 0)
        return root

    def explain(self, error: yaml.YAMLError) -> None:
        context = getattr(error, "context", None) or ""
        said = f"{context} {getattr(error, 'problem', '')}"
        usual = ("这里的 YAML 写法不对。", "对照一条能用的条目，检查冒号、引号和缩进。")
        wrong = next((words for part, words in _WRONGS.items() if part in said), usual)
        begins_there = any(part in context for part in ("simple key", "flow", "quoted"))
        mark = getattr(error, "context_mark" if begins_there else "problem_mark", None)
        place = self._place(mark) if mark else Place(self._first_line)
        self._report.error("yaml", place, *wrong)

    def _node(self, event: yaml.Event, events: Iterator[yaml.Event], depth: int) -> Node:
        if depth > _DEPTH:
            self._refuse(event, "括号或列表套得太深。", "照模板写，不要层层嵌套。")
        self._refuse_specials(event)
        match event:
            case yaml.ScalarEvent():
                return self._scalar(event)
            case yaml.SequenceStartEvent():
                return self._sequence(event, events, depth)
        if not isinstance(event, yaml.MappingStartEvent):
            self._refuse(event, *_NO_REFERENCES)
        return self._mapping(event, events, depth)

    def _scalar(self, event: yaml.ScalarEvent) -> Node:
        place, end = self._place(event.start_mark), self._place(event.end_mark)
        if not event.implicit[0]:
            return Node(place, end, event.value)
        if self._prose:
            self._see_the_end(end)
        return Node(place, end, None if event.value in _NULLS else event.value)

    def _sequence(
        self, opening: yaml.SequenceStartEvent, events: Iterator[yaml.Event], depth: int
    ) -> Node:
        items: list[Node] = []
        for event in events:
            if isinstance(event, yaml.SequenceEndEvent):
                break
            items.append(self._node(event, events, depth + 1))
        place = self._place(opening.start_mark)
        return Node(place, self._end(opening, event, items), tuple(items))

    def _mapping(
        self, opening: yaml.MappingStartEvent, events: Iterator[yaml.Event], depth: int
    ) -> Node:
        pairs: dict[str, Node] = {}
        keys: dict[str, Place] = {}
        values: list[Node] = []
        for event in events:
            if isinstance(event, yaml.MappingEndEvent):
                break
            key = self._key(event)
            spot = self._place(event.start_mark)
            values.append(self._node(next(events), events, depth + 1))
            if key in pairs:
                message = f"键 {key} 重复了，第 {keys[key].line} 行已经写过。"
                self._report.error("duplicate-key", spot, message, "两处合成一处。")
            else:
                pairs[key], keys[key] = values[-1], spot
        place = self._place(opening.start_mark)
        return Node(place, self._end(opening, event, values), pairs, keys)

    def _end(
        self, opening: yaml.CollectionStartEvent, closing: yaml.Event, parts: Sequence[Node]
    ) -> Place:
        """Without brackets the scanner ends a collection only where the next thing begins."""
        is_open = parts and not opening.flow_style
        return parts[-1].end if is_open else self._place(closing.end_mark)

    def _key(self, event: yaml.Event) -> str:
        self._refuse_specials(event)
        if not isinstance(event, yaml.ScalarEvent):
            self._refuse(event, "键只能是一个词。", "写成“键: 值”，如 title: 花椒锈病。")
        return str(getattr(event, "value", ""))

    def _see_the_end(self, end: Place) -> None:
        line = self._prose[end.line - self._first_line]
        if line[end.column - 1 :].lstrip().startswith("#"):
            message = "空格后面的 # 会让后面的字都丢掉。"
            mend = "去掉 # 前面的空格，或者整句加英文单引号。"
            self._report.error("yaml", end, message, mend)

    def _refuse_specials(self, event: yaml.Event) -> None:
        if getattr(event, "anchor", None):
            self._refuse(event, *_NO_REFERENCES)
        if getattr(event, "tag", None):
            self._refuse(event, "不能用 ! 标记。", _QUOTE)
        if self._may_hide and UNSEEN.search(getattr(event, "value", "")):  # written as "\u200b"
            self._refuse(event, "里面有反斜杠写出的看不见的字符。", "删掉反斜杠和后面的代码。")

    def _refuse(self, event: yaml.Event, message: str, mend: str) -> NoReturn:
        self._report.error("yaml", self._place(event.start_mark), message, mend)
        raise _TooOddError

    def _place(self, mark: Any) -> Place:
        return Place(self._first_line + mark.line, mark.column + 1)
