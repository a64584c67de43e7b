"""`tianwen evaluate` as staff call it."""

import pytest

from bot.__main__ import main
from tests.walk.homes import furnish

CASES = "near: [{text: 猪不吃食咋办, route: none}]\nfar: [{text: 两口子吵架咋个劝}]\n"


@pytest.fixture
def evaluate(tmp_path, capsys):
    home = furnish(tmp_path / "home")
    (tmp_path / "q.yaml").write_text(CASES, "utf-8")

    def invoke(*options):
        status = main(["--home", str(home), "evaluate", str(tmp_path / "q.yaml"), *options])
        said = capsys.readouterr()
        return status, said.out + said.err

    return invoke


def test_a_run_leaves_a_page_and_is_compared_with_the_one_before(evaluate, tmp_path):
    out, page = str(tmp_path / "out.json"), tmp_path / "page.html"
    assert evaluate("--json", out)[0] == 0
    status, said = evaluate("--json", out, "--html", str(page), "--against", out)
    assert status == 0
    assert "与上次相比（同样的 2 题）：变坏 0 题，变好 0 题" in said
    assert "与上次相比" in page.read_text("utf-8")


@pytest.mark.parametrize("option", ["--json", "--html"])
def test_a_folder_that_is_not_there_is_told_before_anything_is_played(evaluate, tmp_path, option):
    status, said = evaluate(option, str(tmp_path / "none" / "out"))
    assert status == 1
    assert "没有文件夹" in said
    assert "指标" not in said
