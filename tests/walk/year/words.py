"""What people of the district ask and say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import count

from tests.walk.homes import UNPLACED

SUBJECTS = ("beekeeping", "sichuan-pepper", "citrus-marketing")
PLACES = {
    "养蜂": ("蜂箱旁边的", "蜂场的"),
    "花椒病害": ("花椒地头的", "花椒坡上的"),
    "柑橘销售": ("柑子园的", "柑子地边的"),
}
THINGS = ("水泵", "无人机", "喇叭", "围栏", "三轮车", "轨道车", "路灯", "电线杆", "监控", "滴灌带")
TROUBLES = ("发不燃", "整夜在响", "充不进电", "遭人剪了", "转都不转", "漏得厉害", "歪起要倒了")
NOBODYS = (UNPLACED, "拖拉机发不燃找哪个修", "屋头的宽带断了找哪个")
DANGERS = ("我老汉遭马蜂蜇了，现在喘不过气", "老公打了药脑壳昏，口吐白沫")
REPLIES = ("三四处都是这样", "有十来天了", "没打过药，也没施过肥")
MORE = ("今天又多了两处", "隔壁地头也有了", "昨晚落了大雨")
FIRST = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何"
LAST = ("明远", "秀英", "国强")
TOWNS = ("盘龙镇", "吴家镇", "清江镇", "安富街道", "仁义镇", "河包镇")


@dataclass
class Speech:
    """Chance decides what is said; answers are numbered, so that each is known again."""

    chance: random.Random
    known: Sequence[str]  # phrasings of the knowledge base

    def __post_init__(self) -> None:
        self._answers = count(1)

    def question(self) -> str:
        will = self.chance.random()
        if will < 0.28:
            return self.pick(self.known)
        if will < 0.30:
            return self.pick(NOBODYS)
        if will < 0.304:
            return self.pick(DANGERS)
        place = self.pick(PLACES[self.pick(tuple(PLACES))])
        words = f"{place}{self.pick(THINGS)}{self.pick(TROUBLES)}，咋个办"
        who = "帮邻居问一下：" if self.chance.random() < 0.04 else ""
        town = f"，我在{self.pick(TOWNS)}" if self.chance.random() < 0.5 else ""
        return f"{who}{words}{town}"

    def answer(self, case: int) -> str:
        """Nobody else says these words; they name the case they were first meant for."""
        return f"回话{case}-{next(self._answers)}号。先断电，再请师傅上门看一看，看完告诉我。"

    def suggestion(self) -> str:
        return (
            f"建议：第{next(self._answers)}条。请镇街把上门修理的师傅和电话贴到村口，农户好找人。"
        )

    def pick(self, among: Sequence[str]) -> str:
        return self.chance.choice(among)


def names(how_many: int) -> list[str]:
    return [f"{first}{last}" for last in LAST for first in FIRST][:how_many]
