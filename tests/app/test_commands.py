"""The command line as staff use it, on a home whose embedder needs no model."""

from __future__ import annotations

import io
import json
import re
import socket
import sys

import pytest

from bot.__main__ import main
from bot.app.serving import open_door
from bot.config import WebShape
from tests.walk.homes import STRANGE, furnish
from tests.walk.samples import known
from tests.walk.village import core_of


@pytest.fixture(scope="module")
def sample(tmp_path_factory):
    """Words that the base answers at once, and the entry."""
    return known(core_of(furnish(tmp_path_factory.mktemp("home"))))


@pytest.fixture
def run(tmp_path, capsys, monkeypatch):
    home = furnish(tmp_path / "home")
    monkeypatch.delenv("TIANWEN_TELEGRAM_TOKEN", raising=False)

    def invoke(*arguments: str, typed: str = "") -> tuple[int, str]:
        monkeypatch.setattr(sys, "stdin", io.StringIO(typed))
        status = main(["--home", str(home), *arguments])
        said = capsys.readouterr()
        return status, said.out + said.err

    invoke.home = home
    return invoke


def test_ask_answers_a_known_question_with_source_and_review_state(run, sample):
    text, entry = sample
    status, said = run("ask", text)
    assert status == 0
    assert entry.title in said
    assert "来源：" in said
    assert "还没请特派员看过" in said
    assert "[没解决，转特派员]" in said


def test_ask_hands_an_unknown_question_to_the_subjects_commissioner(run):
    _, said = run("ask", STRANGE)
    assert "科技特派员吕玉奎" in said


def test_ask_leaves_no_database_behind(run):
    run("ask", "花椒")
    assert list(run.home.rglob("*.db")) == []


def test_chat_goes_the_whole_walk_and_ends_with_the_input(run):
    status, said = run("chat", typed=f"{STRANGE}\n盘龙镇\n我的问题\n")
    assert status == 0
    assert said.index("编号 #1") < said.index("您在盘龙镇") < said.index("您的问题：")


def test_check_is_content_with_what_ships(run):
    assert run("check") == (0, "知识库和设置都没有问题。\n")


def test_check_tells_file_line_and_mend(run):
    entry = run.home / "knowledge" / "sichuan-pepper" / "pepper-rust.md"
    entry.write_text(entry.read_text().replace("title:", "titel:", 1))
    status, said = run("check")
    assert status == 1
    assert "knowledge/sichuan-pepper/pepper-rust.md:2:1 错误" in said
    assert "是不是 title" in said


def test_check_counts_warnings_without_failing(run):
    entry = run.home / "knowledge" / "sichuan-pepper" / "pepper-rust.md"
    entry.write_text(re.sub(r"review_by: \S+", "review_by: 2026-01-01", entry.read_text()))
    status, said = run("check")
    assert status == 0
    assert "1 个提醒" in said
    assert "提醒：" not in run("check", "--quiet")[1]


def test_index_counts_what_can_be_found(run):
    status, said = run("index")
    assert status == 0
    assert re.search(r"\d+ 条知识，\d+ 句可查", said)


def test_evaluate_writes_one_record_a_case(run, tmp_path, sample):
    text, entry = sample
    questions = tmp_path / "q.yaml"
    questions.write_text(
        f"questions:\n- {{topic: {entry.id}, style: short, text: '{text}'}}\n"
        "near:\n- {text: 猪不吃食咋办, route: none}\n"
        "followups:\n- {first: {text: 叶背黄粉, topic: pepper-rust}, "
        "then: {text: 那要打啥子药, topic: pepper-rust}}\n"
    )
    out = tmp_path / "out.json"
    status, _ = run("evaluate", str(questions), "--json", str(out))
    assert status == 0
    cases = json.loads(out.read_text())["cases"]
    assert [case["kind"] for case in cases] == ["question", "followup", "near"]
    assert cases[0]["decision"] == "answer"
    assert cases[0]["entries"] == [entry.id]
    assert cases[2]["decision"] == "escalate"


def test_invite_prints_a_code_for_the_desk_and_for_telegram(run):
    status, said = run("invite", "王瑞生")
    code = re.search(r"绑定码：([A-Z0-9]{10})", said)
    assert status == 0
    assert code
    assert f"/desk/enter/{code[1]}" in said
    assert f"/bind {code[1]}" in said


def test_invite_names_whom_it_knows(run):
    status, said = run("invite", "张三")
    assert status == 1
    assert "没有“张三”" in said
    assert "王瑞生" in said


def test_doctor_finds_everything_well_on_a_new_machine(run):
    status, said = run("doctor")
    assert status == 0
    assert "要看" not in said
    for part in ("设置", "知识库", "向量模型", "数据库", "Telegram"):
        assert part in said


def test_doctor_shows_a_broken_entry_with_file_and_line(run):
    entry = run.home / "knowledge" / "sichuan-pepper" / "pepper-rust.md"
    entry.write_text("")
    status, said = run("doctor")
    assert status == 1
    assert "pepper-rust.md:1:1" in said


def test_doctor_says_when_the_database_cannot_be_opened(run, monkeypatch):
    monkeypatch.setenv("TIANWEN_DATABASE", "sqlite:////proc/nowhere/t.db")
    status, said = run("doctor")
    assert status == 1
    assert "数据库：打不开" in said


def test_doctor_says_when_the_settings_are_wrong(run):
    (run.home / "config" / "settings.yaml").write_text("x: 1\n")
    status, said = run("doctor")
    assert status == 1
    assert "config/settings.yaml" in said


def test_a_wrong_configuration_is_one_chinese_line_and_no_traceback(run):
    (run.home / "config" / "lexicon.yaml").unlink()
    status, said = run("ask", "花椒")
    assert status == 1
    assert "找不到" in said
    assert "Traceback" not in said


def test_broken_knowledge_stops_the_start_with_the_list_of_mends(run):
    (run.home / "knowledge" / "sichuan-pepper" / "pepper-rust.md").write_text("坏")
    status, said = run("ask", "花椒")
    assert status == 1
    assert "pepper-rust.md:1:1" in said


def test_a_page_does_not_wait_for_the_acknowledgement_of_its_head():
    with (
        open_door(WebShape(port=0)) as door,
        socket.create_connection(door.getsockname()),
        door.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_in_use_is_told_before_anything_is_loaded(run):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        status, said = run("serve", "--port", str(taken.getsockname()[1]))
    assert status == 1
    assert "已经有程序在用" in said
    assert not (run.home / "data").exists()
