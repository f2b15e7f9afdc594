"""Where a job reads and writes, and how: from its arguments and the RVA_* variables."""

from __future__ import annotations

import argparse
import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path

DEFAULT_DATABASE = "rva"
MOST_GAP_SECONDS = 24 * 3600
"""No gap and no lateness is longer; `lakehouse prove` reads no further round a day."""
_CHECKPOINT_INTERVAL_SECONDS = {"gold_streaming": 60}
"""Where a job's own differs from the others': whoever reads Gold applies a file of deletes for each
commit with rows, and its shortest window is a minute (ADR 021)."""
_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")
_PLAIN = re.compile(r"[^'\x00-\x1f]*")


class InvalidJobSetting(ValueError):
    """An argument or variable has a value that cannot be used."""


@dataclass(frozen=True, kw_only=True)
class Connections:
    """Addresses and credentials as the Flink processes see them (RVA_* variables)."""

    pulsar_url: str = "pulsar://127.0.0.1:6650"
    catalog_uri: str = "http://127.0.0.1:8181"
    warehouse: str = "s3://warehouse/"
    s3_endpoint: str = "http://127.0.0.1:9000"
    s3_access_key: str = "minioadmin"
    s3_secret_key: str = "minioadmin123"  # noqa: S105 - the documented default of the local stack
    s3_region: str = "us-east-1"
    checkpoint_dir: str = "data/stack/flink/checkpoints"

    def __post_init__(self) -> None:
        """Refuse what could not stand inside a quoted SQL literal."""
        for name in self.__dataclass_fields__:
            if not _PLAIN.fullmatch(getattr(self, name)):
                raise InvalidJobSetting(
                    f"RVA_{name.upper()} holds a quote or a control character: remove it"
                )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> Connections:
        """Read the RVA_* variables; what is unset or empty keeps its default."""
        environ = os.environ if environ is None else environ
        return cls(
            **{
                name: environ[f"RVA_{name.upper()}"]
                for name in cls.__dataclass_fields__
                if environ.get(f"RVA_{name.upper()}")
            }
        )


