"""Reads the knowledge folder strictly: all of it is right, or every wrong is told."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from bot.domain import (
    Author,
    Domain,
    Entry,
    KnowledgeBase,
    OutOfScope,
    Problem,
    Review,
    Unanswerable,
)
from bot.errors import KnowledgeError
from bot.knowledge import front_matter, lists, markdown, pictures, schema
from bot.knowledge.markdown import Placed
from bot.reading import files
from bot.reading.fields import NAME, NAME_MEND
from bot.reading.fitting import fit
from bot.reading.nodes import Node, parse
from bot.reading.report import START, Place, Report

_DOMAIN_FILE = "_domain.yaml"


@dataclass(frozen=True, slots=True)
class EntryFile:
    """An entry and where each part of it stands."""

    path: str
    entry: Entry
    front: Node
    body: tuple[Placed, ...]
    # None: told why it can't be read; missing are left out.
    pictures: Mapping[str, bytes | None] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DomainFile:
    """A domain and where each part of it stands."""

    path: str
    domain: Domain
    front: Node


@dataclass(frozen=True, slots=True)
class Page:
    """What one file says, whatever lies beside it: it hangs on the file's place and bytes only."""

    raw: bytes
    problems: tuple[Problem, ...]
    file: EntryFile | DomainFile | None  # without the pictures' bytes; None: there are errors
    pictures: frozenset[str] = frozenset()  # by `Block.picture`


@dataclass(slots=True)
class Reading:
    """What could be read of the folder, and every problem met on the way."""

    domains: list[DomainFile] = field(default_factory=list)
    entries: list[EntryFile] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    names: dict[str, str] = field(default_factory=dict)  # every id met, readable or not → path
    revision: str = ""


