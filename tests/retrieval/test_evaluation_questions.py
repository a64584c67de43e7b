"""Our own question files under tests/questions."""

from collections import Counter

import yaml

from bot.retrieval.question_files import read_trials
from tests.conftest import ROOT

FILES = sorted((ROOT / "tests" / "questions").glob("*.yaml"))
TRIALS = read_trials(FILES)


def test_every_kind_of_case_has_enough():
    counts = Counter(trial.kind for trial in TRIALS)
    least = {"question": 720, "emergency": 60, "not_emergency": 80, "near": 40, "far": 40}
    least |= {"followup": 40, "compound": 30, "burst": 30}
    assert {kind: counts[kind] for kind in least if counts[kind] < least[kind]} == {}


def test_every_topic_is_an_entry_and_every_route_a_domain():
    entries = {path.stem for path in (ROOT / "knowledge").glob("*/[!_]*.md")}
    domains = {path.parent.name for path in (ROOT / "knowledge").glob("*/_domain.yaml")}
    assert {topic for trial in TRIALS for topic in trial.expected} <= entries
    assert {trial.route for trial in TRIALS if trial.route} <= domains


def test_no_case_is_asked_twice():
    counts = Counter((trial.kind, trial.messages) for trial in TRIALS)
    assert [case for case, count in counts.items() if count > 1] == []


def test_hardly_a_case_is_a_phrasing_that_the_base_was_given():
    given = set()
    for path in (ROOT / "knowledge").glob("*/[!_]*.md"):
        given |= set(yaml.safe_load(path.read_text("utf-8").split("---\n")[1])["questions"])
    asked = {message for trial in TRIALS for message in trial.messages}
    assert len(asked & given) <= 3  # the shortest meet by chance
