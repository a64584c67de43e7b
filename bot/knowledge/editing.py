"""Changes an entry's file by as little as the change needs: comments, order and quoting stay."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from difflib import SequenceMatcher
from typing import NamedTuple

from bot.errors import EditError
from bot.knowledge import front_matter
from bot.knowledge.load import EntryFile
from bot.knowledge.manuscript import (
    Manuscript,
    Value,
    answer_end,
    flow,
    manuscript_of,
    scalar,
)
from bot.reading.nodes import Node, parse
from bot.reading.report import START, Place, Report

_NEWLINE = re.compile(r"\r\n?|\n")
_BLOCKS = ("##", "- ", "![")  # what begins a block even right below a paragraph


class Spot(NamedTuple):
    """What stands on a line of a file: a part of the manuscript, and which phrasing of it."""

    part: str
    item: int | None = None


def edit(text: str, file: EntryFile, wanted: Manuscript) -> str:
    """The text of `file`, changed to say what is `wanted`. Raises EditError where the file is
    written too oddly to be changed without care; what is wrong with the words is for the check."""
    editor = _Editor(text, file)
    old, new = manuscript_of(file, text), wanted.front
    for key, value in old.front.items():
        if new[key] != value:
            editor.change(key, value, new[key])
    if wanted.short_answer != old.short_answer:
        editor.change_answer(wanted.short_answer)
    if wanted.details != old.details:
        editor.change_details(wanted.details)
    edited = editor.text()
    changed = {key: new[key] for key in new if new[key] != old.front[key]}
    _must_say(edited, _pairs(file.front) | changed, file.path)
    return edited


def _must_say(edited: str, wanted: Mapping[str, object], path: str) -> None:
    """Text that can't be read at all is refused by the check, with the reason."""
    report = Report(path)
    parts = front_matter.split("\n".join(_NEWLINE.split(edited)), report)
    node = parse(parts[0], report) if parts else None
    if node is None or report.problems:
        return
    said = _pairs(node)
    for key in wanted:
        if _essence(said.get(key)) != _essence(wanted[key]):
            message = f"{path} 的 {key} 写得特别，程序改不动。用记事本直接改这个文件。"
            raise EditError(message)


def _pairs(node: Node) -> dict[str, object]:
    plain = node.plain()
    return plain if isinstance(plain, dict) else {}


def _essence(value: object) -> object:
    """The value as the loader takes it: 06 is 6, and a part that is null is as good as left out."""
    match value:
        case str(text):
            return text.strip().lstrip("0")
        case list() | tuple():
            return [_essence(one) for one in value]
        case dict():
            return {key: _essence(one) for key, one in value.items() if one is not None}
    return value


def spot(text: str, line: int) -> Spot | None:
    """What stands on that line of an entry's file, whether or not the loader takes it."""
    lines = _NEWLINE.split(text)
    report = Report("")
    parts = front_matter.split("\n".join(lines), report)
    if not parts or line <= START.line:
        return None
    front, _, body_line = parts
    if line >= body_line - 1:
        return _spot_in_body(lines, body_line, line)
    node = parse(front, report, first_line=2)
    above = [(place, key) for key, place in node.keys.items() if place.line <= line] if node else []
    if not node or not above:
        return None
    key = max(above)[1]
    return Spot(key, _item(node, key, line))


def _spot_in_body(lines: Sequence[str], body_line: int, line: int) -> Spot:
    """The short answer ends with its paragraph."""
    first = next((at for at in range(body_line, len(lines) + 1) if lines[at - 1].strip()), line)
    is_answer = all(
        one.strip() and not one.lstrip().startswith(_BLOCKS) for one in lines[first:line]
    )
    return Spot("short_answer" if line <= first or is_answer else "details")


def _item(node: Node, key: str, line: int) -> int | None:
    value = node.value[key].value if isinstance(node.value, dict) else None
    items = value if key == "questions" and isinstance(value, tuple) else ()
    return next((at for at, item in enumerate(items) if item.place.line == line), None)


