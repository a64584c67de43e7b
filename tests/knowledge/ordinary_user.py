"""Permissions mean nothing to root, and CI runs as root: these make a test an ordinary user's."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_NOBODY = 65534


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(_NOBODY)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)


def make_reachable(folder: Path) -> None:
    """Let everybody pass through pytest's private folders above `folder`. They stay so: another
    worker of this run may be passing through at the same time."""
    for each in (folder, *folder.parents):
        if not (mode := each.stat().st_mode) & 0o001:
            each.chmod(mode | 0o055)
