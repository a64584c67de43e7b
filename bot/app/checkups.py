"""`tianwen doctor wechat|wecom|telegram`: asks the platform itself whether all is set right."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import httpx

from bot.app.findings import Finding, bad, good
from bot.channels.envelope import Envelope, signed
from bot.channels.telegram.failures import TOKEN_REFUSED
from bot.channels.telegram.settings import TelegramSettings
from bot.channels.wechat.client import WeChatApi
from bot.channels.wechat.failures import MAY_NOT_PUSH, ApiError, mend_of
from bot.channels.wechat.settings import PATH, WeChatSettings
from bot.channels.wecom.settings import WeComSettings
from bot.channels.wecom.socket import REFUSED, Socket
from bot.config import Config
from bot.errors import ConfigError

PATIENCE = 10.0  # seconds
PORTS = {None, 80, 443}  # WeChat calls no others
NOBODY = "tianwen-doctor"  # an openid that nobody has
LOGGED_OUT = "连不上：{why}。检查这台机器能不能上网、要不要代理。"


def telegram(config: Config) -> Iterator[Finding]:
    settings = config.telegram
    if settings is None:
        yield bad("Telegram", "没开。设环境变量 TIANWEN_TELEGRAM_TOKEN（BotFather 给的令牌）。")
        return
    try:
        me = _telegram(settings, "getMe")
    except httpx.HTTPError as error:
        yield bad("Telegram", LOGGED_OUT.format(why=type(error).__name__))
        return
    if me is None:
        yield bad("Telegram 令牌", TOKEN_REFUSED)
        return
    yield good("Telegram 令牌", f"机器人是 @{me.get('username', '（没有用户名）')}。")
    hook = (_telegram(settings, "getWebhookInfo") or {}).get("url", "")
    yield _receiving(settings, str(hook))


def _telegram(settings: TelegramSettings, method: str) -> dict[str, object] | None:
    """None: the token is refused."""
    url = f"{settings.base_url}{settings.token}/{method}"
    answer = httpx.post(url, timeout=PATIENCE, proxy=settings.proxy)
    if answer.status_code in {401, 404}:
        return None
    found = answer.raise_for_status().json()["result"]
    return dict(found)


def _receiving(settings: TelegramSettings, hook: str) -> Finding:
    part = "Telegram 收信"
    if settings.mode == "polling":
        return good(part, "自己去取（polling），不用公网地址。")
    if hook == settings.webhook_url:
        return good(part, f"Telegram 往 {hook} 送。")
    return bad(part, f"Telegram 那边登记的是“{hook}”。开门时会自动登记 {settings.webhook_url}。")


def wechat(config: Config) -> Iterator[Finding]:
    settings = config.wechat
    if settings is None:
        yield bad("公众号", "没开。在 config/settings.yaml 的 wechat 里写 app_id。")
        return
    try:
        Envelope(settings.token, settings.keys, settings.app_id)
    except ConfigError as error:
        yield bad("公众号的钥匙", str(error))
        return
    yield good("公众号的钥匙", "Token 和 EncodingAESKey 的样子是对的。")
    if settings.is_plain:
        yield bad("公众号的方式", "明文模式开着，谁都能冒充农户：改成 is_plain: false。")
    yield _callback(config, settings)
    if settings.secret:
        yield from asyncio.run(_account(settings))
    else:
        yield good("公众号的权限", "没有 AppSecret，只在农户来信时答复。")


def _callback(config: Config, settings: WeChatSettings) -> Finding:
    """Asks our own address what the platform asks when it is entered there."""
    part, url = "公众号的网址", f"{config.url}{PATH}"
    address = urlsplit(url)
    if config.web.public_url is None or address.port not in PORTS:
        mend = "在 web 里写 public_url，用 80 或 443 端口的域名。"
        return bad(part, f"微信只认 80 和 443 端口的公网网址，现在是 {url}。{mend}")
    stamp, echo = str(int(time.time())), "tianwen"
    query = {"timestamp": stamp, "nonce": echo, "echostr": echo}
    query["signature"] = signed(settings.token, stamp, echo)
    try:
        answer = httpx.get(url, params=query, timeout=PATIENCE)
    except httpx.HTTPError as error:
        why = type(error).__name__
        return bad(part, f"{url} 打不开（{why}）。先开门（tianwen serve），再看域名和代理。")
    if answer.text != echo:
        why = f"{url} 通了，答的不是田问（{answer.status_code}）"
        return bad(part, f"{why}。看代理有没有把 {PATH} 转给田问，Token 是不是同一个。")
    return good(part, f"通了。公众平台“服务器配置”里填 {url}，方式选“安全模式”。")


async def _account(settings: WeChatSettings) -> tuple[Finding, ...]:
    api = WeChatApi(settings)
    try:
        await api.token()
        return good("公众号的 AppSecret", "微信认得，IP 也在白名单里。"), await _rights(
            settings, api
        )
    except ApiError as error:
        said = mend_of(error) or f"微信不给令牌：{error}。"
        return (bad("公众号的 AppSecret", said),)
    except httpx.HTTPError as error:
        return (bad("公众号的 AppSecret", LOGGED_OUT.format(why=type(error).__name__)),)
    finally:
        await api.close()


async def _rights(settings: WeChatSettings, api: WeChatApi) -> Finding:
    """Typing to nobody: an account without the right hears so before its follower is looked up."""
    part, may = "公众号的权限", True
    try:
        await api.show_typing(NOBODY)
    except ApiError as error:
        may = error.code != MAY_NOT_PUSH
    if may == settings.pushes:
        return good(part, "能主动发客服消息。" if may else "不能主动发，答复跟着农户的来信走。")
    mend = "写 pushes: true，答复就能主动送到" if may else "写 pushes: false，不然什么都送不出去"
    return bad(part, f"账号{'能' if may else '不能'}主动发客服消息，和设置不一样：{mend}。")


def wecom(config: Config) -> Iterator[Finding]:
    settings = config.wecom
    if settings is None:
        yield bad("企业微信", "没开。设 TIANWEN_WECOM_BOT_ID 和 TIANWEN_WECOM_BOT_SECRET。")
        return
    if _is_open(config.url):
        said = "田问开着，机器人的连接在它手里，这里不去抢。连没连上看它的日志。"
        yield good("企业微信", said)
        return
    yield asyncio.run(_robot(settings))


def _is_open(url: str) -> bool:
    try:
        return httpx.get(f"{url}/health", timeout=2).status_code == 200
    except httpx.HTTPError:
        return False


async def _robot(settings: WeComSettings) -> Finding:
    connected = asyncio.Event()
    socket = Socket(
        settings, may_hold=lambda: True, keep=_leave, returned=_leave, connected=connected.set
    )
    running = asyncio.create_task(socket.run())
    waiting = asyncio.create_task(connected.wait())
    try:
        done, _ = await asyncio.wait(
            {running, waiting}, timeout=PATIENCE, return_when=asyncio.FIRST_COMPLETED
        )
        if running in done:
            return bad("企业微信", REFUSED)
        if waiting in done:
            return good("企业微信", f"机器人连上了（{datetime.now(UTC):%H:%M} UTC）。")
        return bad("企业微信", LOGGED_OUT.format(why=urlsplit(settings.url).hostname))
    finally:
        for task in (running, waiting):
            task.cancel()
        await asyncio.gather(running, waiting, return_exceptions=True)


async def _leave(*_: object) -> None:
    """A check-up keeps nothing."""


CHECKUPS = {"wechat": wechat, "wecom": wecom, "telegram": telegram}
