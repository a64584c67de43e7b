"""`tianwen news`: who asked in vain is told once, over a real store with the real model."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.__main__ import main
from bot.app.calendar import now
from bot.app.news import pieces, tell
from bot.domain import (
    CHINA,
    Answer,
    CaseChange,
    CaseState,
    Clarify,
    Escalate,
    Event,
    Match,
    Memory,
    Reason,
    Turn,
)
from bot.store import Store
from tests.store.cast import LEASE, LI, ZHOU, case, open_case, write
from tests.walk.homes import furnish
from tests.walk.samples import known
from tests.walk.village import core_of

HOUR = timedelta(hours=1)
WHEN = now()
NOBODY = Escalate(Reason.NO_MATCH, None)


@pytest.fixture(scope="module")
def home(tmp_path_factory):
    return furnish(tmp_path_factory.mktemp("home"))


@pytest.fixture(scope="module")
def core(home):
    return core_of(home)


@pytest.fixture
def store(core):
    opened = Store.open(core.config.database, commissioners=core.config.commissioners)
    yield opened
    opened.close()
    core.config.data.joinpath("tianwen.db").unlink(missing_ok=True)


def ask(store, text, decision=NOBODY, sender=LI, memory=Memory(), **more):  # noqa: B008 - a frozen value
    incoming, arrivals = write(store, sender, text, now=WHEN, **more)
    store.inbox.save(Turn(memory=memory, decision=decision), incoming, arrivals, WHEN)
    return incoming


def in_vain(store):
    return store.statistics.in_vain(WHEN - HOUR, WHEN + HOUR)


def letters(store):
    found = []
    while due := store.outbox.due("web", now() + HOUR, lease=LEASE):
        found.append(due.outgoing)
        store.outbox.reject(due.id, "read", now())
    return found


def test_only_questions_without_any_answer_were_asked_in_vain(store, core):
    text, entry = known(core)
    match = Match(entry, 9.0, text)
    ask(store, "没人答的")
    ask(store, "答了的", Answer(match))
    chosen = ask(store, "挑了的", Clarify((match,)))
    ask(store, "", None, press=f"show:{entry.id}:{chosen.id}")
    ask(store, "没挑的", Clarify((match,)))
    ask(store, "不想听的", sender=ZHOU, memory=Memory(wants_news=False))
    assert [(one.text, one.farmer) for one in in_vain(store)] == [("没人答的", LI), ("没挑的", LI)]


def test_what_a_commissioner_answered_was_not_asked_in_vain(store):
    opened = open_case(store, case(1))
    incoming, arrivals = write(store, LI, "问过的", now=WHEN)
    asked = Turn(decision=NOBODY, filed_under=1)
    store.inbox.save(asked, incoming, arrivals, WHEN)
    assert len(in_vain(store)) == 1
    answered = CaseChange(store.cases.get(opened.number), Event.ANSWERED, "wang")
    assert answered.case.state is not CaseState.CANCELLED
    store.inbox.save_follow_up(Turn(changes=(answered,)), WHEN)
    assert in_vain(store) == []


def test_each_asker_is_told_once_with_his_own_words_and_may_opt_out(store, core):
    text, entry = known(core)
    ask(store, text)
    ask(store, text)
    ask(store, "拖拉机发不燃", sender=ZHOU)
    found = pieces(in_vain(store), [entry], core)
    assert [(one.question.farmer, one.entry.id) for one in found] == [(LI, entry.id)]
    assert [tell(found[0], core, store, now()) for _ in range(2)] == [True, False]
    [letter] = letters(store)
    day = WHEN.astimezone(CHINA)
    assert letter.text.startswith(f"您{day.month}月{day.day}日问过")
    assert text[:10] in letter.text
    assert entry.short_answer in letter.text
    assert letter.buttons[-1].action == "news:off"


def test_the_command_counts_first_and_sends_only_when_told_to(store, core, home, capsys):
    text, entry = known(core)
    ask(store, text)
    words = ["--home", str(home), "news", entry.id]
    assert main(words) == 0
    assert "1 位农户问过" in capsys.readouterr().out
    assert letters(store) == []
    assert main([*words, "--send"]) == 0
    assert len(letters(store)) == 1
    assert main([*words, "--send"]) == 0
    assert "1 位以前告诉过了" in capsys.readouterr().out
    assert letters(store) == []


def test_an_entry_that_is_not_there_is_named(home, capsys):
    assert main(["--home", str(home), "news", "no-such"]) == 1
    assert "没有 no-such 这个条目" in capsys.readouterr().err
