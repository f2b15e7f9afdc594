"""Which processes are started again, after how long, and what they add up to."""

import dataclasses
import json
from collections.abc import Sequence
from pathlib import Path

import pytest

from frame_contract import Frame, ImageSize, Model, Source, encode
from vision.cameras.attempts import BACKOFF_SECONDS, Attempt, Attempts
from vision.cameras.camera import Camera
from vision.cameras.fleet import _Progress
from vision.cameras.process import CameraProcess, _exit_code
from vision.cameras.reports import Alive, Done, Failed, Frames, decode_report, encode_report
from vision.cameras.runs import again, named
from vision.cameras.screen import Screen
from vision.cameras.summary import as_json, as_table, exit_code, summarize
from vision.settings import ExtractSettings
from vision.summary import ExtractSummary
from vision.timestamps import parse_start_time

SUMMARY = ExtractSummary(
    run_id="store_01-door-1",
    store_id="store_01",
    camera_id="door",
    stream_id="stream_001",
    frames=100,
    detections=40,
    tracks=4,
    first_capture_ts="2026-11-24T10:15:00.000Z",
    last_capture_ts="2026-11-24T10:15:09.900Z",
    days=("2026-11-24",),
    detector="hog",
    backend="opencv",
    tracker="deepsort",
    output=None,
    to=None,
    published=0,
    resumed_frames=0,
    unreadable_frames=0,
    unreadable_files=0,
    dropped_frames=3,
    limited_frames=0,
    still_frames=0,
    reconnections=1,
    silent_seconds=7.5,
    ended_by="end of video",
    seconds=10.0,
    peak_memory_mib=100,
)
DONE = Attempt(exit_code=0, end=Done(summary=SUMMARY), frames=100, seconds=5)
KILLED = Attempt(exit_code=137, end=None, frames=10, seconds=5)
BAD = Attempt(exit_code=2, end=Failed(kind="WeightsError", text="no weights"), frames=0, seconds=5)
NO_BROKER = Attempt(exit_code=2, end=Failed(kind="OutputError", text="away"), frames=7, seconds=5)
NO_MEMORY = Attempt(
    exit_code=2, end=Failed(kind="DetectorError", text="no memory"), frames=7, seconds=5
)
RESIZED = Attempt(
    exit_code=2, end=Failed(kind="SourceChangedError", text="64x48"), frames=7, seconds=5
)
SPOILT = Attempt(exit_code=2, end=Failed(kind="MetadataError", text="line 3"), frames=0, seconds=5)
STOPPED = Attempt(exit_code=143, end=None, frames=0, seconds=5)


def but(attempt: Attempt, **changes: object) -> Attempt:
    return dataclasses.replace(attempt, **changes)


@pytest.mark.parametrize(
    ("is_live", "attempts", "pause"),
    [
        (False, [DONE], None),
        (True, [DONE], None),
        (False, [BAD], None),
        (True, [BAD], None),
        (True, [but(BAD, frames=9)], None),
        (True, [STOPPED], 1),
        (False, [STOPPED], 1),
        (False, [STOPPED] * 3, None),
        (True, [RESIZED], 1),
        (False, [RESIZED], None),
        (True, [SPOILT], None),
        (True, [KILLED, SPOILT], 2),
        (False, [KILLED, SPOILT], 2),
        (False, [KILLED], 1),
        (False, [KILLED, KILLED], 2),
        (False, [KILLED] * 3, None),
        (True, [KILLED], 1),
        (True, [KILLED] * 3, 4),
        (True, [KILLED] * 99, BACKOFF_SECONDS[-1]),
        (True, [KILLED] * 9 + [but(KILLED, seconds=61)], 1),
        (True, [but(KILLED, seconds=61), KILLED, KILLED], 2),
        (True, [NO_BROKER], 1),
        (True, [NO_BROKER, but(NO_BROKER, frames=0)], 2),
        (True, [but(NO_BROKER, frames=0)], None),
        (False, [NO_BROKER], None),
        (True, [NO_MEMORY], 1),
        (True, [but(NO_MEMORY, frames=0)], None),
        (False, [NO_MEMORY], None),
    ],
    ids=[
        "a file is done",
        "a camera is done",
        "a file and bad input",
        "a camera and bad input",
        "a camera and bad input after frames",
        "a camera whose process somebody ended",
        "a file whose process somebody ended",
        "a file whose process somebody ends each time",
        "a camera that came back with another size",
        "a folder of another size",
        "lines that were spoilt before",
        "lines of a camera that a crash has spoilt",
        "lines of a file that a crash has spoilt",
        "a file that crashed",
        "a file that crashed twice",
        "a file that crashed thrice",
        "a camera that crashed",
        "a camera that crashed thrice",
        "a camera that always crashes",
        "a crash after a long life",
        "crashes since a long life",
        "a camera whose broker went away",
        "a camera whose broker is still away",
        "a camera whose broker was never there",
        "a file whose broker went away",
        "a camera whose detector failed",
        "a camera whose detector never worked",
        "a file whose detector failed",
    ],
)
def test_wait_before_the_next_process(
    is_live: bool, attempts: Sequence[Attempt], pause: float | None
) -> None:
    assert Attempts(is_live=is_live, all=list(attempts)).seconds_to_next() == pause


