"""Cameras side by side: real processes on real frames, stopped, killed and started again."""

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from itertools import dropwhile
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import cli_command, read_lines
from mjpeg_camera import mjpeg_camera, pictures_of
from numbered_video import packet_places, write_numbered_video
from plugin_package import install, on_path

from frame_contract.health import CameraHealth, HealthEvent, decode_health
from vision.cameras.process import HUNG_SECONDS

pytestmark = pytest.mark.slow

QUICK = "{detector: hog, image_size: 160, tracker: deepsort, confidence: 0.9}"
PATIENCE_SECONDS = 300

Start = Callable[..., "Running"]

AS_MODULE = """
import runpy
runpy.run_module("vision", run_name="__main__", alter_sys=True)
"""
LATER = """
import time
from pathlib import Path
from types import SimpleNamespace
from vision.cameras import fleet

def monotonic():
    later = Path("minutes-later")
    return time.monotonic() + 60 * float(later.read_text() or 0 if later.exists() else 0)

fleet.time = SimpleNamespace(monotonic=monotonic)
"""
"""By the clock of the command it is so many minutes later as a file says."""

TAKES_ITS_TIME = """
import time
from pathlib import Path

class TakesItsTime:
    name, backend, concurrency = "takes-its-time", "mine", 1

    def __init__(self, request):
        self.calls = 0

    def detect(self, images):
        self.calls += 1
        if self.calls > 6 and not Path("hurry").exists():
            time.sleep(1)
        return [[] for image in images]
"""
"""Whoever waits for some lines of a recording finds it at work still."""


class Running:
    """The command, its folder, and what it has said."""

    def __init__(self, process: subprocess.Popen[str], folder: Path) -> None:
        self.process, self.folder = process, folder

    def wait_for_lines(self, camera: str, count: int) -> None:
        """Until the camera's partial file has so many lines."""
        partial = self.folder / f"{camera}.jsonl.partial"
        self.wait_for(lambda: partial.exists() and partial.read_bytes().count(b"\n") >= count)

    def wait_for(self, condition: Callable[[], bool]) -> None:
        give_up_at = time.monotonic() + PATIENCE_SECONDS
        while not condition():
            assert self.process.poll() is None, self.process.communicate()
            assert time.monotonic() < give_up_at
            time.sleep(0.05)

    def workers(self) -> dict[str, int]:
        """The processes of the cameras: name and pid."""
        found = {}
        for folder in Path("/proc").iterdir():
            try:
                arguments = (folder / "cmdline").read_bytes().split(b"\0")
                parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError, ValueError):
                continue
            if parent == self.process.pid and b"vision.cameras.worker" in arguments:
                found[arguments[-2].decode()] = int(folder.name)
        return found

    def end(self, *signals: int) -> tuple[int, str, str]:
        """Send the signals and wait; code, stdout, stderr."""
        for number in signals:
            self.process.send_signal(number)
        out, err = self.process.communicate(timeout=PATIENCE_SECONDS)
        assert "Traceback" not in err, err
        return self.process.returncode, out, err

    def summary(self) -> dict:
        return json.loads((self.folder / "cameras.summary.json").read_text())

    def health(self, camera: str) -> list[CameraHealth]:
        path = self.folder / f"{camera}.health.jsonl"
        lines = path.read_bytes().splitlines(keepends=True) if path.exists() else []
        return [decode_health(line) for line in lines if line.endswith(b"\n")]

    def events(self, camera: str) -> list[HealthEvent]:
        """Without silences and what answers them: any machine that stands still makes such."""
        events: list[HealthEvent] = []
        silences = 0
        for each in self.health(camera):
            if each.event is HealthEvent.SILENT:
                silences += 1
            elif each.event is HealthEvent.RETURNED and silences:
                silences -= 1
            else:
                silences = 0
                events.append(each.event)
        return events

    def wait_for_return(self, camera: str) -> None:
        """Until it gives frames again after its process had ended."""
        self.wait_for(lambda: HealthEvent.RETURNED in self.events(camera))


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Start]:
    """Starts the command on the cameras given as lines of YAML; kills it at the end.

    `first` is Python that its process runs before.
    """
    started: list[Running] = []

    def run(
        *cameras: str, options: tuple[str, ...] = (), first: str = "", **environment: str
    ) -> Running:
        entries = "\n".join(f"  - {{{camera}}}" for camera in cameras)
        text = f"store: store_01\ndefaults: {QUICK}\ncameras:\n{entries}\n"
        (tmp_path / "cameras.yaml").write_text(text)
        command = cli_command("cameras", "cameras.yaml", "--output-dir", "out", *options)
        if first:
            command[1:3] = ["-c", first + AS_MODULE]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(Running(process, tmp_path / "out"))
        return started[-1]

    yield run
    for each in started:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


