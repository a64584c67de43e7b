"""A private PostgreSQL from Debian's binaries, for tests that need a real server."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine, make_url, text

BINARIES = Path("/usr/lib/postgresql")
GIVEN = "TIANWEN_TEST_POSTGRES"
QUICK = "-c listen_addresses='' -c fsync=off -c synchronous_commit=off -c full_page_writes=off"


class NoPostgres(Exception):
    """Why there is no server to test with."""


@contextmanager
def postgres_server(*, is_durable: bool = False) -> Iterator[str]:
    """The URL of a server: the one that TIANWEN_TEST_POSTGRES names, or a private cluster that
    lives as long as the block. `is_durable`: with fsync, for kill tests and timings."""
    if url := os.environ.get(GIVEN):
        yield url
        return
    binaries = _binaries()
    folder = Path(tempfile.mkdtemp(prefix="tianwen-pg-"))
    user = _unprivileged()
    try:
        if user:
            shutil.chown(folder, user)
        data = folder / "data"
        flags = ["-U", "tianwen", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
        _run(user, [binaries / "initdb", "-D", data, *flags])
        options = "-c listen_addresses=''" if is_durable else QUICK
        options += f" -k {folder} -c max_connections=200"
        start = ["-D", data, "-l", folder / "log", "-w", "-o", options, "start"]
        _run(user, [binaries / "pg_ctl", *start])
        try:
            yield f"postgresql+psycopg://tianwen@/postgres?host={folder}"
        finally:
            _run(user, [binaries / "pg_ctl", "-D", data, "-m", "immediate", "-w", "stop"])
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def fresh_schema(server: str) -> Iterator[str]:
    """A URL whose tables stand in a schema of their own, dropped at the end."""
    name = f"t{uuid.uuid4().hex}"
    engine = create_engine(server, isolation_level="AUTOCOMMIT")
    try:
        with engine.connect() as connection:
            connection.execute(text(f"CREATE SCHEMA {name}"))
        url = make_url(server).update_query_dict({"options": f"-csearch_path={name}"})
        yield url.render_as_string(hide_password=False)
        with engine.connect() as connection:
            connection.execute(text(f"DROP SCHEMA {name} CASCADE"))
    finally:
        engine.dispose()


def _binaries() -> Path:
    found = [path.parent for path in BINARIES.glob("*/bin/initdb")]
    if not found:
        raise NoPostgres(f"no PostgreSQL: set {GIVEN} or install Debian's postgresql package")
    return max(found, key=lambda path: int(re.sub(r"\D", "", path.parent.name) or 0))


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; None: we aren't root."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _run(user: str | None, words: list[object]) -> None:
    """Output goes to a file: the server inherits its starter's streams, a pipe would never end."""
    command = [str(word) for word in words]
    if user:
        command = ["runuser", "-u", user, "--", *command]
    with tempfile.TemporaryFile("w+") as output:
        done = subprocess.run(
            command,
            cwd="/",
            check=False,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            timeout=60,
        )
        output.seek(0)
        if done.returncode:
            raise NoPostgres(f"{' '.join(command)}: {output.read()}")