@dataclass(frozen=True, kw_only=True)
class JobSettings:
    """One job's settings; units stand in the names."""

    job: str
    connections: Connections
    database: str = DEFAULT_DATABASE
    topic: str = "persistent://retail/metadata/events"
    parallelism: int = 1
    checkpoint_interval_seconds: int = 10
    """Also the commit interval: 10 s suits a laptop, for streaming Gold 60 s; compose sets 60 s for
    all (fewer, larger files)."""
    monitor_interval_seconds: int = 2
    """How often a streaming job looks for new snapshots of the table that it reads."""
    state_ttl_seconds: int = 7 * 24 * 3600
    """How long Silver remembers a frame, so that a re-sending is recognised; and Gold
    the visits of an hour that have started and not ended."""
    lateness_seconds: int = 5
    """How far events may be out of order before streaming Gold leaves them to the batch."""
    visit_gap_seconds: int = 2
    track_gap_seconds: int = 30
    lookahead_hours: int = 24
    """How far past its day a batch follows a track or visit that started in it."""
    day: date | None = None
    branch: str = "main"
    """Where a batch writes: a branch of each table that is made and audited by others."""
    silver_snapshot_id: int | None = None
    """What of Silver a batch reads; None: the newest."""
    closed_days: tuple[date, ...] = ()

    def __post_init__(self) -> None:
        """Refuse impossible values, naming them."""
        if not _IDENTIFIER.fullmatch(self.database):
            raise InvalidJobSetting(
                f"database {self.database!r}: use lower-case letters, digits and underscores"
            )
        if not _IDENTIFIER.fullmatch(self.branch):
            raise InvalidJobSetting(
                f"branch {self.branch!r}: use lower-case letters, digits and underscores"
            )
        if not re.fullmatch(r"(non-)?persistent://[\w.-]+/[\w.-]+/[\w.@-]+", self.topic):
            raise InvalidJobSetting(f"topic {self.topic!r}: use persistent://tenant/namespace/name")
        for name in (
            "parallelism",
            "checkpoint_interval_seconds",
            "monitor_interval_seconds",
            "visit_gap_seconds",
            "track_gap_seconds",
            # with none, a row would be behind the watermark that it has moved itself
            "lateness_seconds",
        ):
            if getattr(self, name) < 1:
                raise InvalidJobSetting(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("state_ttl_seconds", "lookahead_hours"):
            if getattr(self, name) < 0:
                raise InvalidJobSetting(f"{name} cannot be negative, not {getattr(self, name)}")
        for name in ("visit_gap_seconds", "track_gap_seconds", "lateness_seconds"):
            if getattr(self, name) > MOST_GAP_SECONDS:
                raise InvalidJobSetting(
                    f"{name} must be at most {MOST_GAP_SECONDS} (a day), not {getattr(self, name)}"
                )

    @property
    def pipeline_name(self) -> str:
        """The job's name in Flink; another database than the default stands behind an @."""
        return self.job if self.database == DEFAULT_DATABASE else f"{self.job}@{self.database}"

    @property
    def closed_days_shown(self) -> str:
        """The closed days as Flink's REST API shows them: `2026-11-23;2026-11-24`, or `none`."""
        return ";".join(day.isoformat() for day in self.closed_days) or "none"

    @property
    def checkpoint_uri(self) -> str:
        """This job's own checkpoint directory, so that its newest can be found by name."""
        base = self.connections.checkpoint_dir
        base = base if "://" in base else Path(base).resolve().as_uri()
        return f"{base.rstrip('/')}/{self.pipeline_name}"

    @property
    def read_range(self) -> tuple[str, str]:
        """First and first-not time (SQL timestamps, UTC) that the batch of `day` reads."""
        start = self._midnight()
        before = max(self.visit_gap_seconds, self.track_gap_seconds)
        return (
            f"{start - timedelta(seconds=before):%Y-%m-%d %H:%M:%S}",
            f"{start + timedelta(days=1, hours=self.lookahead_hours):%Y-%m-%d %H:%M:%S}",
        )

    @property
    def day_range_ms(self) -> tuple[int, int]:
        """First and first-not epoch millisecond of `day` (UTC)."""
        start = int(self._midnight().timestamp() * 1000)
        return start, start + 24 * 3600 * 1000

    def _midnight(self) -> datetime:
        if self.day is None:
            raise InvalidJobSetting("a batch needs --day, as 2026-11-24")
        return datetime.combine(self.day, time(), tzinfo=UTC)


def parse(job: str, argv: Sequence[str] | None = None) -> JobSettings:
    """Read a job's command line; `--help` lists the options.

    :raises InvalidJobSetting: a value cannot be used.
    """
    defaults = JobSettings(job=job, connections=Connections())
    parser = argparse.ArgumentParser(prog=job)
    parser.add_argument("--database", default=os.environ.get("RVA_DATABASE") or DEFAULT_DATABASE)
    parser.add_argument("--topic", default=os.environ.get("RVA_TOPIC") or defaults.topic)
    for name in (
        "parallelism",
        "monitor_interval_seconds",
        "state_ttl_seconds",
        "lateness_seconds",
        "visit_gap_seconds",
        "track_gap_seconds",
        "lookahead_hours",
    ):
        parser.add_argument(
            f"--{name.replace('_', '-')}", type=int, default=getattr(defaults, name)
        )
    parser.add_argument(
        "--checkpoint-interval-seconds",
        type=int,
        default=int(
            os.environ.get("RVA_CHECKPOINT_INTERVAL_SECONDS")
            or _CHECKPOINT_INTERVAL_SECONDS.get(job, defaults.checkpoint_interval_seconds)
        ),
    )
    parser.add_argument("--day", type=date.fromisoformat, help="UTC day of a batch, 2026-11-24")
    parser.add_argument("--branch", default=defaults.branch, help="where a batch writes")
    parser.add_argument("--silver-snapshot-id", type=int, help="what of Silver a batch reads")
    parser.add_argument(
        "--closed-days",
        type=_dates,
        default=(),
        help="comma-separated days that streaming Gold leaves alone, since a batch has closed them",
    )
    arguments = vars(parser.parse_args(argv))
    return JobSettings(job=job, connections=Connections.from_env(), **arguments)


def _dates(text: str) -> tuple[date, ...]:
    return tuple(sorted(date.fromisoformat(each) for each in text.split(",") if each))
