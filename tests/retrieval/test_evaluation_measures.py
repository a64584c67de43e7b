"""The targets, the probabilities and the confusions of an evaluation."""

import pytest

from bot.retrieval.report.curves import Bin, Confusion, Curves, Guess, Point, confusions
from bot.retrieval.report.measures import measure
from bot.retrieval.tally import Rate, Record


def record(kind, decision, entries=(), expected=(), text="问", route=None, expected_route=None):
    return Record(
        kind, text, None, list(expected), expected_route, decision, list(entries), route, None, 0.01
    )


def told(records, *missing):
    return {
        one.goal.id: (one.count, one.cases, one.is_met)
        for one in measure(records, missing)
        if one.cases
    }


@pytest.mark.parametrize(
    ("case", "expected"),
    [
        (
            record("question", "answer", ["a"], ["b", "a"]),
            {"right": (1, 1, True), "right_or_offered": (1, 1, True), "wrong": (0, 1, True)},
        ),
        (
            record("question", "clarify", ["b", "a"], ["a"]),
            {"right": (0, 1, False), "right_or_offered": (1, 1, True), "wrong": (0, 1, True)},
        ),
        (
            record("question", "answer", ["b"], ["a"]),
            {"right": (0, 1, False), "right_or_offered": (0, 1, False), "wrong": (1, 1, False)},
        ),
        (record("unanswerable", "answer", ["a"]), {"unanswerable": (1, 1, False)}),
        (record("near", "clarify", ["a"]), {"near": (0, 1, True)}),
        (record("far", "decline"), {"far": (0, 1, True)}),
        (record("emergency", "emergency"), {"emergency": (1, 1, True)}),
        (record("emergency", "answer", ["a"]), {"emergency": (0, 1, False)}),
        (record("not_emergency", "emergency"), {"false_alarm": (1, 1, False)}),
        (record("followup", "answer", ["a"], ["a"]), {"followup": (1, 1, True)}),
        (record("burst", "clarify", ["a"], ["a"]), {"burst": (0, 1, False)}),
        (
            record("compound", ["answer", "answer"], ["a", "b"], ["b", "a"]),
            {"compound": (1, 1, True)},
        ),
        (
            record("compound", ["clarify", "answer"], ["a", "c", "b"], ["a", "b"]),
            {"compound": (0, 1, False)},
        ),
        (
            record("near", "escalate", route="x", expected_route="x"),
            {"near": (0, 1, True), "routed": (1, 1, True)},
        ),
        (
            record("near", "escalate", route=None, expected_route="x"),
            {"near": (0, 1, True), "routed": (0, 1, False)},
        ),
    ],
)
def test_a_case_counts_where_the_target_asks_for_it(case, expected):
    assert told([case]) == expected


def test_a_question_whose_entry_is_not_held_proves_nothing():
    assert told([record("question", "escalate", expected=["a"])], "a") == {}


def test_a_measure_without_cases_is_neither_met_nor_missed():
    assert {(one.is_met, one.verdict) for one in measure([])} == {(None, "没有题")}


def test_a_target_is_certain_only_with_its_whole_interval_on_one_side():
    right, wrong = (record("question", "answer", ["a"], [one]) for one in "ab")
    few, many = measure([right] * 9 + [wrong]), measure([right] * 900 + [wrong] * 100)
    assert (few[0].verdict, many[0].verdict) == ("达标（未定）", "达标")
    assert many[0].failed == (wrong,) * 100
    alarms = measure([record("emergency", "escalate")])
    assert next(one.verdict for one in alarms if one.cases) == "未达标"


def test_reliability_sets_what_was_promised_beside_what_was_kept():
    guesses = [Guess(0.92, True, True), Guess(0.98, False, True), Guess(1.0, True, True)]
    curves = Curves.of([*guesses, Guess(0.05, False, False)])
    assert len(curves.reliability) == 10
    assert curves.reliability[0] == Bin(0.0, 0.1, 1, 0.05, Rate.of(0, 1))
    assert curves.reliability[5] == Bin(0.5, 0.6, 0, None, None)
    assert curves.reliability[9] == Bin(0.9, 1.0, 3, 0.9667, Rate.of(2, 3))
    assert curves.calibration_error == pytest.approx((0.05 + 3 * 0.3) / 4, abs=1e-4)


def test_the_curve_of_error_counts_equal_probabilities_together():
    guesses = [
        *(Guess(0.9, True, True), Guess(0.6, False, False)),
        *(Guess(0.6, True, False), Guess(0.2, False, False)),
    ]
    curves = Curves.of(guesses)
    assert curves.coverage == (
        Point(0.9, 0.25, 0.0),
        Point(0.6, 0.75, 0.3333),
        Point(0.2, 1.0, 0.5),
    )
    assert curves.working == Point(0.9, 0.25, 0.0)


def test_without_probabilities_there_are_no_curves():
    assert Curves.of([]) == Curves((), None, (), None)


def test_confusions_are_worst_first_with_an_example():
    records = [
        record("question", "clarify", ["b", "a"], ["a"], "选一"),
        record("question", "clarify", ["b", "a"], ["a"], "选二"),
        record("followup", "answer", ["c"], ["a"], ["先", "后"]),
        record("near", "answer", ["c"], text="猪"),
        record("near", "clarify", ["c"], text="羊"),
        record("question", "answer", ["a"], ["a"], "对的"),
        record("compound", ["answer"], ["c"], ["a", "b"], "两问"),
        record("question", "escalate", (), ["a"], "转人"),
    ]
    assert confusions(records) == (
        Confusion("a", "c", 1, 1, "先 ／ 后"),
        Confusion(None, "c", 1, 1, "猪"),
        Confusion("a", "b", 2, 0, "选一"),
    )
