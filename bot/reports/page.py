"""The report as one HTML file that needs nothing beside it, and prints on A4."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markupsafe import Markup

from bot.domain import CHINA
from bot.reports.charts import Chart, bars, columns
from bot.reports.figures import OUTCOMES, Report
from bot.reports.tables import Table, tables


def render(report: Report, bar: str = "") -> str:
    """`bar` is HTML for the top, where the page is shown among others."""
    page = Environment(
        loader=FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    ).get_template("page.html")
    made = report.made.astimezone(CHINA)
    found = tables(report)
    charts = [_chart(report, table) for table in found]
    return page.render(
        report=report,
        bar=Markup(bar),  # noqa: S704 - our own template's
        parts=list(zip(found, charts, strict=True)),
        made=made,
        outcomes=OUTCOMES,
    )


def _chart(report: Report, table: Table) -> Chart | None:
    if not table.rows:
        return None
    match table.title:
        case "特派员":
            pairs = [(one.commissioner.name, one.services) for one in report.people]
            return bars([(name, [count]) for name, count in pairs])
        case "每周提问":
            return columns([(one.name, _parts(one.outcomes)) for one in report.weeks])
        case "各领域提问":
            return bars([(one.name, _parts(one.outcomes)) for one in report.subjects])
        case "各镇街转人的问题":
            return bars([(name, [count]) for name, count in report.townships])
        case _:
            return None


def _parts(outcomes: Mapping[str, int]) -> Sequence[int]:
    return [outcomes[one] for one in OUTCOMES]
