"""What `config/settings.yaml` says about outbreaks; light, for whoever reads the settings."""

from __future__ import annotations

from datetime import timedelta

from pydantic import Field

from bot.reading.fields import Shape

WEEK = timedelta(days=7)
GUARD = 1  # weeks between the last one and those it is compared with
LEAST_WEEKS = 4  # to compare with; before that nothing is a rise


class OutbreaksShape(Shape):
    """What is a rise, and when it is a new one; the settings say it in Chinese."""

    farmers: int = Field(default=3, ge=2, le=100)
    weeks: int = Field(default=8, ge=LEAST_WEEKS, le=26)
    chance: float = Field(default=0.0005, gt=0, le=0.05)
    quiet: int = Field(default=28, ge=7, le=365)  # days

    @property
    def span(self) -> timedelta:
        """How far back questions are needed; one week more shows that the others are whole."""
        return (2 + GUARD + self.weeks) * WEEK
