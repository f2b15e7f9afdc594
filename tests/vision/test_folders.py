"""Folders of videos and of pictures, read as one video."""

from datetime import UTC, datetime
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from numbered_video import number_in, numbered_image, write_numbered_video

from vision.errors import NoFrameRateError, SourceChangedError, SourceError
from vision.folder import check_folder
from vision.sources import FolderSource, check_reachable, parse_source
from vision.timestamps import to_epoch_ms
from vision.video import Video

START = datetime(2026, 11, 24, 10, 15, tzinfo=UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    path = tmp_path / "videos"
    path.mkdir()
    return path


def seen(video: Video) -> list[tuple[int, int | None, int]]:
    """Each frame's place, the number that it shows, and its time since the start."""
    return [
        (frame.index, number_in(frame.image), frame.captured_epoch_ms - to_epoch_ms(START))
        for frame in video
    ]


def test_files_are_read_in_the_order_in_which_people_count(folder: Path) -> None:
    names = ["cam 10.MP4", "cam 2.mp4", "Cam 1.mkv", "cam 1b.mkv", "b.avi", "A.avi"]
    for name in [*names, ".hidden.mp4", "cam.json", "readme"]:
        (folder / name).touch()
    (folder / "deeper.mp4").mkdir()
    content = check_folder(folder)
    ordered = ["A.avi", "b.avi", "Cam 1.mkv", "cam 1b.mkv", "cam 2.mp4", "cam 10.MP4"]
    assert [path.name for path in content.files] == ordered
    assert not content.are_pictures
    assert {path.name for path in content.passed_over} == {"cam.json", "readme"}
    assert parse_source(str(folder)) == FolderSource(folder)


def test_videos_follow_one_another_in_place_and_time(folder: Path) -> None:
    stamps = [0, 50, 60, 200]
    write_numbered_video(folder / "1.mp4", 11, rate=Fraction(30000, 1001))
    write_numbered_video(folder / "2.mkv", 4, rate=25, stamp_ms=stamps.__getitem__, first_number=11)
    write_numbered_video(folder / "10.mp4", 5, rate=10, codec="mpeg4", first_number=15)
    with Video(FolderSource(folder), start=START) as video:
        frames = seen(video)
        assert (video.unreadable, video.unreadable_files) == (0, 0)
    second = Fraction(11 * 1001, 30)
    # the last frame of an uneven file lasts as long as its rate says
    third = second + 200 + 40
    exact = [Fraction(1001 * n, 30) for n in range(11)]
    exact += [second + stamp for stamp in stamps]
    exact += [third + 100 * n for n in range(5)]
    assert frames == [(n, n, (at + Fraction(1, 2)).__floor__()) for n, at in enumerate(exact)]


def test_file_that_cannot_be_read_is_told_and_left_out(folder: Path) -> None:
    write_numbered_video(folder / "2.mp4", 5, rate=10)
    write_numbered_video(folder / "4.mp4", 5, rate=10, first_number=5)
    (folder / "1.mp4").write_bytes(b"")
    (folder / "3.mp4").write_bytes((folder / "2.mp4").read_bytes()[:500])
    (folder / "5.mp4").write_bytes(b"no video")
    told: list[str] = []
    with Video(FolderSource(folder), start=START, warn=told.append) as video:
        assert seen(video) == [(n, n, 100 * n) for n in range(10)]
    assert video.unreadable_files == 3
    assert [text.split(" cannot")[0] for text in told] == [
        str(folder / "1.mp4"),
        str(folder / "3.mp4"),
        str(folder / "5.mp4"),
    ]


def test_files_that_are_passed_over_are_counted(folder: Path) -> None:
    write_numbered_video(folder / "1.mp4", 2)
    for name in ("2.mp4_", "3.json", "4.json", ".hidden"):
        (folder / name).touch()
    told: list[str] = []
    with Video(FolderSource(folder), warn=told.append) as video:
        assert len(list(video)) == 2
    assert told == [f"passed over in {folder}: 3, no videos by their names (.json, .mp4_)"]


def test_frames_that_a_file_lacks_keep_their_places_and_times(folder: Path) -> None:
    whole = write_numbered_video(folder / "1.mp4", 20, rate=10, muxing={"movflags": "faststart"})
    write_numbered_video(folder / "2.mp4", 5, rate=10, first_number=20)
    whole.write_bytes(whole.read_bytes()[:-400])
    with Video(FolderSource(folder), start=START) as video:
        frames = seen(video)
    assert video.unreadable == 25 - len(frames) > 0
    assert all((n, at) == (index, 100 * index) for index, n, at in frames)
    assert frames[-1][0] == 24


def test_folder_without_a_readable_video_is_refused(folder: Path) -> None:
    (folder / "1.mp4").write_bytes(b"no video")
    (folder / "2.mp4").write_bytes(b"nor this")
    with pytest.raises(
        SourceError, match=r"no video in .* \(2 tried\): copy them again.*; the first: .*1\.mp4 "
    ):
        Video(FolderSource(folder))


def test_frames_of_another_size_end_it_and_what_was_read_is_kept(folder: Path) -> None:
    write_numbered_video(folder / "1.mp4", 5)
    write_numbered_video(folder / "2.mp4", 5, size=(96, 96))
    with Video(FolderSource(folder)) as video:
        frames = [frame.index for _, frame in zip(range(5), video, strict=False)]
        with pytest.raises(SourceChangedError) as error:
            next(iter(video))
    assert frames == [0, 1, 2, 3, 4]
    assert str(error.value).startswith(f"{folder / '2.mp4'} has frames of 96x96, ")
    assert "frame 5 are 192x96" in str(error.value)


def test_pictures_are_timed_by_the_rate_that_is_given(folder: Path) -> None:
    for number in range(12):
        cv2.imwrite(str(folder / f"shot{number}.png"), numbered_image(number))
    told: list[str] = []
    (folder / "shot3.png").write_bytes(b"\x89PNG cut off")
    with Video(
        FolderSource(folder), frame_rate=Fraction(3), start=START, warn=told.append
    ) as video:
        frames = seen(video)
        assert (video.announced_frames, video.frame_rate) == (12, 3)
    assert frames == [(n, n, (1000 * n * 2 + 3) // 6) for n in range(12) if n != 3]
    assert (video.unreadable, video.unreadable_files) == (1, 0)
    assert told == [f"{folder / 'shot3.png'} cannot be read as a picture; going on without it"]
    with Video(FolderSource(folder), frame_rate=Fraction(3), fps_limit=1) as limited:
        assert [frame.index for frame in limited] == [0, 6, 9]


def test_pictures_without_a_rate_are_refused(folder: Path) -> None:
    cv2.imwrite(str(folder / "1.png"), numbered_image(1))
    with pytest.raises(NoFrameRateError, match="--frame-rate"):
        Video(FolderSource(folder))


def test_videos_without_a_rate_are_refused_as_one_would_be(folder: Path) -> None:
    # so uneven that FFmpeg finds no rate
    stamps = np.cumsum(np.random.default_rng(7).integers(20, 60, 40)).tolist()
    for number in range(2):
        write_numbered_video(folder / f"{number}.ts", 40, stamp_ms=stamps.__getitem__)
    with pytest.raises(NoFrameRateError, match=r"0\.ts does not say .* --clock pts"):
        Video(FolderSource(folder), clock="rate")
    with Video(FolderSource(folder)) as video:
        assert len(list(video)) == 80


def test_folder_in_which_no_picture_can_be_read_is_refused(folder: Path) -> None:
    (folder / "1.png").write_bytes(b"none")
    with pytest.raises(SourceError, match="no frame that can be read"):
        Video(FolderSource(folder), frame_rate=Fraction(1))


@pytest.mark.parametrize(
    ("names", "told"),
    [
        ([], "without a video or a picture"),
        (["notes.txt", ".DS_Store", ".1.mp4"], "without a video or a picture"),
        (["1.mp4", "1.jpg", "2.jpg"], r"with videos \(1\) and pictures \(2\)"),
    ],
)
def test_folder_that_is_no_video_is_refused_early(
    folder: Path, names: list[str], told: str
) -> None:
    for name in names:
        (folder / name).touch()
    with pytest.raises(SourceError, match=told):
        check_reachable(FolderSource(folder))
