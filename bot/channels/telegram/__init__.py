"""Telegram. The library python-telegram-bot is imported in this folder only."""
