"""### From a video to Gold

**What.** Runs the whole way of the data for one capture of one camera: vision finds and tracks
people in the video, its frame metadata is replayed into Pulsar, Flink takes it through Bronze and
Silver to Gold, and each layer is compared with the one before it. A check that fails fails the run.
The quality of the days that it touches is checked after each layer and kept in `data_quality`.

**When.** By hand: *Trigger* opens a form; `make demo` does the same without the UI. One run at a
time, since a run rebuilds whole days.

**Run it again.** A new run is a new capture and its rows are new rows, unless the same start time
is given: then it is the same capture, and nothing is added. A failed or cleared task goes on where
the run stopped: frames are published once, Flink jobs are adopted or resumed, a day is overwritten.

**When a step fails**, the last line of its log says what and what to do. In short:

- `capture`, `extract`: no such video or weights, or a camera without `max_frames`. Correct the
  form, trigger again. A camera that is lost under way ends the capture with a warning.
- `ensure_bronze`, `ensure_silver`, `ensure_gold_streaming`: Flink is down, has no free slot, or a
  start would double rows; the log names who takes the slots, or the table. `make status`, then
  clear the task.
- `bronze_runs`, `silver_runs`, `gold_streaming_runs`: the job failed; the log has its root cause.
  Mend it, then clear the `ensure_` task before it: the job resumes from its newest checkpoint.
- `replay`: Pulsar is down. `make up`, then clear the task: it goes on behind what the broker has.
- `bronze_commit`: a checkpoint failed. Look at the job in Flink's UI, then clear the task.
- `bronze_holds_every_frame`, `silver_holds_every_detection`: the job lags, or rows are in
  quarantine; the log has the expected and the actual number.
  `SELECT reason, count(*) FROM silver_quarantine GROUP BY 1` tells why.
- `rebuild_gold`: like the `ensure_` tasks; a batch that fails has its root cause in the log.
- `ensure_tables`, `close_days`: the Iceberg catalogue is down. `make up`, then clear the task.
- `days_touched`: the video was captured on a day that Silver or Gold keeps no longer, so its Gold
  is left as it is (`docs/retention.md`). The catalogue is down: `make up`, then clear the task.
- `gold_equals_silver`: rows of the day came after it was rebuilt. Clear `rebuild_gold`, or
  `make backfill DAY=…`.
- `days_received`: Trino is down. `make up`, then clear the task.
- `silver_is_updated`: Airflow's API server is down. Clear the task; the night rebuilds the days
  too.
- `check_bronze`, `check_silver`, `check_gold`: the log has every check that is violated, by how
  much, with an example; `docs/quality.md` says what to do. One that could not be run fails too.

More in `docs/airflow.md`.
"""

from __future__ import annotations

from datetime import timedelta

from airflow.sdk import DAG, Param, TaskGroup, chain, task

from flink_rest.operators import FlinkCheckpointOperator, FlinkRunJobOperator
from flink_rest.sensors import FlinkJobRunningSensor
from store_pipeline import checking, jobs, steps, tasks
from store_pipeline.assets import SILVER
from store_pipeline.settings import CHECKS_DIR, PipelineSettings
from store_pipeline.vision import VisionOperator
from trino_checks.operators import TrinoEqualityCheckOperator
from trino_checks.sensors import TrinoRowCountSensor

settings = PipelineSettings.from_env()
identifier = {"type": "string", "minLength": 1, "maxLength": 64, "pattern": "^[A-Za-z0-9_.-]+$"}

