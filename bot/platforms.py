"""What settings.yaml and the environment say of each chat platform."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from bot.channels.telegram.settings import TelegramSettings
from bot.channels.wechat.settings import WeChatSettings
from bot.channels.wecom.settings import WeComSettings
from bot.errors import ConfigError
from bot.phrases import Phrases
from bot.reading.fields import Line, Shape

# Commands of the lexicon that stand in Telegram's menu, and the sentences beside them.
MENU = {"my": "menu.my", "cancel": "menu.cancel", "help": "menu.help"}


class TelegramShape(Shape):
    mode: Literal["polling", "webhook"] = "polling"
    proxy: str | None = None
    base_url: str = "https://api.telegram.org/bot"
    base_file_url: str = "https://api.telegram.org/file/bot"


class WeChatShape(Shape):
    app_id: Line | None = None
    pushes: bool = False
    is_plain: bool = False
    base_url: str = "https://api.weixin.qq.com"
    picture_hosts: tuple[Line, ...] = (".qpic.cn",)


class WeComShape(Shape):
    url: str = "wss://openws.work.weixin.qq.com"


def telegram(
    shape: TelegramShape, public_url: str, environ: Mapping[str, str], phrases: Phrases
) -> TelegramSettings | None:
    token = secret("TIANWEN_TELEGRAM_TOKEN", environ)
    if token is None:
        return None
    return TelegramSettings(
        token=token,
        secret=secret("TIANWEN_TELEGRAM_SECRET", environ) or "",
        menu=tuple((command, phrases(key)) for command, key in MENU.items()),
        webhook_url=f"{public_url}/telegram",
        **shape.model_dump(),
    )


def wechat(shape: WeChatShape, environ: Mapping[str, str]) -> WeChatSettings | None:
    if shape.app_id is None:
        return None
    keys = (secret("TIANWEN_WECHAT_KEY", environ), secret("TIANWEN_WECHAT_KEY_BEFORE", environ))
    return WeChatSettings(
        token=secret("TIANWEN_WECHAT_TOKEN", environ) or "",
        keys=tuple(key for key in keys if key),
        secret=secret("TIANWEN_WECHAT_SECRET", environ) or "",
        **{**shape.model_dump(), "app_id": shape.app_id},
    )


def wecom(shape: WeComShape, public_url: str, environ: Mapping[str, str]) -> WeComSettings | None:
    bot_id = secret("TIANWEN_WECOM_BOT_ID", environ)
    if bot_id is None:
        return None
    return WeComSettings(
        bot_id=bot_id,
        secret=secret("TIANWEN_WECOM_BOT_SECRET", environ) or "",
        desk=f"{public_url}/desk",
        **shape.model_dump(),
    )


def secret(name: str, environ: Mapping[str, str]) -> str | None:
    """The variable, or the content of the file that NAME_FILE names."""
    if path := environ.get(f"{name}_FILE"):
        try:
            return Path(path).read_text(encoding="utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"环境变量 {name}_FILE 指的文件读不了：{path}") from error
    return environ.get(name) or None
