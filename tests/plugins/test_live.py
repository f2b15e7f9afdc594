"""The live mode's inputs, what vision is told, and what its end comes to."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowException, AirflowFailException

from store_pipeline import steps
from store_pipeline.errors import InputUnusable
from store_pipeline.live import cameras_result, cameras_run, live_inputs
from store_pipeline.settings import PipelineSettings
from store_pipeline.vision_command import VisionRun

FILE = "store: store_01\ncameras: [{camera: a, source: 'rtsp://u:${CAM_PASSWORD}@h/1'}]\n"


@pytest.fixture
def settings(tmp_path: Path) -> PipelineSettings:
    return PipelineSettings(data_dir=tmp_path / "data", topic="persistent://t/n/events")


@pytest.fixture
def cameras(tmp_path: Path) -> Path:
    path = tmp_path / "my cameras; rm.yaml"
    path.write_text(FILE)
    return path


def inputs(cameras: Path, settings: PipelineSettings, **changed: Any) -> dict[str, Any]:
    params = {"cameras": str(cameras), "minutes": 60, "only": []} | changed
    return live_inputs(params, settings=settings, pulsar_url="pulsar://h:6650/")


@pytest.fixture
def run(cameras: Path, settings: PipelineSettings) -> VisionRun:
    made = cameras_run(inputs(cameras, settings), settings)
    made.summary.parent.mkdir(parents=True)
    return made


def summary(code: int = 0, **error: str) -> dict[str, Any]:
    of = {"run_ids": ["r1"], "published": 7, "frames": 7}
    found = [of | {"camera": name, "error": error.get(name)} for name in ("a", "b")]
    return {"store_id": "store_01", "exit_code": code, "cameras": found}


def test_vision_publishes_for_so_many_minutes_and_writes_no_lines(
    cameras: Path, settings: PipelineSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CAM_PASSWORD", "s3cret")
    given = inputs(cameras, settings, only=["a", "b"], minutes=0.5)
    made = cameras_run(given, settings)
    assert made.arguments == (
        *("cameras", str(cameras), "--to=pulsar://h:6650/t/n/events"),
        *("--minutes=0.5", "--only=a,b"),
    )
    assert made.secrets["CAM_PASSWORD"] == "s3cret"
    assert "s3cret" not in str(given) + repr(made)
    assert made.summary == settings.data_dir / "metadata/cameras/cameras.summary.json"


def test_file_that_does_not_exist_is_told(settings: PipelineSettings, tmp_path: Path) -> None:
    with pytest.raises(InputUnusable, match=r"none\.yaml.*docs/cameras\.yaml"):
        inputs(tmp_path / "none.yaml", settings)


def test_summary_is_what_the_cameras_came_to(run: VisionRun) -> None:
    run.summary.write_text(json.dumps(summary()))
    assert cameras_result(run, 0, "").summary == summary()


@pytest.mark.parametrize(
    ("left", "code", "error", "told"),
    [
        (summary(2, b="no such camera"), 2, AirflowFailException, "b: no such camera"),
        (summary(143), 143, AirflowException, r"stopped \(SIGTERM\)"),
        (None, 2, AirflowFailException, "code 2: line 3: no such option"),
        (None, None, AirflowException, r"code \?"),
    ],
)
def test_what_went_wrong_is_told_in_one_line(
    run: VisionRun, left: Any, code: int | None, error: type[Exception], told: str
) -> None:
    if left is not None:
        run.summary.write_text(json.dumps(left))
    with pytest.raises(error, match=told) as caught:
        cameras_result(run, code, "line 3: no such option" if code == 2 else "")
    assert isinstance(caught.value, AirflowFailException) is (error is AirflowFailException)


def test_bronze_must_hold_at_least_what_was_acknowledged_of_each_camera_with_frames() -> None:
    told = summary()
    told["cameras"][1]["run_ids"] = []
    assert steps.live_cameras(told) == [
        {
            "parameters": {"store_id": "store_01", "camera_id": "a", "run_ids": '["r1"]'},
            "min_threshold": 7,
        }
    ]


def test_days_of_a_live_run_go_from_its_begin_to_now(monkeypatch: pytest.MonkeyPatch) -> None:
    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> datetime:  # noqa: ARG003 - as datetime has it
            return datetime(2026, 12, 1, 0, 5, tzinfo=UTC)

    monkeypatch.setattr(steps, "datetime", Clock)
    begun = SimpleNamespace(run_after=datetime(2026, 11, 29, 23, 59, tzinfo=UTC))
    assert steps.live_days(begun) == ["2026-11-29", "2026-11-30", "2026-12-01"]