class Reader:
    """Reads a folder as often as it changes; only files whose bytes have changed are parsed again,
    but what one file must not share with another is looked at over all."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._pages: dict[Path, Page] = {}

    def read(self) -> Reading:
        """Whatever can be read; never raises."""
        walk = _Walk(self._folder, self._pages)
        reading = walk.read()
        self._pages = walk.pages  # without those of files that are gone
        return reading

    def load(self, guard: Callable[[Reading], tuple[Problem, ...]] = lambda _: ()) -> KnowledgeBase:
        """The whole folder but for drafts. Raises KnowledgeError, and nothing else, with every
        error found, also by the `guard`."""
        reading = self.read()
        unanswerable, problems = lists.unanswerable(self._folder)
        found = (*reading.problems, *problems, *guard(reading))
        errors = tuple(problem for problem in found if problem.level == "error")
        if errors:
            raise KnowledgeError(errors)
        return _base(reading, unanswerable.all if unanswerable else ())


def load(folder: Path) -> KnowledgeBase:
    """See `Reader.load`."""
    return Reader(folder).load()


def read(folder: Path) -> Reading:
    """See `Reader.read`."""
    return Reader(folder).read()


def _base(reading: Reading, unanswerable: tuple[Unanswerable, ...]) -> KnowledgeBase:
    served = [file for file in reading.entries if not file.entry.is_draft]
    return KnowledgeBase(
        reading.revision,
        {file.domain.id: file.domain for file in reading.domains},
        {file.entry.id: file.entry for file in served},
        {
            name: picture
            for file in served
            for name, raw in file.pictures.items()
            if raw and (picture := pictures.look(raw))
        },
        unanswerable,
    )


class _Walk:
    """Walks the folder once; each file's bytes are read once and hashed as read."""

    def __init__(self, folder: Path, known: Mapping[Path, Page]) -> None:
        self.pages: dict[Path, Page] = {}
        self._known = known
        self._root = folder
        self._reading = Reading()
        self._digest = hashlib.sha256()
        self._pictures: dict[str, bytes | None] = {}  # by `Block.picture`

    def read(self) -> Reading:
        report = self._report(self._root)
        folders = self._domain_folders(files.children(self._root, report))
        if not folders and not report.has_errors:
            mend = f"每个领域一个文件夹，里面放 {_DOMAIN_FILE} 和条目。"
            report.error("folder", START, "知识文件夹是空的。", mend)
        self._close(report)
        for path in folders:
            self._read_domain(path)
        self._refuse_repeated_questions()
        self._reading.problems.sort(key=lambda each: (each.path, each.line, each.column))
        self._reading.revision = self._digest.hexdigest()
        return self._reading

    def _domain_folders(self, paths: Sequence[Path]) -> list[Path]:
        folders = []
        for path in paths:
            if path.name.startswith("_") and path.suffix == ".yaml":
                continue  # lists, read by others
            if files.is_folder(path):
                folders.append(path)
            else:
                self._does_not_belong(path, "条目放到领域文件夹里，别的文件挪走。")
        return folders

    def _read_domain(self, folder: Path) -> None:
        report = self._report(folder)
        if not NAME.fullmatch(folder.name):
            report.error("file-name", START, "领域文件夹的名字不对。", NAME_MEND)
        inside = files.children(folder, report)
        if not any(map(_is_entry, inside)) and not report.has_errors:
            report.error("folder", START, "这个领域一条条目也没有。", "放进条目，或者删掉文件夹。")
        self._close(report)
        self._take_domain(folder / _DOMAIN_FILE)
        for path in inside:
            if _is_entry(path):
                self._take_entry(path)
            elif path.name != _DOMAIN_FILE and not _is_for_pictures(path):
                self._does_not_belong(path, "这里只放条目（.md）和 _domain.yaml，别的挪走。")
        for path in filter(_is_for_pictures, inside):
            self._warn_of_unused(path)

    def _take_domain(self, path: Path) -> None:
        page = self._page(path, _parse_domain)
        self._reading.problems.extend(page.problems)
        if isinstance(page.file, DomainFile):
            self._reading.domains.append(page.file)

    def _take_entry(self, path: Path) -> None:
        report = self._report(path)
        self._take_name(path, report)
        page = self._page(path, _parse_entry)
        report.extend(page.problems)
        self._close(report)
        found = self._read_pictures(path.parent, page.pictures)
        if isinstance(page.file, EntryFile) and not report.has_errors:
            self._reading.entries.append(replace(page.file, pictures=found))

    def _page(self, path: Path, parse_page: Callable[[Path, bytes, Report], Page]) -> Page:
        report = self._report(path)
        raw = files.read(path, self._root, report)
        if raw is None:
            return Page(b"", tuple(report.problems), None)
        self._count_in(path, raw)
        known = self._known.get(path)
        if known is None or known.raw != raw:
            known = parse_page(path, raw, report)
        self.pages[path] = known
        return known

    def _count_in(self, path: Path, raw: bytes) -> None:
        name = path.relative_to(self._root).as_posix()
        for part in (name.encode("utf-8", "surrogateescape"), raw):
            self._digest.update(len(part).to_bytes(8, "big") + part)

    def _read_pictures(self, folder: Path, names: frozenset[str]) -> dict[str, bytes | None]:
        """What there is of these pictures; each file is read once."""
        for name in sorted(names - self._pictures.keys()):
            path = folder / pictures.FOLDER / name.rpartition("/")[2]
            if os.path.lexists(path):
                report = self._report(path)
                raw = files.read_head(path, self._root, report, most=pictures.MOST_BYTES + 1)
                self._pictures[name] = raw
                self._count_in(path, raw or b"")
                self._close(report)
        return {name: self._pictures[name] for name in names & self._pictures.keys()}

    def _warn_of_unused(self, folder: Path) -> None:
        report = self._report(folder)
        for path in files.children(folder, report):
            if f"{folder.parent.name}/{path.name}" not in self._pictures:
                unused = self._report(path)
                mend = f"在条目里写一行 ![图上看得到什么]({path.name})，或者删掉它。"
                unused.warn("unused-picture", START, "没有条目用到这个文件。", mend)
                self._close(unused)
        self._close(report)

    def _take_name(self, path: Path, report: Report) -> None:
        if path.suffix != ".md" or not NAME.fullmatch(path.stem):
            report.error("file-name", START, "文件名不对。", NAME_MEND)
        elif first := self._reading.names.get(path.stem):
            message = f"{path.stem} 这个代号 {first} 已经用了。"
            report.error("duplicate-id", START, message, "给这个文件换个名字。")
        else:
            self._reading.names[path.stem] = report.path

    def _refuse_repeated_questions(self) -> None:
        """Drafts may: a farmer's words stand in them before anybody has looked at them."""
        seen: dict[str, tuple[EntryFile, int]] = {}
        for file in (one for one in self._reading.entries if not one.entry.is_draft):
            report = Report(file.path)
            for index, question in enumerate(file.entry.questions):
                first, number = seen.setdefault(question, (file, index))
                if first is not file or number != index:
                    line = first.front.find("questions", number).line
                    message = f"“{question}”已经写在 {first.path} 第 {line} 行。"
                    place = file.front.find("questions", index)
                    report.error(
                        "duplicate-question", place, message, "留最合适的一处，删掉另一处。"
                    )
            self._close(report)

    def _does_not_belong(self, path: Path, mend: str) -> None:
        report = self._report(path)
        report.warn("stray", START, "这个文件不该放在这里，没有读。", mend)
        self._close(report)

    def _report(self, path: Path) -> Report:
        return Report(files.shown(path, self._root))

    def _close(self, report: Report) -> None:
        self._reading.problems.extend(report.problems)


