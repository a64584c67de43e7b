"""Small knowledge bases, and an embedder that remembers what it was asked to encode."""

from bot.domain import Domain, Entry, KnowledgeBase, OutOfScope
from bot.retrieval.embedder import HashingEmbedder

RUST = Entry(
    "pepper-rust",
    "sichuan-pepper",
    "花椒锈病",
    ("叶子背面一层黄粉粉", "花椒叶子起锈", "椒叶黄点点往下掉"),
    "先摘病叶烧掉。",
    (),
    ("某标准",),
)
APHID = Entry(
    "pepper-aphid",
    "sichuan-pepper",
    "花椒蚜虫",
    ("嫩尖上爬满油虫", "尖尖上密密麻麻的小虫"),
    "喷清水冲掉。",
    (),
    ("某标准",),
)
SWARM = Entry(
    "bee-swarm-catch",
    "beekeeping",
    "收回分出来的蜂团",
    ("蜂子飞出来团在树上", "分蜂团咋个收"),
    "天黑前把蜂团抖进空箱。",
    (),
    ("某书",),
)
PRICE = Entry(
    "citrus-price-info",
    "citrus-marketing",
    "到哪里看柑橘行情",
    ("今天柑子好多钱一斤", "血橙啥子价", "哪里查橘子价格"),
    "看产地批发市场的日报。",
    (),
    ("某网",),
)
SUBSIDY = OutOfScope(("养蜂有没得补助拿", "买蜂箱国家贴钱不"), "补贴我说不准。")


def base_of(*entries, rules=(SUBSIDY,), revision="r1"):
    domains = {
        "beekeeping": Domain(
            "beekeeping", "养蜂", "beekeeping", ("蜂",), out_of_scope=tuple(rules)
        ),
        "sichuan-pepper": Domain("sichuan-pepper", "花椒", "pepper", ("花椒",)),
    }
    return KnowledgeBase(revision, domains, {entry.id: entry for entry in entries})


BASE = base_of(RUST, SWARM, PRICE)


def strangers(count):
    """Entries of characters that no question has: among them one that fits stands out."""
    for number in range(count):
        words = "".join(chr(0x3400 + 12 * number + place) for place in range(12))
        texts = words[:4], (words[4:8],), words[8:]
        yield Entry(f"stranger-{number:02}", "sichuan-pepper", *texts, (), ("某书",))


WIDE = base_of(RUST, APHID, SWARM, PRICE, *strangers(76))


class CountingEmbedder(HashingEmbedder):
    def __init__(self, fingerprint="counting", dimension=64):
        super().__init__(dimension)
        self._name = fingerprint
        self.encoded = []
        self.asked = []

    @property
    def fingerprint(self):
        return self._name

    def queries(self, texts):
        self.asked.extend(texts)
        return super().queries(texts)

    def passages(self, texts):
        self.encoded.extend(texts)
        return super().queries(texts)
