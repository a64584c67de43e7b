"""`tianwen serve`: the service and its web server, started and stopped together."""

from __future__ import annotations

import asyncio
import errno
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial

import uvicorn

from bot import web
from bot.app.calendar import now
from bot.app.compose import Core
from bot.app.explaining import in_words
from bot.app.report_making import at_desk
from bot.app.service import Service
from bot.channels.base import Bell, Channel
from bot.channels.console import ConsoleChannel
from bot.channels.links import Links
from bot.channels.telegram.channel import TelegramChannel
from bot.channels.web import DeskChannel, ReportRoom, WebChannel, WebSettings
from bot.channels.web import Library as DeskLibrary
from bot.channels.wechat.channel import WeChatChannel
from bot.channels.wecom.channel import WeComChannel
from bot.config import Config, WebShape
from bot.domain import Address
from bot.errors import ConfigError
from bot.store import Store

WELCOME_VALID = timedelta(hours=1)
THREADS = 32


def open_door(web_settings: WebShape) -> socket.socket:
    """Take the web port before anything else is loaded or touched; raises ConfigError."""
    host, port = web_settings.host, web_settings.port
    try:
        door = socket.create_server((host, port), reuse_port=False)
    except OSError as error:
        is_taken = error.errno == errno.EADDRINUSE
        why = "已经有程序在用，多半是田问开着" if is_taken else "地址不对，或者没有权限"
        mend = "换个端口：tianwen serve --port 8001。"
        raise ConfigError(f"{host} 的 {port} 端口开不了：{why}。{mend}") from error
    # What it accepts inherits this. asyncio sets it only on sockets that name their protocol,
    # and without it a page's body waits 40 ms for the acknowledgement of its head.
    door.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return door


@dataclass(frozen=True, slots=True)
class Pace:
    """What time it is, and the bells that wake whoever waits; a test brings a fast clock."""

    clock: Callable[[], datetime] = now
    arrived: Bell = field(default_factory=Bell)
    due: Bell = field(default_factory=Bell)


async def serve(core: Core, door: socket.socket, pace: Pace | None = None) -> None:
    """Until SIGINT or SIGTERM."""
    pace = pace or Pace()
    config = core.config
    # Database calls, encoding and photos share these threads; 2 cores' default would be 6.
    asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(THREADS))
    store = Store.open(config.database, commissioners=config.commissioners)
    settings = WebSettings(
        is_secure=config.url.startswith("https:"),
        trusted_proxies=frozenset(config.web.trusted_proxies),
    )
    channels = _channels(core, store, pace, settings)
    clock = pace.clock
    service = Service(core, store, channels, arrived=pace.arrived, due=pace.due, clock=clock)
    routes = [route for channel in channels for route in channel.routes()]
    people, reports = config.commissioners, at_desk(config, store, clock)
    routes += ReportRoom(store, clock, settings, people=people, reports=reports).routes()
    server = _Server(
        uvicorn.Config(
            web.build(routes, store, settings, clock),
            log_level="warning",
            access_log=False,  # addresses of farmers are nobody's business
            proxy_headers=False,  # the pages read X-Forwarded-For of trusted proxies themselves
            server_header=False,
            timeout_graceful_shutdown=3,  # live pages never end by themselves
        )
    )
    try:
        await _together(service, server, door, core, store)
    finally:
        store.close()


def _channels(core: Core, store: Store, pace: Pace, settings: WebSettings) -> list[Channel]:
    config, pictures = core.config, core.bookshelf.picture
    library = DeskLibrary(
        core.library.entry,
        core.naming.domain,
        partial(in_words, core),
        config.phrases("canned.texts").splitlines(),
    )
    people, links = config.commissioners, _links(config)
    common = store, pace.arrived, pace.clock, settings
    channels: list[Channel] = [
        WebChannel(*common, pictures=pictures, links=links),
        DeskChannel(
            *common, people=people, library=library, targets=config.targets, pictures=pictures
        ),
    ]
    if config.telegram:
        telegram = TelegramChannel(
            config.telegram, store, pace.arrived, pace.clock, pictures=pictures
        )
        channels.append(telegram)
    if config.wechat:
        say, link = config.phrases, partial(_link, links)
        wechat = WeChatChannel(
            config.wechat,
            store,
            pace.arrived,
            pace.clock,
            say=say,
            link=link,
            pictures=pictures,
        )
        channels.append(wechat)
    if config.wecom:
        say = config.phrases
        channels.append(WeComChannel(config.wecom, store, pace.arrived, pace.clock, say=say))
    return channels


def _links(config: Config) -> Links | None:
    """Out of WeChat onto the web page, where people can open that from outside."""
    if config.wechat is None or config.web.public_url is None:
        return None
    secret = "\n".join((config.wechat.token, *config.wechat.keys[:1]))
    return Links(config.url, secret, now)


def _link(links: Links | None, user: str) -> str:
    return links.to(Address("wechat", user)) if links else ""


class _Server(uvicorn.Server):
    """Leaves signals to us: uvicorn raises SIGTERM again once its own connections are closed,
    which would end the process amid a turn or a send."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _together(
    service: Service, server: uvicorn.Server, door: socket.socket, core: Core, store: Store
) -> None:
    asked = asyncio.create_task(_asked_to_stop())
    working = asyncio.create_task(service.run())
    serving = asyncio.create_task(server.serve(sockets=[door]))
    greeting = asyncio.create_task(_greet(server, door, core, store))
    done, _ = await asyncio.wait({asked, working, serving}, return_when=asyncio.FIRST_COMPLETED)
    server.should_exit = True
    for task in (asked, working, greeting):
        task.cancel()
    await asyncio.wait({asked, working, serving, greeting})
    for task in done:
        task.result()  # what died of an error says so


async def _asked_to_stop() -> None:
    """Return at the first SIGINT or SIGTERM; a second one ends the process at once."""
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    try:
        await stop.wait()
    finally:
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.remove_signal_handler(number)


async def _greet(server: uvicorn.Server, door: socket.socket, core: Core, store: Store) -> None:
    """Say where to go; on a new machine also how the dispatcher gets in."""
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event for it
        await asyncio.sleep(0.05)
    config, port = core.config, door.getsockname()[1]
    url = config.url if config.web.port else f"http://{config.web.host}:{port}"
    print(f"田问开门了：{url}/　（Ctrl-C 关门）", flush=True)
    print(f"特派员和分诊员的工作台：{url}/desk", flush=True)
    if store.accounts.is_anyone_bound():
        return
    for person in config.commissioners:
        code = store.accounts.invite(person.id, now(), valid=WELCOME_VALID)
        print(f"  {person.name}的一次性入口（1 小时内有效）：{url}/desk/enter/{code}", flush=True)


async def converse(core: Core, store: Store, console: ConsoleChannel, arrived: Bell) -> None:
    """`tianwen chat`: until the input ends and the last reply is out."""
    service = Service(core, store, [console], arrived=arrived, clock=now)
    running = asyncio.create_task(service.run())
    waiting = asyncio.create_task(service.listened_out())
    await asyncio.wait({running, waiting}, return_when=asyncio.FIRST_COMPLETED)
    for task in (running, waiting):
        task.cancel()
    await asyncio.wait({running, waiting})
