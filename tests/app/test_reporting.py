"""`tianwen report` and `tianwen ledger` over a real database."""

from __future__ import annotations

import shutil
from datetime import timedelta

import pytest

from bot.__main__ import HOME, main
from bot.app.calendar import now, today
from bot.channels.base import read_own, write_own
from bot.config import load
from bot.domain import Answer, Arrival, Deed, Entered, Entry, Match, Turn
from bot.store import Store
from tests.knowledge.builders import write_domain, write_entry


@pytest.fixture
def home(tmp_path):
    shutil.copytree(HOME / "config", tmp_path / "config")
    (tmp_path / "knowledge").mkdir()
    return tmp_path


@pytest.fixture
def store(home):
    config = load(home, {})
    opened = Store.open(config.database, commissioners=config.commissioners)
    yield opened
    opened.close()


def run(home, *words):
    return main(["--home", str(home), *words])


def served(store, case=1):
    entered = Entered(Deed.SERVICE, "wang-ruisheng", "wang-ruisheng", case)
    store.ledger.add(entered, now())


def test_the_year_is_printed_and_written(home, store, capsys):
    served(store)
    xlsx, html = home / "year.xlsx", home / "year.html"
    assert run(home, "report", "year", "--xlsx", str(xlsx), "--html", str(html)) == 0
    out = capsys.readouterr().out
    assert f"{today().year} 年 特派员" in out
    assert "王瑞生" in out
    assert "请人看一眼" in out
    assert xlsx.read_bytes()[:2] == b"PK"
    assert "<svg" in html.read_text("utf-8")


def test_a_report_on_one_commissioner_names_nobody_else(home, store, capsys):
    assert run(home, "report", "month", "--commissioner", "王瑞生") == 0
    out = capsys.readouterr().out
    assert "王瑞生" in out
    assert "吕玉奎" not in out
    assert "请人看一眼" not in out


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("month", "2026-13"), "report month 2026-11"),
        (("year", "26"), "report year 2026"),
        (("year", "--commissioner", "张三"), "没有“张三”"),
        (("year", "--xlsx", "/nowhere/a.xlsx"), "没有文件夹"),
    ],
)
def test_what_can_not_be_reported_is_said_in_chinese(home, capsys, words, said):
    assert run(home, "report", *words) == 1
    assert said in capsys.readouterr().err


def test_the_seals_are_looked_at(home, store, capsys):
    served(store)
    assert run(home, "ledger") == 0
    assert "台账 1 笔" in capsys.readouterr().out
    with store.database.write() as connection:
        connection.exec_driver_sql("UPDATE ledger SET case_number = 2")
    assert run(home, "ledger") == 1
    assert "第 1 笔" in capsys.readouterr().out


def test_uses_of_an_entry_are_its_authors_also_while_it_is_a_draft_again(home, store, capsys):
    write_domain(home / "knowledge")
    author = {"id": "lv-yukui", "name": "吕玉奎", "case": "12"}
    write_entry(home / "knowledge", author=author, reviewed={"status": "draft"})
    write_entry(home / "knowledge", "pepper-wrong", titel="x")  # costs the report nothing
    entry = Entry("pepper-rust", "sichuan-pepper", "花椒锈病", (), "先清园", (), ())
    turn = Turn(decision=Answer(Match(entry, 1.0, ""), is_picked=True))
    store.inbox.receive(Arrival("web", "1", "li", write_own(text="x")), now())
    arrivals = store.inbox.claim(now(), lease=timedelta(minutes=1))
    store.inbox.save(turn, read_own(arrivals), arrivals, now())
    assert run(home, "report", "year", "--commissioner", "吕玉奎") == 0
    head, row = (line.split() for line in capsys.readouterr().out.splitlines()[2:4])
    assert head[-6] == "传播量"
    assert row[-6] == "1"
