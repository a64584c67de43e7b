"""Writes knowledge files that are right, and lets a test spoil one thing."""

import json
from datetime import date
from pathlib import Path

TODAY = date(2026, 11, 23)
SHORT_ANSWER = "叶背起黄粉多半是锈病，先摘病叶带出园烧掉，再选标签登记了花椒的产品。"
DETAILS = """\
## 怎么认
- 叶背有一层黄色粉末，手指一抹就掉，叶面对应的地方发黄。
- 从树下部的老叶先起，慢慢往上走，雨水多的年份来得早。
- 和叶斑病不同：叶斑病是褐色的斑，摸着没有粉。

## 怎么办
- 病叶、落叶扫拢，带出园子集中处理，莫堆在树脚。
- 剪掉过密的枝条，让树冠透风，沟里不要积水。
- 下雨前后多看两回，刚起就动手，比满树都黄了再治省事。

## 什么时候找特派员
半数以上的树都起了，或者处理以后还在发，拍叶子正反两面的照片，直接找特派员。
"""
_LISTS = """\
sources:
  - 《禁限用农药名录》，某部
banned:
  - name: 克百威
    also: [呋喃丹]
    scope: 全国禁止使用
    announcement: 公告第736号
    date: 2023-12-29
  - name: 氯霉素
    scope: 禁止用于食品动物
    domains: [beekeeping]
    announcement: 公告第250号
    date: 2019-12-27
trade_names: {阿米西达: 嘧菌酯}
"""
_UNANSWERABLE = """\
unanswerable:
  sichuan-pepper: [荣昌哪个会看花椒病]
other_agriculture: [猪不吃食了]
unrelated: [今天几号]
"""
_DOMAIN = {
    "title": "花椒",
    "speciality": "sichuan-pepper",
    "words": ["花椒", "椒"],
    "groups": {"leaf": "叶片病害", "root": "根部病害"},
    "out_of_scope": [{"questions": ["今天花椒好多钱一斤"], "reply": "行情天天变，请问收购点。"}],
}


def write_domain(folder: Path, domain: str = "sichuan-pepper", **changes: object) -> Path:
    """A valid _domain.yaml; a change of None leaves the key out."""
    lines = [_line(key, value) for key, value in (_DOMAIN | changes).items() if value is not None]
    return _write(folder / domain / "_domain.yaml", "".join(lines))


def write_entry(
    folder: Path,
    id: str = "pepper-rust",  # noqa: A002 - named as the field is
    *,
    domain: str = "sichuan-pepper",
    body: str = f"{SHORT_ANSWER}\n\n{DETAILS}",
    **changes: object,
) -> Path:
    """A valid entry, unlike any with another id; a change of None leaves the key out.

    The file's lines: 2 title, 3 group, 4 questions (5–12), 13 season, 14 confusable_with,
    15 see_also, 16 sources (17), 18 reviewed, 19 review_by, 20 ---, 21 short answer, 23 heading.
    """
    front: dict[str, object] = {
        "title": f"花椒锈病 {id}",
        "group": "leaf",
        "questions": [f"花椒叶子背面起黄粉，说法{number}，{id}" for number in range(1, 9)],
        "season": [6, 7, 8],
        "confusable_with": [],
        "see_also": [],
        "sources": ["《花椒病虫害防治手册》，某出版社"],
        "reviewed": {"status": "pending", "by": None, "on": None},
        "review_by": date(2027, 10, 31),
    }
    lines = [_line(key, value) for key, value in (front | changes).items() if value is not None]
    return _write(folder / domain / f"{id}.md", "---\n" + "".join(lines) + f"---\n{body}")


def write_lists(folder: Path) -> Path:
    """A valid _banned.yaml and _unanswerable.yaml."""
    _write(folder / "_unanswerable.yaml", _UNANSWERABLE)
    return _write(folder / "_banned.yaml", _LISTS)


def write_base(folder: Path) -> Path:
    """A folder `knowledge` with one domain, two entries and the lists."""
    base = folder / "knowledge"
    write_lists(base)
    write_domain(base)
    write_entry(base, "pepper-rust")
    write_entry(base, "pepper-leaf-spot")
    return base


def spoil(path: Path, old: str, new: str) -> Path:
    """Replaces the first `old`, which must be there."""
    text = path.read_text(encoding="utf-8")
    if old not in text:
        raise AssertionError(f"{old!r} is not in {path}")
    return _write(path, text.replace(old, new, 1))


def _line(key: str, value: object) -> str:
    match value:
        case list(items) if key in {"questions", "sources"} and items:
            return f"{key}:\n" + "".join(f"  - {_scalar(item)}\n" for item in items)
        case _:
            return f"{key}: {_scalar(value)}\n"


def _scalar(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else json.dumps(value, ensure_ascii=False)


def _write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8", newline="")
    return path
