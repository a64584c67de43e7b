"""Rules that keep a farmer, his bees and his buyers from harm."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.domain import DIAL_120
from bot.knowledge.lists import Lists
from bot.knowledge.markdown import Placed
from bot.knowledge.rules.base import Finding, Shelf, rule

DOSE_MARK = "（用量）"
# A person, not a bee, is in danger. Bees are poisoned too: 中毒 alone does not count.
_DANGER = re.compile(
    "喘不上气|喘不过气|出不赢气|气紧|呼吸困难|过敏性休克|口吐白沫|不省人事|昏迷|晕倒|晕死|"
    "误服|误喝|喝了?(农药|药水)|喝农药|人(农药)?中毒|打药中毒|摔下来|从树上摔|从梯子|触电"
)
_WARNS = re.compile(
    "禁|不得|不能|不准|不许|不可|不让|不再|不用|不喂|不打|不施|勿|违法|违规|犯法|淘汰|停用|撤销|退市|超标|"
    "检出|不要[^，。]{0,6}[用打喷撒买喂加拌泡刷灌信听]|莫(?!等)|(?<![特区分识级个类])别(?!人|的|处|家|等)"
)
_DENIES = re.compile("不|没|莫|别|禁|勿|未|骗|假")
_CLAIM = re.compile(
    r"包治|根治|药到病除|百分之百|100\s*[%％]|一喷就好|一次见效|永不复发|断根|绝对|保证(?![金函书])|稳赚|包赚|"
    "无(任何)?副作用|特效|神药|万能"
)
_PESTICIDE = re.compile(
    "杀菌剂|杀虫剂|杀螨剂|除草剂|调节剂|石硫合剂|波尔多液|硫酸铜|草酸|甲酸|双甲脒|菊酯|三唑类|"
    "吡虫啉|啶虫脒|阿维菌素|草甘膦|草铵膦|咪鲜胺|抑霉唑|甲基硫菌灵|蜂药|杀螨药"
)
_SAFETY_HEADING = re.compile("安全|用药|打药|注意|小心|禁|合法|红线|莫")
_SPRAYS = re.compile("药|喷|兑|打[一二三两道几]|剂|倍")
_BY_THE_LABEL = re.compile("标签|说明书|登记")
_NUMBER = r"(?:\d+(?:\.\d+)?|[一二两三四五六七八九十半]+)"
_DOSE = re.compile(
    rf"\d+(?:\.\d+)?\s*倍(?!子|多|以上|大|放大|镜)"
    rf"|\d+(?:\.\d+)?\s*(?:波美度|ppm|毫克每|毫克/|mg/)"
    rf"|每(?:亩|株|棵|桶|箱|群|脾|升|公斤|斤)[^。，；、]{{0,10}}{_NUMBER}\s*(?:克|两|斤|公斤|千克|毫升|升)"
    rf"|{_NUMBER}\s*[:：比]\s*{_NUMBER}(?!\d*[点分])"
    rf"|(?:间隔|隔|停药)[^。，；]{{0,6}}{_NUMBER}[^。，；]{{0,4}}天"
)


@rule("danger-first", "error")
def _danger_without_120_first(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        entry = file.entry
        heard = _DANGER.search(" ".join((entry.title, *entry.questions, entry.short_answer)))
        if heard and not entry.is_first_aid:
            message = f"写到“{heard.group()}”，人可能有危险，短答却没有先说{DIAL_120}。"
            yield Finding(file, file.body[0].place, message, f"短答开头写：{DIAL_120}。")


@rule("danger-in-details", "warning")
def _danger_in_details_without_120(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        if any("120" in placed.block.text for placed in file.body):
            continue
        for placed in file.body[1:]:
            if heard := _DANGER.search(placed.block.text):
                message = f"写到“{heard.group()}”，却没有说{DIAL_120}。"
                yield Finding(file, placed.place, message, f"在这一条里写上{DIAL_120}。")


@rule("banned", "error")
def _banned_substance_without_a_warning(shelf: Shelf) -> Iterator[Finding]:
    bans = Bans(shelf.lists)
    for file, placed in shelf.blocks():
        for called, law in bans.advised(placed.block.text, file.entry.domain):
            message = f"写了“{called}”，却没有在同一句里说不能用。"
            yield Finding(file, placed.place, message, f"{law}。删掉，或者写明禁用。")


class Bans:
    """Finds what law bans, by every name it goes by."""

    def __init__(self, lists: Lists) -> None:
        self._known = {name: banned for banned in lists.banned for name in banned.names}
        longest_first = sorted(self._known, key=len, reverse=True)  # 丁硫克百威 is not 克百威
        self._any = re.compile("|".join(map(re.escape, longest_first)) or "(?!)")

    def advised(self, text: str, domain: str | None) -> Iterator[tuple[str, str]]:
        """Each substance that a sentence names without saying no to it, and the law against it;
        where the subject is not known, whatever is banned in any."""
        for sentence in re.split("[。；！？\n]", text):
            for name in dict.fromkeys(self._any.findall(sentence)):
                banned = self._known[name]
                applies = not banned.domains or domain is None or domain in banned.domains
                if applies and not _WARNS.search(sentence):
                    called = name if name == banned.name else f"{name}（{banned.name}）"
                    yield called, f"{banned.scope}（{banned.announcement}，{banned.date}）"


def worries(text: str, domain: str | None, lists: Lists) -> tuple[str, ...]:
    """What a commissioner should look at once more before his words go to a farmer: what law
    bans, and a dose that he does not say is the label's."""
    found = [f"{called}：{law}" for called, law in Bans(lists).advised(text, domain)]
    is_loose = _SPRAYS.search(text) and not _BY_THE_LABEL.search(text)
    if is_loose and (heard := _DOSE.search(text)):
        found.append(f"用量“{heard.group()}”：没有说是照标签的，请对一对标签")
    return tuple(dict.fromkeys(found))


