import itertools
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
from conftest import RunCli, cli_command

from frame_contract import BBox, Detection, Frame, ImageSize, Model, Source, decode, encode
from vision.annotation import AnnotateSettings, annotate
from vision.drawing import UNTRACKED_COLOUR, track_colour
from vision.errors import SettingsError, SourceError, VisionError
from vision.mp4 import Mp4File
from vision.reading import MetadataError
from vision.sources import FileSource
from vision.trails import Trails
from vision.video import Video

WIDTH, HEIGHT, FRAMES, RATE = 320, 240, 40, 10
GREY = 128
START = datetime(2026, 11, 24, 10, 15, 58, tzinfo=UTC)


def line(
    index: int,
    boxes: Sequence[tuple[int | None, tuple[int, int, int, int]]],
    *,
    width: int = WIDTH,
    run_id: str = "run-1",
) -> bytes:
    return encode(
        Frame(
            schema_version="1.0",
            run_id=run_id,
            source=Source(store_id="s", camera_id="c", stream_id="t"),
            frame_index=index,
            capture_ts=START + timedelta(milliseconds=index * 1000 // RATE),
            image_size=ImageSize(width=width, height=HEIGHT),
            detections=tuple(
                Detection(
                    det_id=f"d{number}",
                    class_name="person",
                    bbox=BBox(**dict(zip(("x1", "y1", "x2", "y2"), box, strict=True))),
                    conf=0.9,
                    track_id=track_id,
                )
                for number, (track_id, box) in enumerate(boxes)
            ),
            model=Model(detector="yolo11n", tracker="deepsort"),
        )
    )


def walking(index: int) -> tuple[int, int, int, int]:
    """Track 5 goes down the left side, two pixels a frame."""
    return 40, 60 + 2 * index, 80, 120 + 2 * index


STANDING = (220, 80, 280, 220)


def write_lines(path: Path, indexes: Sequence[int] = range(FRAMES)) -> Path:
    lines = [line(i, [(5, walking(i % FRAMES)), (None, STANDING)]) for i in indexes]
    path.write_bytes(b"".join(one + b"\n" for one in lines))
    return path


@pytest.fixture(scope="module")
def grey_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("grey") / "grey.mp4"
    with Mp4File(path, WIDTH, HEIGHT, Fraction(RATE)) as file:
        for number in range(FRAMES):
            image = np.full((HEIGHT, WIDTH, 3), GREY, dtype=np.uint8)
            file.write(image, number * 1000 // RATE)
        file.finish()
    return path


@pytest.fixture
def settings(grey_video: Path, tmp_path: Path) -> AnnotateSettings:
    jsonl = write_lines(tmp_path / "video.jsonl")
    return AnnotateSettings(
        input=str(grey_video), jsonl=str(jsonl), output=str(tmp_path / "out" / "drawn.mp4")
    )


def changed(settings: AnnotateSettings, **values: object) -> AnnotateSettings:
    return AnnotateSettings(**{**vars(settings), **values})


def images(path: str | Path) -> list[np.ndarray]:
    with Video(FileSource(Path(path))) as video:
        return [frame.image for frame in video]


def is_near(pixel: np.ndarray, colour: tuple[int, ...], far: int = 45) -> bool:
    return bool(np.abs(pixel.astype(int) - colour).max() <= far)


def test_every_line_is_drawn_and_the_file_plays_in_browsers(settings: AnnotateSettings) -> None:
    assert annotate(settings) == FRAMES
    with av.open(settings.output) as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert stream.codec_context.pix_fmt == "yuv420p"
        assert (stream.width, stream.height) == (WIDTH, HEIGHT)
        times = [round(1000 * float(frame.time)) for frame in container.decode(video=0)]
    assert times == list(range(0, 4000, 100))
    beginning = Path(settings.output).read_bytes()[:4096]
    assert b"moov" in beginning, "the index must be at the front, for browsers to begin at once"
    assert [path.name for path in Path(settings.output).parent.iterdir()] == ["drawn.mp4"]


def test_boxes_have_their_tracks_colour_and_grey_without_one(settings: AnnotateSettings) -> None:
    annotate(settings)
    drawn = images(settings.output)
    for index in (0, 20, 39):
        x1, y1, x2, y2 = walking(index)
        middle = (y1 + y2) // 2
        for x in (x1, x2 - 1):
            assert is_near(drawn[index][middle, x], track_colour(5))
        assert is_near(drawn[index][150, 220], UNTRACKED_COLOUR, 15)
        assert is_near(drawn[index][middle, 50], (GREY,) * 3, 6), "inside it stays as it is"
        assert is_near(drawn[index][200, 150], (GREY,) * 3, 6)


def test_trail_is_where_the_feet_were_and_fades(settings: AnnotateSettings) -> None:
    annotate(changed(settings, trail_seconds=2.0))
    last = images(settings.output)[39]
    # the feet of frame i were at (60, 120 + 2 i); the box of frame 39 ends at 198
    fresh, older = (np.abs(last[120 + 2 * i, 57:64].astype(int) - GREY).max() for i in (36, 25))
    assert fresh > older > 20
    assert is_near(last[120 + 2 * 12, 60], (GREY,) * 3, 12), "2.7 s ago"
    annotate(changed(settings, trail_seconds=0.0))
    without = images(settings.output)[39]
    assert is_near(without[120 + 2 * 36, 60], (GREY,) * 3, 6)


def test_a_stretch_is_drawn_with_what_was_before_it(settings: AnnotateSettings) -> None:
    assert annotate(changed(settings, from_seconds=1.0, to_seconds=2.5)) == 15
    drawn = images(settings.output)
    assert len(drawn) == 15
    x1, y1, _, y2 = walking(10)
    assert is_near(drawn[0][(y1 + y2) // 2, x1], track_colour(5))
    assert not is_near(drawn[0][120 + 2 * 8, 60], (GREY,) * 3, 12), "the trail begins before"


def test_scaled_picture_has_scaled_boxes_and_even_sides(settings: AnnotateSettings) -> None:
    annotate(changed(settings, scale=1.503))
    drawn = images(settings.output)[20]
    height, width = drawn.shape[:2]
    assert (width, height) == (480, 360)
    x1, y1, _, y2 = walking(20)
    assert is_near(
        drawn[round((y1 + y2) / 2 * height / HEIGHT), round(x1 * width / WIDTH) + 1],
        track_colour(5),
    )


def test_trail_is_scaled_with_the_picture(settings: AnnotateSettings) -> None:
    annotate(changed(settings, scale=2.0))
    last = images(settings.output)[39]
    assert np.abs(last[2 * (120 + 2 * 34), 116:125].astype(int) - GREY).max() > 20


def test_trails_forget_what_is_too_old() -> None:
    trails = Trails(2.0)
    for number in range(5):
        boxes = [(5, (10, 20, 30, 40 + number))] if number < 2 else []
        trails.add(decode(line(number, boxes)), float(number))
        known = [(track_id, points) for track_id, points, _ in trails.at(float(number))]
        assert (
            known
            == {
                0: [(5, [(20.0, 40.0)])],
                1: [(5, [(20.0, 40.0), (20.0, 41.0)])],
                2: [(5, [(20.0, 40.0), (20.0, 41.0)])],
                3: [(5, [(20.0, 41.0)])],
                4: [],
            }[number]
        )


def test_frames_without_a_line_are_left_out_and_time_stays_right(
    settings: AnnotateSettings,
) -> None:
    write_lines(Path(settings.jsonl), range(0, FRAMES, 5))
    assert annotate(settings) == 8
    with av.open(settings.output) as container:
        times = [round(1000 * float(frame.time)) for frame in container.decode(video=0)]
    assert times == list(range(0, 4000, 500))


def test_lines_of_another_video_are_refused_and_nothing_is_written(
    settings: AnnotateSettings,
) -> None:
    output = Path(settings.output)
    jsonl = Path(settings.jsonl)
    write_lines(jsonl, range(FRAMES + 2))
    with pytest.raises(SourceError, match=r"ends before frame 40, but .* goes on to frame 41"):
        annotate(settings)
    assert list(output.parent.iterdir()) == []
    jsonl.write_bytes(line(0, [], width=321) + b"\n")
    with pytest.raises(SourceError, match=r"is 320x240, but .* 321x240"):
        annotate(settings)
    assert list(output.parent.iterdir()) == []


def test_one_of_several_runs_is_chosen(settings: AnnotateSettings) -> None:
    jsonl = Path(settings.jsonl)
    first = [line(i, [(5, walking(i))]) for i in range(3)]
    both = [*first, *(line(i, [(None, STANDING)], run_id="run-2") for i in range(3))]
    jsonl.write_bytes(b"\n".join(both) + b"\n")
    with pytest.raises(MetadataError, match="2 runs: choose one by --run-id: run-1, run-2"):
        annotate(settings)
    assert annotate(changed(settings, run_id="run-2")) == 3
    drawn = images(settings.output)[1]
    assert is_near(drawn[150, 220], UNTRACKED_COLOUR, 15)
    assert is_near(drawn[90, 40], (GREY,) * 3, 6)
    with pytest.raises(MetadataError, match="has no run run-3, but run-1, run-2"):
        annotate(changed(settings, run_id="run-3"))


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"{}\n", "line 1: message_missing_field"),
        (line(0, []) + b"\n" + line(1, [])[:40], "line 2: message_not_json"),
        (line(1, []) + b"\n" + line(1, []) + b"\n", "line 2: frame 1 comes after frame 1"),
        (line(0, []) + b"\n" + line(1, [], width=9) + b"\n", "line 2: frame 1 is 9x240"),
    ],
)
def test_lines_that_are_none_are_told(
    content: bytes, said: str, settings: AnnotateSettings
) -> None:
    Path(settings.jsonl).write_bytes(content)
    with pytest.raises(MetadataError) as told:
        annotate(settings)
    assert said in str(told.value)
    assert "\n" not in str(told.value)


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"from_seconds": -1.0}, "--from must be 0 or more"),
        ({"from_seconds": 2.0, "to_seconds": 2.0}, "--to must be more than --from"),
        ({"from_seconds": 60.0}, "--from 60 is behind the last line"),
        ({"from_seconds": 0.05, "to_seconds": 0.06}, "no frame lies between"),
        ({"trail_seconds": float("nan")}, "--trail-seconds"),
        ({"scale": 0.0}, "--scale must be from 0.1 to 8"),
        ({"output": "drawn.avi"}, r"must end in \.mp4"),
        ({"input": "0"}, "must be a video file or a folder"),
    ],
)
def test_settings_that_cannot_be_are_told(
    values: dict[str, object], said: str, settings: AnnotateSettings
) -> None:
    with pytest.raises(SettingsError, match=said):
        annotate(changed(settings, **values))


