"""Airflow reads its home when it is imported: a temporary one, never the user's."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from flink_tasks import Serve
from scripted_http import Answer, ScriptedServer, serving

from flink_rest.client import EMPTY_JAR

if "AIRFLOW_HOME" not in os.environ:
    os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-home-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Serve]:
    """A Flink whose answers are scripted, behind the Connection `flink`."""
    monkeypatch.setenv("RVA_CHECKPOINT_DIR", str(tmp_path / "checkpoints"))
    overview = {"flink-version": "1.20.5", "taskmanagers": 1}
    common: dict[str, list[Answer]] = {
        "/jars": [(200, {"files": [{"id": "a", "name": EMPTY_JAR}]})],
        "/overview": [(200, overview | {"slots-total": 8, "slots-available": 8})],
    }
    with ExitStack() as running:

        def serve(answers: dict[str, list[Answer]]) -> ScriptedServer:
            server = running.enter_context(serving(common | answers))
            monkeypatch.setenv("AIRFLOW_CONN_FLINK", server.url)
            return server

        yield serve