with DAG(
    dag_id="retail_video_analytics",
    dag_display_name="Retail video analytics",
    description="One video through vision, Pulsar, Bronze, Silver and Gold, checked at each step",
    doc_md=__doc__,
    schedule=None,
    catchup=False,
    max_active_runs=1,
    tags=["video", "flink", "lakehouse"],
    user_defined_macros={"closed_days": steps.known_closed_days},
    template_searchpath=[str(CHECKS_DIR)],
    default_args=tasks.defaults(
        retries=3, retry_delay=timedelta(seconds=20), execution_timeout=timedelta(minutes=15)
    ),
    params={
        "video": Param(
            str(settings.sample_video),
            type="string",
            minLength=1,
            title="Video",
            description_md="A file (relative paths start at the checkout), for example "
            "*data/sample/sample.mp4*; or, with the number of frames below, a camera's index, an "
            "*rtsp://* address, or *variable:NAME* for an Airflow Variable with an address that "
            "has a password",
        ),
        "store_id": Param(
            "store_01",
            title="Store",
            description_md="By which its rows are found: letters, digits, dots, underscores, "
            "hyphens",
            **identifier,
        ),
        "camera_id": Param(
            "cam_01",
            title="Camera",
            description_md="For example *entrance*: one camera of the store",
            **identifier,
        ),
        "stream_id": Param(
            "stream_001",
            title="Stream",
            description_md="Where a camera gives several: which one",
            **identifier,
        ),
        "further_cameras": Param(
            [],
            type=["array", "null"],
            items={
                "type": "object",
                "properties": {
                    "video": {"type": "string", "minLength": 1},
                    "camera_id": identifier,
                    "stream_id": identifier,
                    "start_time": {"type": ["string", "null"], "format": "date-time"},
                    "max_frames": {"type": ["integer", "null"], "minimum": 1},
                    "accept_damage": {"type": "boolean"},
                },
                "required": ["video", "camera_id"],
                "additionalProperties": False,
            },
            title="Further cameras",
            description_md="Videos of other cameras of the store, for example "
            '*[{"video": "data/sample/sample.mp4", "camera_id": "cam_02"}]*; each may have '
            "*stream_id*, *start_time*, *max_frames* and *accept_damage* of its own",
        ),
        "start_time": Param(
            None,
            type=["null", "string"],
            format="date-time",
            title="Start of the capture",
            description_md="ISO 8601 with a zone, for example *2026-11-24T10:15:00Z*; empty: when "
            "this run was triggered, or a camera gave its first frame. The same start is the same "
            "capture",
        ),
        "fps": Param(
            30,
            type="number",
            minimum=0,
            maximum=100_000,
            title="Replay rate",
            description_md="Frames a second into Pulsar; 0: as fast as it goes",
        ),
        "weights": Param(
            None,
            type=["null", "string"],
            title="YOLO weights",
            description_md="A file such as *yolo11n.pt*; empty: *RVA_WEIGHTS*, or what can be had",
        ),
        "detector": Param(
            "auto",
            type="string",
            enum=["auto", "yolo", "hog"],
            title="Detector",
            description_md="*auto*: YOLO where weights can be had, else OpenCV's HOG",
        ),
        "max_frames": Param(
            None,
            type=["null", "integer"],
            minimum=1,
            title="Frames at most",
            description_md="Stop after so many frames; empty: at the video's end. A camera needs "
            "it, since it has no end",
        ),
        "accept_damage": Param(
            False,
            type="boolean",
            title="Accept damage",
            description_md="Go on without the frames of a damaged recording that cannot be read",
        ),
        "rebuild": Param(
            "none",
            type="string",
            enum=["none", *jobs.REBUILDABLE],
            title="Rebuild",
            description_md="Start this job afresh, ignoring its checkpoints; refused while it runs "
            'or its tables have rows (*make lakehouse ARGS="empty …"*). With *silver*, '
            "*gold_streaming* too",
        ),
    },
):
    pool = {"pool": "flink_submission"}

    # the ids stay short: the group shows where a step belongs
    with TaskGroup("vision", prefix_group_id=False, tooltip="Videos become frame metadata"):
        inputs = task(steps.capture)()
        extract = VisionOperator.partial(
            task_id="extract", pool="vision", execution_timeout=timedelta(hours=12)
        ).expand(inputs=inputs)
    summaries = extract.output

    ensure_tables = task(steps.ensure_tables)()

    with TaskGroup("bronze", prefix_group_id=False, tooltip="Every message, untouched"):
        ensure_bronze = FlinkRunJobOperator(
            task_id="ensure_bronze",
            **jobs.bronze_ingest(settings),
            rebuild=jobs.rebuild_asked("bronze"),
            **pool,
        )
        bronze_runs = FlinkJobRunningSensor(
            task_id="bronze_runs", job_id=ensure_bronze.output, deferrable=True
        )
        replay = task(
            execution_timeout=timedelta(hours=12),
            map_index_template="{{ task.op_kwargs['summary']['camera_id'] }}",
        )(steps.replay).expand(summary=summaries)
        bronze_commit = FlinkCheckpointOperator(
            task_id="bronze_commit",
            job_id=ensure_bronze.output,
            table=settings.table("bronze_raw"),
            poll_interval_seconds=1,
            timeout_seconds=300,
        )
        bronze_holds_every_frame = TrinoRowCountSensor.partial(
            task_id="bronze_holds_every_frame",
            table="bronze_raw",
            sql="bronze_distinct_frames.sql",
            database=settings.database,
            deferrable=True,
            map_index_template="{{ task.parameters['camera_id'] }}",
        ).expand_kwargs(summaries.map(steps.bronze_expected))
        received = task(checking.days_received)(summaries)
        check_bronze = task(task_id="check_bronze")(checking.check)("bronze", [received])

    with TaskGroup("silver", prefix_group_id=False, tooltip="Clean detections, quarantine beside"):
        ensure_silver = FlinkRunJobOperator(
            task_id="ensure_silver",
            **jobs.silver_detections(settings),
            rebuild=jobs.rebuild_asked("silver"),
            **pool,
        )
        silver_runs = FlinkJobRunningSensor(
            task_id="silver_runs", job_id=ensure_silver.output, deferrable=True
        )
        silver_holds_every_detection = TrinoRowCountSensor.partial(
            task_id="silver_holds_every_detection",
            table="silver_detection",
            sql="silver_detections.sql",
            database=settings.database,
            deferrable=True,
            map_index_template="{{ task.parameters['camera_id'] }}",
        ).expand_kwargs(summaries.map(steps.silver_expected))
        days = task(steps.days_touched)(summaries)
        # what could not be used has no time but that of its receipt
        check_silver = task(task_id="check_silver")(checking.check)("silver", [received, days])

    with TaskGroup("gold", prefix_group_id=False, tooltip="Numbers of minutes, tracks and zones"):
        rebuild_gold = FlinkRunJobOperator.partial(
            task_id="rebuild_gold",
            deferrable=True,
            map_index_template="{{ task.arguments[-1] }}",
            **jobs.gold_batch(settings),
            **pool,
        ).expand(arguments=days.map(lambda day: jobs.gold_batch_arguments(settings, day)))
        close_days = task(steps.close_days)(days)
        ensure_gold_streaming = FlinkRunJobOperator(
            task_id="ensure_gold_streaming",
            **jobs.gold_streaming(settings),
            # it would count the rows of a rebuilt Silver a second time
            rebuild=jobs.rebuild_asked("gold_streaming", "silver"),
            **pool,
        )
        gold_streaming_runs = FlinkJobRunningSensor(
            task_id="gold_streaming_runs", job_id=ensure_gold_streaming.output, deferrable=True
        )
        gold_equals_silver = TrinoEqualityCheckOperator.partial(
            task_id="gold_equals_silver",
            sql="gold_equals_silver.sql",
            database=settings.database,
            map_index_template="{{ task.parameters['day'] }}",
        ).expand(parameters=days.map(lambda day: {"day": day}))
        check_gold = task(task_id="check_gold")(checking.check)("gold", [days])

    chain(
        *(extract, ensure_tables),
        *(ensure_bronze, bronze_runs, replay, bronze_commit, bronze_holds_every_frame),
        *(received, check_bronze),
        *(ensure_silver, silver_runs, silver_holds_every_detection, days, check_silver),
        *(rebuild_gold, close_days, ensure_gold_streaming, gold_streaming_runs),
        *(gold_equals_silver, check_gold),
        # not before: another rebuild of the days shall not meet this one
        task(outlets=[SILVER])(steps.silver_is_updated)(days),
    )
