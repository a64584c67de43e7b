"""What every test shares: the checkout, an empty data folder, an empty database, the time."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.postgres import NoPostgres, fresh_schema, postgres_server

ROOT = Path(__file__).resolve().parent.parent
NOW = datetime(2026, 11, 23, 2, 0, tzinfo=UTC)  # ten in the morning in Rongchang


@pytest.fixture(scope="session")
def root() -> Path:
    return ROOT


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A copy of the shipped knowledge and configuration, free to be broken."""
    for part in ("knowledge", "config"):
        shutil.copytree(ROOT / part, tmp_path / part)
    return tmp_path


@pytest.fixture(scope="session")
def postgres() -> Iterator[str]:
    try:
        with postgres_server() as url:
            yield url
    except NoPostgres as error:
        pytest.skip(str(error))


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    """An empty database, once of each kind."""
    if request.param == "sqlite":
        yield f"sqlite:///{tmp_path}/store/tianwen.db"
        return
    with fresh_schema(request.getfixturevalue("postgres")) as address:
        yield address


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The long ones first: otherwise one of two cores ends alone with them."""
    items.sort(key=lambda item: item.get_closest_marker("slow") is None)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """CI has every part, so there a skipped test is a failure."""
    report = yield
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped on CI: {report.longrepr}"
    return report
