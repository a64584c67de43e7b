"""The knowledge room: files that staff write become entries, or a list of what to mend."""

from bot.knowledge.check import UNSAFE, check, unsafe
from bot.knowledge.keeping import shelve
from bot.knowledge.lists import Lists
from bot.knowledge.lists import read as banned
from bot.knowledge.load import Reader, load
from bot.knowledge.rules.safety import worries
from bot.knowledge.watch import Watch, fingerprint

__all__ = [
    "UNSAFE",
    "Lists",
    "Reader",
    "Watch",
    "banned",
    "check",
    "fingerprint",
    "load",
    "shelve",
    "unsafe",
    "worries",
]
