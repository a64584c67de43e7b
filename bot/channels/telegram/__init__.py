"""Telegram. The library python-telegram-bot is imported in this folder only."""

from bot.channels.telegram.channel import TelegramChannel
from bot.channels.telegram.client import TelegramSettings

__all__ = ["TelegramChannel", "TelegramSettings"]
