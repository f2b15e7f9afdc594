"""Files whose frames are evenly spaced, and files whose frames are not, each timed as it should."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from numbered_video import number_in, packet_places, write_numbered_video

from vision import capture, spacing
from vision.sources import FileSource
from vision.spacing import look_at
from vision.timestamps import to_epoch_ms
from vision.video import Video

START = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)
NTSC = Fraction(30000, 1001)

GAPS_MS = np.random.default_rng(7).integers(20, 60, 200)
UNEVEN_MS = [0, *np.cumsum(GAPS_MS).tolist()]


def times_ms(path: Path, **settings: object) -> list[int]:
    """The frames' times since the start; each shows its own number."""
    with Video(FileSource(path), start=START, **settings) as video:
        times = []
        for frame in video:
            assert number_in(frame.image) == frame.index
            times.append(frame.captured_epoch_ms - to_epoch_ms(START))
        assert video.unreadable == 0
        return times


@pytest.mark.parametrize(
    ("name", "rate", "codec", "options"),
    [
        ("plain.mp4", 25, "libx264", {}),
        ("reordered.mp4", 25, "libx264", {"bf": "3"}),
        ("odd rate.mp4", NTSC, "libx264", {"bf": "2"}),
        ("milliseconds.mkv", NTSC, "libx264", {"bf": "3"}),
        ("milliseconds.flv", 30, "libx264", {"bf": "2"}),
        ("from the web.webm", Fraction(24000, 1001), "libvpx", {"deadline": "realtime"}),
        ("broadcast.ts", 25, "libx264", {"bf": "2"}),
        ("stamps of decoding.avi", 25, "mpeg4", {"bf": "2"}),
        ("guessed stamps.mpg", 25, "mpeg2video", {"bf": "2"}),
        ("no stamps.h264", 25, "libx264", {}),
        ("pictures in a row.mjpeg", 25, "mjpeg", {}),
    ],
)
def test_evenly_spaced_file_is_timed_by_its_rate(
    tmp_path: Path, name: str, rate: Fraction | int, codec: str, options: dict[str, str]
) -> None:
    path = write_numbered_video(tmp_path / name, 120, rate=rate, codec=codec, **options)
    exact = [(Fraction(1000 * n) / rate + Fraction(1, 2)).__floor__() for n in range(120)]
    assert times_ms(path) == exact


@pytest.mark.parametrize("name", ["phone.mp4", "recorder.mkv", "broadcast.ts"])
@pytest.mark.parametrize("options", [{}, {"bf": "2"}])
def test_unevenly_spaced_file_is_timed_by_its_stamps(
    tmp_path: Path, name: str, options: dict[str, str]
) -> None:
    path = write_numbered_video(
        tmp_path / name, len(UNEVEN_MS), stamp_ms=UNEVEN_MS.__getitem__, **options
    )
    assert times_ms(path) == UNEVEN_MS
    # who names a rate wants time to go by it
    by_rate = [100 * n for n in range(len(UNEVEN_MS))]
    assert times_ms(path, frame_rate=Fraction(10)) == by_rate
    assert times_ms(path, frame_rate=Fraction(10), clock="pts") == UNEVEN_MS


def test_a_pause_late_in_a_long_file_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(spacing, "PACKETS_AT_THE_BEGINNING", 50)
    monkeypatch.setattr(spacing, "PACKETS_OF_A_SAMPLE", 10)

    def stamp_ms(index: int) -> int:
        # the same rate on average, so that only a look behind the beginning tells
        return 40 * index + (20 if 200 <= index < 380 else 0)

    path = write_numbered_video(tmp_path / "v.mp4", 400, codec="mpeg4", stamp_ms=stamp_ms)
    assert look_at(path, Fraction(25)).is_even is False
    monkeypatch.setattr(spacing, "SAMPLES", 0)
    assert look_at(path, Fraction(25)).is_even is True


def test_frames_in_another_order_than_shown_hide_no_hole_and_make_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 200, bf="3", **{"b-adapt": "0"})
    monkeypatch.setattr(spacing, "PACKETS_OF_A_SAMPLE", 10)
    for packets in range(40, 48):
        monkeypatch.setattr(spacing, "PACKETS_AT_THE_BEGINNING", packets)
        assert look_at(path, Fraction(25)).is_even is True


def test_two_frames_in_the_place_of_one_are_uneven(tmp_path: Path) -> None:
    path = write_numbered_video(
        tmp_path / "v.mkv", 200, stamp_ms=lambda n: 40 * n if n < 100 else 40 * n - 39
    )
    assert look_at(path, Fraction(25)).is_even is False


