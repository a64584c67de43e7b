"""The outbreak radar against a year of noise: how seldom it cries wolf, how soon it sees one."""

from __future__ import annotations

import random
from bisect import bisect_left
from collections.abc import Iterator
from datetime import datetime, timedelta
from itertools import accumulate
from math import cos, exp, tau

import pytest

from bot.domain import CHINA, Address
from bot.reports.outbreaks import Rise, improbability, news, rises
from bot.reports.thresholds import OutbreaksShape
from bot.store import Asked

START = datetime(2026, 1, 1, 8, 30, tzinfo=CHINA)
DOMAINS = {f"entry-{number}": ("bee", "pepper", "citrus")[number % 3] for number in range(256)}
TOWNS = [f"镇{number}" for number in range(21)]
LIMITS = OutbreaksShape()
DAY = timedelta(days=1)


def year(seed: int, questions: int, *, has_seasons: bool) -> list[Asked]:
    """Some entries and townships are asked about far more than others; three in ten farmers never
    say where they are, one question in four goes to a person, many are asked twice."""
    chance = random.Random(seed)
    entries = list(DOMAINS)
    chance.shuffle(entries)
    weights = list(accumulate(1 / (rank + 3) for rank in range(len(entries))))
    peaks = [(chance.randrange(365), chance.choice((0, 0, 1, 2))) for _ in entries]
    near = list(accumulate(1 / (rank + 2) for rank in range(len(TOWNS))))
    homes = [
        chance.choices(TOWNS, cum_weights=near)[0] if chance.random() < 0.7 else None
        for _ in range(questions // 3)
    ]
    asked: list[Asked] = []
    while len(asked) < questions:
        place = chance.choices(range(len(entries)), cum_weights=weights)[0]
        day = chance.random() * 364
        peak, sharpness = peaks[place]
        if has_seasons and chance.random() > exp(sharpness * (cos(tau * (day - peak) / 365) - 1)):
            continue
        who = chance.randrange(len(homes))
        for again in range(chance.choice((1, 1, 2))):
            at = START + timedelta(days=day, minutes=9 * again)
            asked.append(
                question(who, at, entries[place], homes[who], is_open=chance.random() < 0.25)
            )
    return sorted(asked, key=lambda one: one.at)


def question(who, at, entry, township, *, is_open=False) -> Asked:
    farmer = Address("web", str(who))
    if is_open:
        return Asked(at, "escalate", DOMAINS[entry], (), farmer, township)
    return Asked(at, "answer", None, (entry,), farmer, township)


def watched(asked: list[Asked]) -> Iterator[tuple[datetime, Rise]]:
    """Every rise that is told of in the year, looked for each morning."""
    told: dict[str, str] = {}
    times = [one.at for one in asked]
    for day in range(30, 364):
        now = START + day * DAY
        window = asked[bisect_left(times, now - LIMITS.span) : bisect_left(times, now)]
        fresh, told = news(rises(window, now, DOMAINS.get, LIMITS), told, now.date(), LIMITS)
        yield from ((now, one) for one in fresh)


@pytest.mark.parametrize("has_seasons", [False, True])
def test_a_year_of_noise_gives_few_notes(has_seasons):
    counts = [len(list(watched(year(seed, 3000, has_seasons=has_seasons)))) for seed in range(2)]
    print("false notes a year:", counts)
    assert sum(counts) / len(counts) <= 6


def test_an_outbreak_amid_the_noise_is_told_of_within_days():
    delays = []
    for seed in range(2):
        noise = year(seed, 3000, has_seasons=True)
        chance = random.Random(seed)
        begins = START + 200 * DAY
        sick = [
            question(
                f"sick-{number}", begins + timedelta(days=chance.random() * 10), "entry-7", "镇9"
            )
            for number in range(10)
        ]
        seen = watched(sorted(noise + sick, key=lambda one: one.at))
        found = [at for at, one in seen if (one.entry, one.township) == ("entry-7", "镇9")]
        assert len(found) == 1
        delays.append((found[0] - begins) / DAY)
    assert max(delays) <= 7


def test_the_predictive_distribution_is_one_and_knows_how_much_is_known():
    whole = sum(improbability(count, 6, 8) - improbability(count + 1, 6, 8) for count in range(60))
    assert whole == pytest.approx(1)
    assert improbability(3, 0, 8) == pytest.approx(0.00045, rel=0.05)
    assert improbability(3, 0, 4) > improbability(3, 0, 8)
