"""The error tree: a class says what the caller should do.

TianwenError
├── ConfigError          staff: mend config/ (message names file and line)
├── KnowledgeError       staff: mend knowledge/ (carries every problem found)
├── EditError            staff: knowledge/ was not changed as asked (message says how to go on)
├── ModelError           operator: the embedding model is missing or damaged
├── PhraseError          staff: mend config/phrases.yaml
├── Conflict             caller: someone else changed the same case; read again, decide again
├── Refused              web client: the request breaks a rule; tell the user which
├── Forged               webhook: the request is not the platform's; turn it away
├── Unreadable           worker: this arrival can never be understood; set it aside
└── ChannelError         delivery: what a platform answered to a send
    ├── TryLater         again after `retry_after` seconds
    ├── OutcomeUnknown   it may or may not have arrived; never repeat it blindly
    ├── WindowClosed     keep it until the user writes again
    ├── Unreachable      keep it: the user blocked us or left
    ├── Moved            the chat now lives at `user`
    └── Rejected         the platform will never take this message
"""

from __future__ import annotations

from traceback import extract_tb

from bot.domain import Problem


class TianwenError(Exception):
    """Anything this program raises on purpose."""


class ConfigError(TianwenError):
    """A file under config/ or a secret is wrong; the message is for staff, in Chinese."""


class KnowledgeError(TianwenError):
    """The knowledge folder can't become an index; `problems` lists every mend."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("\n".join(str(problem) for problem in problems))
        self.problems = problems


class EditError(TianwenError):
    """A change that staff asked for can't be made; the message tells them why, in Chinese."""


class ModelError(TianwenError):
    """The embedding model is missing or damaged; the message is for staff, in Chinese."""


class PhraseError(TianwenError):
    """A sentence of the bot is missing or has the wrong blanks."""


class Conflict(TianwenError):
    """A case or invitation changed since it was read: read again, decide again."""


class Refused(TianwenError):
    """The user asked for something that is not allowed; the message tells him why, in Chinese."""


class Forged(TianwenError):
    """A request that the platform did not make, or that was changed on its way."""


class Unreadable(TianwenError):
    """An arrival that no retry will make readable."""


class ChannelError(TianwenError):
    """What a platform answered when a message was sent."""


class TryLater(ChannelError):
    """Send again, not sooner than `retry_after` seconds from now."""

    def __init__(self, reason: str, *, retry_after: float = 1.0) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class OutcomeUnknown(ChannelError):
    """The request went out and no answer came back: it may have arrived."""


class WindowClosed(ChannelError):
    """The platform lets us write only after the user writes again."""


class Unreachable(ChannelError):
    """The user blocked the bot, left, or never started it."""


class Moved(ChannelError):
    """The chat has a new address on the same channel."""

    def __init__(self, user: str) -> None:
        super().__init__(f"moved to {user}")
        self.user = user


class Rejected(ChannelError):
    """The platform will never accept this message; repeating it is useless."""


def wordless(error: BaseException) -> str:
    """The error's kind and the way it took, innermost place first, for logs: its message may
    hold a farmer's words."""
    places = [f"{frame.filename}:{frame.lineno}" for frame in extract_tb(error.__traceback__)]
    return f"{type(error).__name__} at {' < '.join(reversed(places))}"
