"""Cameras on the network, played by GStreamer's RTSP server: found, refused, lost and back."""

import json
import os
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import quote

import pytest
from numbered_video import number_in, write_numbered_video

from frame_contract.health import decode_health
from vision.errors import AccessRefusedError, SourceError, SourceLostError, StoppedEarlyError
from vision.live import POLL_SECONDS, LiveSettings
from vision.run import ExtractSettings, extract
from vision.sources import StreamSource, check_reachable
from vision.video import Video, VideoFrame

DEBIANS_PYTHON = "/usr/bin/python3"
SERVER = Path(__file__).with_name("rtsp_server.py")
USER, PASSWORD = "admin", "s3 cr@t/#1"
FRAMES = 200

PATIENT_SECONDS = 180
"""How long a test waits for what happens at once."""
SILENT_AFTER_SECONDS = 0.4
NEVER_SECONDS = 10_000
TRIES = 5


class Patient(LiveSettings):
    """Settings by which a machine that stands still for a while makes no silence and no loss."""

    def change(self, **settings: float) -> None:
        """Change them while a camera is watched: from here on its silence is the test's doing."""
        for name, value in settings.items():
            # frozen for all others
            object.__setattr__(self, name, value)


def patient(**settings: float | None) -> Patient:
    """Tries soon, waits long; these settings are otherwise."""
    usual: dict[str, float | None] = {
        "open_timeout_seconds": 60,
        "read_timeout_seconds": PATIENT_SECONDS,
        "silent_after_seconds": NEVER_SECONDS,
        "first_pause_seconds": 0.1,
        "longest_pause_seconds": 0.4,
        "reconnect_seconds": NEVER_SECONDS,
    }
    return Patient(**usual | settings)


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("rtsp") / "loop.h264"
    return write_numbered_video(path, FRAMES, container="h264", tune="zerolatency")


