"""`tianwen news`: who once asked in vain is told, once, that there is an answer now."""

from __future__ import annotations

from argparse import Namespace
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.app.calendar import now
from bot.app.commands import configured, core_of
from bot.app.compose import Core
from bot.conversation.answers import Answers
from bot.conversation.understanding import Understanding
from bot.domain import CHINA, Answer, Button, Entry, Several, paragraphs
from bot.errors import ConfigError
from bot.store import Store
from bot.store.statistics import InVain

SINCE = timedelta(days=365)
_WORDS = 30  # characters of the question


@dataclass(frozen=True, slots=True)
class Piece:
    """A question asked in vain, and the entry that answers it now."""

    question: InVain
    entry: Entry


def news(options: Namespace) -> int:
    config = configured(options)
    core = core_of(config)
    entries = [_entry(name, core) for name in options.entries]
    store = Store.open(config.database, commissioners=config.commissioners)
    try:
        found = pieces(store.statistics.in_vain(now() - SINCE, now()), entries, core)
        sent = [tell(one, core, store, now()) for one in found] if options.send else []
    finally:
        store.close()
    for entry in entries:
        count = sum(one.entry.id == entry.id for one in found)
        print(f"{entry.title}：{count} 位农户问过、没得到答案，现在答得上。")
    if options.send:
        print(f"这就告诉 {sum(sent)} 位；{len(sent) - sum(sent)} 位以前告诉过了。")
    elif found:
        print("还没有发。要发给他们，就再加 --send。")
    return 0


def pieces(asked: Iterable[InVain], entries: Sequence[Entry], core: Core) -> list[Piece]:
    """Each farmer's last question that one of the entries is now sure to answer."""
    understanding = Understanding(core.library, core.rules.policy)
    chosen = {entry.id: entry for entry in entries}
    found: dict[tuple[str, str], Piece] = {}
    for question in asked:
        for name in _answers(understanding, question.text):
            if name in chosen:
                found[str(question.farmer), name] = Piece(question, chosen[name])
    return list(found.values())


def tell(piece: Piece, core: Core, store: Store, at: datetime) -> bool:
    """False where he was told of that entry before."""
    entry, question = piece.entry, piece.question
    say = core.config.phrases
    answers = Answers(say, core.library.domains, core.rules.whole_within)
    sheet = answers.entry(question.farmer, entry, question.message, at)
    day = question.at.astimezone(CHINA)
    head = paragraphs(
        say("news.head", day=f"{day.month}月{day.day}日", words=_short(question.text))
    )
    more = tuple(one for one in sheet.buttons if one.action.startswith("details:"))
    buttons = (*more, Button(say("button.no_news"), "news:off"))
    letter = replace(sheet, blocks=head + sheet.blocks, buttons=buttons, purpose="notice")
    note = f"news:{entry.id}:{question.farmer}"
    return store.outbox.post_once(
        [letter], at, note=note, before=None, after={"asked": question.message}
    )


def _answers(understanding: Understanding, text: str) -> Iterator[str]:
    match understanding.decide(text)[0]:
        case Answer(match):
            yield match.entry.id
        case Several(answers):
            yield from (one.match.entry.id for one in answers)


def _entry(name: str, core: Core) -> Entry:
    found = core.library.entry(name)
    if found is None or found.is_draft:
        raise ConfigError(f"没有 {name} 这个条目，或者它还是草稿。代号就是文件名，不带 .md。")
    return found


def _short(text: str) -> str:
    line = text.partition("\n")[0]
    return line if len(line) <= _WORDS else line[:_WORDS] + "…"
