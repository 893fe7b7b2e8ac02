"""All configuration in one object: environment variables with the prefix ``OMNIVA_``, or ``.env``.

``omniva doctor`` shows what was found. Secrets never stand here, only references to them.
"""

from __future__ import annotations

from datetime import date
from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

GIB = 2**30


class WorkerPool(BaseModel):
    """Workers that take their jobs from one queue."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str = Field(min_length=1, max_length=31, description="gpu_editor, cpu_editor ...")
    queue: str = Field(min_length=1, max_length=31, description="The queue they read.")
    workers: int = Field(default=1, ge=0, le=10_000, description="How many there are.")
    speed: float = Field(default=1.0, gt=0, le=1000, description="Beside one CPU worker.")


class Settings(BaseSettings):
    """What a deployment can choose; every default works on a bare machine."""

    model_config = SettingsConfigDict(
        env_prefix="OMNIVA_", env_file=".env", extra="ignore", frozen=True
    )

    home: Path = Field(
        default=Path("~/.omniva"), description="State, media, warehouse and Dagster's home."
    )
    database_url: str = Field(
        default="", description="SQLAlchemy URL of the state store; SQLite under home if empty."
    )
    start_day: date = Field(
        default=date(2026, 1, 1), description="First day partition (UTC upload date of videos)."
    )
    rescrape_days: int = Field(
        default=3, ge=0, le=30, description="Past days that the daily schedule looks at again."
    )

    allow_private_hosts: bool = Field(
        default=False, description="Let the scraper fetch from loopback and private addresses."
    )
    max_video_bytes: int = Field(default=8 * GIB, gt=0, description="Larger videos are refused.")
    max_video_seconds: float = Field(
        default=6 * 3600.0, gt=0, description="Longer videos are refused."
    )
    max_video_height: int = Field(
        default=1080, ge=144, description="The best format up to this many lines is fetched."
    )
    cookies: str = Field(
        default="", description="Secret reference to a cookies.txt, for sites that want a login."
    )

    ffmpeg: str = Field(default="", description="Path of ffmpeg; found or bundled if empty.")
    whisper_model: str = Field(
        default="auto", description="Folder, bundled:base, bundled:tiny.en, or a model's name."
    )
    whisper_retry_model: str = Field(
        default="",
        description="A larger model that hears again what the first was unsure of; none if empty.",
    )
    whisper_device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Where transcription runs."
    )
    judge: str = Field(
        default="", description="module:attribute of one more judge of candidates; none if empty."
    )
    encoder: Literal["auto", "libx264", "h264_nvenc"] = Field(
        default="auto", description="Video encoder; auto probes NVENC by a real encode."
    )
    caption_style: str = Field(default="clean", description="Name of a caption style.")
    render_timeout_seconds: float = Field(
        default=1800.0, gt=0, description="A render that takes longer is ended."
    )

    max_clips_per_video: int = Field(default=9, ge=1, le=50, description="Promotions a video.")
    min_clip_score: float = Field(
        default=0.35, ge=0, le=1, description="Candidates judged below are not promoted."
    )
    slot_hours: list[int] = Field(
        default=[9, 12, 15, 18, 21], description="Hours (UTC) at which clips go out."
    )
    daily_quota: int = Field(
        default=5, ge=1, le=24, description="Most clips a creator publishes in a day."
    )
    privacy_status: Literal["public", "unlisted", "private"] = Field(
        default="private", description="Who may see what is published."
    )

    control_seconds: int = Field(
        default=30, ge=1, le=3600, description="Between two of Zenith's control cycles."
    )
    reoffer_seconds: int = Field(
        default=120,
        ge=1,
        description="A launch that no run has answered is asked for again after this long.",
    )

    routing_seconds: int = Field(
        default=600, ge=10, le=86_400, description="Between two of Lattice's looks at all work."
    )
    queue_sla_runs: int = Field(
        default=200, ge=1, description="Runs that may wait; more is a backlog."
    )
    queue_sla_seconds: int = Field(
        default=3600, ge=1, description="How long a run may wait before it counts as late."
    )
    pools: list[WorkerPool] = Field(
        default=[],
        description="Worker pools and their queues, as JSON; this machine alone if empty.",
    )

    ledger_anchor: str = Field(
        default="",
        description="Folder, file or https URL that gets the ledger's checkpoints; none if empty.",
    )

    @field_validator("home")
    @classmethod
    def _absolute(cls, home: Path) -> Path:
        return home.expanduser().resolve()

    @field_validator("slot_hours")
    @classmethod
    def _hours(cls, hours: list[int]) -> list[int]:
        if not hours or any(not 0 <= hour <= 23 for hour in hours):
            raise ValueError("slot_hours must name hours from 0 to 23")
        return sorted(set(hours))

    @property
    def state_url(self) -> str:
        """SQLAlchemy URL of the state store."""
        return self.database_url or f"sqlite:///{self.home / 'state.db'}"

    @property
    def dagster_home(self) -> Path:
        """Dagster's home, beside everything else."""
        return self.home / "dagster"


@lru_cache(maxsize=1)
def settings() -> Settings:
    """The settings of this process."""
    return Settings()