def test_video_is_not_drawn_over_itself(settings: AnnotateSettings, tmp_path: Path) -> None:
    video = tmp_path / "own.mp4"
    shutil.copy(settings.input, video)
    with pytest.raises(SettingsError, match="would overwrite"):
        annotate(changed(settings, input=str(video), output=str(tmp_path / "x" / ".." / "own.mp4")))
    with pytest.raises(SettingsError, match="would be one of the videos"):
        annotate(changed(settings, input=str(tmp_path), output=str(tmp_path / "drawn.mp4")))


def test_lines_of_a_folder_are_drawn_over_its_videos(
    settings: AnnotateSettings, grey_video: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.mp4", "b.mp4"):
        shutil.copy(grey_video, folder / name)
    write_lines(Path(settings.jsonl), range(2 * FRAMES))
    assert annotate(changed(settings, input=str(folder))) == 2 * FRAMES


def test_lines_of_a_folder_of_pictures_are_drawn_over_them(
    run_cli: RunCli, tmp_path: Path, sample_video: Path
) -> None:
    folder = tmp_path / "pictures"
    folder.mkdir()
    with Video(FileSource(sample_video)) as video:
        for frame in itertools.islice(video, 6):
            cv2.imwrite(str(folder / f"{frame.index}.png"), frame.image)
    given = ("--input", folder, "--detector", "hog", "--image-size", "480", "--frame-rate", "5")
    read = run_cli(*given, "--output", "video.jsonl")
    assert read.returncode == 0, read.stderr
    given = ("--input", folder, "--jsonl", "video.jsonl", "--output", "drawn.mp4")
    drawn = run_cli("annotate", *given)
    assert drawn.returncode == 0, drawn.stderr
    with av.open(str(tmp_path / "drawn.mp4")) as container:
        times = [round(1000 * float(frame.time)) for frame in container.decode(video=0)]
    assert times == [0, 200, 400, 600, 800, 1000]
    below_the_banner = slice(60, None)
    for number, image in enumerate(images(tmp_path / "drawn.mp4")):
        picture = cv2.imread(str(folder / f"{number}.png"))
        difference = np.abs(image.astype(int) - picture)[below_the_banner]
        assert np.median(difference) < 6, "the picture itself, but for what is drawn"


def test_output_that_cannot_be_written_is_told(settings: AnnotateSettings, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(VisionError, match="cannot write"):
        annotate(changed(settings, output=str(tmp_path / "file" / "drawn.mp4")))


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted_drawing_leaves_the_earlier_file(
    number: int, code: int, settings: AnnotateSettings, tmp_path: Path
) -> None:
    output = tmp_path / "drawn.mp4"
    output.write_bytes(b"earlier")
    partial = tmp_path / "drawn.mp4.partial"
    command = cli_command(
        *("annotate", "--input", settings.input, "--jsonl", settings.jsonl),
        # some seconds of work
        *("--output", output, "--scale", "8"),
    )
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not partial.exists() and process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.02)
        os.kill(process.pid, number)
        _, err = process.communicate(timeout=60)
    assert process.returncode == code, err
    assert err == "error: interrupted\n"
    assert output.read_bytes() == b"earlier"
    assert not partial.exists()


def test_command_says_what_it_has_drawn(
    settings: AnnotateSettings, run_cli: RunCli, tmp_path: Path
) -> None:
    given = ("--input", settings.input, "--jsonl", settings.jsonl)
    done = run_cli("annotate", *given, "--output", "drawn.mp4", "--from", "1")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "30 frames drawn\ndrawn.mp4\n"
    assert (tmp_path / "drawn.mp4").is_file()
    failed = run_cli("annotate", *given, "--output", "drawn.mp4", "--run-id", "none")
    assert failed.returncode == 2
    assert failed.stderr == f"error: {settings.jsonl} has no run none, but run-1\n"
