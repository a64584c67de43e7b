"""Makes a commissioner's delivered reply a draft entry: 收进知识库."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path

from bot.domain import Domain, Kept
from bot.errors import EditError
from bot.knowledge import trial
from bot.knowledge.approval import a_year_after
from bot.knowledge.drafting import TO_WRITE, template, written
from bot.knowledge.privacy import HIDDEN, without_names
from bot.reading.files import UNSEEN

LONGEST_QUESTION = 200  # characters
# What our Markdown would read as a mark, and what looks like it.
_HARMLESS = str.maketrans("*_~`<&[]［］", "＊＿～‘＜＆〔〕〔〕")
_LEADING = re.compile(r"^(?:[\s#＃>+•·●▪–—|:=]|-(?!\d))+")  # -5 度 stays below zero
_NUMBERED = re.compile(r"^(\d+)[.)] ")


def shelve(folder: Path, kept: Kept, domain: Domain) -> Path:
    """Write the draft and return its place under the folder. Done once more, as after a crash, it
    changes nothing; another case of that number, from another database, gets a file of its own.
    Raises EditError where it can't be written."""
    try:
        for path, content in _drafts(kept, domain):
            known = list(folder.glob(f"*/{path.name}"))
            if not known:
                trial.save(folder, {path: content})
                return path
            if known == [folder / path] and known[0].read_bytes() == content:
                return path
    except OSError as error:
        raise EditError(f"知识文件夹打不开（{error.strerror}）。") from error
    raise AssertionError("there is always another name")  # pragma: no cover


def _drafts(kept: Kept, domain: Domain) -> Iterator[tuple[Path, bytes]]:
    """The draft as case-12, then as case-12-2, and so on."""
    for number in count(1):
        name = f"case-{kept.author.case}" + (f"-{number}" if number > 1 else "")
        yield Path(domain.id) / f"{name}.md", draft(name, kept, domain).encode()


def draft(name: str, kept: Kept, domain: Domain) -> str:
    """A file that loads, whatever the words: the farmer's as the first phrasing, the reply as the
    short answer, and marks wherever staff must write."""
    blank = template(name, domain, a_year_after(kept.day))
    place = f"，{kept.township}" if kept.township else ""
    source = f"{kept.signed}，{kept.day} 答复农户（问题单 #{kept.author.case}{place}）"
    question = _line(kept.question)[:LONGEST_QUESTION]
    text = written(
        replace(
            blank,
            questions=(question or blank.questions[0], *blank.questions[1:]),
            short_answer=_line(kept.answer) or blank.short_answer,
            sources=(source, *blank.sources),
            author=kept.author,
        ),
        domain,
    )
    return text.replace("---\n", f"---\n{_NOTE}", 1)


_NOTE = f"""\
# 这是照特派员的答复起的草稿，农户看不到。第一句问法和短答是原话，请改成人人用得上的话。
# 电话、证件号、微信、车牌、门牌、姓名，程序认得出的换成了{HIDDEN}；认不出的请人工删掉。
# 把{HIDDEN}和{TO_WRITE}都改掉，再把 draft 改成 pending，请作者以外的人核定。author 那一行不要改。
"""


def _line(words: str) -> str:
    """The words on one line, without what tells who somebody is and without marks of ours."""
    told = without_names(UNSEEN.sub(" ", words)).translate(_HARMLESS)
    bare = (_LEADING.sub("", line) for line in told.splitlines())
    return " ".join(" ".join(_NUMBERED.sub(r"\1、", line) for line in bare).split())