@pytest.fixture
def slow_detector(tmp_path: Path) -> str:
    """`PYTHONPATH` with a detector that takes its time until there is a file `hurry`."""
    site = tmp_path / "slow"
    site.mkdir()
    points = {"takes-its-time": "takes_its_time:TakesItsTime"}
    install(site, "takes_its_time", TAKES_ITS_TIME, points)
    return on_path(site)


@pytest.fixture
def camera(sample_video: Path) -> Iterator[str]:
    """A camera that goes on for minutes: its address, with a password."""
    with mjpeg_camera(pictures_of(sample_video, 20) * 200, 0.05) as address:
        yield f"{address}/mjpeg"


def run_ids(path: Path) -> set[str]:
    return {line["run_id"] for line in read_lines(path)}


def test_each_camera_writes_what_it_would_alone_and_one_bad_one_hinders_none(
    start: Start, sample_video: Path, tmp_path: Path
) -> None:
    running = start(
        f"camera: a, source: {sample_video}, start_time: 2026-11-24T10:15:00Z, max_frames: 25",
        f"camera: b, source: {sample_video}, fps_limit: 5, max_frames: 20",
        "camera: c, source: missing.mp4",
    )
    code, out, err = running.end()
    assert code == 2, err
    alone = tmp_path / "alone.jsonl"
    subprocess.run(
        cli_command(
            *("--input", sample_video, "--output", alone, "--store-id", "store_01"),
            *("--camera-id", "a", "--start-time", "2026-11-24T10:15:00Z", "--max-frames", "25"),
            *("--detector", "hog", "--image-size", "160", "--confidence", "0.9"),
        ),
        check=True,
        capture_output=True,
    )
    assert (running.folder / "a.jsonl").read_bytes() == alone.read_bytes()
    assert [line["frame_index"] for line in read_lines(running.folder / "b.jsonl")][:3] == [0, 2, 4]
    assert not (running.folder / "c.jsonl").exists()
    assert "c | error: no such file: missing.mp4" in err
    a, b, c = running.summary()["cameras"]
    assert (a["frames"], a["ended_by"], a["exit_code"], a["restarts"]) == (25, "max frames", 0, 0)
    assert (b["frames"], c["ended_by"], c["exit_code"]) == (20, "bad input", 2)
    assert c["error"] == "no such file: missing.mp4; check the path"
    rows = [line.split() for line in out.splitlines()]
    assert rows[0][:3] == ["camera", "frames", "detections"]
    assert [row[:2] for row in rows[1:4]] == [["a", "25"], ["b", "20"], ["c", "0"]]


def test_recording_that_breaks_off_fails_with_its_frames_kept_unless_damage_is_accepted(
    start: Start, tmp_path: Path
) -> None:
    half = tmp_path / "half.mp4"
    write_numbered_video(half, 40, codec="mpeg4", muxing={"movflags": "faststart"})
    half.write_bytes(half.read_bytes()[: packet_places(half)[20][0]])
    running = start(
        f"camera: strict, source: {half}",
        f"camera: lenient, source: {half}, accept_damage: true",
    )
    code, _, err = running.end()
    assert code == 2, err
    strict, lenient = running.summary()["cameras"]
    assert (strict["frames"], strict["exit_code"], strict["restarts"]) == (20, 2, 0)
    assert strict["error"].startswith(f"20 frames of {half} cannot be read (it breaks off behind")
    assert (lenient["frames"], lenient["exit_code"], lenient["error"]) == (20, 0, None)
    for name in ("strict", "lenient"):
        assert len(read_lines(running.folder / f"{name}.jsonl")) == 20


