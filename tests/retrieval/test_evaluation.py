import json
from dataclasses import replace
from typing import ClassVar

import pytest

from bot.domain import Answer, Clarify, Decline, Emergency, Escalate, Match, Reason
from bot.errors import KnowledgeError
from bot.retrieval.evaluation import Played, evaluate
from bot.retrieval.tally import Rate
from tests.retrieval.bases import BASE, PRICE, RUST, SWARM

EVERY_KIND = """
questions:
- {topic: pepper-rust, style: dialect, text: 黄粉粉}
- {topic: not-held, style: noisy, text: 没写的}
unanswerable:
- {text: 今天啥价, hard: true, route: citrus-marketing}
followups:
- {first: {text: 蜂团在树上, topic: bee-swarm-catch}, then: {text: 好久收, topic: bee-swarm-catch}}
compound:
- {text: 收蜂和锈病, topics: [bee-swarm-catch, pepper-rust]}
near: [{text: 猪不吃食, route: none}]
far: [{text: 讲个笑话}]
emergency: [{text: 喝了农药}]
not_emergency: [{text: 蜂子遭药了, topic: null}]
bursts: [{messages: [老师, 橘子啥价], topic: citrus-price-info}]
"""


def found(entry, score=0.9):
    return Match(entry, score, entry.title)


class ScriptedPlayer:
    """Answers by a script: text → decisions; remembers the conversations it played."""

    SCRIPT: ClassVar = {
        "黄粉粉": (Answer(found(RUST)),),
        "没写的": (Clarify((found(SWARM), found(PRICE))),),
        "今天啥价": (Escalate(Reason.UNSURE, "citrus-marketing", (found(PRICE),)),),
        "好久收": (Clarify((found(RUST), found(SWARM))),),
        "收蜂和锈病": (Answer(found(SWARM)), Escalate(Reason.NO_MATCH, None)),
        "猪不吃食": (Answer(found(PRICE)),),
        "讲个笑话": (None,),
        "喝了农药": (Emergency("poison", "sichuan-pepper"),),
        "蜂子遭药了": (Decline("说不准", "beekeeping"),),
        "橘子啥价": (Answer(found(PRICE)),),
    }

    def __init__(self):
        self.conversations = []
        self.in_a_row = []

    def __call__(self, messages, *, in_a_row):
        self.conversations.append(tuple(messages))
        self.in_a_row += [tuple(messages)] if in_a_row else []
        return Played(self.SCRIPT[messages[-1]], 0.25, 0.8)


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sichuan-pepper.yaml"
    path.write_text(EVERY_KIND, "utf-8")
    return path


def run(file, play=None, **more):
    return evaluate([file], play or ScriptedPlayer(), known=BASE.entries.get, **more)


def test_every_case_is_written_as_the_format_says(file, tmp_path):
    run(file).write(tmp_path / "out.json")
    cases = json.loads((tmp_path / "out.json").read_text("utf-8"))["cases"]
    common = {"style": None, "probability": 0.8, "seconds": 0.25}

    def case(kind, text, expected, expected_route, decision, entries, route, **more):
        return common | {
            "kind": kind,
            "text": text,
            "expected": expected,
            "expected_route": expected_route,
            "decision": decision,
            "entries": entries,
            "route": route,
            **more,
        }

    rust, swarm, price = RUST.id, SWARM.id, PRICE.id
    pepper, bees, citrus = RUST.domain, SWARM.domain, PRICE.domain
    expected = [
        case("question", "黄粉粉", [rust], pepper, "answer", [rust], pepper, style="dialect"),
        case(
            "question", "没写的", ["not-held"], None, "clarify", [swarm, price], bees, style="noisy"
        ),
        case("followup", ["蜂团在树上", "好久收"], [swarm], bees, "clarify", [rust, swarm], pepper),
        case(
            "compound",
            "收蜂和锈病",
            [swarm, rust],
            bees,
            ["answer", "escalate"],
            [swarm],
            bees,
        ),
        case("not_emergency", "蜂子遭药了", [], None, "decline", [], bees),
        case("burst", ["老师", "橘子啥价"], [price], citrus, "answer", [price], citrus),
        case("unanswerable", "今天啥价", [], citrus, "escalate", [], citrus),
        case("near", "猪不吃食", [], None, "answer", [price], citrus),
        case("far", "讲个笑话", [], None, "decline", [], None),
        case("emergency", "喝了农药", [], None, "emergency", [], pepper),
    ]
    assert cases == expected


def test_totals_tell_what_came_of_each_kind_style_and_domain(file):
    report = run(file)
    outcomes = {
        (each.kind, each.style, each.domain): {name for name, count in each.counts.items() if count}
        for each in report.totals
    }
    assert outcomes == {
        ("question", None, None): {"answer_right"},
        ("question", "dialect", None): {"answer_right"},
        ("question", None, "sichuan-pepper"): {"answer_right"},
        ("question_without_entry", None, None): {"offer_wrong"},
        ("question_without_entry", "noisy", None): {"offer_wrong"},
        ("question_without_entry", None, "sichuan-pepper"): {"offer_wrong"},
        ("followup", None, None): {"offer_right"},
        ("followup", None, "beekeeping"): {"offer_right"},
        ("compound", None, None): {"answer_part"},
        ("compound", None, "beekeeping"): {"answer_part"},
        ("burst", None, None): {"answer_right"},
        ("burst", None, "citrus-marketing"): {"answer_right"},
        ("unanswerable", None, None): {"escalate"},
        ("unanswerable", None, "citrus-marketing"): {"escalate"},
        ("near", None, None): {"answer_wrong"},
        ("near", None, "sichuan-pepper"): {"answer_wrong"},
        ("far", None, None): {"decline"},
        ("far", None, "sichuan-pepper"): {"decline"},
        ("emergency", None, None): {"emergency"},
        ("emergency", None, "sichuan-pepper"): {"emergency"},
        ("not_emergency", None, None): {"decline"},
        ("not_emergency", None, "sichuan-pepper"): {"decline"},
    }
    assert report.topics_missing == ("not-held",)
    assert report.seconds == dict.fromkeys(("p50", "p90", "p95", "p99"), 0.25)