class Camera:
    """A server that can be switched off and on, and keeps its port."""

    def __init__(self, video: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._video = video
        self._process: subprocess.Popen[str] | None = None

    def on(self) -> None:
        self._process = subprocess.Popen(
            [
                *(DEBIANS_PYTHON, SERVER, "--port", str(self.port), "--path", "/ch1"),
                *("--video", self._video, "--user", USER, "--password", PASSWORD),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert self._process.stdout is not None
        said = self._process.stdout.readline().strip()
        if said != "ready":
            self.off()
            pytest.skip(f"no RTSP server: {said or 'GStreamer does not start'}")

    def off(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.communicate()
            self._process = None

    def freeze(self, signal_number: int) -> None:
        assert self._process is not None
        os.kill(self._process.pid, signal_number)

    def address(self, password: str | None = PASSWORD, path: str = "ch1", user: str = USER) -> str:
        userinfo = "" if password is None else f"{user}:{quote(password, safe='')}@"
        return f"rtsp://{userinfo}127.0.0.1:{self.port}/{path}"


@pytest.fixture(scope="module")
def _needs_gstreamer() -> None:
    bindings = "import gi; gi.require_version('GstRtspServer', '1.0')"
    if not Path(DEBIANS_PYTHON).exists():
        pytest.skip("no RTSP server: needs Debian's python3-gi and gir1.2-gst-rtsp-server-1.0")
    tried = subprocess.run([DEBIANS_PYTHON, "-c", bindings], capture_output=True, check=False)
    if tried.returncode != 0:
        pytest.skip("no RTSP server: apt-get install python3-gi gir1.2-gst-rtsp-server-1.0")


@pytest.fixture
def camera(video: Path, _needs_gstreamer: None) -> Iterator[Camera]:
    camera = Camera(video)
    yield camera
    camera.off()


class Watcher:
    """Reads a camera in a thread, as the pipeline does, and remembers what it is told."""

    def __init__(self, address: str, settings: LiveSettings) -> None:
        self.frames: list[VideoFrame] = []
        self.silences: list[float] = []
        self.returns: list[float] = []
        self.warnings: list[str] = []
        self.error: Exception | None = None
        self.video: Video | None = None
        self._should_stop = threading.Event()
        self._changed = threading.Condition()
        self._thread = threading.Thread(target=self._watch, args=(address, settings), daemon=True)
        self._thread.start()

    def _watch(self, address: str, settings: LiveSettings) -> None:
        try:
            with Video(
                StreamSource(address),
                live=settings,
                should_stop=self._should_stop.is_set,
                on_silence=lambda seconds: self._note(self.silences, seconds),
                on_return=lambda seconds: self._note(self.returns, seconds),
                warn=lambda text: self._note(self.warnings, text),
            ) as self.video:
                for frame in self.video:
                    self._note(self.frames, frame)
        except Exception as error:  # noqa: BLE001  it is what the test looks at
            self.error = error

    def _note(self, where: list, what: object) -> None:
        with self._changed:
            where.append(what)
            self._changed.notify_all()

    def wait_for(self, happened: Callable[[], object]) -> None:
        with self._changed:
            assert self._changed.wait_for(happened, PATIENT_SECONDS), self.error

    def wait_for_frames(self, more: int) -> None:
        seen = len(self.frames)
        self.wait_for(lambda: len(self.frames) >= seen + more)

    def wait_for_silence(self, settings: Patient) -> None:
        """Until it is told, and a little on: only once. Later ones are no test's doing."""
        settings.change(silent_after_seconds=SILENT_AFTER_SECONDS)
        self.wait_for(lambda: self.silences)
        time.sleep(3 * POLL_SECONDS)
        settings.change(silent_after_seconds=NEVER_SECONDS)

    def stop(self) -> None:
        self._should_stop.set()
        self.wait_for_the_end()

    def wait_for_the_end(self) -> None:
        self._thread.join(PATIENT_SECONDS)
        assert not self._thread.is_alive()


def test_frames_come_whole_and_in_order_and_none_is_old(camera: Camera) -> None:
    camera.on()
    # FFmpeg reads seconds ahead when it opens a stream: they must not all be timed as of now.
    # Frames wait also for a reader that got no processor: then a try in time shows it
    least_ms = 49 * 40 / 2
    elapsed_ms: list[int] = []
    while len(elapsed_ms) < TRIES and max(elapsed_ms, default=0) <= least_ms:
        frames = watched_frames(camera, 50)
        elapsed_ms.append(frames[49].captured_epoch_ms - frames[0].captured_epoch_ms)
    assert max(elapsed_ms) > least_ms


def watched_frames(camera: Camera, count: int) -> list[VideoFrame]:
    """Frames of a camera that is on, which are whole, in order and without a silence."""
    watcher = Watcher(camera.address(), patient())
    watcher.wait_for_frames(count)
    watcher.stop()
    assert watcher.error is None
    assert watcher.video is not None
    frames = watcher.frames
    assert [frame.index for frame in frames] == list(range(len(frames)))
    numbers = [number_in(frame.image) for frame in frames]
    first = numbers[0]
    assert first is not None
    assert numbers == [(first + n) % FRAMES for n in range(len(frames))]
    assert (watcher.silences, watcher.returns, watcher.video.reconnections) == ([], [], 0)
    return frames


def test_camera_that_goes_away_and_returns_goes_on(camera: Camera) -> None:
    camera.on()
    settings = patient()
    watcher = Watcher(camera.address(), settings)
    watcher.wait_for_frames(5)
    camera.off()
    # it is told when all that had come is read
    watcher.wait_for(lambda: watcher.warnings)
    watcher.wait_for_silence(settings)
    before = len(watcher.frames)
    camera.on()
    watcher.wait_for_frames(5)
    watcher.stop()
    assert watcher.error is None
    assert len(watcher.silences) == len(watcher.returns) == 1
    assert watcher.video is not None
    assert watcher.video.reconnections == 1
    assert watcher.video.silent_seconds == watcher.returns[0] >= watcher.silences[0]
    assert watcher.silences[0] >= SILENT_AFTER_SECONDS
    assert [frame.index for frame in watcher.frames] == list(range(len(watcher.frames)))
    moments = [frame.captured_epoch_ms for frame in watcher.frames]
    assert moments == sorted(moments)
    gap_ms = moments[before] - moments[before - 1]
    assert gap_ms == pytest.approx(1000 * watcher.returns[0], abs=300)
    assert len(watcher.warnings) == 2
    assert PASSWORD not in str(watcher.warnings)


def test_camera_that_freezes_for_a_moment_is_silent_once_and_not_lost(camera: Camera) -> None:
    camera.on()
    settings = patient()
    watcher = Watcher(camera.address(), settings)
    watcher.wait_for_frames(5)
    camera.freeze(signal.SIGSTOP)
    watcher.wait_for_silence(settings)
    camera.freeze(signal.SIGCONT)
    watcher.wait_for(lambda: watcher.returns)
    watcher.stop()
    assert watcher.error is None
    assert len(watcher.silences) == len(watcher.returns) == 1
    assert watcher.video is not None
    assert watcher.video.reconnections == 0


def test_camera_that_stays_away_is_given_up(camera: Camera) -> None:
    camera.on()
    settings = patient()
    watcher = Watcher(camera.address(), settings)
    watcher.wait_for_frames(2)
    camera.off()
    watcher.wait_for(lambda: watcher.warnings)
    settings.change(reconnect_seconds=0.5)
    watcher.wait_for_the_end()
    assert isinstance(watcher.error, SourceLostError)
    assert str(watcher.error).startswith("rtsp://admin:***@127.0.0.1")
    assert "stopped giving frames and was tried again for" in str(watcher.error)
    assert watcher.video is not None
    assert watcher.video.silent_seconds >= 0.5


def test_camera_that_is_still_off_is_waited_for_on_request(camera: Camera) -> None:
    settings = patient(wait_for_source=True, longest_pause_seconds=0.3)
    watcher = Watcher(camera.address(), settings)
    watcher.wait_for(lambda: watcher.warnings)
    assert "nothing listens there; is the camera on, and the port right?" in watcher.warnings[0]
    camera.on()
    watcher.wait_for_frames(3)
    watcher.stop()
    assert watcher.error is None
    assert watcher.video is not None
    assert watcher.video.reconnections == 0
    assert [frame.index for frame in watcher.frames][:3] == [0, 1, 2]


def test_camera_that_refuses_once_it_is_on_says_why_once(camera: Camera) -> None:
    settings = patient(wait_for_source=True, first_pause_seconds=0.05, longest_pause_seconds=0.05)
    watcher = Watcher(camera.address(path="ch9"), settings)
    watcher.wait_for(lambda: watcher.warnings)
    camera.on()
    watcher.wait_for(lambda: len(watcher.warnings) == 2)
    assert "nothing listens there" in watcher.warnings[0]
    assert "has nothing at this path (404)" in watcher.warnings[1]
    watcher.stop()
    assert len(watcher.warnings) == 2


def test_wrong_password_is_not_tried_again_by_who_waits_for_the_camera(camera: Camera) -> None:
    settings = patient(wait_for_source=True, reconnect_seconds=None, first_pause_seconds=0.05)
    watcher = Watcher(camera.address(password="wrong"), settings)
    watcher.wait_for(lambda: watcher.warnings)
    camera.on()
    watcher.wait_for_the_end()
    assert isinstance(watcher.error, AccessRefusedError)
    assert "refuses this user or password (401)" in str(watcher.error)
    assert len(watcher.warnings) == 1


def test_stop_does_not_wait_for_a_camera_that_is_waited_for(camera: Camera) -> None:
    settings = LiveSettings(
        wait_for_source=True,
        first_pause_seconds=NEVER_SECONDS,
        longest_pause_seconds=NEVER_SECONDS,
        reconnect_seconds=NEVER_SECONDS,
    )
    watcher = Watcher(camera.address(), settings)
    watcher.wait_for(lambda: watcher.warnings)
    watcher.stop()
    assert isinstance(watcher.error, StoppedEarlyError)


def test_stop_does_not_wait_for_a_camera_that_says_nothing(camera: Camera) -> None:
    camera.on()
    watcher = Watcher(
        camera.address(), patient(read_timeout_seconds=NEVER_SECONDS, silent_after_seconds=0.3)
    )
    watcher.wait_for_frames(2)
    camera.freeze(signal.SIGSTOP)
    watcher.wait_for(lambda: watcher.silences)
    assert watcher.video is not None
    watcher.video.stop()
    watcher.wait_for_the_end()
    assert watcher.error is None


def test_limit_of_frames_a_second_leaves_out_and_counts(camera: Camera) -> None:
    camera.on()
    give_up_at = time.monotonic() + PATIENT_SECONDS
    with Video(StreamSource(camera.address()), live=patient(), fps_limit=5) as video:
        frames = []
        # whoever reads slowly has to leave out few
        for frame in video:
            frames.append(frame)
            if len(frames) >= 4 and (video.limited > 4 or time.monotonic() > give_up_at):
                break
    indices = [frame.index for frame in frames]
    assert indices[0] == 0
    assert video.limited == indices[-1] + 1 - len(frames) > 4
    slots = [(f.captured_epoch_ms - frames[0].captured_epoch_ms + 1) // 200 for f in frames]
    assert slots == sorted(set(slots))
    assert video.unreadable == 0


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"password": "wr@ng/"}, "refuses this user or password (401)"),
        ({"user": "guest"}, "refuses this user or password (401)"),
        ({"password": None}, "asks for a user and a password (401)"),
        ({"path": "ch9"}, "has nothing at this path (404)"),
    ],
)
def test_what_the_camera_refuses_is_told(
    camera: Camera, capfd: pytest.CaptureFixture[str], change: dict[str, str], told: str
) -> None:
    camera.on()
    with pytest.raises(SourceError) as error:
        Video(StreamSource(camera.address(**change)), live=patient())
    assert str(error.value).startswith("rtsp://")
    assert told in str(error.value)
    printed = capfd.readouterr()
    assert (printed.out, printed.err) == ("", "")
    for secret in (PASSWORD, quote(PASSWORD, safe=""), "wr@ng", "wr%40ng"):
        assert secret not in str(error.value)


def test_silence_and_return_of_a_camera_are_kept_beside_its_lines(
    camera: Camera, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = patient()
    monkeypatch.setattr("vision.run.LiveSettings", lambda **_: live)
    camera.on()
    should_stop = threading.Event()
    health = tmp_path / "door.health.jsonl"
    settings = ExtractSettings(
        input=camera.address(),
        output=str(tmp_path / "door.jsonl"),
        camera_id="door",
        detector="hog",
        still_threshold=255,
    )
    run = threading.Thread(target=extract, args=(settings, should_stop.is_set), daemon=True)
    run.start()
    wait_until(lambda: (tmp_path / "door.jsonl.partial").exists(), run)
    wait_until(lambda: (tmp_path / "door.jsonl.partial").stat().st_size > 0, run)
    camera.freeze(signal.SIGSTOP)
    live.change(silent_after_seconds=LiveSettings.silent_after_seconds)
    wait_until(lambda: health.exists() and b"camera_silent" in health.read_bytes(), run)
    live.change(silent_after_seconds=NEVER_SECONDS)
    camera.freeze(signal.SIGCONT)
    wait_until(lambda: b"camera_returned" in health.read_bytes(), run)
    should_stop.set()
    run.join(PATIENT_SECONDS)
    assert not run.is_alive()
    silent, returned = map(decode_health, health.read_bytes().splitlines())
    summary = json.loads((tmp_path / "door.summary.json").read_text())
    assert {silent.run_id, returned.run_id} == {summary["run_id"]}
    assert (silent.camera_id, silent.reconnections) == ("door", 0)
    assert 1 <= silent.frames <= returned.frames <= summary["frames"]
    assert silent.last_capture_ts is not None
    assert returned.silent_seconds >= silent.silent_seconds >= LiveSettings.silent_after_seconds
    assert summary["silent_seconds"] == pytest.approx(returned.silent_seconds, abs=0.01)


def wait_until(happened: Callable[[], object], run: threading.Thread) -> None:
    give_up_at = time.monotonic() + PATIENT_SECONDS
    while not happened():
        assert run.is_alive()
        assert time.monotonic() < give_up_at
        time.sleep(0.05)


class Listener:
    """Something that takes connections, and is no camera."""

    def __init__(self, answer: bytes | None) -> None:
        self._answer = answer
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port = self._socket.getsockname()[1]
        self._kept: list[socket.socket] = []
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        try:
            while True:
                taken, _ = self._socket.accept()
                if self._answer is not None:
                    taken.sendall(self._answer)
                    taken.close()
                else:
                    self._kept.append(taken)
        except OSError:
            return

    def close(self) -> None:
        for each in (self._socket, *self._kept):
            each.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        (b"HTTP/1.0 200 OK\r\n\r\n<html>", "answers, but not with video over RTSP"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "answers, but not with video over RTSP"),
        (b"", "answers, but not with video over RTSP"),
        (None, "takes the connection and says nothing"),
    ],
)
def test_what_is_no_camera_is_told(answer: bytes | None, told: str) -> None:
    listener = Listener(answer)
    address = f"rtsp://admin:s3cret@127.0.0.1:{listener.port}/ch1"
    open_timeout_seconds = 1 if answer is None else 60
    with pytest.raises(SourceError) as error:
        Video(StreamSource(address), live=LiveSettings(open_timeout_seconds=open_timeout_seconds))
    listener.close()
    assert told in str(error.value)
    assert "\n" not in str(error.value)
    assert "s3cret" not in str(error.value)


def test_name_that_nobody_has_is_told() -> None:
    source = StreamSource("rtsp://admin:s3cret@camera.invalid/ch1")
    with pytest.raises(SourceError, match=r"no address is known for the host camera\.invalid"):
        check_reachable(source)
    # one that is waited for may get its name later
    check_reachable(source, wait_for_source=True)
