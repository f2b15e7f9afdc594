"""Where this deployment's data goes, from the RVA_* variables. Light: DAG files read it."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from store_pipeline.errors import InputUnusable

CHECKOUT = Path(__file__).resolve().parents[2]
CHECKS_DIR = CHECKOUT / "include" / "sql" / "checks"


@dataclass(frozen=True, kw_only=True)
class PipelineSettings:
    """One deployment: its tables, its topic, its files.

    Every field has the environment variable named beside it.
    """

    database: str = "rva"
    """RVA_DATABASE: Iceberg namespace, which Trino calls schema."""
    topic: str = "persistent://retail/metadata/events"
    """RVA_TOPIC: Pulsar topic of the frame metadata."""
    pulsar_url: str = "pulsar://127.0.0.1:6650"
    """RVA_PULSAR_URL: the broker, by which lineage names the topic."""
    trino_url: str = "http://127.0.0.1:8082"
    """RVA_TRINO_URL: by which lineage names the tables."""
    data_dir: Path = CHECKOUT / "data"
    """RVA_DATA_DIR: what a run makes."""
    vision_python: str = str(CHECKOUT / ".venvs" / "vision" / "bin" / "python")
    """RVA_VISION_PYTHON: the interpreter of vision's environment."""
    vision_image: str = ""
    """RVA_VISION_IMAGE: the image in which vision runs, by a Docker engine; empty: it runs in its
    environment on this machine."""
    vision_volumes: tuple[str, ...] = ()
    """RVA_VISION_VOLUMES: what the image's container is given, `source:target[:ro]`, comma
    separated; a source is a folder of the engine's machine or a volume's name, a target the path by
    which Airflow knows it too. Empty: the folders of the data, the video and the weights, where
    they are."""
    checkpoint_interval_seconds: int | None = None
    """RVA_CHECKPOINT_INTERVAL_SECONDS: how often streaming jobs commit; None: the job's default."""
    lateness_seconds: int | None = None
    """RVA_LATENESS_SECONDS: how far events may be out of order before streaming Gold leaves them to
    the batch; None: the job's default."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> PipelineSettings:
        """Read the RVA_* variables; what is unset or empty keeps its default.

        :raises InputUnusable: the interval is no number of seconds.
        """
        environ = os.environ if environ is None else environ
        default = cls()
        return cls(
            database=environ.get("RVA_DATABASE") or default.database,
            topic=environ.get("RVA_TOPIC") or default.topic,
            pulsar_url=environ.get("RVA_PULSAR_URL") or default.pulsar_url,
            trino_url=environ.get("RVA_TRINO_URL") or default.trino_url,
            data_dir=Path(environ.get("RVA_DATA_DIR") or default.data_dir),
            vision_python=environ.get("RVA_VISION_PYTHON") or default.vision_python,
            vision_image=(environ.get("RVA_VISION_IMAGE") or "").strip(),
            vision_volumes=tuple(
                filter(None, map(str.strip, (environ.get("RVA_VISION_VOLUMES") or "").split(",")))
            ),
            checkpoint_interval_seconds=_seconds(environ, "RVA_CHECKPOINT_INTERVAL_SECONDS"),
            lateness_seconds=_seconds(environ, "RVA_LATENESS_SECONDS"),
        )

    @property
    def metadata_file(self) -> Path:
        """Where a run's frame metadata is written, one JSON object a line."""
        return self.data_dir / "metadata" / "video.jsonl"

    @property
    def sample_video(self) -> Path:
        """The video that is composed at set-up."""
        return self.data_dir / "sample" / "sample.mp4"

    def table(self, name: str) -> str:
        """Return `database.table`."""
        return f"{self.database}.{name}"


def _seconds(environ: Mapping[str, str], name: str) -> int | None:
    text = environ.get(name)
    if not text:
        return None
    if not (text.isascii() and text.isdecimal() and int(text) >= 1):
        raise InputUnusable(name, text, "give whole seconds from 1")
    return int(text)