def test_a_rate_stands_with_its_wilson_interval(file, tmp_path):
    run(file).write(tmp_path / "out.json")
    totals = json.loads((tmp_path / "out.json").read_text("utf-8"))["totals"]
    near = next(each for each in totals["groups"] if each["kind"] == "near")
    assert totals["cases"] == 10
    assert totals["topics_missing"] == ["not-held"]
    assert near["wrong_of_answered"] == {"rate": 1.0, "low": 0.2065, "high": 1.0}
    assert near["rates"]["answer_wrong"] == near["wrong_of_answered"]
    assert near["routed"] is None


def test_wilson_intervals_are_those_of_the_textbook():
    assert Rate.of(0, 0) is None
    assert Rate.of(0, 10) == Rate(0.0, 0.0, 0.2775)
    assert Rate.of(3, 100) == Rate(0.03, 0.0103, 0.0845)
    assert Rate.of(50, 100) == Rate(0.5, 0.4038, 0.5962)


def test_a_conversation_of_several_messages_is_played_in_one_go(file):
    player = ScriptedPlayer()
    run(file, player)
    assert ("蜂团在树上", "好久收") in player.conversations
    assert ("老师", "橘子啥价") in player.conversations
    assert len(player.conversations) == 10


def test_only_a_burst_is_played_in_a_row(file):
    player = ScriptedPlayer()
    run(file, player)
    assert player.in_a_row == [("老师", "橘子啥价")]


def test_a_compound_question_is_right_when_every_topic_is_answered(file):
    player = ScriptedPlayer()
    player.SCRIPT = player.SCRIPT | {"收蜂和锈病": (Answer(found(RUST)), Answer(found(SWARM)))}
    totals = run(file, player).totals
    compound = next(each for each in totals if each.kind == "compound")
    assert compound.counts["answer_right"] == 1


def test_the_summary_shows_the_measures_first_and_stands_in_straight_columns(file):
    lines = run(file).summary().splitlines()
    assert lines[0].split() == ["指标", "目标", "结果", "95%", "区间", "题数"]
    assert lines[1].split() == [
        *("能答的：直接答对", "≥", "75%", "100.0%", "20.6%–100.0%", "1/1", "达标（未定）"),
    ]
    totals = lines[lines.index("") + 1 :]
    assert totals[0].split()[:3] == ["题数", "答对", "答了一半"]
    assert totals[1].split()[:3] == ["提问", "1", "1"]
    assert any(line.startswith("提问（库里没有）") for line in totals)
    assert lines[-2:] == [
        "每句用时：一半在 250 毫秒内，95% 在 250 毫秒内。",
        "知识库里没有的题目 1 个，已单列，不该答出。",
    ]


def test_a_question_taken_for_several_is_judged_by_the_boldest_decision(file):
    player = ScriptedPlayer()
    player.SCRIPT = player.SCRIPT | {
        "黄粉粉": (Escalate(Reason.NO_MATCH, "beekeeping"), Answer(found(SWARM)), None)
    }
    record = run(file, player).records[0]
    assert (record.decision, record.entries, record.outcome) == (
        *("answer", [SWARM.id], "answer_wrong"),
    )


def test_what_a_subjects_own_file_calls_unanswerable_belongs_to_the_subject(file):
    file.write_text(
        "questions: [{topic: pepper-rust, text: 黄粉粉}]\nunanswerable: [{text: 今天啥价}]", "utf-8"
    )
    question, unanswerable = run(file).records
    assert unanswerable.expected_route == "sichuan-pepper"
    assert (question.is_routed, unanswerable.is_routed) == (None, False)


def test_progress_is_told_case_by_case(file):
    told = []
    run(file, progress=lambda *step: told.append(step))
    assert told[0] == (1, 10)
    assert told[-1] == (10, 10)


def test_a_wrong_file_is_refused_before_anything_is_played(file):
    player = ScriptedPlayer()
    file.write_text("odd: []")
    with pytest.raises(KnowledgeError):
        run(file, player)
    assert player.conversations == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(file, tmp_path):
    out = tmp_path / "out"
    out.mkdir()
    (out / "report.json").write_text("old")
    report = run(file)
    unwritable = replace(report.records[0], probability=object())
    with pytest.raises(TypeError):
        replace(report, records=(unwritable,)).write(out / "report.json")
    assert [each.read_text() for each in out.iterdir()] == ["old"]


def test_a_part_already_written_is_removed_when_it_cannot_take_its_place(file, tmp_path):
    out = tmp_path / "out"
    (out / "report.json").mkdir(parents=True)
    with pytest.raises(IsADirectoryError):
        run(file).write(out / "report.json")
    assert [each.name for each in out.iterdir()] == ["report.json"]
