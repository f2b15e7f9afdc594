"""Rules that every DAG keeps, and what ours promise."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from airflow.dag_processing.dagbag import DagBag
from airflow.sdk import DAG, Param
from airflow.sdk.definitions.param import ParamsDict
from airflow.sdk.exceptions import ParamValidationError
from jinja2 import Template

from flink_jobs.settings import Connections, JobSettings, parse
from lakehouse.maintenance.streams import STREAMS
from lakehouse.quality.checks import LAYERS
from lakehouse.schema import DAILY_GOLD
from store_pipeline import jobs, maintaining, steps, tasks
from store_pipeline.assets import GOLD, SILVER
from store_pipeline.settings import PipelineSettings
from store_pipeline.timetable import DayTimetable
from store_pipeline.vision import VisionInEnvironment

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
FILES = sorted(DAGS.glob("*.py"))
PARSES = 5
PARSE_SECONDS = 2.0
"""Of a processor: what else is at work on the same cores does not count."""
ENVIRONMENT = {
    "PATH": "",
    "PYTHONPATH": str(ROOT / "plugins"),
    "AIRFLOW_HOME": os.environ["AIRFLOW_HOME"],
}

TIMED_PARSE = """
import os, runpy, sys, time
import airflow.sdk  # which the process that parses has imported already
waits = []
def hear(event, _):
    if event in ("socket.connect", "socket.getaddrinfo"):
        waits.append(event)
def taken():
    own = os.times()
    return own.user + own.system + own.children_user + own.children_system
