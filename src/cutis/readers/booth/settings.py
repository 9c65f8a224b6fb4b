"""What the booth can be told beside what every server of ours can."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field

from cutis.web.settings import Settings


class BoothSettings(Settings):
    """The ground's settings, and the booth's."""

    consent: Path | None = None  # a folder with the study's own words to consent to, such as en.txt and zh.txt
    reader_idle_minutes: float = Field(default=240, gt=0)  # a reader sees nobody's data, and thinks long
    quiet_days: float = Field(default=14, gt=0)  # without an answer, after which a reader counts as a dropout