def test_signal_stops_all_cameras_with_whole_files_and_nobody_sees_the_password(
    start: Start, camera: str, sample_video: Path, slow_detector: str
) -> None:
    address = camera.replace("s3cret", "${CAM_PASSWORD}")
    running = start(
        f"camera: door, source: '{address}'",
        f"camera: file, source: {sample_video}, detector: takes-its-time, still_threshold: 0",
        CAM_PASSWORD="s3cret",
        PYTHONPATH=slow_detector,
    )
    running.wait_for_lines("door", 2)
    running.wait_for_lines("file", 2)
    command_line = Path(f"/proc/{running.workers()['door']}/cmdline").read_bytes()
    code, out, err = running.end(signal.SIGTERM)
    assert code == 143, err
    for each in running.summary()["cameras"]:
        lines = read_lines(running.folder / f"{each['camera']}.jsonl")
        assert each["frames"] == len(lines) >= 2
        assert (each["ended_by"], each["exit_code"], each["error"]) == ("stop", 143, None)
        assert not (running.folder / f"{each['camera']}.jsonl.partial").exists()
    assert running.events("door") == []
    written = "".join(path.read_text() for path in running.folder.iterdir())
    assert "s3cret" not in str(command_line) + out + err + written
    assert "user:***@127.0.0.1" in err


def test_cameras_stop_when_the_time_is_up_which_is_no_error(
    start: Start, camera: str, sample_video: Path, tmp_path: Path
) -> None:
    running = start(
        f"camera: door, source: '{camera}'",
        f"camera: file, source: {sample_video}, max_frames: 2",
        options=("--minutes", "30"),
        first=LATER,
    )
    running.wait_for_lines("door", 1)
    running.wait_for(lambda: (running.folder / "file.jsonl").exists())
    minutes_later = tmp_path / "minutes-later"
    minutes_later.write_text("20")
    time.sleep(1)
    assert running.process.poll() is None
    minutes_later.write_text("30")
    code, _, err = running.end()
    assert code == 0, err
    assert "the time is up: stopping all cameras" in err
    door, file = running.summary()["cameras"]
    assert (door["ended_by"], door["error"]) == ("stop", None)
    assert door["frames"] == len(read_lines(running.folder / "door.jsonl")) >= 1
    assert (file["ended_by"], file["frames"]) == ("max frames", 2)


@pytest.mark.parametrize("minutes", ["0", "-1", "soon", "inf", "nan"])
def test_minutes_that_are_none_are_refused(start: Start, sample_video: Path, minutes: str) -> None:
    running = start(f"camera: a, source: {sample_video}", options=("--minutes", minutes))
    code, _, err = running.end()
    assert code == 2
    assert "a number of minutes over 0" in err


def test_second_signal_stops_at_once_and_leaves_whole_lines(start: Start, camera: str) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 2)
    worker = running.workers()["door"]
    os.kill(worker, signal.SIGSTOP)  # it will not end by itself
    running.process.send_signal(signal.SIGINT)
    time.sleep(1)
    assert running.process.poll() is None
    assert running.end(signal.SIGTERM)[0] == 130
    assert len(read_lines(running.folder / "door.jsonl.partial")) >= 2
    assert running.summary()["cameras"][0]["exit_code"] == 137


def test_camera_whose_process_is_killed_goes_on_in_the_same_run(start: Start, camera: str) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 3)
    os.kill(running.workers()["door"], signal.SIGKILL)
    before = read_lines(running.folder / "door.jsonl.partial")
    running.wait_for_return("door")
    code, _, err = running.end(signal.SIGTERM)
    assert code == 143
    assert "its process was ended by SIGKILL; starting again in 1 s" in err
    lines = read_lines(running.folder / "door.jsonl")
    assert lines[: len(before)] == before
    indices = [line["frame_index"] for line in lines]
    assert indices == sorted(set(indices))
    moments = [line["capture_ts"] for line in lines]
    assert moments == sorted(moments)
    assert len(run_ids(running.folder / "door.jsonl")) == 1
    assert running.events("door")[0] is HealthEvent.STOPPED
    assert HealthEvent.RETURNED in running.events("door")
    (door,) = running.summary()["cameras"]
    assert (door["restarts"], door["frames"]) == (1, len(lines))


FAILS_ONCE = """
from pathlib import Path

class FailsOnce:
    name, backend, concurrency = "fails-once", "mine", 1

    def __init__(self, request):
        self.calls = 0

    def detect(self, images):
        self.calls += 1
        if self.calls > 4 and not Path("failed").exists():
            Path("failed").touch()
            raise RuntimeError("out of memory")
        return [[] for image in images]
"""


