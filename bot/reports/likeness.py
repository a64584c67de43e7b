"""Which texts say nearly the same: their sets of character n-grams, compared by Jaccard."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Sequence
from unicodedata import normalize

Grams = frozenset[str]


def letters(text: str) -> str:
    """Without spaces, signs and the differences between 全角 and half width, big and small."""
    return "".join(one for one in normalize("NFKC", text).casefold() if one.isalnum())


def grams(text: str, size: int) -> Grams:
    """Of its letters; of a text shorter than `size` the text itself."""
    kept = letters(text)
    places = range(max(1, len(kept) - size + 1))
    return frozenset(kept[at : at + size] for at in places) if kept else frozenset()


def jaccard(one: Grams, other: Grams) -> float:
    """Shared of all; 0 where one is empty, which is like nothing."""
    shared = len(one & other)
    return shared / (len(one) + len(other) - shared) if shared else 0.0


def alike(texts: Sequence[str], *, at: float, size: int) -> list[list[int]]:
    """Groups of places in `texts`: a text joins the group whose first text is most like it, from
    `at` on, else it begins one. Thousands take a second: of two sets with Jaccard t one of the
    first |s| - ⌈t|s|⌉ + 1 members is shared, rarest first, so only those are looked up (prefix
    filter: Chaudhuri, Ganti & Kaushik 2006, "A Primitive Operator for Similarity Joins")."""
    sets = [grams(text, size) for text in texts]
    often = Counter(gram for one in sets for gram in one)
    leaders = defaultdict[str, list[int]](list)
    groups: dict[int, list[int]] = {}
    for place, one in enumerate(sets):
        rarest = sorted(one, key=lambda gram: (often[gram], gram))
        prefix = rarest[: len(one) - math.ceil(at * len(one) - 1e-9) + 1]
        near = {leader for gram in prefix for leader in leaders[gram]}
        scored = [(jaccard(one, sets[leader]), -leader) for leader in near]
        score, leader = max(scored, default=(0.0, 0))
        if score >= at:
            groups[-leader].append(place)
            continue
        groups[place] = [place]
        for gram in prefix:
            leaders[gram].append(place)
    return list(groups.values())