time.sleep = lambda _: waits.append("time.sleep")
sys.addaudithook(hear)
started = taken()
runpy.run_path(sys.argv[1])
print(*waits)
print(taken() - started)
"""


@pytest.fixture(scope="module")
def bag() -> DagBag:
    return DagBag(DAGS)


@pytest.fixture(scope="module")
def pipeline(bag: DagBag) -> DAG:
    return bag.dags["retail_video_analytics"]


@pytest.fixture(scope="module")
def nightly(bag: DagBag) -> DAG:
    return bag.dags["gold_nightly_backfill"]


@pytest.fixture(scope="module")
def maintenance(bag: DagBag) -> DAG:
    return bag.dags["lakehouse_maintenance"]


@pytest.fixture(scope="module")
def hourly(bag: DagBag) -> DAG:
    return bag.dags["streams_maintenance"]


@pytest.fixture(scope="module")
def follower(bag: DagBag) -> DAG:
    return bag.dags["gold_follows_silver"]


@pytest.fixture(scope="module")
def live(bag: DagBag) -> DAG:
    return bag.dags["live_cameras"]


@pytest.fixture(scope="module")
def keeper(bag: DagBag) -> DAG:
    return bag.dags["keep_streams_running"]


def test_bag_holds_the_dags_and_imports_without_errors(bag: DagBag) -> None:
    assert bag.import_errors == {}
    assert set(bag.dags) == {
        "retail_video_analytics",
        "gold_follows_silver",
        "gold_nightly_backfill",
        "keep_streams_running",
        "lakehouse_maintenance",
        "live_cameras",
        "streams_maintenance",
    }


def test_every_dag_file_makes_a_dag_of_its_name(bag: DagBag) -> None:
    assert {dag.dag_id for dag in bag.dags.values()} == {path.stem for path in FILES}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_file_is_parsed_in_time_in_a_fresh_process(path: Path) -> None:
    seconds: list[float] = []
    # other tests may be at work beside it and slow it down: one parse in time shows what it takes
    while len(seconds) < PARSES and min(seconds, default=PARSE_SECONDS) >= PARSE_SECONDS:
        printed = subprocess.run(
            [sys.executable, "-c", TIMED_PARSE, str(path)],
            check=True,
            capture_output=True,
            text=True,
            env=ENVIRONMENT,
        ).stdout
        *_, waits, taken = printed.splitlines()
        # which take no processor
        assert waits == ""
        seconds.append(float(taken))
    assert min(seconds) < PARSE_SECONDS, f"{path.name} takes {min(seconds):.2f} s"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_parsing_imports_nothing_heavy(path: Path) -> None:
    heavy = ("pyiceberg", "pyarrow", "pulsar", "trino", "lakehouse", "replay", "vision", "pandas")
    code = (
        f"import runpy, sys; runpy.run_path({str(path)!r}); "
        f"print([name for name in {heavy!r} if name in sys.modules])"
    )
    printed = subprocess.run(
        [sys.executable, "-c", code],
        check=True,
        capture_output=True,
        text=True,
        env=ENVIRONMENT,
    ).stdout
    assert printed.splitlines()[-1] == "[]"


def test_every_dag_says_what_when_and_what_to_do_when_it_fails(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert dag.doc_md is not None
        for heading in ("**What.**", "**When.**", "**Run it again.**", "**When a step fails**"):
            assert heading in dag.doc_md, f"{dag.dag_id} has no {heading}"
        assert dag.description
        assert dag.tags


def test_docs_of_a_dag_name_every_step(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for task_id in dag.task_ids:
            assert f"`{task_id}`" in (dag.doc_md or ""), f"{dag.dag_id}: {task_id}"


def test_every_task_is_tried_again_after_a_pause_and_has_an_end(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for task in dag.tasks:
            assert task.retries >= 1, task.task_id
            assert task.retry_delay >= timedelta(seconds=5), task.task_id
            assert task.execution_timeout is not None, task.task_id


@pytest.mark.parametrize("dag_id", ["retail_video_analytics", "gold_nightly_backfill"])
def test_server_that_is_down_for_a_minute_is_waited_for(bag: DagBag, dag_id: str) -> None:
    for task in bag.dags[dag_id].tasks:
        pauses = [
            min(task.retry_delay * task.retry_exponential_backoff**number, task.max_retry_delay)
            for number in range(task.retries)
        ]
        assert sum(pauses, timedelta()) > timedelta(minutes=1), task.task_id


def test_submissions_share_a_pool_of_their_own(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for task in dag.tasks:
            submits = task.task_type == "FlinkRunJobOperator"
            assert (task.pool == "flink_submission") is submits, task.task_id


def test_vision_has_its_own_pool_and_interpreter(pipeline: DAG) -> None:
    extract = pipeline.get_task("extract")
    assert extract.pool == "vision"
    # without an image; its own tests have the interpreter
    assert extract.operator_class is VisionInEnvironment


def test_few_runs_at_a_time_and_no_catching_up(bag: DagBag) -> None:
    for dag in bag.dags.values():
        assert dag.max_active_runs == (3 if dag.dag_id == "gold_nightly_backfill" else 1)
        assert dag.catchup is False


def test_steps_stand_in_the_order_of_the_data(pipeline: DAG) -> None:
    order = [
        "capture",
        "extract",
        "ensure_tables",
        "ensure_bronze",
        "bronze_runs",
        "replay",
        "bronze_commit",
        "bronze_holds_every_frame",
        "days_received",
        "check_bronze",
        "ensure_silver",
        "silver_runs",
        "silver_holds_every_detection",
        "days_touched",
        "check_silver",
        "rebuild_gold",
        "close_days",
        "ensure_gold_streaming",
        "gold_streaming_runs",
        "gold_equals_silver",
        "check_gold",
        "silver_is_updated",
    ]
    assert set(order) == set(pipeline.task_ids)
    for before, after in pairwise(order):
        assert before in pipeline.get_task(after).upstream_task_ids, f"{before} -> {after}"


def test_nightly_steps_stand_in_order(nightly: DAG) -> None:
    order = [
        "ensure_tables",
        "day",
        "skip_empty_day",
        "claim_day",
        "rebuild_gold",
        "audit_day",
        "measure_drift",
        "close_days",
        "ensure_gold_streaming",
        "publish_day",
        "release_day",
        "day_is_rebuilt",
    ]
    beside = ["day", "changed_days", "rebuild_changed_days"]
    assert {*order, *beside, *CHECKS} == set(nightly.task_ids)
    for before, after in pairwise(beside):
        assert before in nightly.get_task(after).upstream_task_ids, f"{before} -> {after}"
    for before, after in pairwise(order):
        assert before in nightly.get_task(after).upstream_task_ids, f"{before} -> {after}"


CHECKS = ("check_bronze", "check_silver", "check_gold")


def test_quality_of_the_night_holds_nothing_up_and_shows_in_the_run(nightly: DAG) -> None:
    for task_id in CHECKS:
        # Airflow judges a run by its leaves
        assert nightly.get_task(task_id).downstream_task_ids == set()
    assert nightly.get_task("check_gold").upstream_task_ids == {"day", "publish_day"}
    for task_id in ("check_bronze", "check_silver"):
        assert nightly.get_task(task_id).upstream_task_ids == {"day"}


def test_each_layer_is_checked_for_the_days_of_which_it_has_rows(pipeline: DAG) -> None:
    days = {
        layer: {each.operator.task_id for each in pipeline.get_task(f"check_{layer}").op_args[1]}
        for layer in LAYERS
    }
    assert days == {
        "bronze": {"days_received"},
        "silver": {"days_received", "days_touched"},
        "gold": {"days_touched"},
    }
    assert [pipeline.get_task(f"check_{layer}").op_args[0] for layer in LAYERS] == list(LAYERS)


def test_day_is_released_whatever_happens_after_the_claim(nightly: DAG) -> None:
    release = nightly.get_task("release_day")
    assert nightly.get_task("claim_day").is_setup
    assert release.is_teardown
    # teardowns do not count: what fails, or is not given back, must show in a task behind them
    assert not release.on_failure_fail_dagrun
    assert nightly.get_task("day_is_rebuilt").upstream_task_ids == {"publish_day", "release_day"}


def test_batch_writes_on_the_branch_that_was_claimed_from_the_silver_of_the_claim(
    nightly: DAG,
) -> None:
    claim = {"branch": "backfill_2026_11_24", "silver_snapshot_id": 17}
    ti = SimpleNamespace(xcom_pull=lambda task_ids: {"claim_day": claim}[task_ids])
    *arguments, of_day, day = nightly.get_task("rebuild_gold").arguments
    assert of_day == "--day"
    assert (day.operator.task_id, day.key) == ("day", "return_value")
    rendered = [Template(each).render(ti=ti) for each in arguments]
    job = parse("gold_batch", [*rendered, "--day", "2026-11-24"])
    assert (job.branch, job.silver_snapshot_id) == ("backfill_2026_11_24", 17)


def test_form_lists_what_a_run_can_be_told(pipeline: DAG) -> None:
    defaults = pipeline.params.dump()
    assert defaults.pop("video").endswith("/data/sample/sample.mp4")
    assert defaults == {
        "store_id": "store_01",
        "camera_id": "cam_01",
        "stream_id": "stream_001",
        "further_cameras": [],
        "start_time": None,
        "fps": 30,
        "weights": None,
        "detector": "auto",
        "max_frames": None,
        "accept_damage": False,
        "rebuild": "none",
    }
    for name, param in pipeline.params.items():
        assert pipeline.params.get_param(name).schema.get("title"), name
        assert param is not None or name in ("start_time", "weights", "max_frames")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("fps", -1),
        ("fps", "fast"),
        ("fps", 1e9),
        ("video", ""),
        ("store_id", "a store; rm -rf /"),
        ("camera_id", ""),
        ("further_cameras", [{"video": "a.mp4"}]),
        ("further_cameras", [{"camera_id": "cam_02"}]),
        ("further_cameras", [{"video": "a.mp4", "camera_id": "cam_02", "fsp": 5}]),
        ("detector", "magic"),
        ("max_frames", 0),
        ("max_frames", 1.5),
        ("accept_damage", "yes"),
        ("rebuild", "gold_batch"),
    ],
)
def test_form_refuses_what_cannot_be(pipeline: DAG, name: str, value: Any) -> None:
    schema = pipeline.params.get_param(name).schema
    with pytest.raises(ParamValidationError, match=name):
        ParamsDict({name: Param(value, **schema)}).validate()


@pytest.mark.parametrize("fps", [0, 12.5, 30])
def test_form_takes_rates_from_zero(pipeline: DAG, fps: float) -> None:
    assert pipeline.params.get_param("fps").resolve(fps) == fps


def test_every_field_of_every_form_has_a_title_and_a_help_text(bag: DagBag) -> None:
    for dag in bag.dags.values():
        if dag.dag_id == "streams_maintenance":
            continue  # its one field is for the step that it shares, not for people
        for name in dag.params:
            schema = dag.params.get_param(name).schema
            assert schema.get("title"), f"{dag.dag_id}: {name}"
            assert schema.get("description_md"), f"{dag.dag_id}: {name}"
            # Airflow's form lets code in one line cover the line above it
            assert "`" not in schema["description_md"], f"{dag.dag_id}: {name}"


def test_night_is_two_o_clock_utc(nightly: DAG) -> None:
    assert nightly.timetable == DayTimetable(hours_after=2)


def test_only_what_nobody_triggers_runs_without_being_unpaused(
    pipeline: DAG, nightly: DAG, keeper: DAG, maintenance: DAG, hourly: DAG, follower: DAG
) -> None:
    for dag in (nightly, keeper, maintenance, hourly, follower):
        assert dag.is_paused_upon_creation is False, dag.dag_id
    assert pipeline.is_paused_upon_creation is not False


def test_keeper_looks_every_five_minutes(keeper: DAG) -> None:
    assert keeper.timetable.expression == "*/5 * * * *"


KEPT = {
    "keep_bronze": "ensure_bronze",
    "keep_silver": "ensure_silver",
    "keep_gold_streaming": "ensure_gold_streaming",
}


def test_keeper_brings_back_each_stream_though_another_cannot_be(keeper: DAG) -> None:
    assert set(keeper.task_ids) == {"ensure_tables", *KEPT}
    for task_id in KEPT:
        assert keeper.get_task(task_id).upstream_task_ids == {"ensure_tables"}


@pytest.mark.parametrize(("kept", "by_hand"), KEPT.items())
def test_keeper_starts_nothing_restarts_nothing_and_leaves_what_was_cancelled(
    pipeline: DAG, keeper: DAG, kept: str, by_hand: str
) -> None:
    task, same = keeper.get_task(kept), pipeline.get_task(by_hand)
    assert (task.start, task.leave_ended_by_hand, task.restart_when_changed) == (False, True, {})
    assert (same.start, same.leave_ended_by_hand) == (True, False)
    for name in (
        "job_name",
        "script",
        "arguments",
        "refuse_fresh_start_when_rows_in",
        "how_to_rebuild",
    ):
        assert getattr(task, name) == getattr(same, name)


@pytest.mark.parametrize("days", [[], ["2026-11-23", "2026-11-24"]])
def test_closed_days_are_told_alike_by_the_macro_and_by_themselves(
    bag: DagBag, days: list[str]
) -> None:
    wanted = jobs.gold_streaming_without(PipelineSettings.from_env(), days)
    streams = [
        task
        for dag in bag.dags.values()
        for task in dag.tasks
        if getattr(task, "script", "") == "gold_streaming.py"
    ]
    assert len(streams) == 4
    for task in streams:
        # each look asks anew: what was closed when the run began may be old
        macros = task.dag.user_defined_macros
        assert macros["closed_days"] is steps.known_closed_days
        closed = {"closed_days": lambda: days}
        assert [Template(each).render(closed) for each in task.arguments] == wanted["arguments"]
        if task.dag.dag_id != "keep_streams_running":
            shown = Template(task.restart_when_changed["closed-days"]).render(closed)
            assert {"closed-days": shown} == wanted["restart_when_changed"]


def test_night_restarts_streaming_gold_but_never_starts_it(pipeline: DAG, nightly: DAG) -> None:
    night, by_hand = (dag.get_task("ensure_gold_streaming") for dag in (nightly, pipeline))
    assert (night.start, by_hand.start) == (False, True)
    assert night.restart_when_changed == by_hand.restart_when_changed != {}


@pytest.mark.parametrize("days", [[], ["2026-11-23"], ["2026-11-23", "2026-11-24"]])
def test_stream_is_compared_with_the_days_as_its_job_shows_them(
    pipeline: DAG, days: list[str]
) -> None:
    wanted = pipeline.get_task("ensure_gold_streaming").restart_when_changed["closed-days"]
    shown = JobSettings(
        job="gold_streaming",
        connections=Connections(),
        closed_days=tuple(date.fromisoformat(day) for day in days),
    ).closed_days_shown
    assert Template(wanted).render(closed_days=lambda: days) == shown


@pytest.mark.parametrize(
    ("task_id", "names"),
    [
        ("ensure_bronze", {"bronze"}),
        ("ensure_silver", {"silver"}),
        ("ensure_gold_streaming", {"silver", "gold_streaming"}),
    ],
)
def test_form_rebuilds_the_job_that_it_names_and_who_would_count_it_twice(
    pipeline: DAG, task_id: str, names: set[str]
) -> None:
    template = Template(pipeline.get_task(task_id).rebuild)
    choices = pipeline.params.get_param("rebuild").schema["enum"]
    asked = {each for each in choices if template.render(params={"rebuild": each}) == "True"}
    assert asked == names


def test_steps_are_grouped_in_the_way_of_the_data(pipeline: DAG) -> None:
    groups = {name: group for name, group in pipeline.task_group_dict.items() if name}
    assert list(groups) == ["vision", "bronze", "silver", "gold"]
    assert set(groups["bronze"].children) == {
        "ensure_bronze",
        "bronze_runs",
        "replay",
        "bronze_commit",
        "bronze_holds_every_frame",
        "days_received",
        "check_bronze",
    }


@pytest.mark.parametrize(
    "task_id", ["extract", "replay", "bronze_holds_every_frame", "silver_holds_every_detection"]
)
def test_each_camera_has_a_task_of_its_own_that_names_it(pipeline: DAG, task_id: str) -> None:
    mapped = pipeline.get_task(task_id)
    assert mapped.is_mapped
    assert "camera_id" in mapped.map_index_template


def test_gold_follows_silver_and_tells_who_follows_it(
    pipeline: DAG, nightly: DAG, follower: DAG
) -> None:
    assert pipeline.get_task("silver_is_updated").outlets == [SILVER]
    assert list(follower.timetable.asset_condition.objects) == [SILVER]
    assert follower.get_task("rebuild_day").partial_kwargs["trigger_dag_id"] == nightly.dag_id
    assert nightly.get_task("publish_day").outlets == [GOLD]


def test_what_fails_is_told_in_one_line_and_pauses_grow(bag: DagBag) -> None:
    for dag in bag.dags.values():
        for each in dag.tasks:
            # a mapped task has the function, the others have a list of it
            assert each.on_failure_callback in (tasks.tell_failure, [tasks.tell_failure])
            assert each.on_retry_callback in (tasks.tell_retry, [tasks.tell_retry])
            assert each.retry_exponential_backoff == 2
            assert each.max_retry_delay == tasks.LONGEST_PAUSE


def test_pipeline_is_only_started_by_hand(pipeline: DAG) -> None:
    assert pipeline.schedule is None


def test_streams_run_before_the_cameras_do(live: DAG) -> None:
    order = [
        *("live", "ensure_tables", "ensure_bronze", "ensure_silver", "ensure_gold_streaming"),
        *("cameras", "bronze_holds_every_frame", "live_days", "silver_is_updated"),
    ]
    assert {*order, "live_runs"} == set(live.task_ids)
    for before, after in pairwise(order):
        assert before in live.get_task(after).upstream_task_ids, f"{before} -> {after}"
    assert live.get_task("silver_is_updated").outlets == [SILVER]
    assert live.schedule is None


@pytest.mark.parametrize(
    ("name", "value"),
    [("cameras", ""), ("minutes", 0), ("minutes", 1e6), ("minutes", "long"), ("only", "door")],
)
def test_form_of_the_live_mode_refuses_what_cannot_be(live: DAG, name: str, value: Any) -> None:
    schema = live.params.get_param(name).schema
    with pytest.raises(ParamValidationError, match=name):
        ParamsDict({name: Param(value, **schema)}).validate()


def test_tables_are_maintained_one_at_a_time_after_the_nightly_rebuild(
    nightly: DAG, maintenance: DAG
) -> None:
    maintain = maintenance.get_task("maintain")
    assert maintain.upstream_task_ids == {"tables"}
    assert maintain.partial_kwargs["max_active_tis_per_dag"] == 1
    assert nightly.timetable.hours_after < int(maintenance.timetable.expression.split()[1])


def test_what_streams_write_is_tidied_every_hour_one_table_at_a_time(hourly: DAG) -> None:
    assert hourly.timetable.expression == "30 * * * *"
    tidy = hourly.get_task("tidy")
    assert tidy.upstream_task_ids == {"streamed_tables"}
    assert tidy.partial_kwargs["max_active_tis_per_dag"] == 1
    assert set(maintaining.streamed_tables()) == {
        "bronze_raw",
        "silver_detection",
        "silver_quarantine",
        "gold_late_events",
        *DAILY_GOLD,
    }


def test_form_of_maintenance_names_the_jobs_that_can_be_forgotten(maintenance: DAG) -> None:
    schema = maintenance.params.get_param("forget").schema
    assert schema["items"]["enum"] == [each.job for each in STREAMS]