def test_stamps_that_ffmpeg_has_guessed_are_not_believed(tmp_path: Path) -> None:
    # small frames share a pack of the program stream, which has one stamp for all
    path = write_numbered_video(tmp_path / "v.mpg", 300, codec="mpeg2video", size=(16, 16))
    assert look_at(path, Fraction(25)).is_even is None
    with Video(FileSource(path), start=START) as video:
        times = [frame.captured_epoch_ms - to_epoch_ms(START) for frame in video]
    assert times == [40 * n for n in range(300)]


def test_stretch_that_was_cut_out_is_a_hole(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "v.mkv", 200, codec="mpeg4")
    places = packet_places(path)
    content = path.read_bytes()
    path.write_bytes(content[: places[90][0]] + content[places[110][0] :])
    assert look_at(path, Fraction(25)).is_even is True
    with Video(FileSource(path)) as video:
        frames = [(frame.index, number_in(frame.image)) for frame in video]
    assert frames[-1] == (199, 199)
    # one frame is sewn together of two
    assert sum(number not in (index, None) for index, number in frames) <= 1
    assert len(frames) + video.unreadable == 200


def test_rate_that_the_stamps_contradict_is_not_even(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 60, rate=25)
    assert look_at(path, Fraction(25)).is_even is True
    assert look_at(path, Fraction(50)).is_even is False
    assert look_at(path, Fraction(30)).is_even is False
    assert look_at(path, None).is_even is None


def test_what_is_no_video_tells_nothing(tmp_path: Path) -> None:
    path = tmp_path / "v.mp4"
    path.write_bytes(b"no video" * 100)
    assert look_at(path, Fraction(25)) == spacing.Spacing(None, None)


def test_only_a_bounded_part_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 300, stamp_ms=lambda n: 40 * n + 7 * (n > 100))
    monkeypatch.setattr(spacing, "SAMPLES", 0)
    assert look_at(path, Fraction(25)).is_even is False
    monkeypatch.setattr(spacing, "MOST_BYTES", 1000)
    assert look_at(path, Fraction(25)).is_even is True


def test_limit_keeps_the_first_frame_of_each_slot_and_places_stay(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 60, rate=NTSC)
    with Video(FileSource(path), start=START, fps_limit=10) as video:
        frames = [(frame.index, number_in(frame.image)) for frame in video]
        # ten a second of 29.97: now and then a slot begins just behind the third frame
        assert frames == [(n, n) for n in [*range(0, 60, 3)]]
        assert (video.limited, video.unreadable) == (40, 0)
        assert video.frame_rate == NTSC
    with Video(FileSource(path), start=START, fps_limit=60) as video:
        assert [frame.index for frame in video] == list(range(60))
        assert video.limited == 0


def test_limit_of_uneven_frames_goes_by_their_times(tmp_path: Path) -> None:
    stamps = [0, 30, 60, 210, 390, 401, 1000, 1100, 1199, 1200]
    path = write_numbered_video(tmp_path / "v.mkv", len(stamps), stamp_ms=stamps.__getitem__)
    with Video(FileSource(path), start=START, fps_limit=5) as video:
        kept = [stamps[frame.index] for frame in video]
    # the last but one comes a millisecond too soon, which may be rounding
    assert kept == [0, 210, 401, 1000, 1199]
    assert video.limited == 5


@pytest.mark.parametrize("fps_limit", [None, 10])
def test_going_on_from_a_place_gives_the_frames_that_a_whole_reading_gives(
    tmp_path: Path, fps_limit: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 60, rate=25)
    with Video(FileSource(path), start=START, fps_limit=fps_limit) as video:
        whole = [(frame.index, frame.captured_epoch_ms) for frame in video]
    images = 0

    def counted(opened: object) -> object:
        nonlocal images
        images += 1
        return retrieve(opened)

    retrieve = capture.retrieve
    monkeypatch.setattr(capture, "retrieve", counted)
    with Video(FileSource(path), start=START, fps_limit=fps_limit) as again:
        rest = [(frame.index, frame.captured_epoch_ms) for frame in again.frames(first_index=31)]
        assert rest == [frame for frame in whole if frame[0] >= 31]
        assert again.limited == video.limited
    # the first frame tells the size; all others that nobody sees are not made into images
    assert images == 1 + len(rest)


def test_stop_ends_a_file_before_its_end(tmp_path: Path) -> None:
    path = write_numbered_video(tmp_path / "v.mp4", 60)
    with Video(FileSource(path)) as video:
        frames = iter(video)
        assert next(frames).index == 0
        video.stop()
        assert list(frames) == []
    is_stopping = iter([False, False, False, True])
    with Video(FileSource(path), should_stop=lambda: next(is_stopping)) as video:
        assert [frame.index for frame in video] == [0, 1, 2]
