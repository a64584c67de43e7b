import pytest

from bot.errors import KnowledgeError
from bot.retrieval.question_files import Trial, read_trials

EVERY_KIND = """
questions:
- {topic: pepper-rust, style: dialect, text: "叶子背面一层黄粉粉", also: [pepper-leaf-spot]}
unanswerable:
- {text: "今天柑子啥价", why: "没有行情", hard: true, route: citrus-marketing}
followups:
- {first: {text: "蜂团在树上", topic: bee-swarm-catch}, then: {text: "那放哪里", topic: bee-site}}
compound:
- {text: "收蜂和锈病", topics: [bee-swarm-catch, pepper-rust]}
near:
- {text: "猪不吃食", route: none}
- {text: "蜂蛹咋养", route: beekeeping}
far:
- {text: "讲个笑话", kind: chat}
emergency:
- {text: "喝了农药"}
not_emergency:
- {text: "蜂子遭药了", topic: null}
- {text: "花椒遭药了", topic: pepper-spray-injury}
bursts:
- {messages: ["老师", "叶子黄了"], topic: pepper-rust}
"""


@pytest.fixture
def file(tmp_path):
    def write(text, name="考题.yaml"):
        path = tmp_path / name
        path.write_bytes(text if isinstance(text, bytes) else text.encode())
        return path

    return write


def problems_of(*paths):
    with pytest.raises(KnowledgeError) as caught:
        read_trials(paths)
    return caught.value.problems


def test_every_kind_of_case_is_read(file):
    both = ("bee-swarm-catch", "pepper-rust")
    assert set(read_trials([file(EVERY_KIND)])) == {
        Trial(
            "question",
            ("叶子背面一层黄粉粉",),
            "考题",
            ("pepper-rust", "pepper-leaf-spot"),
            style="dialect",
        ),
        Trial("unanswerable", ("今天柑子啥价",), "考题", route="citrus-marketing"),
        Trial("followup", ("蜂团在树上", "那放哪里"), "考题", ("bee-site",)),
        Trial("compound", ("收蜂和锈病",), "考题", both),
        Trial("near", ("猪不吃食",), "考题"),
        Trial("near", ("蜂蛹咋养",), "考题", route="beekeeping"),
        Trial("far", ("讲个笑话",), "考题"),
        Trial("emergency", ("喝了农药",), "考题"),
        Trial("not_emergency", ("蜂子遭药了",), "考题"),
        Trial("not_emergency", ("花椒遭药了",), "考题", ("pepper-spray-injury",)),
        Trial("burst", ("老师", "叶子黄了"), "考题", ("pepper-rust",)),
    }


def test_a_text_is_kept_as_typed_zero_width_signs_and_all(file):
    text = "  👨‍🌾\u200b问\t一下 😂 "
    (trial,) = read_trials([file(f'questions: [{{topic: a, text: "{text}"}}]')])
    assert trial.messages == (text,)


def test_several_files_are_read_in_order(file):
    one = file('far: [{text: "一"}]', "one.yaml")
    two = file('far: [{text: "二"}]', "two.yaml")
    assert [(each.source, *each.messages) for each in read_trials([two, one])] == [
        ("two", "二"),
        ("one", "一"),
    ]


@pytest.mark.parametrize(
    ("text", "line", "part"),
    [
        ("questions:\n- {topic: a, text: ''}", 2, "一句话"),
        ("questions:\n- {topic: a, text: null}", 2, "一句话"),
        ("questions:\n- {text: 叶子黄}", 2, "缺少 topic"),
        ("questions:\n- {topic: A b, text: 叶子黄}", 2, "不能作代号"),
        ("questions:\n- {topic: a, text: 黄, styl: short}", 2, "没有 styl 这个键"),
        ("questions:\n- {topic: a, text: 黄, style: odd}", 2, "不能是这个词"),
        ("far:\n- {text: 黄}\n- 黄", 3, "键: 值"),
        ("far: {text: 黄}", 1, "应该是列表"),
        ("compound:\n- {text: 黄, topics: []}", 2, "至少要有一项"),
        ("near:\n- {text: 黄}", 2, "缺少 route"),
        ("followups:\n- {first: {text: 黄, topic: a}, then: {text: 黑}}", 2, "缺少 topic"),
        ("odd: []", 1, "没有 odd 这个键"),
        ("far: []", 1, "一道题也没有"),
        ("far:\n- {text: 黄, text: 黑}", 2, "重复"),
        ("far:\n- {text: '黄}", 2, "引号"),
        ("- text: 黄", 1, "键: 值"),
        ("", 1, "键: 值"),
        ("far: [{text: 黄}]".encode("gbk"), 1, "UTF-8"),
    ],
)
def test_a_wrong_is_told_with_its_line_and_the_mend(file, text, line, part):
    first, *_ = problems_of(file(text))
    assert first.path.endswith("考题.yaml")
    assert first.line == line
    assert part in first.message
    assert first.mend


def test_wrongs_of_all_files_are_told_at_once(file, tmp_path):
    one = file("odd: []", "one.yaml")
    missing = tmp_path / "missing.yaml"
    assert [problem.path for problem in problems_of(one, missing)] == [str(one), str(missing)]
