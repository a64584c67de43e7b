"""The knowledge room: files that staff write become entries, or a list of what to mend."""

from bot.knowledge.check import UNSAFE, check, unsafe
from bot.knowledge.load import Reader, load
from bot.knowledge.watch import Watch, fingerprint

__all__ = ["UNSAFE", "Reader", "Watch", "check", "fingerprint", "load", "unsafe"]
