"""An entry as staff write it: the words of its file, before they are fitted and cut into blocks."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from bot.domain import Author
from bot.knowledge.load import EntryFile, Reading
from bot.reading.nodes import parse
from bot.reading.report import Report

Value = str | None | tuple[str, ...] | Mapping[str, str | None]
_QUOTED = frozenset({"sources"})  # book titles and addresses: the house quotes them all


@dataclass(frozen=True, slots=True)
class Manuscript:
    """Every part as text; None or an empty tuple where the entry has none."""

    id: str
    domain: str
    title: str = ""
    group: str | None = None
    questions: tuple[str, ...] = ()
    season: tuple[str, ...] = ()
    confusable_with: tuple[str, ...] = ()
    see_also: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    author: Author | None = None
    status: str = "pending"
    by: str | None = None
    on: str | None = None
    review_by: str | None = None
    short_answer: str = ""
    details: str = ""  # Markdown

    @property
    def front(self) -> dict[str, Value]:
        """The front matter, in the order of the house."""
        return {
            "title": self.title,
            "group": self.group,
            "questions": self.questions,
            "season": self.season,
            "confusable_with": self.confusable_with,
            "see_also": self.see_also,
            "sources": self.sources,
            "author": {key: str(value) for key, value in asdict(self.author).items()}
            if self.author
            else None,
            "reviewed": {"status": self.status, "by": self.by, "on": self.on},
            "review_by": self.review_by,
        }


@dataclass(frozen=True, slots=True)
class Original:
    """An entry's file as it stands, and what it says."""

    file: EntryFile
    text: str
    manuscript: Manuscript


def originals(folder: Path, reading: Reading) -> dict[str, Original]:
    """Every entry that could be read, by id."""
    found = {}
    for file in reading.entries:
        place = folder / file.entry.domain / f"{file.entry.id}.md"
        text = place.read_bytes().decode()
        found[file.entry.id] = Original(file, text, manuscript_of(file, text))
    return found


def manuscript_of(file: EntryFile, text: str) -> Manuscript:
    """What the text of `file`, as read by the loader, says."""
    entry = file.entry
    return Manuscript(
        id=entry.id,
        domain=entry.domain,
        title=entry.title,
        group=entry.group or None,
        questions=entry.questions,
        season=tuple(map(str, entry.season)),
        confusable_with=entry.confusable_with,
        see_also=entry.see_also,
        sources=entry.sources,
        author=entry.author,
        status=entry.review.status,
        by=entry.review.by,
        on=entry.review.on.isoformat() if entry.review.on else None,
        review_by=entry.review_by.isoformat() if entry.review_by else None,
        short_answer=entry.short_answer,
        details=tidy("".join(text.splitlines(keepends=True)[answer_end(file, text) :])),
    )


def answer_end(file: EntryFile, text: str) -> int:
    """How many lines of the file there are up to the end of the short answer."""
    lines = text.splitlines()
    last = file.body[1].place.line - 1 if len(file.body) > 1 else len(lines)
    first = file.body[0].place.line
    return next((at for at in range(first, last) if not lines[at].strip()), last)


def tidy(text: str) -> str:
    """The text without what nobody sees: spaces at ends of lines, empty lines around it."""
    return "\n".join(line.rstrip() for line in text.splitlines()).strip()


def compose(manuscript: Manuscript) -> str:
    """A new file in the house's form."""
    front = "".join(
        f"{key}: {flow(key, value)}\n" if not _is_list(key, value) else _block(key, value)
        for key, value in manuscript.front.items()
        if value is not None
    )
    details = f"\n{manuscript.details}\n" if manuscript.details else ""
    return f"---\n{front}---\n{manuscript.short_answer}\n{details}"


def _is_list(key: str, value: Value) -> bool:
    return key in {"questions", "sources"} and bool(value)


def _block(key: str, value: Value) -> str:
    return f"{key}:\n" + "".join(f"  - {scalar(key, one)}\n" for one in value or ())


def scalar(key: str, value: str) -> str:
    """`value` for a line of its own, quoted only where `key` or its letters ask for it."""
    return value if key not in _QUOTED and _is_plain(value, "{}") else _quoted(value)


def flow(key: str, value: Value) -> str:
    """`value` on one line: lists and mappings in brackets."""
    match value:
        case None:
            return "null"
        case str():
            return scalar(key, value)
        case tuple():
            return f"[{', '.join(map(_inside, value))}]"
    return f"{{{', '.join(f'{part}: {_inside(value[part])}' for part in value)}}}"


def _inside(value: str | None) -> str:
    """`value` between brackets, where commas and brackets end it."""
    if value is None:
        return "null"
    return value if _is_plain(value, "[{}]") else _quoted(value)


def _quoted(value: str) -> str:
    return json.dumps(value, ensure_ascii=False)


def _is_plain(value: str, form: str) -> bool:
    """Whether the loader reads `value` back as it is: our own reader is the judge."""
    report = Report("")
    node = parse(f"key: {form.format(value)}\n", report, is_prose=True)
    wanted = {"key": [value] if form == "[{}]" else value}
    return node is not None and not report.problems and node.plain() == wanted
