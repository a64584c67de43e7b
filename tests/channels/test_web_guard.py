"""What the web side refuses, and what it tells browsers to refuse."""

from __future__ import annotations

import logging
from datetime import timedelta
from uuid import uuid4

import pytest
from starlette.exceptions import HTTPException

from bot.channels.web.guard import Buckets
from bot.channels.web.settings import Rate
from tests.channels.web_world import NOW, World, photo, say


@pytest.fixture
def world(tmp_path):
    made = World(tmp_path)
    yield made
    made.close()


def form(browser, **more) -> dict[str, str]:
    return {"csrf": browser.csrf, "uid": str(uuid4()), "text": "好", **more}


# --- who sends


@pytest.mark.parametrize("csrf", ["", "wrong", "中文"])
async def test_a_form_without_its_token_is_refused(world, csrf):
    farmer = await world.farmer()
    assert (await farmer.post("/send", form(farmer, csrf=csrf))).status_code == 403


async def test_another_farmers_token_is_refused(world):
    li, zhou = await world.farmer(), await world.farmer()
    assert (await li.post("/send", form(li, csrf=zhou.csrf))).status_code == 403


@pytest.mark.parametrize("path", ["/desk/logout", "/desk/case/1"])
async def test_the_desk_asks_for_the_token_too(world, path):
    world.open_case()
    desk = await world.at_desk()
    fields = form(desk, csrf="wrong", press="accept")
    assert (await desk.post(path, fields)).status_code == 403


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"sec-fetch-site": "same-origin"}, 303),
        ({"origin": "https://evil.example"}, 403),
        ({"origin": "null"}, 403),
        ({"origin": "http://tianwen.test"}, 303),
        ({"sec-fetch-site": "cross-site", "origin": "http://tianwen.test"}, 403),
    ],
)
async def test_only_our_own_pages_may_post(world, headers, status):
    farmer = await world.farmer()
    sent = await farmer.post("/send", form(farmer), headers=headers)
    assert sent.status_code == status


async def test_an_unknown_session_gets_a_new_one(world):
    stranger = world.browser()
    stranger.http.cookies.set("tianwen_farmer", "x" * 43)
    page = await stranger.open("/")
    assert page.status_code == 200
    assert "tianwen_farmer" in page.headers["set-cookie"]
    assert (await world.browser().ask("好")).status_code == 403


async def test_nothing_changes_by_get(world):
    desk = await world.at_desk()
    world.open_case()
    for path in ("/send", "/desk/logout"):
        assert (await desk.open(path)).status_code == 405
    assert (await desk.open("/desk/case/1?press=accept")).status_code == 200
    assert await world.work(say("好")) is None


# --- cookies and headers


@pytest.mark.parametrize("path", ["/desk", "/desk/knowledge", "/desk/case/1", "/"])
async def test_every_visit_lets_the_cookie_live_on(world, path):
    world.open_case()
    browser = await (world.farmer() if path == "/" else world.at_desk())
    name = "tianwen_farmer" if path == "/" else "tianwen_desk"
    cookie = (await browser.open(path)).headers["set-cookie"]
    assert cookie.startswith(f"{name}={browser.http.cookies[name]};")
    assert "Max-Age=" in cookie


async def test_cookies_are_out_of_reach_of_scripts_and_other_sites(world):
    chat = (await world.browser().open("/")).headers["set-cookie"]
    assert chat.startswith("tianwen_farmer=")
    assert {"HttpOnly", "SameSite=lax", "Path=/"} <= set(chat.split("; "))
    desk = await world.at_desk()
    assert len(desk.http.cookies["tianwen_desk"]) >= 22  # 128 bits and more


@pytest.mark.parametrize("by", ["setting", "proxy"])
async def test_over_https_cookies_are_bound_to_the_host(tmp_path, by):
    more = {"is_secure": True} if by == "setting" else {"trusted_proxies": frozenset({"10.0.0.1"})}
    world = World(tmp_path, **more)
    page = await world.browser().open("/", headers={"x-forwarded-proto": "https"})
    cookie = page.headers["set-cookie"]
    assert cookie.startswith("__Host-tianwen_farmer=")
    assert "Secure" in cookie
    world.close()


async def test_an_untrusted_proxy_says_nothing_about_https(world):
    page = await world.browser().open("/", headers={"x-forwarded-proto": "https"})
    assert "__Host-" not in page.headers["set-cookie"]


@pytest.mark.parametrize("path", ["/", "/nowhere", "/desk", "/health"])
async def test_every_answer_carries_the_security_headers(world, path):
    headers = (await world.browser().open(path)).headers
    policy = headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"


async def test_pages_hold_no_inline_script_or_style(world):
    farmer = await world.farmer()
    await farmer.ask("好", photos=[photo()])
    world.open_case()
    desk = await world.at_desk()
    pages = [await farmer.open("/"), await desk.open("/desk"), await desk.open("/desk/case/1")]
    for page in pages:
        assert " style=" not in page.text
        assert " on" not in page.text.replace(" one", "")
        assert "<script>" not in page.text
        assert "//" not in page.text.replace("<!doctype", "")  # nothing from another host


async def test_static_files_are_named_by_content_and_kept_for_ever(world):
    page = (await world.browser().open("/")).text
    sheet = page.split('href="/static/tianwen.')[1].split('"')[0]
    answer = await world.browser().open(f"/static/tianwen.{sheet}")
    assert answer.headers["content-type"].startswith("text/css")
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    for name in ("tianwen.css", "..%2fchat.py", "tianwen.000000000000.css"):
        assert (await world.browser().open(f"/static/{name}")).status_code == 404


# --- how much