@pytest.mark.parametrize(
    ("attempts", "frames", "detections"),
    [
        ([DONE], 100, 40),
        ([KILLED, DONE], 100, 40),
        ([KILLED, but(KILLED, frames=8)], 10, 0),
        ([KILLED, but(KILLED, counts_on=True)], 20, 0),
        ([but(DONE, is_new_run=True)] * 2, 200, 80),
        ([but(KILLED, is_new_run=True), but(DONE, is_new_run=True)], 110, 40),
    ],
    ids=[
        "one process",
        "a run that was gone on with",
        "a recording read again from its start",
        "a camera's run gone on with, and crashed",
        "runs of their own",
        "runs of their own, the first one crashed",
    ],
)
def test_frames_of_all_processes_are_counted_once(
    attempts: Sequence[Attempt], frames: int, detections: int
) -> None:
    totals = Attempts(is_live=True, all=list(attempts)).total()
    assert (totals.frames, totals.detections) == (frames, detections)


def test_silences_and_drops_of_all_processes_add_up() -> None:
    another = but(DONE, is_new_run=True)
    totals = Attempts(is_live=True, all=[DONE, another]).total()
    assert (totals.dropped_frames, totals.reconnections, totals.silent_seconds) == (6, 2, 15.0)
    # a run that goes on tells its drops from its beginning, also those of a process that was killed
    totals = Attempts(is_live=True, all=[DONE, KILLED, DONE]).total()
    assert (totals.dropped_frames, totals.reconnections, totals.silent_seconds) == (3, 2, 15.0)
    assert (totals.restarts, totals.run_ids) == (2, ["store_01-door-1"])


def process(*attempts: Attempt, source: str = "a.mp4") -> CameraProcess:
    settings = ExtractSettings(input=source, camera_id="door", output="door.jsonl")
    made = CameraProcess(Camera(settings=settings, line=1), Screen())
    made.attempts.all.extend(attempts)
    return made


@pytest.mark.parametrize(
    ("attempts", "ended_by", "code", "error"),
    [
        ([DONE], "end of video", 0, None),
        ([BAD], "bad input", 2, "no weights"),
        ([KILLED], "crash", 137, "its process was ended by SIGKILL"),
        ([STOPPED], "stop", 143, "its process was ended by SIGTERM"),
        ([], "stop", 143, None),
        ([but(BAD, end=Failed(kind="X", text="lost", summary=SUMMARY))], "end of video", 2, "lost"),
    ],
    ids=["done", "bad input", "crash", "stopped early", "never started", "lost after frames"],
)
def test_summary_says_how_it_ended(
    attempts: Sequence[Attempt], ended_by: str, code: int, error: str | None
) -> None:
    summary = summarize(process(*attempts))
    assert (summary.ended_by, summary.exit_code, summary.error) == (ended_by, code, error)


def test_stop_that_was_asked_for_is_no_error() -> None:
    asked = process(STOPPED)
    asked.stop()
    assert (summarize(asked).ended_by, summarize(asked).error) == ("stop", None)


def test_exit_code_is_that_of_the_worst_and_a_signal_is_above_all() -> None:
    done, bad = summarize(process(DONE)), summarize(process(BAD))
    assert exit_code([done, done], None) == 0
    assert exit_code([done, bad], None) == 2
    assert exit_code([done, summarize(process(KILLED))], None) == 2
    assert exit_code([done, bad], 15) == 143


