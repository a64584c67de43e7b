"""Why a question goes the way it goes, in words that the desk shows."""

import pytest

from bot.app.explaining import in_words
from tests.walk.homes import STRANGE, furnish
from tests.walk.samples import known
from tests.walk.village import core_of


@pytest.fixture(scope="module")
def core(tmp_path_factory):
    return core_of(furnish(tmp_path_factory.mktemp("home")))


def test_what_is_answered_tells_the_entry_the_phrasing_and_the_odds(core):
    text, entry = known(core)
    read, verdict, nearest, right, among = in_words(core, text)
    assert read == f"读作：{core.bookshelf.plain(text)}"
    assert f"直接答“{entry.title}”" in verdict
    assert entry.title in nearest
    assert f"到 {core.rules.policy.answer_at:.0%} 才直接答" in right
    assert f"到 {core.rules.policy.offer_at:.0%} 才列出来选" in among


def test_what_nobody_wrote_about_goes_to_a_person(core):
    assert "转特派员" in in_words(core, STRANGE)[1]


def test_another_crop_is_named_as_the_objection(core):
    other = core.rules.policy.other_subjects[0]
    assert f"提到知识库不讲的：{other}" in in_words(core, f"{other}咋个种")


def test_no_odds_are_called_certain(core):
    text, _ = known(core)
    assert "100%" not in "".join(in_words(core, text))
