"""A home folder to serve from: the shipped knowledge, no model to load, and a roster of ours."""

from __future__ import annotations

import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from tests.conftest import ROOT

WANG, LV, QIN, ZHAO, QIAN = "wang", "lv", "qin", "zhao", "qian"
PEOPLE = [
    {"id": WANG, "name": "王瑞生", "kind": "技术服务型", "specialities": ["beekeeping"]},
    {"id": LV, "name": "吕玉奎", "kind": "技术服务型", "specialities": ["sichuan-pepper"]},
    {"id": QIN, "name": "秦兆华", "kind": "创业型", "specialities": ["citrus-marketing"]},
    {"id": ZHAO, "name": "赵敏", "kind": "分诊员"},
    {"id": QIAN, "name": "钱华", "kind": "分诊员"},
]
STRANGE = "花椒地头的无人机充不进电"  # nothing near; by its words of the pepper domain
DRONE, SPRAYER = STRANGE, "花椒地头的水泵抽不起水"
HORN = "柑子树上挂的喇叭整夜在叫唤"  # of the citrus domain
LINKS = re.compile(r"^((?:confusable_with|see_also): )\[(.*)\]$", re.MULTILINE)
UNPLACED = "火车票在哪里买"  # of no domain: nobody is offered it


def furnish(
    folder: Path,
    *,
    addresses: Mapping[str, str] | None = None,
    every: int = 1,
    **settings: Any,
) -> Path:
    """Copy what ships to `folder`; `addresses` gives commissioners their Telegram chats,
    `settings` overrides sections of settings.yaml, and only `every` so many-th entry is kept,
    where a test starts many times."""
    for part in ("knowledge", "config"):
        shutil.copytree(ROOT / part, folder / part)
    _thin_out(folder / "knowledge", every)
    chosen = {"embedder": {"model": "hashing"}, "answers": {"pause": 0}, **settings}
    _change(folder / "config" / "settings.yaml", chosen)
    chats = addresses or {}
    people = [
        {**one, "capacity": 1000, "addresses": {"telegram": chats[str(one["id"])]}}
        if one["id"] in chats
        else {**one, "capacity": 1000}
        for one in PEOPLE
    ]
    _change(folder / "config" / "commissioners.yaml", {"commissioners": people})
    return folder


def _thin_out(knowledge: Path, every: int) -> None:
    """Only each so many-th entry stays, without links to those that are gone."""
    pages = sorted(knowledge.glob("*/*.md"))
    kept = pages[::every]
    ids = {page.stem for page in kept}
    for page in set(pages) - set(kept):
        page.unlink()
    for page in kept:
        text = page.read_text(encoding="utf-8")
        page.write_text(LINKS.sub(lambda found: _links(found, ids), text), encoding="utf-8")


def _links(found: re.Match[str], ids: set[str]) -> str:
    return f"{found[1]}[{', '.join(one for one in found[2].split(', ') if one in ids)}]"


def _change(path: Path, sections: Mapping[str, Any]) -> None:
    before = yaml.safe_load(path.read_text(encoding="utf-8"))
    for name, section in sections.items():
        is_partial = isinstance(section, dict) and isinstance(before.get(name), dict)
        before[name] = {**before[name], **section} if is_partial else section
    path.write_text(yaml.safe_dump(before, allow_unicode=True, sort_keys=False), encoding="utf-8")
