"""Two runs compared, and the page that shows a run."""

import json
import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from bot.domain import Answer, Clarify, Escalate, Reason
from bot.errors import KnowledgeError
from bot.retrieval.report.changes import compare, read
from bot.retrieval.report.page import About, render
from tests.channels.test_web_browser import CHROMIUM, chromium
from tests.retrieval.bases import BASE, PRICE, RUST, SWARM
from tests.retrieval.test_evaluation import EVERY_KIND, ScriptedPlayer, found, run

NASTY = "<script>alert(1)</script>黄粉粉"


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "sichuan-pepper.yaml"
    path.write_text(EVERY_KIND, "utf-8")
    return path


def played(file, **other):
    player = ScriptedPlayer()
    player.SCRIPT = player.SCRIPT | other
    return run(file, player)


@pytest.fixture
def former(file, tmp_path):
    """A run that was worse at one question, better at another and elsewhere at a third."""
    report = played(
        file,
        黄粉粉=(Clarify((found(SWARM), found(RUST))),),
        橘子啥价=(Answer(found(PRICE)),),
        今天啥价=(Escalate(Reason.UNSURE, "beekeeping"),),
        没写的=(Clarify((found(PRICE), found(SWARM))),),
    )
    report.write(tmp_path / "former.json")
    return read(tmp_path / "former.json")


def changes_of(file, former):
    report = played(file, 橘子啥价=(Answer(found(RUST)),))
    return report, compare(former, report.records, report.measures)


def test_every_case_that_ended_differently_is_told_as_better_worse_or_other(file, former):
    _, changes = changes_of(file, former)
    texts = {grade: [one.now.words for one in found_] for grade, found_ in changes.graded.items()}
    assert texts == {
        "worse": ["老师 ／ 橘子啥价"],
        "better": ["黄粉粉", "今天啥价"],
        "other": ["没写的"],
    }
    assert (changes.shared, changes.added, changes.gone) == (10, 0, 0)
    assert changes.chance == 1.0
    rates = {now.goal.id: (old.count, now.count) for old, now in changes.measures if now.cases}
    assert rates["right"] == (0, 1)
    assert rates["burst"] == (1, 0)
    assert rates["routed"] == (0, 1)


def test_the_comparison_is_summed_up_for_the_terminal(file, former):
    _, changes = changes_of(file, former)
    assert changes.summary().splitlines() == [
        "与上次相比（同样的 10 题）：变坏 1 题，变好 2 题，好坏相当 1 题；纯属偶然的可能 100.0%。",
        "  变坏：老师 ／ 橘子啥价（答对 → 答错）",
    ]


def test_cases_of_one_run_alone_are_only_counted(file, former):
    report = played(file)
    changes = compare(former, report.records[2:], report.measures)
    assert (changes.shared, changes.added, changes.gone) == (8, 0, 2)


@pytest.mark.parametrize("content", [None, "{", "[]", '{"totals": {}, "cases": []}'])
def test_what_is_no_former_run_is_refused(tmp_path, content):
    path = tmp_path / "former.json"
    if content is not None:
        path.write_text(content)
    with pytest.raises(KnowledgeError, match=r"former\.json:1:1 错误"):
        read(path)


def test_json_holds_measures_and_curves_beside_the_cases(file, tmp_path):
    played(file).write(tmp_path / "out.json")
    totals = json.loads((tmp_path / "out.json").read_text("utf-8"))["totals"]
    assert totals["measures"][0] == {
        "id": "right",
        "title": "能答的：直接答对",
        "count": 1,
        "cases": 1,
        "rate": {"rate": 1.0, "low": 0.2065, "high": 1.0},
        "target": 0.75,
        "at_least": True,
        "met": True,
    }
    assert len(totals["curves"]["reliability"]) == 10
    assert totals["confusions"][0]["shown"] == PRICE.id


def name(found_id):
    entry = BASE.entries.get(found_id) or BASE.domains.get(found_id)
    return entry.title if entry else found_id


ABOUT = About(
    datetime(2026, 11, 23, 2, tzinfo=UTC), ["sichuan-pepper.yaml"], "0123456789abcdef", name
)


def test_the_page_stands_alone_and_says_what_matters(file, former):
    report, changes = changes_of(file, former)
    html = render(report, ABOUT, changes)
    assert "2026-11-23 10:00 · 知识版本 0123456789ab" in html
    assert "变好 2" in html
    assert "花椒锈病" in html
    assert re.findall(r"(?:src|href)=|url\(|@import|<script|https?:", html) == []


def test_words_of_farmers_do_nothing_on_the_page(file):
    report = played(file)
    one, *others = report.records
    hurt = replace(report, records=(replace(one, text=NASTY), *others))
    failed = replace(report.measures[0], failed=(hurt.records[0],))
    html = render(replace(hurt, measures=(failed,)), ABOUT)
    assert "&lt;script&gt;" in html
    assert "<script" not in html


def test_the_page_is_made_without_probabilities_and_without_a_former_run(file):
    report = played(file)
    bare = replace(report, curves=type(report.curves)((), None, (), None), confusions=())
    html = render(bare, ABOUT)
    assert "把握准不准" not in html
    assert "与上次相比" not in html


@pytest.mark.browser
@pytest.mark.skipif(not CHROMIUM.exists(), reason="no Chromium")
@pytest.mark.parametrize("width", [390, 1280])
async def test_the_page_fits_phone_and_desktop(file, former, tmp_path, width):
    report, changes = changes_of(file, former)
    (tmp_path / "page.html").write_text(render(report, ABOUT, changes), "utf-8")
    async with chromium() as page:
        await page.set_viewport_size({"width": width, "height": 800})
        await page.goto((tmp_path / "page.html").as_uri())
        await page.evaluate("document.querySelectorAll('details').forEach(one => one.open = true)")
        assert await page.evaluate("document.documentElement.scrollWidth") == width
        assert page.complaints == []
