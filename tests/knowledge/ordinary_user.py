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


@contextmanager
def reachable(folder: Path) -> Iterator[None]:
    """Opens pytest's private folders above `folder` to everybody, for a while."""
    modes = {each: each.stat().st_mode for each in (folder, *folder.parents)}
    closed = {each: mode for each, mode in modes.items() if not mode & 0o001}
    for each in closed:
        each.chmod(0o755)
    try:
        yield
    finally:
        for each, mode in closed.items():
            each.chmod(mode)