class _Editor:
    """Collects what to replace, each by where it begins and ends in the text."""

    def __init__(self, text: str, file: EntryFile) -> None:
        self._text = text
        self._file = file
        self._root = file.front.value if isinstance(file.front.value, dict) else {}
        self._lines = text.splitlines(keepends=True)
        self._starts = [0]
        for line in self._lines:
            self._starts.append(self._starts[-1] + len(line))
        newline = _NEWLINE.search(text)
        self._newline = newline.group() if newline else "\n"
        self._edits: list[tuple[int, int, str]] = []

    def text(self) -> str:
        result = self._text
        by_place = sorted(enumerate(self._edits), key=lambda each: (*each[1][:2], each[0]))
        for _, (start, end, new) in reversed(by_place):
            result = result[:start] + new + result[end:]
        return result

    def _put(self, start: int, end: int, new: str) -> None:
        self._edits.append((start, end, new.replace("\n", self._newline)))

    def change(self, key: str, old: Value, new: Value) -> None:
        if key in self._root:
            self._change(key, self._root[key], old, new)
        else:
            self._insert(key, new)

    def _change(self, key: str, node: Node, old: Value, new: Value) -> None:
        match node.value, old, new:
            case dict(parts), dict(), dict() if _present(new) <= parts.keys():
                for part, inner in parts.items():
                    if old.get(part) != new.get(part):
                        self._replace(inner, _bracketed(new.get(part)))
            case tuple(items), tuple(), tuple() if new and self._at(node) == "-":
                self._change_items(key, items, old, new)
            case _:
                self._replace(node, flow(key, new))

    def _replace(self, node: Node, new: str) -> None:
        start, end = self._span(node)
        before = self._text[:start].rstrip()
        is_apart = start == end or _NEWLINE.search(self._text, len(before), start)
        if is_apart and before.endswith(":"):
            start, new = len(before), f" {new}"
        self._put(start, end, new)

    def _change_items(
        self, key: str, items: Sequence[Node], old: Sequence[str], new: Sequence[str]
    ) -> None:
        """Only the lines of items that came or went; what stands between the others stays."""
        spans = [self._item_span(item) for item in items]
        indent = " " * (self._root[key].place.column - 1)
        for what, first, last, low, high in _differences(old, new):
            at = spans[first][0] if first < len(spans) else spans[-1][1]
            if what in {"insert", "replace"}:
                lines = (f"{indent}- {scalar(key, one)}\n" for one in new[low:high])
                self._put(at, at, "".join(lines))
            for span in spans[first:last]:
                self._put(*span, "")

    def _insert(self, key: str, new: Value) -> None:
        """A line behind the nearest key that the house's order puts before this one."""
        order = list(Manuscript("", "").front)
        before = [one for one in order[: order.index(key)] if one in self._root]
        _, end = self._span(self._root[before[-1]])
        at = self._line_end(end)
        indent = " " * (self._file.front.place.column - 1)
        self._put(at, at, f"{indent}{key}: {flow(key, new)}\n")

    def change_answer(self, new: str) -> None:
        start = self._offset(self._file.body[0].place)
        end = self._starts[answer_end(self._file, self._text)]
        self._put(start, start + len(self._text[start:end].rstrip()), new)

    def change_details(self, new: str) -> None:
        """Only the lines that differ."""
        end = answer_end(self._file, self._text)
        answered = len(self._text[: self._starts[end]].rstrip())
        last = len(self._text.rstrip())
        if not new or last == answered:
            self._put(answered, last, f"\n\n{new}" if new else "")
            return
        first = next(at for at in range(end, len(self._lines)) if self._lines[at].strip())
        lines = self._text[self._starts[first] : last].splitlines(keepends=True)
        merged = "".join(_merge(lines, new.split("\n"), self._newline)).rstrip()
        gap = "" if first > end or new.startswith(_BLOCKS) else self._newline
        self._edits.append((self._starts[first], last, gap + merged))

    def _at(self, node: Node) -> str:
        return self._text[self._offset(node.place) :][:1]

    def _offset(self, place: Place) -> int:
        return self._starts[place.line - 1] + place.column - 1

    def _span(self, node: Node) -> tuple[int, int]:
        start, end = self._offset(node.place), self._offset(node.end)
        return start, start + len(self._text[start:end].rstrip())

    def _item_span(self, item: Node) -> tuple[int, int]:
        """The item's lines, from its dash on."""
        start, end = self._span(item)
        dash = self._text.rindex("-", 0, start)
        return dash - len(_last_line(self._text[:dash])), self._line_end(end)

    def _line_end(self, offset: int) -> int:
        return next(start for start in self._starts if start >= offset)


def _present(value: dict[str, str | None]) -> set[str]:
    return {key for key, one in value.items() if one is not None}


def _bracketed(value: str | None) -> str:
    return flow("", (value,))[1:-1] if value is not None else "null"


def _last_line(text: str) -> str:
    return _NEWLINE.split(text)[-1]


def _differences(
    old: Sequence[str], new: Sequence[str]
) -> Iterator[tuple[str, int, int, int, int]]:
    matcher = SequenceMatcher(a=old, b=new, autojunk=False)
    return (each for each in matcher.get_opcodes() if each[0] != "equal")


def _merge(old: Sequence[str], new: Sequence[str], newline: str) -> Iterator[str]:
    """The new lines, each as it stood where it stood before."""
    matcher = SequenceMatcher(a=[line.rstrip() for line in old], b=new, autojunk=False)
    for what, first, last, low, high in matcher.get_opcodes():
        if what == "equal":
            yield from (line if line[-1:] in "\r\n" else line + newline for line in old[first:last])
        else:
            yield from (line + newline for line in new[low:high])
