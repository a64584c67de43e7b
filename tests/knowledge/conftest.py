from pathlib import Path

import pytest

from tests.knowledge.builders import write_base
from tests.knowledge.ordinary_user import make_reachable


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return write_base(tmp_path)


@pytest.fixture
def rust(base: Path) -> Path:
    return base / "sichuan-pepper" / "pepper-rust.md"


@pytest.fixture
def open_base(base: Path, tmp_path: Path) -> Path:
    make_reachable(tmp_path)
    return base