@rule("trade-name", "error")
def _trade_name(shelf: Shelf) -> Iterator[Finding]:
    names = shelf.lists.trade_names
    any_of_them = re.compile("|".join(map(re.escape, names)) or "(?!)")
    for file, placed in shelf.blocks():
        for name in dict.fromkeys(any_of_them.findall(placed.block.text)):
            yield Finding(file, placed.place, f"“{name}”是商品名。", f"写通用名：{names[name]}。")


@rule("claim", "error")
def _promise_of_a_cure(shelf: Shelf) -> Iterator[Finding]:
    for file, placed in shelf.blocks():
        for clause in re.split("[，。；：！？]", placed.block.text):
            heard = _CLAIM.search(clause)
            if heard and not _DENIES.search(clause):
                message = f"“{heard.group()}”是打包票的话。"
                yield Finding(file, placed.place, message, "写实在的：能压住、能减轻、多半。")


@rule("dose-source", "error")
def _dose_without_a_source(shelf: Shelf) -> Iterator[Finding]:
    for file, placed in shelf.blocks():
        heard = _DOSE.search(placed.block.text)
        if heard and not any(DOSE_MARK in source for source in file.entry.sources):
            message = f"写了用量、倍数、配比或间隔“{heard.group()}”，出处里没有标哪一份给的数。"
            mend = f"在给出这个数的出处后面加{DOSE_MARK}；没有正式出处就删掉这个数。"
            yield Finding(file, placed.place, message, mend)


@rule("no-safety-section", "warning")
def _pesticide_without_a_section_on_safety(shelf: Shelf) -> Iterator[Finding]:
    for file in shelf.entries:
        heard = next(filter(None, map(_names_pesticide, file.body)), None)
        headings = [each.text for each in file.entry.details if each.kind == "heading"]
        if heard and not any(map(_SAFETY_HEADING.search, headings)):
            message = f"写到“{heard[1]}”，却没有讲安全的小标题。"
            mend = "加一节“用药与安全”：按标签、防护、安全间隔期、禁用的药。"
            yield Finding(file, heard[0].place, message, mend)


def _names_pesticide(placed: Placed) -> tuple[Placed, str] | None:
    heard = _PESTICIDE.search(placed.block.text)
    return (placed, heard.group()) if heard else None