async def test_a_huge_body_is_refused_by_its_length_alone(world):
    farmer = await world.farmer()

    async def never():
        raise AssertionError("the body was read")
        yield b""

    headers = {
        "content-length": str(200 * 2**20),
        "content-type": "multipart/form-data; boundary=b",
        "accept": "application/json",
    }
    sent = await farmer.http.post("/send", content=never(), headers=headers)
    assert (sent.status_code, "照片" in sent.json()["error"]) == (413, True)


async def test_a_huge_body_of_unsaid_length_is_cut_off(tmp_path):
    world = World(tmp_path, photo_bytes=100_000, photos=1)
    farmer = await world.farmer()
    read = 0

    async def endless():
        nonlocal read
        while True:
            read += 2**16
            yield b"x" * 2**16

    headers = {"content-type": "multipart/form-data; boundary=b"}
    sent = await farmer.http.post("/send", content=endless(), headers=headers)
    assert sent.status_code in {400, 413}
    assert read < world.settings.upload_limit + 2**18
    world.close()


async def test_small_forms_may_not_be_big(world):
    desk = await world.at_desk()
    sent = await desk.post("/desk/logout", {"csrf": desk.csrf, "x": "y" * (2**20 + 1)})
    assert sent.status_code == 413


async def test_who_sends_too_fast_is_asked_kindly_to_wait(tmp_path):
    world = World(tmp_path, session_rate=Rate(2, 6))
    li, zhou = await world.farmer(), await world.farmer()
    codes = [(await li.ask(str(one))).status_code for one in range(3)]
    assert codes == [200, 200, 429]
    refused = await li.ask("又")
    assert (refused.headers["retry-after"], "太快" in refused.json()["error"]) == ("11", True)
    assert (await zhou.ask("好")).status_code == 200
    world.now += timedelta(seconds=10)
    assert (await li.ask("好")).status_code == 200
    world.close()


async def test_one_address_may_not_open_sessions_without_end(tmp_path):
    world = World(tmp_path, visit_rate=Rate(2, 1))
    pages = [await world.browser().open("/") for _ in range(3)]
    assert [one.status_code for one in pages] == [200, 200, 429]
    assert "歇一会儿" in pages[2].text
    other = world.browser(address="10.0.0.2")
    assert (await other.open("/")).status_code == 200
    world.close()


async def test_codes_can_not_be_guessed_at_speed(tmp_path):
    world = World(tmp_path, entry_rate=Rate(3, 1))
    guesser = world.browser()
    await guesser.open("/desk/enter/AAAAAAAAAA")
    posts = [
        await guesser.post(f"/desk/enter/AAAAAAAAA{one}", {"csrf": guesser.csrf}) for one in "BCDE"
    ]
    assert [one.status_code for one in posts] == [410, 410, 410, 429]
    world.close()


@pytest.mark.parametrize(
    ("trusted", "forwarded", "codes"),
    [
        ((), ["1.1.1.1", "2.2.2.2"], [200, 429]),
        (("10.0.0.1",), ["1.1.1.1", "2.2.2.2"], [200, 200]),
        (("10.0.0.1",), ["9.9.9.9, 1.1.1.1", "8.8.8.8, 1.1.1.1"], [200, 429]),
        (("10.0.0.1", "10.0.0.9"), ["1.1.1.1, 10.0.0.9", "2.2.2.2, 10.0.0.9"], [200, 200]),
        (("10.0.0.1",), ["2001:db8::1", "2001:db8::2"], [200, 429]),
    ],
)
async def test_a_forwarded_address_counts_only_from_a_trusted_proxy(
    tmp_path, trusted, forwarded, codes
):
    world = World(tmp_path, visit_rate=Rate(1, 1), trusted_proxies=frozenset(trusted))
    pages = [await world.browser().open("/", headers={"x-forwarded-for": one}) for one in forwarded]
    assert [one.status_code for one in pages] == codes
    world.close()


def test_buckets_forget_who_has_been_quiet():
    now = NOW
    buckets = Buckets(Rate(1, 60), lambda: now)
    for number in range(10_000):
        buckets.take(str(number))
    now += timedelta(seconds=2)
    buckets.take("new")
    assert len(buckets._levels) == 1
    with pytest.raises(HTTPException):
        buckets.take("new")


# --- watching


async def test_health_and_metrics_answer(world):
    farmer = await world.farmer()
    await farmer.ask("好")
    await world.work(say("好"))
    world.open_case()
    world.store.notes.put("knowledge", {"ok": True})
    assert (await farmer.open("/health")).json() == {"ok": True, "knowledge_is_current": True}
    lines = (await farmer.open("/metrics")).text.splitlines()
    assert 'tianwen_messages{direction="in",state="done"} 1' in lines
    assert 'tianwen_messages{direction="out",state="sent"} 1' in lines
    assert "tianwen_cases_held 1" in lines


async def test_a_fault_of_ours_is_said_in_chinese_and_shows_nothing_inside(world):
    farmer = await world.farmer()
    world.chat._store = None
    broken = await farmer.open("/")
    assert broken.status_code == 500
    assert "出了点问题" in broken.text
    assert "Traceback" not in broken.text
    assert "default-src 'none'" in broken.headers["content-security-policy"]


async def test_logs_hold_neither_words_nor_secrets(world, caplog):
    caplog.set_level(logging.DEBUG, logger="bot")
    farmer = await world.farmer()
    await farmer.ask("秘密的话")
    desk = await world.at_desk()
    said = " ".join(record.getMessage() for record in caplog.records)
    assert "秘密的话" not in said
    assert desk.http.cookies["tianwen_desk"] not in said
