from __future__ import annotations

from datetime import UTC, date, datetime
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.sdk.exceptions import AirflowFailException

from lakehouse.backfill.errors import DayLetGo
from lakehouse.catalog import CATALOG_NAME
from lakehouse.schema import DAILY_GOLD, TABLES
from store_pipeline import jobs, maintaining, rebuilding, sources, steps
from store_pipeline.capture import capture_inputs, captures, day_to_rebuild
from store_pipeline.errors import InputUnusable
from store_pipeline.settings import PipelineSettings

RUN_AFTER = datetime(2026, 11, 25, 6, 12, 0, 653_999, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> PipelineSettings:
    return PipelineSettings(database="rva_test", data_dir=tmp_path)


def form(video: Path | str, **changed: Any) -> dict[str, Any]:
    values = {
        "video": str(video),
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "start_time": None,
        "fps": 30,
        "weights": None,
        "detector": "auto",
        "max_frames": None,
        "accept_damage": False,
        "further_cameras": [],
        "rebuild": "none",
    }
    return values | changed


@pytest.fixture
def video(tmp_path: Path) -> Path:
    path = tmp_path / "a video; rm -rf.mp4"
    path.write_bytes(b"video")
    return path


def test_capture_without_a_start_begins_when_the_run_was_due(
    settings: PipelineSettings, video: Path
) -> None:
    twice = [capture_inputs(form(video), run_after=RUN_AFTER, settings=settings) for _ in range(2)]
    assert twice[0] == twice[1]
    assert twice[0]["start_time"] == "2026-11-25T06:12:00.653+00:00"


def test_further_cameras_are_as_the_form_says_but_for_what_they_say_themselves(
    settings: PipelineSettings, video: Path
) -> None:
    other = video.with_name("other.mp4")
    other.write_bytes(b"video")
    further = [
        {"video": str(other), "camera_id": "cam_02", "stream_id": "back"},
        {"video": str(video), "camera_id": "cam_03", "start_time": "2026-11-24T10:15:00Z"},
    ]
    values = form(video, max_frames=7, further_cameras=further)
    first, second, third = captures(values, run_after=RUN_AFTER, settings=settings)
    assert first == capture_inputs(
        form(video, max_frames=7), run_after=RUN_AFTER, settings=settings
    )
    of_second = {"input": str(other), "camera_id": "cam_02", "stream_id": "back"}
    assert second == first | of_second | {"output": second["output"]}
    assert third["start_time"] == "2026-11-24T10:15:00.000+00:00"
    names = [Path(each["output"]).name for each in (first, second, third)]
    assert names == ["video.jsonl", "video.cam_02.jsonl", "video.cam_03.jsonl"]


@pytest.mark.parametrize("camera_id", ["cam_01", "cam_02"])
def test_two_cameras_of_one_name_are_refused(
    settings: PipelineSettings, video: Path, camera_id: str
) -> None:
    further = [{"video": str(video), "camera_id": each} for each in ("cam_02", camera_id)]
    with pytest.raises(InputUnusable, match=f"{camera_id}.* a camera_id of its own"):
        captures(form(video, further_cameras=further), run_after=RUN_AFTER, settings=settings)


def test_further_camera_that_does_not_exist_is_told(
    settings: PipelineSettings, video: Path
) -> None:
    further = [{"video": "data/none.mp4", "camera_id": "cam_02"}]
    with pytest.raises(InputUnusable, match=r"data/none\.mp4"):
        captures(form(video, further_cameras=further), run_after=RUN_AFTER, settings=settings)


@pytest.mark.parametrize(
    ("given", "utc"),
    [
        ("2026-11-24T10:15:00Z", "2026-11-24T10:15:00.000+00:00"),
        ("2026-11-24T11:15:00.5+01:00", "2026-11-24T10:15:00.500+00:00"),
    ],
)
def test_start_is_told_in_utc(
    settings: PipelineSettings, video: Path, given: str, utc: str
) -> None:
    values = form(video, start_time=given)
    assert capture_inputs(values, run_after=RUN_AFTER, settings=settings)["start_time"] == utc


@pytest.mark.parametrize("given", ["yesterday", "2026-11-24T10:15:00", "2026-13-01T00:00:00Z"])
def test_start_that_is_no_moment_is_refused(
    settings: PipelineSettings, video: Path, given: str
) -> None:
    with pytest.raises(InputUnusable, match="2026-11-24T10:15:00Z"):
        capture_inputs(form(video, start_time=given), run_after=RUN_AFTER, settings=settings)


def test_video_that_does_not_exist_is_told_with_its_full_path(settings: PipelineSettings) -> None:
    with pytest.raises(InputUnusable, match=r"there is no file /.*/data/none.mp4"):
        capture_inputs(form("data/none.mp4"), run_after=RUN_AFTER, settings=settings)


CAMERAS = ["0", "rtsp://10.0.0.7/stream", "https://cam.test/a.m3u8", "variable:front_door"]


@pytest.mark.parametrize("camera", CAMERAS)
def test_camera_is_no_file_and_its_capture_begins_when_vision_reads_it(
    settings: PipelineSettings, camera: str
) -> None:
    values = form(camera, max_frames=900)
    inputs = capture_inputs(values, run_after=RUN_AFTER, settings=settings)
    assert (inputs["input"], inputs["max_frames"], inputs["start_time"]) == (camera, 900, None)


@pytest.mark.parametrize("camera", CAMERAS)
def test_camera_without_a_number_of_frames_is_refused(
    settings: PipelineSettings, camera: str
) -> None:
    with pytest.raises(InputUnusable, match="a camera has no end, so give max_frames"):
        capture_inputs(form(camera), run_after=RUN_AFTER, settings=settings)


def test_frames_at_most_are_told_to_vision_for_a_file_too(
    settings: PipelineSettings, video: Path
) -> None:
    inputs = [
        capture_inputs(form(video, max_frames=n), run_after=RUN_AFTER, settings=settings)
        for n in (None, 5)
    ]
    assert [each["max_frames"] for each in inputs] == [None, 5]


def test_password_in_the_form_is_refused_and_not_told(settings: PipelineSettings) -> None:
    values = form("rtsp://admin:tr0ub4dor@10.0.0.7/stream", max_frames=9)
    with pytest.raises(InputUnusable, match=r"rtsp://admin:\*\*\*@10.*variable:front_door") as told:
        capture_inputs(values, run_after=RUN_AFTER, settings=settings)
    assert "tr0ub4dor" not in str(told.value)


@pytest.mark.parametrize(
    ("address", "shown", "masked"),
    [
        ("rtsp://a:b%40cd@h/x", "rtsp://a:***@h/x", ["b%40cd", "b@cd"]),
        ("rtsp://a:b@cd@h/x", "rtsp://a:***@h/x", ["b@cd"]),
        ("https://h/x?user=a&pwd=s%2Fe&b=1", "https://h/x?user=a&pwd=***&b=1", ["s%2Fe", "s/e"]),
        ("https://h/x?token=abc", "https://h/x?token=***", ["abc"]),
        ("https://h/x@y?a=b", "https://h/x@y?a=b", []),
    ],
)
def test_password_is_found_however_it_is_written(
    monkeypatch: pytest.MonkeyPatch, address: str, shown: str, masked: list[str]
) -> None:
    found: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", found.append)
    sources.hide_password(address)
    assert found == masked
    assert sources.without_password(address) == shown
    if masked:
        with pytest.raises(InputUnusable, match="variable:front_door"):
            sources.refuse_password(address)
    else:
        sources.refuse_password(address)


def test_camera_of_a_variable_is_resolved_and_its_password_masked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    address = "rtsp://admin:tr0ub4dor@10.0.0.7/Streaming/Channels/101?a=b"
    masked: list[str] = []
    monkeypatch.setattr("airflow.sdk.log.mask_secret", masked.append)
    monkeypatch.setenv("AIRFLOW_VAR_FRONT_DOOR", address)
    assert sources.resolve("variable:front_door") == address
    assert masked == ["tr0ub4dor"]
    assert sources.resolve("data/a.mp4") == "data/a.mp4"


def test_variable_that_holds_no_address_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AIRFLOW_VAR_FRONT_DOOR", "camera 1")
    with pytest.raises(InputUnusable, match="AIRFLOW_VAR_FRONT_DOOR"):
        sources.resolve("variable:front_door")


@pytest.mark.parametrize("answer", [True, False])
def test_form_says_whether_damage_is_accepted(
    settings: PipelineSettings, video: Path, answer: bool
) -> None:
    values = form(video, accept_damage=answer)
    inputs = capture_inputs(values, run_after=RUN_AFTER, settings=settings)
    assert inputs["accept_damage"] is answer


def test_weights_that_do_not_exist_are_told_before_vision_starts(
    settings: PipelineSettings, video: Path
) -> None:
    with pytest.raises(InputUnusable, match="weights"):
        capture_inputs(
            form(video, weights="/nowhere/yolo.pt"), run_after=RUN_AFTER, settings=settings
        )


def test_weights_may_be_a_name_that_ultralytics_knows(
    settings: PipelineSettings, video: Path
) -> None:
    inputs = capture_inputs(
        form(video, weights="yolo11s.pt"), run_after=RUN_AFTER, settings=settings
    )
    assert inputs["weights"] == "yolo11s.pt"


def test_output_is_the_file_that_the_replay_reads(settings: PipelineSettings, video: Path) -> None:
    inputs = capture_inputs(form(video), run_after=RUN_AFTER, settings=settings)
    assert inputs["output"] == str(settings.data_dir / "metadata" / "video.jsonl")


@pytest.mark.parametrize(
    ("params", "logical_date", "day"),
    [
        pytest.param(
            {"day": None},
            datetime(2026, 11, 24, 2, tzinfo=UTC),
            "2026-11-24",
            id="scheduled: the logical date's day, which ended two hours before the run",
        ),
        pytest.param(
            {"day": None}, datetime(2026, 11, 24, tzinfo=UTC), "2026-11-24", id="dags test"
        ),
        pytest.param(
            {"day": "2026-11-01"}, datetime(2026, 11, 24, tzinfo=UTC), "2026-11-01", id="form"
        ),
        pytest.param({}, None, "2026-11-24", id="no logical date: yesterday"),
        pytest.param({}, RUN_AFTER, "2026-11-24", id="by hand, logical date now: yesterday"),
    ],
)
def test_day_to_rebuild(params: dict[str, Any], logical_date: datetime | None, day: str) -> None:
    assert day_to_rebuild(params, logical_date=logical_date, run_after=RUN_AFTER) == day


@pytest.mark.parametrize("given", ["24.11.2026", "2026-02-30", "today"])
def test_day_that_is_no_day_is_refused(given: str) -> None:
    with pytest.raises(InputUnusable, match="2026-11-24"):
        day_to_rebuild({"day": given}, logical_date=None, run_after=RUN_AFTER)


@pytest.mark.parametrize("given", ["2026-11-25", "2026-11-26"])
def test_day_that_has_not_ended_is_refused(given: str) -> None:
    with pytest.raises(InputUnusable, match=f"{given}.*has not ended"):
        day_to_rebuild({"day": given}, logical_date=None, run_after=RUN_AFTER)


def test_logical_date_in_the_future_is_refused() -> None:
    with pytest.raises(InputUnusable, match=r"2099-01-01.*has not ended"):
        day_to_rebuild({}, logical_date=datetime(2099, 1, 1, tzinfo=UTC), run_after=RUN_AFTER)


def test_jobs_of_another_database_have_names_of_their_own(settings: PipelineSettings) -> None:
    assert jobs.bronze_ingest(settings)["job_name"] == "bronze_ingest@rva_test"
    assert jobs.bronze_ingest(PipelineSettings())["job_name"] == "bronze_ingest"


def test_fresh_start_is_guarded_where_it_would_double_rows(settings: PipelineSettings) -> None:
    guarded = {
        "bronze_ingest": jobs.bronze_ingest(settings),
        "silver_detections": jobs.silver_detections(settings),
        "gold_streaming": jobs.gold_streaming(settings),
    }
    tables = {n: j.get("refuse_fresh_start_when_rows_in") for n, j in guarded.items()}
    assert tables == {
        "bronze_ingest": ["rva_test.bronze_raw"],
        "silver_detections": ["rva_test.silver_detection", "rva_test.silver_quarantine"],
        "gold_streaming": None,
    }


def test_refusal_names_the_command_and_the_form_s_field(settings: PipelineSettings) -> None:
    assert jobs.silver_detections(settings)["how_to_rebuild"] == (
        'empty what it writes with `make lakehouse ARGS="empty silver_detection '
        'silver_quarantine"` and trigger the DAG retail_video_analytics with rebuild=silver'
    )
    assert "rebuild=bronze" in jobs.bronze_ingest(settings)["how_to_rebuild"]


def test_checkpoint_interval_is_passed_to_streaming_jobs_where_it_is_set() -> None:
    set_to_60 = PipelineSettings.from_env({"RVA_CHECKPOINT_INTERVAL_SECONDS": "60"})
    for spec in (
        jobs.bronze_ingest(set_to_60),
        jobs.silver_detections(set_to_60),
        jobs.gold_streaming(set_to_60),
    ):
        assert spec["arguments"][-2:] == ["--checkpoint-interval-seconds", "60"]
    unset = jobs.bronze_ingest(PipelineSettings.from_env({}))
    assert "--checkpoint-interval-seconds" not in unset["arguments"]


def test_lateness_is_passed_to_streaming_gold_where_it_is_set_and_restarts_one_with_another() -> (
    None
):
    set_to_60 = jobs.gold_streaming(PipelineSettings.from_env({"RVA_LATENESS_SECONDS": "60"}))
    assert set_to_60["arguments"][-2:] == ["--lateness-seconds", "60"]
    assert set_to_60["restart_when_changed"]["lateness-seconds"] == "60"
    unset = jobs.gold_streaming(PipelineSettings.from_env({}))
    assert "--lateness-seconds" not in unset["arguments"]
    assert set(unset["restart_when_changed"]) == {"closed-days"}


def test_lineage_goes_from_the_topic_to_gold_without_a_gap() -> None:
    settings = PipelineSettings.from_env(
        {"RVA_PULSAR_URL": "pulsar://me:secret@broker:6650", "RVA_TRINO_URL": "https://trino"}
    )
    made = {jobs.topic_dataset(settings)}
    for job in (jobs.bronze_ingest, jobs.silver_detections, jobs.gold_streaming, jobs.gold_batch):
        assert set(job(settings)["reads"]) <= made
        made |= set(job(settings)["writes"])
    assert made == {
        ("pulsar://broker:6650", "persistent://retail/metadata/events"),
        *(
            ("trino://trino:443", f"{CATALOG_NAME}.rva.{name}")
            for name in TABLES
            if name not in ("gold_replay_end", "gold_backfill", "data_quality")
        ),
    }
    assert jobs.DAILY_GOLD == DAILY_GOLD


def test_address_that_cannot_be_is_left_to_those_who_need_it() -> None:
    settings = PipelineSettings.from_env({"RVA_TRINO_URL": "http://trino:x", "RVA_PULSAR_URL": "?"})
    assert jobs.table_dataset(settings, "t").namespace == "trino://trino:x"
    assert jobs.topic_dataset(settings).name == settings.topic


@pytest.mark.parametrize("given", ["0", "-1", "soon", "1.5"])
@pytest.mark.parametrize("name", ["RVA_CHECKPOINT_INTERVAL_SECONDS", "RVA_LATENESS_SECONDS"])
def test_seconds_that_are_none_are_told(name: str, given: str) -> None:
    with pytest.raises(InputUnusable, match="whole seconds from 1"):
        PipelineSettings.from_env({name: given})


def test_settings_that_are_empty_keep_their_defaults() -> None:
    assert PipelineSettings.from_env({"RVA_DATABASE": "", "RVA_TOPIC": ""}) == PipelineSettings()


@pytest.mark.parametrize("first", [date(2026, 11, 24), date(2026, 11, 25)])
def test_day_of_a_video_of_which_something_was_let_go_is_not_rebuilt(
    monkeypatch: pytest.MonkeyPatch, first: date
) -> None:
    days = ["2026-11-24", "2026-11-25"]
    monkeypatch.setattr("lakehouse.catalog.connect", lambda: None)
    monkeypatch.setattr(
        "lakehouse.backfill.claims.first_rebuildable", lambda *_: (first, "Silver is kept since")
    )
    if first.isoformat() in days[:1]:
        assert steps.days_touched([{"days": days[:1]}, {"days": days}]) == days
        return
    with pytest.raises(AirflowFailException, match="Gold of 2026-11-24 cannot be rebuilt"):
        steps.days_touched([{"days": days}])


def test_claim_of_a_day_that_was_let_go_fails_for_good(monkeypatch: pytest.MonkeyPatch) -> None:
    def claim(*_: Any) -> None:
        raise DayLetGo([date(2026, 11, 24)], "Silver is kept since", date(2026, 11, 26))

    monkeypatch.setattr("lakehouse.catalog.connect", lambda _: None)
    monkeypatch.setattr("lakehouse.backfill.claims.claim", claim)
    with pytest.raises(AirflowFailException, match="days since 2026-11-26 can be rebuilt"):
        rebuilding.claim_day("2026-11-24", SimpleNamespace(dag_id="d", run_id="r"))


def test_maintenance_refuses_days_that_do_not_fit_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("RVA_KEEP_GOLD_DAYS", "7")
    with pytest.raises(AirflowFailException, match="RVA_KEEP_GOLD_DAYS='7'"):
        maintaining.tables()
