"""What streaming Gold leaves out: counted to the last detection, healed by the batch of the day."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import msgspec
import pytest

from flink_rest.jobs import How
from frame_contract import Detection, Frame
from integration import walkers
from integration.conftest import Deployment, wait_until
from integration.flink_metrics import operator_counts
from integration.test_prove import detections_in, prove_in_time, publish
from lakehouse.closing import close_days
from lakehouse.maintenance.maintaining import maintain
from lakehouse.report import counting
from lakehouse.report.run import Run
from lakehouse.schema import DAILY_GOLD, TABLES
from lakehouse.settings import LakehouseSettings
from oracle import oracle

pytestmark = pytest.mark.integration

DAY = date(2026, 11, 20)
START = datetime(2026, 11, 20, 10, 58, tzinfo=UTC)
FILES = 7
FILE_SECONDS = 30
NEWEST = START + timedelta(seconds=FILES * FILE_SECONDS - 0.2)
LATENESS = timedelta(seconds=5)
WATERMARK = NEWEST - LATENESS
LATE_FROM = START + timedelta(seconds=90)
LATE_SECONDS = 120
"""Late frames reach past every rule: some in a minute, a track and an hour that are not over."""
VISIT_GAP = timedelta(seconds=2)
MS = timedelta(milliseconds=1)

Key = tuple[str, datetime, str]
"""Camera, hour, table."""


def in_time() -> list[Frame]:
    return walkers.frames("cam_01", start=START, seconds=FILES * FILE_SECONDS, seed=1)


def behind(camera: str, seed: int, seconds: int = LATE_SECONDS) -> list[Frame]:
    return walkers.frames(camera, start=LATE_FROM, seconds=seconds, seed=seed)


def slice_end(moment: datetime) -> datetime:
    """End of the two seconds in which the search for visits' starts takes detections together."""
    return moment.replace(second=moment.second // 2 * 2, microsecond=0) + timedelta(seconds=2)


def left_out(frames: Iterable[Frame], newest: datetime = NEWEST) -> dict[Key, tuple[int, float]]:
    """Count what each table must leave out after a frame of `newest`, and how late it was."""
    watermark = newest - LATENESS
    counts: Counter[Key] = Counter()
    latest: dict[Key, float] = {}
    for frame in frames:
        ts = frame.capture_ts
        minute = ts.replace(second=0, microsecond=0)
        hour = minute.replace(minute=0)
        for detection in frame.detections:
            tracked = detection.track_id is not None
            over = {
                "gold_people_per_minute": minute + timedelta(minutes=1) - MS <= watermark,
                "gold_zone_heatmap": hour + timedelta(hours=1) - MS <= watermark,
                "gold_track_summary": tracked and ts + timedelta(seconds=30) - MS <= watermark,
                "gold_zone_dwell": tracked and slice_end(ts) - MS <= watermark,
            }
            for table in (table for table, is_over in over.items() if is_over):
                if detection.class_name == "person":
                    key = (frame.source.camera_id, hour, table)
                    counts[key] += 1
                    latest[key] = max(latest.get(key, 0), (newest - ts).total_seconds())
    return {key: (counts[key], latest[key]) for key in counts}


def slices_that_are_over(frames: Iterable[Frame]) -> set[tuple[object, ...]]:
    """Each once: a track, a cell of ten by ten, an end."""
    return {
        (frame.source.camera_id, detection.track_id, *cell(frame, detection), end)
        for frame in frames
        for detection in frame.detections
        for end in (slice_end(frame.capture_ts),)
        if detection.track_id is not None
        if detection.class_name == "person"
        if end - MS <= WATERMARK
    }


def cell(frame: Frame, detection: Detection) -> tuple[int, int]:
    """The cell that the centre is in."""
    box, size = detection.bbox, frame.image_size
    x, y = (box.x1 + box.x2) / 2 / size.width, (box.y1 + box.y2) / 2 / size.height
    return min(9, int(x * 10)), min(9, int(y * 10))


def counted(deployment: Deployment) -> dict[Key, tuple[int, float]]:
    return {
        (str(row["camera_id"]), row["ts_hour"], str(row["gold_table"])): (  # type: ignore[misc]
            row["detections"],
            row["max_late_seconds"],
        )
        for row in deployment.rows("gold_late_events")
    }


def total(late: dict[Key, tuple[int, float]], table: str, camera: str | None = None) -> int:
    return sum(
        count
        for (of, _, name), (count, _) in late.items()
        if name == table and camera in (None, of)
    )


def persons_in_minutes_that_are_over(deployment: Deployment, source: str) -> int:
    until = (WATERMARK + MS).replace(second=0, microsecond=0)
    counting, time = {
        "silver_detection": ("count_if(class_name = 'person')", "capture_ts"),
        "gold_people_per_minute": ("coalesce(sum(detections), 0)", "ts_minute"),
    }[source]
    (found,) = deployment.query(f"SELECT {counting} FROM {source} WHERE {time} < ?", [until])
    assert isinstance(found[0], int)
    return found[0]


def dropped(deployment: Deployment, job_id: str) -> dict[str, list[int]]:
    """`numLateRecordsDropped` of the operators that have dropped any, by Flink's REST API."""
    found = operator_counts(deployment, job_id, "numLateRecordsDropped")
    by_kind: dict[str, list[int]] = {}
    for name, count in sorted(found.items(), key=lambda each: each[1]):
        if count:
            by_kind.setdefault(name.partition("[")[0], []).append(count)
    return by_kind


@pytest.fixture(scope="module")
def filled(deployment: Deployment) -> Deployment:
    """One camera in Silver, in files of 30 s each, committed in the order of time."""
    deployment.ensure("bronze_ingest")
    deployment.ensure("silver_detections")
    frames = in_time()
    each = FILE_SECONDS * walkers.FRAMES_PER_SECOND
    for first in range(0, len(frames), each):
        publish(deployment, frames[first : first + each], [])
        deployment.wait_for_rows("silver_detection", detections_in(frames[: first + each]))
    files = deployment.query('SELECT count(*) FROM "silver_detection$files"')
    assert files[0][0] >= FILES  # type: ignore[operator]
    return deployment


def test_files_in_any_order_make_rows_late_and_each_is_counted(filled: Deployment) -> None:
    job_id = filled.submit(filled.uncovered_spec("gold_streaming"))
    in_silver = persons_in_minutes_that_are_over(filled, "silver_detection")
    accounts: list[tuple[int, int]] = []

    def adds_up() -> bool:
        shown = persons_in_minutes_that_are_over(filled, "gold_people_per_minute")
        accounts.append((shown, total(counted(filled), "gold_people_per_minute")))
        return sum(accounts[-1]) == in_silver

    filled.wait_for_tables(
        lambda: f"shown + late is {in_silver}: {accounts[-1]}",
        adds_up,
        ["gold_people_per_minute", "gold_late_events"],
    )
    assert accounts[-1][1] > in_silver // 4
    filled.cancel(job_id)
    for table in (*DAILY_GOLD, "gold_late_events"):
        filled.query(f"DELETE FROM {table}")


@pytest.fixture(scope="module")
def read_in_order(filled: Deployment) -> Deployment:
    """Streaming Gold, started afresh over the same files, with all windows shown that are over."""
    filled.start_afresh("gold_streaming")
    in_silver = persons_in_minutes_that_are_over(filled, "silver_detection")
    filled.wait_for_tables(
        "streaming Gold shows all minutes that are over",
        lambda: persons_in_minutes_that_are_over(filled, "gold_people_per_minute") == in_silver,
        ["gold_people_per_minute"],
    )
    return filled


def test_files_in_the_order_of_arrival_leave_nothing_out(read_in_order: Deployment) -> None:
    assert counted(read_in_order) == {}
    assert dropped(read_in_order, read_in_order.running()["gold_streaming"]) == {}
    prove_in_time(read_in_order)


@pytest.fixture(scope="module")
def late(read_in_order: Deployment) -> list[Frame]:
    """A second camera and a straggler of the first, when the watermark has passed most of them."""
    frames = [*behind("cam_02", seed=2), straggler()]
    return publish_late(read_in_order, frames, before=in_time())


def straggler() -> Frame:
    """One more frame of a track that is still open, a minute after that began."""
    frame = in_time()[300]
    (walker,) = (found for found in frame.detections if found.track_id == 1)
    return msgspec.structs.replace(
        frame,
        frame_index=10_000,
        capture_ts=frame.capture_ts + timedelta(seconds=0.1),
        detections=(msgspec.structs.replace(walker, det_id="straggler"),),
    )


def publish_late(
    deployment: Deployment, frames: list[Frame], before: Sequence[Frame]
) -> list[Frame]:
    publish(deployment, frames, [])
    deployment.wait_for_rows("silver_detection", detections_in([*before, *frames]))
    return frames


def wait_for_count(deployment: Deployment, expected: dict[Key, tuple[int, float]]) -> None:
    """Wait until the table says this; show the difference where it does not come to it."""
    with contextlib.suppress(pytest.fail.Exception):
        deployment.wait_for_tables(
            "late events are counted",
            lambda: counted(deployment) == expected,
            ["gold_late_events"],
        )
    assert counted(deployment) == expected


def test_each_detection_behind_the_watermark_is_counted(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    expected = left_out(late)
    hours = {(hour.hour, table) for _, hour, table in expected}
    assert len(hours) == 2 * len(DAILY_GOLD) - 1, "the second hour's heat map is not over"
    wait_for_count(read_in_order, expected)
    shown = persons_in_minutes_that_are_over(read_in_order, "gold_people_per_minute")
    in_silver = persons_in_minutes_that_are_over(read_in_order, "silver_detection")
    assert in_silver - shown == total(expected, "gold_people_per_minute")


def test_counts_are_those_of_the_operators_that_dropped_the_rows(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    expected = left_out(late)
    wait_for_count(read_in_order, expected)
    in_a_visit_that_is_over = sum(
        detection.track_id is not None and detection.class_name == "person"
        for frame in late
        if frame.capture_ts + VISIT_GAP - MS <= WATERMARK
        for detection in frame.detections
    )
    wanted = {
        # the straggler is counted, but its track was open and took it
        "WindowAggregate": [total(expected, "gold_track_summary") - 1, in_a_visit_that_is_over],
    }
    job_id = read_in_order.running()["gold_streaming"]
    with contextlib.suppress(pytest.fail.Exception):
        # Flink shows its metrics some seconds later
        wait_until("metrics", lambda: wanted.items() <= dropped(read_in_order, job_id).items())
    found = dropped(read_in_order, job_id)
    # minutes, hours and slices are summed a camera, cell or track at a time before they are
    # dropped; of slices there are most
    _, _, slices = found.pop("GlobalWindowAggregate")
    assert len(slices_that_are_over(late)) <= slices <= total(expected, "gold_zone_dwell")
    assert found == wanted


def test_proof_tells_what_was_late_and_holds(read_in_order: Deployment, late: list[Frame]) -> None:
    wait_for_count(read_in_order, left_out(late))
    proven = prove_in_time(read_in_order)
    for table in DAILY_GOLD:
        assert re.search(rf"{table}: \d+ open and [1-9]\d* touched by late events", proven.out)


def test_report_shows_what_the_stream_left_out(
    read_in_order: Deployment, late: list[Frame], tmp_path: Path
) -> None:
    expected = left_out(late)
    wait_for_count(read_in_order, expected)
    run = Run("", "store_01", "cam_02", "", (DAY.isoformat(),), 0, 0, None)
    settings = LakehouseSettings.from_env(read_in_order.variables)
    layers = {each.measure: each.value for each in counting.count(run, settings).layers}
    for table in DAILY_GOLD:
        assert layers[f"detections, {table}"] == total(expected, table, "cam_02")
    on_time = counting.count(replace(run, camera_id="cam_03"), settings).layers
    assert not [each for each in on_time if "gold_" in each.measure]


def test_count_goes_on_after_a_resume_as_the_windows_do(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    wait_for_count(read_in_order, left_out(late))
    read_in_order.cancel(read_in_order.running()["gold_streaming"])
    more = publish_late(
        read_in_order, behind("cam_03", seed=3, seconds=60), before=[*in_time(), *late]
    )
    assert read_in_order.ensure("gold_streaming").how is How.RESUMED
    wait_for_count(read_in_order, left_out([*late, *more]))
    shown = persons_in_minutes_that_are_over(read_in_order, "gold_people_per_minute")
    in_silver = persons_in_minutes_that_are_over(read_in_order, "silver_detection")
    assert in_silver - shown == total(left_out([*late, *more]), "gold_people_per_minute")


def test_fresh_start_leaves_out_what_the_stream_did(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    """The late files are earlier than the rest by capture_ts; by arrival they come last again."""
    assert_fresh_start_leaves_out(read_in_order, late)


def assert_fresh_start_leaves_out(deployment: Deployment, late: list[Frame]) -> None:
    expected = left_out([*late, *behind("cam_03", seed=3, seconds=60)])
    wait_for_count(deployment, expected)
    deployment.cancel(deployment.running()["gold_streaming"])
    shown = persons_in_minutes_that_are_over(deployment, "gold_people_per_minute")
    for table in (*DAILY_GOLD, "gold_late_events"):
        deployment.query(f"DELETE FROM {table}")
    deployment.start_afresh("gold_streaming")
    wait_for_count(deployment, expected)
    deployment.wait_for_tables(
        "the same minutes are shown",
        lambda: persons_in_minutes_that_are_over(deployment, "gold_people_per_minute") == shown,
        ["gold_people_per_minute"],
    )


def test_fresh_start_after_maintenance_within_the_day_leaves_out_the_same(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    """One file of all is in no order, and of most of it the stream says that it is late."""
    settings = LakehouseSettings.from_env(read_in_order.variables)
    maintained = maintain(
        read_in_order.catalog, settings, "silver_detection", (), print, now=NEWEST
    )
    assert maintained.before.data_files == maintained.after.data_files >= FILES
    assert (maintained.after.most_data_files_a_day, maintained.beyond) == (0, ())
    assert_fresh_start_leaves_out(read_in_order, late)


def test_batch_of_the_day_heals_gold_and_leaves_the_record(
    read_in_order: Deployment, late: list[Frame], tmp_path: Path
) -> None:
    before = counted(read_in_order)
    assert before
    read_in_order.run_batch("gold_batch", "--day", DAY.isoformat())
    close_days(read_in_order.catalog, read_in_order.database, [DAY])
    frames = [*in_time(), *late, *behind("cam_03", seed=3, seconds=60)]
    expected = oracle.expected([walkers.write(tmp_path / "all.jsonl", frames)])
    for table in DAILY_GOLD:
        oracle.assert_same_rows(
            table, read_in_order.rows(table), expected[table], TABLES[table].key
        )
    assert counted(read_in_order) == before
    prove_in_time(read_in_order)


def test_closed_day_gets_no_late_events_even_from_a_fresh_start(
    read_in_order: Deployment, late: list[Frame]
) -> None:
    read_in_order.cancel(read_in_order.running()["gold_streaming"])
    read_in_order.query("DELETE FROM gold_late_events")
    there = [*in_time(), *late, *behind("cam_03", seed=3, seconds=60)]
    start = START + timedelta(days=1)
    next_day = walkers.frames("cam_01", start=start, seconds=70, seed=4, run="2")
    publish_late(read_in_order, next_day, before=there)
    read_in_order.start_afresh("gold_streaming", "--closed-days", DAY.isoformat())
    wait_until(
        "the first minute of the next day is shown",
        lambda: (
            read_in_order.query(
                "SELECT count(*) FROM gold_people_per_minute WHERE ts_minute = ?", [start]
            )
            == [[1]]
        ),
    )
    late_too = walkers.frames("cam_02", start=start, seconds=20, seed=5, run="2")
    publish_late(read_in_order, late_too, before=[*there, *next_day])
    wait_for_count(read_in_order, left_out(late_too, newest=next_day[-1].capture_ts))