def _is_entry(path: Path) -> bool:
    return path.suffix.lower() == ".md"


def _is_for_pictures(path: Path) -> bool:
    return path.name == pictures.FOLDER and files.is_folder(path)


def _parse_domain(path: Path, raw: bytes, report: Report) -> Page:
    text = files.decode(raw, report)
    node = parse(text, report, is_prose=True) if text else None
    shape = fit(schema.DomainShape, node, report) if node else None
    file = None
    if shape and node and not report.has_errors:
        file = DomainFile(report.path, _domain(path.parent.name, shape), node)
    return Page(raw, tuple(report.problems), file)


def _parse_entry(path: Path, raw: bytes, report: Report) -> Page:
    text = files.decode(raw, report)
    parts = front_matter.split(text, report) if text else None
    if not parts:
        return Page(raw, tuple(report.problems), None)
    front, body, body_line = parts
    blocks = markdown.parse(body, report, domain=path.parent.name, first_line=body_line)
    _must_open_with_answer(blocks, Place(body_line - 1), report)
    node = parse(front, report, first_line=2, is_prose=True)
    shape = fit(schema.EntryShape, node, report) if node else None
    file = None
    if shape and node and not report.has_errors:
        file = EntryFile(report.path, _entry(path, shape, blocks), node, blocks)
    names = frozenset(placed.block.picture for placed in blocks) - {""}
    return Page(raw, tuple(report.problems), file, names)


def _must_open_with_answer(blocks: Sequence[Placed], place: Place, report: Report) -> None:
    mend = "--- 下面先写一小段短答（80 字以内），再写 ## 小标题。"
    if not blocks:
        report.error("body", place, "没有正文。", mend)
    elif blocks[0].block.kind != "paragraph":
        report.error("body", blocks[0].place, "正文开头不是短答。", mend)


def _domain(name: str, shape: schema.DomainShape) -> Domain:
    rules = tuple(OutOfScope(rule.questions, rule.reply) for rule in shape.out_of_scope)
    return Domain(
        name,
        shape.title,
        shape.speciality,
        shape.words,
        shape.groups,
        rules,
        photos=shape.photos,
        bloom=shape.bloom,
    )


def _entry(path: Path, shape: schema.EntryShape, body: Sequence[Placed]) -> Entry:
    short_answer, *details = (placed.block for placed in body)
    author = shape.author
    return Entry(
        id=path.stem,
        domain=path.parent.name,
        title=shape.title,
        questions=shape.questions,
        short_answer=short_answer.text,
        details=tuple(details),
        sources=shape.sources,
        review=Review(shape.reviewed.status, shape.reviewed.by, shape.reviewed.on),
        review_by=shape.review_by,
        group=shape.group or "",
        season=shape.season,
        confusable_with=shape.confusable_with,
        see_also=shape.see_also,
        author=Author(author.id, author.name, author.case) if author else None,
    )