def test_camera_whose_detector_fails_goes_on_in_the_same_run(
    start: Start, camera: str, tmp_path: Path
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    install(site, "fails_once", FAILS_ONCE, {"fails-once": "fails_once:FailsOnce"})
    running = start(
        f"camera: door, source: '{camera}', detector: fails-once, still_threshold: 0",
        PYTHONPATH=on_path(site),
    )
    running.wait_for(lambda: (running.folder / "door.summary.json").exists())
    before = read_lines(running.folder / "door.jsonl")
    running.wait_for_return("door")
    running.wait_for_lines("door", 6)
    code, _, err = running.end(signal.SIGTERM)
    assert code == 143, err
    assert "RuntimeError: out of memory" in err
    assert "starting again in 1 s" in err
    lines = read_lines(running.folder / "door.jsonl")
    assert lines[: len(before)] == before
    assert len(before) == 4
    indices = [line["frame_index"] for line in lines]
    assert indices == sorted(set(indices))
    assert len(run_ids(running.folder / "door.jsonl")) == 1
    (door,) = running.summary()["cameras"]
    assert (door["restarts"], door["frames"], door["exit_code"]) == (1, len(lines), 143)


def test_recording_whose_process_is_killed_is_whole_in_the_end(
    start: Start, sample_video: Path, slow_detector: str, tmp_path: Path
) -> None:
    running = start(
        f"camera: file, source: {sample_video}, max_frames: 40, detector: takes-its-time, "
        "still_threshold: 0",
        PYTHONPATH=slow_detector,
    )
    running.wait_for_lines("file", 5)
    os.kill(running.workers()["file"], signal.SIGKILL)
    (tmp_path / "hurry").touch()
    code, _, err = running.end()
    assert code == 0, err
    assert [line["frame_index"] for line in read_lines(running.folder / "file.jsonl")] == list(
        range(40)
    )
    assert len(run_ids(running.folder / "file.jsonl")) == 1
    (file,) = running.summary()["cameras"]
    assert (file["restarts"], file["frames"], file["exit_code"]) == (1, 40, 0)
    assert not (running.folder / "file.health.jsonl").exists()


def test_camera_whose_process_somebody_ends_goes_on_in_the_same_run(
    start: Start, camera: str
) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 3)
    os.kill(running.workers()["door"], signal.SIGTERM)
    running.wait_for_return("door")
    code, _, err = running.end(signal.SIGTERM)
    assert code == 143
    assert "its process was ended by SIGTERM; starting again in 1 s" in err
    lines = read_lines(running.folder / "door.jsonl")
    indices = [line["frame_index"] for line in lines]
    assert indices == sorted(set(indices))
    assert len(run_ids(running.folder / "door.jsonl")) == 1
    assert running.events("door")[:2] == [HealthEvent.STOPPED, HealthEvent.RETURNED]
    (door,) = running.summary()["cameras"]
    assert (door["restarts"], door["frames"], door["error"]) == (1, len(lines), None)


def test_camera_that_comes_back_with_another_size_begins_a_new_run_and_keeps_the_old(
    start: Start, sample_video: Path
) -> None:
    large = pictures_of(sample_video, 30)
    image = cv2.imdecode(np.frombuffer(large[0], np.uint8), cv2.IMREAD_COLOR)
    small = [cv2.imencode(".jpg", cv2.resize(image, (320, 240)))[1].tobytes()] * 2000
    shown = [large]
    with mjpeg_camera(lambda: shown[0], 0.05) as address:
        running = start(f"camera: door, source: '{address}/mjpeg'")
        running.wait_for_lines("door", 3)
        shown[0] = small
        running.wait_for_return("door")
        running.wait_for(lambda: len(list(running.folder.glob("door.store_01-*.jsonl"))) == 1)
        running.wait_for_lines("door", 3)
        code, _, err = running.end(signal.SIGTERM)
    assert code == 143, err
    (before,) = running.folder.glob("door.store_01-*.jsonl")
    assert {line["image_size"]["width"] for line in read_lines(before)} == {640}
    after = read_lines(running.folder / "door.jsonl")
    assert {line["image_size"]["width"] for line in after} == {320}
    assert run_ids(before).isdisjoint(run_ids(running.folder / "door.jsonl"))
    assert len(list(running.folder.glob("door.store_01-*.summary.json"))) == 1
    (door,) = running.summary()["cameras"]
    assert door["frames"] == len(read_lines(before)) + len(after)
    assert len(door["run_ids"]) == 2
    assert running.events("door").count(HealthEvent.STOPPED) == 1


