"""`tianwen serve` as a process of its own, to be killed."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from tests.channels.fake_telegram import TOKEN
from tests.conftest import ROOT


class Serving:
    """One home served on one port, again after every kill. Its words go to `log`."""

    def __init__(
        self,
        home: Path,
        database: str,
        *,
        log: Path,
        token: str = TOKEN,
        environ: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.log = log
        self._home = home
        self._environ = {
            **{name: value for name, value in os.environ.items() if "COV" not in name},
            "TIANWEN_DATABASE": database,
            "TIANWEN_TELEGRAM_TOKEN": token,
            "PYTHONPATH": str(ROOT),
            **(environ or {}),
        }
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def start(self) -> None:
        words = ["--home", str(self._home), "serve", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "bot", *words],
                cwd=ROOT,
                env=self._environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
            )

    async def is_open(self, seconds: float = 60) -> None:
        """Return when the pages are served."""
        async with asyncio.timeout(seconds):
            while not await self._answers():
                assert self.is_running, f"it ended by itself:\n{self.log.read_text()[-3000:]}"
                await asyncio.sleep(0.02)

    async def _answers(self) -> bool:
        """The port is taken first of all, so a connection alone says nothing."""
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            writer.write(b"GET /health HTTP/1.0\r\n\r\n")
            return b"200" in await asyncio.wait_for(reader.readline(), 1)
        except (OSError, TimeoutError):
            return False
        finally:
            writer.transport.abort()
            with suppress(OSError):
                await writer.wait_closed()

    def kill(self) -> None:
        """SIGKILL: nothing of it runs any more afterwards."""
        if self._process:
            self._process.kill()
            self._process.wait()

    async def stop(self) -> int:
        """SIGTERM, as an operator stops it; the exit status."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return await asyncio.to_thread(self._process.wait, 30)


def run(code: str, environ: Mapping[str, str]) -> subprocess.Popen[bytes]:
    """A Python process that says what it does on its standard output."""
    return subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=ROOT,
        env={**os.environ, **environ, "PYTHONPATH": str(ROOT)},
        stdout=subprocess.PIPE,
    )


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as door:
        return int(door.getsockname()[1])
