"""The other end of `app`: started, told the time, stopped, killed and started again."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from tests.channels.fake_telegram import TOKEN
from tests.conftest import ROOT
from tests.walk.processes import free_port

PATIENCE = 120.0  # seconds for what takes milliseconds


@dataclass
class Server:
    """One home on one database and one port, again after every end."""

    home: Path
    database: str
    log: Path

    def __post_init__(self) -> None:
        self.port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def start(self, now: datetime) -> None:
        environ = {
            **{name: value for name, value in os.environ.items() if "COV" not in name},
            "TIANWEN_DATABASE": self.database,
            "TIANWEN_TELEGRAM_TOKEN": TOKEN,
            "OPENBLAS_NUM_THREADS": "1",  # as the command line sets it
            "PYTHONPATH": str(ROOT),
        }
        words = [str(self.home), str(self.port), now.isoformat()]
        with self.log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", "tests.walk.year.app", *words),
                cwd=ROOT,
                env=environ,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=log,
            )
        assert await self._answer() == "@open"

    async def until(self, then: datetime) -> None:
        """Everything that time brings before then has happened."""
        await self._told("until", then)

    async def set(self, now: datetime) -> None:
        await self._told("now", now)

    async def stop(self) -> None:
        """As an operator does it: what is under way comes to its end."""
        await self._ended(signal.SIGTERM, 0)

    async def kill(self) -> None:
        await self._ended(signal.SIGKILL, -signal.SIGKILL)

    async def _ended(self, how: signal.Signals, status: int) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.send_signal(how)
        await process.communicate()
        assert process.returncode == status, self._words()

    async def _told(self, verb: str, time: datetime) -> None:
        assert self._process
        assert self._process.stdin
        self._process.stdin.write(f"{verb} {time.isoformat()}\n".encode())
        assert await self._answer() == "@done"

    async def _answer(self) -> str:
        assert self._process
        assert self._process.stdout
        async with asyncio.timeout(PATIENCE):
            while line := (await self._process.stdout.readline()).decode():
                if line.startswith("@"):
                    return line.strip()
        raise AssertionError(f"it ended by itself:\n{self._words()}")

    def _words(self) -> str:
        return self.log.read_text()[-3000:]