def test_lines_that_a_crash_has_spoilt_are_set_aside(start: Start, camera: str) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 3)
    worker = running.workers()["door"]
    # the next process is not started before the lines are spoilt
    running.process.send_signal(signal.SIGSTOP)
    os.kill(worker, signal.SIGKILL)
    running.wait_for(lambda: Path(f"/proc/{worker}/stat").read_text().split(") ")[-1][0] == "Z")
    partial = running.folder / "door.jsonl.partial"
    lines = partial.read_bytes().splitlines(keepends=True)
    lines[1] = bytes(len(lines[1]) - 1) + b"\n"
    partial.write_bytes(b"".join(lines))
    running.process.send_signal(signal.SIGCONT)
    running.wait_for(lambda: list(running.folder.glob("door.store_01-*.jsonl.partial")))
    running.wait_for_lines("door", 3)
    code, _, err = running.end(signal.SIGTERM)
    assert code == 143, err
    (spoilt,) = running.folder.glob("door.store_01-*.jsonl.partial")
    assert spoilt.read_bytes() == b"".join(lines)
    assert len(run_ids(running.folder / "door.jsonl")) == 1


def test_process_that_hangs_is_told_as_a_silence(start: Start, camera: str) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 3)
    worker = running.workers()["door"]
    os.kill(worker, signal.SIGSTOP)
    running.wait_for(lambda: bool(since_hanging(running)))
    os.kill(worker, signal.SIGCONT)
    returned = HealthEvent.RETURNED
    running.wait_for(lambda: returned in [each.event for each in since_hanging(running)])
    first = since_hanging(running)[0]
    assert first.event is HealthEvent.SILENT
    assert first.silent_seconds >= HUNG_SECONDS
    assert first.frames >= 1


def since_hanging(running: Running) -> list[CameraHealth]:
    """What is told of the camera from when its process was first seen to hang."""
    told = running.health("door")
    return list(dropwhile(lambda each: each.detail != "its process hangs", told))


def test_resume_goes_on_with_the_files_of_cameras_and_recordings(
    start: Start, camera: str, sample_video: Path, slow_detector: str, tmp_path: Path
) -> None:
    cameras = (
        f"camera: door, source: '{camera}'",
        f"camera: file, source: {sample_video}, max_frames: 180, detector: takes-its-time, "
        "still_threshold: 0",
    )
    running = start(*cameras, PYTHONPATH=slow_detector)
    for name in ("door", "file"):
        running.wait_for_lines(name, 3)
    assert running.end(signal.SIGTERM)[0] == 143
    before = {name: read_lines(running.folder / f"{name}.jsonl") for name in ("door", "file")}
    assert len(before["file"]) < 180
    (tmp_path / "hurry").touch()
    running = start(*cameras, options=("--resume",), PYTHONPATH=slow_detector)
    running.wait_for_lines("door", len(before["door"]) + 3)
    os.kill(running.workers()["door"], signal.SIGKILL)
    running.wait_for(lambda: HealthEvent.STOPPED in running.events("door"))
    running.wait_for(lambda: len(read_lines(running.folder / "file.jsonl")) == 180)
    running.wait_for_return("door")
    code, _, err = running.end(signal.SIGTERM)
    assert code == 143, err
    for name, lines in before.items():
        after = read_lines(running.folder / f"{name}.jsonl")
        assert after[: len(lines)] == lines
        assert len(after) > len(lines)
        assert len(run_ids(running.folder / f"{name}.jsonl")) == 1
    assert {running.health("door")[0].run_id} == run_ids(running.folder / "door.jsonl")


def test_cameras_end_whole_when_the_command_is_killed(start: Start, camera: str) -> None:
    running = start(f"camera: door, source: '{camera}'")
    running.wait_for_lines("door", 2)
    worker = running.workers()["door"]
    running.process.kill()
    running.process.communicate()
    give_up_at = time.monotonic() + PATIENCE_SECONDS
    while Path(f"/proc/{worker}").exists():
        assert time.monotonic() < give_up_at
        time.sleep(0.1)
    assert len(read_lines(running.folder / "door.jsonl")) >= 2
