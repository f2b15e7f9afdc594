import wave
from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from conftest import shared
from numbered_video import number_in, packet_places, write_numbered_video

from vision.boxes import Image
from vision.errors import SourceError
from vision.recorded import MISSING_FRAMES_ALLOWED
from vision.sources import FileSource
from vision.timestamps import to_epoch_ms
from vision.video import Video

BAD = "bad"
EARLIER = "earlier"


class FakeCapture:
    """A capture that plays a script: a frame's position in frames, or BAD for a failed read."""

    def __init__(self, script: list[float | str], announced: float, rate: float = 10.0) -> None:
        self.script = list(script)
        self.properties = {cv2.CAP_PROP_FRAME_COUNT: announced, cv2.CAP_PROP_FPS: rate}
        self.rate = rate or 10.0
        self.position = 0.0

    def isOpened(self) -> bool:  # noqa: N802
        return True

    def release(self) -> None:
        pass

    def set(self, what: int, value: float) -> None:
        pass

    def get(self, what: int) -> float:
        if what == cv2.CAP_PROP_POS_MSEC:
            return 1000 * self.position / self.rate
        return self.properties[what]

    def grab(self) -> bool:
        step = self.script.pop(0) if self.script else BAD
        if isinstance(step, str):
            return False
        self.position = step
        return True

    def retrieve(self) -> tuple[bool, Image | None]:
        return True, np.full((4, 4, 3), int(self.position) % 256, dtype=np.uint8)


@pytest.fixture
def play(monkeypatch: pytest.MonkeyPatch, tmp_path: Path):
    def play(script: list[float | str], announced: float, rate: float = 10.0) -> Video:
        capture = FakeCapture(script, announced, rate)
        monkeypatch.setattr(cv2, "VideoCapture", lambda *_: capture)
        path = tmp_path / "video.mp4"
        path.write_bytes(b"x")
        return Video(FileSource(path), clock="rate" if rate == rate and 0 < rate < 1000 else "pts")

    return play


@pytest.mark.parametrize(
    ("name", "script", "announced", "expected", "unreadable"),
    [
        ("sound", [0, 1, 2, 3], 4, [0, 1, 2, 3], 0),
        ("a bad packet in the middle", [0, 1, BAD, 3, 4], 5, [0, 1, 3, 4], 1),
        ("more failed reads than lost frames", [0, 1, BAD, BAD, BAD, 3], 4, [0, 1, 3], 1),
        ("frames that are silently lost behind it", [0, BAD, 2, 5, 6], 7, [0, 2, 5, 6], 3),
        ("an old frame behind it", [0, 1, BAD, 6, 2, 8], 9, [0, 1, 6, 7, 8], 4),
        ("a bad beginning", [BAD, BAD, 2, 3], 4, [2, 3], 2),
        ("cut short", [0, 1, 2], 40, [0, 1, 2], 37),
        ("sound that goes on for a second", [0, 1, 2], 13, [0, 1, 2], 0),
        ("a count that is a little off", [0, 1, 2], 3 + MISSING_FRAMES_ALLOWED, [0, 1, 2], 0),
        ("more frames than announced", [0, 1, 2, 3], 2, [0, 1, 2, 3], 0),
        ("no count", [0, 1, BAD, 3], -1, [0, 1, 3], 1),
    ],
)
def test_damaged_frames_are_counted_and_the_others_keep_their_place(
    play, name: str, script: list, announced: float, expected: list[int], unreadable: int
) -> None:
    video = play(script, announced)
    assert [frame.index for frame in video] == expected, name
    assert video.unreadable == unreadable, name


def test_uneven_time_stamps_of_a_sound_file_lose_no_frame(play) -> None:
    video = play([0, 1, 4, 9, 9.2], 5)
    assert [frame.index for frame in video] == [0, 1, 2, 3, 4]
    assert video.unreadable == 0


def test_file_without_a_readable_frame_is_refused(play) -> None:
    with pytest.raises(SourceError, match="no frame that can be read"):
        play([], 10)


@pytest.mark.parametrize("rate", [0.0, float("nan"), float("inf"), 90000.0, -1.0])
def test_rate_that_is_none_is_not_believed(play, rate: float) -> None:
    assert play([0, 1], 2, rate).frame_rate is None


def test_rate_is_exact(play) -> None:
    assert play([0, 1], 2, 30000 / 1001).frame_rate == Fraction(30000, 1001)


def test_every_frame_of_the_sample_is_read(sample_video: Path) -> None:
    with Video(FileSource(sample_video)) as video:
        frames = [frame.index for frame in video]
    assert frames == list(range(200))
    assert video.announced_frames == 200
    assert video.frame_rate == 10


@pytest.mark.parametrize(("damaged_bytes", "lost_at_most"), [(3_000, 5), (60_000, 60)])
def test_real_video_is_read_on_behind_a_damaged_stretch(
    tmp_path: Path, damaged_bytes: int, lost_at_most: int
) -> None:
    content = bytearray(shared("video/vtest_480x360.mp4").read_bytes())
    middle = len(content) // 2
    content[middle : middle + damaged_bytes] = bytes(damaged_bytes)
    path = tmp_path / "damaged.mp4"
    path.write_bytes(content)
    with Video(FileSource(path)) as video:
        frames = [frame.index for frame in video]
    assert frames[-1] == 794
    assert frames == sorted(set(frames))
    assert 0 < video.unreadable <= lost_at_most
    assert len(frames) + video.unreadable == 795


