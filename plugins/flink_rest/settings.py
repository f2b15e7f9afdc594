"""Where the jobs, their checkpoints and flink-python's jar are; read when a task runs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from flink_rest.client import DEFAULT_URL

CHECKOUT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, kw_only=True)
class FlinkSettings:
    """Folders that the JobManager and this process both see.

    Every field has the environment variable named beside it.
    """

    jobs_dir: str
    """RVA_JOBS_DIR: folder of the jobs' Python files, as the JobManager sees it."""
    checkpoint_dir: Path
    """RVA_CHECKPOINT_DIR: holds each job's checkpoints in a folder of the job's name."""
    python_jar: Path | None = None
    """RVA_FLINK_PYTHON_JAR: flink-python's jar, uploaded where Flink lacks it in its lib."""
    url: str = DEFAULT_URL
    """RVA_FLINK_URL: the REST API, for those who have no Airflow Connection to it."""

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> FlinkSettings:
        """Read the RVA_* variables; what is unset or empty has its place in the checkout."""
        environ = os.environ if environ is None else environ
        data_dir = Path(environ.get("RVA_DATA_DIR") or CHECKOUT / "data")
        checkpoint_dir = environ.get("RVA_CHECKPOINT_DIR")
        python_jar = environ.get("RVA_FLINK_PYTHON_JAR")
        return cls(
            jobs_dir=environ.get("RVA_JOBS_DIR") or str(CHECKOUT / "include" / "flink_jobs"),
            checkpoint_dir=Path(checkpoint_dir or data_dir / "stack" / "flink" / "checkpoints"),
            python_jar=Path(python_jar) if python_jar else None,
            url=environ.get("RVA_FLINK_URL") or DEFAULT_URL,
        )