def test_json_and_table_hold_no_password() -> None:
    summaries = [summarize(process(DONE, source="rtsp://viewer:s3cret@10.0.0.7/x"))]
    text = as_json("store_01", summaries, 0, 1.5)
    assert json.loads(text)["cameras"][0]["source"] == "rtsp://viewer:***@10.0.0.7/x"
    assert "s3cret" not in text + as_table(summaries)
    assert as_table(summaries).splitlines()[1].split()[:4] == ["door", "100", "40", "4"]


@pytest.mark.parametrize(
    "report",
    [
        Frames(done=3, total=None),
        Alive(),
        Done(summary=SUMMARY),
        Failed(kind="OutputError", text="no room", summary=None),
    ],
    ids=["frames", "alive", "done", "failed"],
)
def test_reports_are_read_as_they_were_written(report: Frames | Alive | Done | Failed) -> None:
    line = encode_report(report)
    assert line.count(b"\n") == 1
    assert decode_report(line) == report


def camera_of(source: str, output: Path | None) -> Camera:
    settings = ExtractSettings(
        input=source,
        camera_id="door",
        output=None if output is None else str(output),
        to=None if output else "pulsar://127.0.0.1",
    )
    return Camera(settings=settings, line=1)


def test_recording_that_is_only_published_is_read_again_as_the_same_run() -> None:
    camera = camera_of("a.mp4", None)
    first = named(camera)
    assert first.run_id is not None
    assert first.start_time is not None
    assert again(camera, first) == first


def test_camera_that_is_only_published_begins_a_run_of_its_own(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    camera = camera_of("rtsp://10.0.0.7/x", None)
    first = named(camera)
    later = parse_start_time("2026-11-24T10:15:00Z")
    monkeypatch.setattr("vision.cameras.runs.parse_start_time", lambda _: later)
    later_one = again(camera, first)
    assert (first.start_time, later_one.start_time) == (None, None)
    assert first.run_id != later_one.run_id == "store_01-door-20261124T101500Z"


@pytest.mark.parametrize("source", ["a.mp4", "rtsp://10.0.0.7/x"], ids=["recording", "camera"])
def test_only_the_file_of_this_very_run_is_gone_on_with(tmp_path: Path, source: str) -> None:
    camera = camera_of(source, tmp_path / "door.jsonl")
    first = named(camera)
    assert not again(camera, first).resume
    for run_id, is_ours in (("yesterday", False), (first.run_id or "", True)):
        frame = Frame(
            schema_version="1.0",
            run_id=run_id,
            source=Source(store_id="store_01", camera_id="door", stream_id="stream_001"),
            frame_index=0,
            capture_ts=parse_start_time(None),
            image_size=ImageSize(width=64, height=48),
            detections=(),
            model=Model(detector="hog", tracker="deepsort"),
        )
        (tmp_path / "door.jsonl.partial").write_bytes(encode(frame) + b"\n")
        assert again(camera, first).resume is is_ours


def test_one_line_shows_how_all_cameras_go(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter([100.0, 105.0, 110.0])
    monkeypatch.setattr("vision.cameras.fleet.time.monotonic", lambda: next(clock))
    monkeypatch.setattr(CameraProcess, "is_running", True)
    door, file = process(), process()
    shown = _Progress([door])
    door.frames = Frames(done=50, total=200)
    assert shown.line() == "door 50 of 200 (10.0/s): 10.0 frames/s"
    door.frames = Frames(done=20)  # of a process that was started since
    assert shown.line() == "door 20 (4.0/s): 4.0 frames/s"
    monkeypatch.setattr(CameraProcess, "is_running", False)
    clock = iter([0.0, 5.0])
    file.has_ended = True
    assert _Progress([door, file]).line() == "door waiting, door ended: 0.0 frames/s"


def test_crash_behind_the_end_is_no_crash() -> None:
    stopped = Done(summary=dataclasses.replace(SUMMARY, ended_by="stop"))
    assert _exit_code(-6, Done(summary=SUMMARY)) == 0
    assert _exit_code(-11, stopped) == 143
    assert _exit_code(-6, Failed(kind="X", text="")) == 2
    assert _exit_code(-6, None) == 134