FRAMES = 120


def read_all(path: Path) -> tuple[list[int], int, list[str]]:
    """Places of the frames read, how many could not be, and what was told. Each must be in place.

    A frame's picture shows its number; behind damage a decoder may give torn ones.
    """
    told: list[str] = []
    start = datetime(2026, 11, 24, tzinfo=UTC)
    with Video(FileSource(path), start=start, warn=told.append) as video:
        places = []
        for frame in video:
            assert number_in(frame.image) in (frame.index, None)
            assert frame.captured_epoch_ms - to_epoch_ms(start) == stamp_ms(path, frame.index)
            places.append(frame.index)
        return places, video.unreadable, told


def stamp_ms(path: Path, index: int) -> int:
    return 40 * index + (13 * (index % 3) if "uneven" in path.name else 0)


@pytest.mark.parametrize(
    ("name", "codec"),
    [
        ("plain.mp4", "libx264"),
        ("uneven.mp4", "libx264"),
        ("plain.mkv", "libx264"),
        ("intra only.mkv", "mjpeg"),
        ("plain.ts", "libx264"),
        ("old.avi", "mpeg4"),
        ("intra only.avi", "mjpeg"),
    ],
)
def test_packets_of_zeros_are_counted_and_frames_behind_keep_place_and_time(
    tmp_path: Path, name: str, codec: str
) -> None:
    path = tmp_path / name
    write_numbered_video(
        path, FRAMES, codec=codec, stamp_ms=(lambda n: stamp_ms(path, n)) if "un" in name else None
    )
    assert read_all(path) == (list(range(FRAMES)), 0, [])
    content = bytearray(path.read_bytes())
    for offset, size in packet_places(path)[50:60]:
        content[offset : offset + size] = bytes(size)
    path.write_bytes(content)
    places, unreadable, told = read_all(path)
    assert places == sorted(set(places))
    assert places[:50] == list(range(50))
    assert places[-1] == FRAMES - 1
    assert len(places) + unreadable == FRAMES
    # Matroska and MPEG-TS lose what stands beside the zeros, too
    assert 10 <= unreadable <= 40
    assert len(told) == 1
    assert told[0].startswith(f"{path} is damaged before frame ")


@pytest.mark.parametrize("name", ["index first.mp4", "plain.mkv", "old.avi"])
def test_video_that_breaks_off_is_read_as_far_as_it_goes(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    muxing = {"movflags": "faststart"} if name.endswith("mp4") else {}
    write_numbered_video(path, FRAMES, codec="mpeg4", muxing=muxing)
    offset, _ = packet_places(path)[60]
    path.write_bytes(path.read_bytes()[:offset])
    places, unreadable, told = read_all(path)
    assert places == list(range(60))
    assert unreadable == FRAMES - 60
    assert told == []


def test_sound_that_goes_on_behind_the_last_frame_is_no_damage(tmp_path: Path) -> None:
    path = tmp_path / "v.mkv"
    with av.open(str(path), "w") as file:
        pictures, sound = file.add_stream("mpeg4", rate=25), file.add_stream("pcm_s16le", rate=8000)
        pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
        for _ in range(50):
            file.mux(pictures.encode(av.VideoFrame(64, 64, "yuv420p")))
        file.mux(pictures.encode())
        silence = np.zeros((1, 8000 * 3), np.int16)
        frame = av.AudioFrame.from_ndarray(silence, format="s16", layout="mono")
        frame.sample_rate = 8000
        file.mux(sound.encode(frame))
        file.mux(sound.encode())
    with Video(FileSource(path)) as video:
        assert video.announced_frames == 75
        assert len(list(video)) == 50
        assert video.unreadable == 0


def test_frames_that_an_edit_list_leaves_out_are_no_damage(tmp_path: Path) -> None:
    whole, trimmed = tmp_path / "whole.mp4", tmp_path / "trimmed.mp4"
    write_numbered_video(whole, 60)
    options = {"use_editlist": "1", "avoid_negative_ts": "disabled"}
    with av.open(str(whole)) as source, av.open(str(trimmed), "w", options=options) as target:
        stream = target.add_stream_from_template(source.streams.video[0])
        for packet in source.demux(video=0):
            if packet.size and packet.pts is not None and packet.dts is not None:
                # the first five begin before the start, as where a phone's video was cut
                shift = round(Fraction(5, 25) / packet.time_base)
                packet.pts, packet.dts = packet.pts - shift, packet.dts - shift
                packet.stream = stream
                target.mux(packet)
    with Video(FileSource(trimmed)) as video:
        assert [number_in(frame.image) for frame in video] == list(range(5, 60))
        assert (video.unreadable, video.damage) == (0, "")


def test_sound_without_pictures_is_told(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(bytes(16000))
    with pytest.raises(SourceError, match="holds no pictures, only sound"):
        Video(FileSource(path))
