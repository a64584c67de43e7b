"""The bee notice: whatever leads somebody to spray a crop in bloom carries it."""

from __future__ import annotations

import re
from datetime import datetime

from bot.domain import CHINA, Block, Domain, paragraphs
from bot.phrases import Phrases

_SPRAYS = re.compile(
    r"(?<![不莫别勿])(?<!不要)(?<!不能)(?<!禁止)(?:打药|喷药|施药|用药|喷洒|喷雾|喷施|喷\w{0,3}[次遍]"
    r"|打\w{0,2}[次遍]|杀虫剂|杀菌剂|药液|兑水)"
)
_BLOOM = ("花期", "开花", "蜜蜂", "蜂农", "蜂箱")


def bee_notice(text: str, domain: Domain | None, now: datetime, say: Phrases) -> tuple[Block, ...]:
    """Empty unless the text tells to spray a crop that blooms this month, and does not speak of
    bloom or bees by itself."""
    blooms = domain is not None and now.astimezone(CHINA).month in domain.bloom
    if not blooms or not _SPRAYS.search(text) or any(word in text for word in _BLOOM):
        return ()
    return paragraphs(say("bees.notice"))
