import json
import shutil
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import RunCli, shared
from mot_sequences import HEIGHT, WIDTH, walkers, write_images, write_mot_folder

from frame_contract import BBox, Detection, Frame, ImageSize, Model, Source, encode
from vision.boxes import Image, PixelBox, RawDetection, SeenObject
from vision.cli import main
from vision.errors import SettingsError
from vision.evaluation import evaluate as evaluation
from vision.evaluation.library_defaults import LIBRARY_TRACKERS, make_library_tracker
from vision.evaluation.truth import Frames
from vision.settings import ExtractSettings

FRAMES = 30
PEOPLE = walkers(FRAMES)


@dataclass
class TrueDetector:
    """Finds the people of the truth, scaled to its frames; the frame's brightness is its number."""

    people: Frames
    height_width: tuple[int, int]
    seen: list[int] = field(default_factory=list)
    name = "seer"
    backend = "crystal"
    concurrency = 1

    def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
        return [self._in_one(image) for image in images]

    def _in_one(self, image: Image) -> list[RawDetection]:
        assert image.shape[:2] == self.height_width
        index = int(image[0, 0, 0]) // 8 - 1
        self.seen.append(index)
        x, y = image.shape[1] / WIDTH, image.shape[0] / HEIGHT
        found = [
            RawDetection("person", 0.9, (x1 * x, y1 * y, x2 * x, y2 * y))
            for one in self.people[index]
            for x1, y1, x2, y2 in [one.bbox_xyxy_px]
        ]
        return [*found, RawDetection("dog", 0.8, (5, 5, 20, 20))]


class OrderTracker:
    """The first person is 1, and so on: right as long as all are seen in their order."""

    name = "deepsort"

    def __init__(self, settings: ExtractSettings) -> None:
        self.settings = settings
        self.times_ms: list[int] = []
        self.people: list[int] = []
        self._frames = 0

    def update(
        self, image: Image, objects: Sequence[SeenObject], captured_epoch_ms: int
    ) -> list[int | None]:
        self.times_ms.append(captured_epoch_ms)
        self.people.append(len(objects))
        assert image.ndim == 3
        self._frames += 1
        assert all(one.class_name == "person" for one in objects)
        if self.settings.tracker == "bytetrack":
            # loses its first person once, and gives a new id from then on
            return [None if self._frames == 15 else 99 if self._frames > 15 else 1, 2, 3]
        return [number for number, _ in enumerate(objects, start=1)]


@dataclass
class Seen:
    detectors: list[TrueDetector] = field(default_factory=list)
    trackers: list[OrderTracker] = field(default_factory=list)


@pytest.fixture
def seen(monkeypatch: pytest.MonkeyPatch) -> Seen:
    """Detector and trackers that know the truth take the places of the real ones."""
    seen = Seen()

    def make_detector(
        settings: ExtractSettings, frame_size: tuple[int, int], warn: Callable[[str], None]
    ) -> TrueDetector:
        seen.detectors.append(TrueDetector(PEOPLE, frame_size))
        return seen.detectors[-1]

    def make_tracker(settings: ExtractSettings) -> OrderTracker:
        seen.trackers.append(OrderTracker(settings))
        return seen.trackers[-1]

    monkeypatch.setattr(evaluation, "make_detector", make_detector)
    monkeypatch.setattr(evaluation, "make_tracker", make_tracker)
    return seen


@pytest.fixture
def sequence(tmp_path: Path) -> Path:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    write_images(folder, FRAMES)
    return folder


def rows(out: str) -> list[dict]:
    return json.loads(out)["rows"]


def test_each_tracker_has_a_row_and_the_frames_are_detected_once(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--sequence", str(sequence), "--tracker", "deepsort,bytetrack", "--format", "json"]
    assert main(["evaluate", *given]) == 0
    alone, right, wrong = rows(capsys.readouterr().out)
    assert [seen.detectors[0].seen, len(seen.detectors)] == [list(range(FRAMES)), 1]
    times_ms = list(range(0, 100 * FRAMES, 100))
    assert [tracker.times_ms for tracker in seen.trackers] == [times_ms, times_ms]
    assert (alone["sequence"], alone["detector"]) == ("WALK", "seer (crystal)")
    assert (alone["tracker"], alone["recall"], alone["hota"]) == ("(detections)", 1, None)
    assert right["tracker"] == "deepsort/histogram"
    assert (right["hota"], right["mota"], right["switches"], right["frames"]) == (1, 1, 0, FRAMES)
    assert right["minutes"] == [{"counted": 3, "true": 3}]
    assert right["detector_ms"] > 0
    assert right["tracker_ms"] > 0
    assert (wrong["tracker"], wrong["switches"]) == ("bytetrack", 1)
    assert wrong["recall"] == pytest.approx(89 / 90)
    assert wrong["minutes"] == [{"counted": 4, "true": 3}]
    assert wrong["people_count_error_per_minute"] == pytest.approx(1 / 3)


def test_truth_is_scaled_to_pictures_of_another_size(
    seen: Seen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    write_images(folder, FRAMES, width=WIDTH // 2, height=HEIGHT // 4)
    assert main(["evaluate", "--sequence", str(folder), "--format", "json"]) == 0
    assert seen.detectors[0].height_width == (HEIGHT // 4, WIDTH // 2)
    _, right = rows(capsys.readouterr().out)
    assert right["recall"] == 1


def test_table_has_a_row_for_each_and_rows_over_all(
    seen: Seen, sequence: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    other = shutil.copytree(sequence, tmp_path / "STROLL")
    (other / "seqinfo.ini").write_text(
        (other / "seqinfo.ini").read_text().replace("WALK", "STROLL")
    )
    given = ["--sequence", str(sequence), "--sequence", str(other)]
    trackers = ["--tracker", "deepsort,bytetrack", "--embedder", "histogram,none"]
    assert main(["evaluate", *given, *trackers]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[: lines.index("")]
    names = [(row.split()[0], row[table[0].index("tracker") :].split()[0]) for row in table[2:]]
    of_each = ["(detections)", "deepsort/histogram", "deepsort/none", "bytetrack"]
    assert names == [(place, one) for place in ("WALK", "STROLL", "all") for one in of_each]
    assert len(seen.detectors) == 1, "frames of one size need one detector"
    # numbers stand right under their headings
    for heading in ("HOTA", "switches", "tracker ms"):
        end = table[0].index(heading) + len(heading)
        assert all(row[end - 1] != " " and row[end : end + 1] in ("", " ") for row in table[2:])
    switches = table[0].index("switches")
    counts = [row[switches : switches + 8].strip() for row in table[2:]]
    assert counts == ["-", "0", "0", "1", "-", "0", "0", "1", "-", "0", "0", "2"]


def test_markdown_has_as_many_cells_in_each_row(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--sequence", str(sequence), "--format", "markdown"]) == 0
    lines = capsys.readouterr().out.splitlines()
    table = lines[: lines.index("")]
    assert [row.count("|") for row in table] == [17] * 4
    assert table[1].startswith("| --- | --- | --- | ---: |")
    assert "| deepsort/histogram | 30 | 100.0 | 100.0 |" in table[3]


def test_first_frames_alone_can_be_scored(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--sequence", str(sequence), "--format", "json"]
    assert main(["evaluate", *given, "--max-frames", "12"]) == 0
    assert seen.detectors[0].seen == list(range(12))
    assert [row["frames"] for row in rows(capsys.readouterr().out)] == [12, 12]


@pytest.mark.parametrize("length", [20, 40])
def test_pictures_of_another_length_are_refused(
    length: int, seen: Seen, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    write_images(folder, length)
    assert main(["evaluate", "--sequence", str(folder)]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert f"img1 has {length} frames, the ground truth of WALK has 30" in err
    assert not seen.detectors


def test_pictures_with_a_gap_are_refused(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (sequence / "img1" / "000007.png").unlink()
    assert main(["evaluate", "--sequence", str(sequence)]) == 2
    assert "should have image 000007 where it has 000008.png" in capsys.readouterr().err


def test_sequence_needs_pictures(
    seen: Seen, sequence: Path, sample_video: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.rmtree(sequence / "img1")
    assert main(["evaluate", "--sequence", str(sequence)]) == 2
    assert "has neither img1/ nor a video: say" in capsys.readouterr().err
    # 200 frames where the truth has 30
    assert main(["evaluate", "--sequence", f"{sequence}={sample_video}"]) == 2
    assert "sample.mp4 has 200 frames, the ground truth of WALK has 30" in capsys.readouterr().err
    shutil.copy(sample_video, sequence / "a.mp4")
    assert main(["evaluate", "--sequence", str(sequence)]) == 2
    assert "a.mp4 has 200 frames" in capsys.readouterr().err
    shutil.copy(sample_video, sequence / "b.mp4")
    assert main(["evaluate", "--sequence", str(sequence)]) == 2
    assert "has several videos (a.mp4, b.mp4): say" in capsys.readouterr().err
    assert main(["evaluate", "--sequence", f"{sequence}={sequence}/none.mp4"]) == 2
    assert "none.mp4" in capsys.readouterr().err
    assert not seen.detectors


def write_lines(path: Path, indexes: Sequence[int], scale: float = 1.0) -> Path:
    """Lines of a run that has found all but the first person's second half."""
    lines = [
        encode(
            Frame(
                schema_version="1.0",
                run_id="run-1",
                source=Source(store_id="s", camera_id="c", stream_id="t"),
                frame_index=index,
                capture_ts=datetime.fromtimestamp(index, UTC),
                image_size=ImageSize(width=int(WIDTH * scale), height=int(HEIGHT * scale)),
                detections=tuple(
                    Detection(
                        det_id=str(one.identity),
                        class_name="person",
                        bbox=BBox(
                            **dict(
                                zip(
                                    ("x1", "y1", "x2", "y2"),
                                    (scale * v for v in one.bbox_xyxy_px),
                                    strict=True,
                                )
                            )
                        ),
                        conf=0.9,
                        track_id=None if one.identity == 1 and index >= 15 else one.identity,
                    )
                    for one in PEOPLE[index % FRAMES]
                ),
                model=Model(detector="yolo11n", tracker="deepsort"),
            )
        )
        for index in indexes
    ]
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    return path


@pytest.mark.parametrize("scale", [1.0, 0.5])
def test_lines_written_earlier_are_scored_without_pictures(
    scale: float, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    lines = write_lines(tmp_path / "video.jsonl", range(FRAMES), scale)
    given = ["--sequence", str(folder), "--jsonl", str(lines), "--format", "json"]
    assert main(["evaluate", *given]) == 0
    alone, tracked = rows(capsys.readouterr().out)
    assert (alone["tracker"], alone["recall"]) == ("(detections)", 1)
    assert (tracked["detector"], tracked["tracker"]) == ("yolo11n", "deepsort")
    assert tracked["recall"] == pytest.approx(75 / 90)
    assert tracked["detector_ms"] is None


def test_lines_that_do_not_match_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    lines = tmp_path / "video.jsonl"
    given = ["evaluate", "--sequence", str(folder), "--jsonl", str(lines)]
    for count in (29, 31):
        write_lines(lines, range(count))
        assert main(given) == 2
        assert f"video.jsonl has {count} frames, the ground truth" in capsys.readouterr().err
        assert main([*given, "--max-frames", "20"]) == 0
        assert capsys.readouterr().err == ""
    write_lines(lines, [0, *range(5, FRAMES)])
    assert main(given) == 0
    assert "4 of 30 frames have no line" in capsys.readouterr().err
    assert main([*given, "--sequence", str(folder)]) == 2
    assert "2 --sequence and 1 --jsonl" in capsys.readouterr().err


@pytest.mark.parametrize(
    "given",
    [
        ["--tracker", "bytetrack"],
        ["--detector", "hog"],
        ["--library-defaults"],
        ["--threads", "2"],
        ["--fps-limit", "5"],
        ["--confirm-after-frames", "3"],
    ],
)
def test_option_that_lines_cannot_follow_is_named_as_it_is_written(
    given: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", "--sequence", str(tmp_path), "--jsonl", "x.jsonl", *given]) == 2
    assert capsys.readouterr().err.endswith(f"written earlier: leave out {given[0]}\n")


def test_frame_limit_leaves_frames_out_and_they_are_not_scored(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # 10 frames a second
    given = ["--sequence", str(sequence), "--fps-limit", "4", "--format", "json"]
    assert main(["evaluate", *given]) == 0
    alone, tracked = rows(capsys.readouterr().out)
    kept = [0, 3, 5, 8, 10, 13, 15, 18, 20, 23, 25, 28]
    assert seen.detectors[0].seen == kept
    assert seen.trackers[0].times_ms == [100 * place for place in kept]
    assert (alone["frames"], tracked["frames"]) == (12, 12)
    assert (tracked["recall"], tracked["hota"]) == (1, 1)
    given = ["--sequence", str(sequence), "--fps-limit", "4"]
    assert main(["evaluate", *given]) == 0
    header, _, *table = capsys.readouterr().out.splitlines()[:4]
    end = header.index("frames") + len("frames")
    assert [row[:end].split()[-1] for row in table] == ["12", "12"]


def test_lines_of_a_frame_limit_are_scored_where_there_are_some(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = write_mot_folder(tmp_path / "WALK", PEOPLE)
    # the last frames are left out as well
    lines = write_lines(tmp_path / "video.jsonl", range(0, FRAMES, 3))
    given = ["--sequence", str(folder), "--jsonl", str(lines), "--format", "json"]
    assert main(["evaluate", *given]) == 0
    out, err = capsys.readouterr()
    alone, tracked = rows(out)
    assert (alone["frames"], alone["recall"]) == (10, 1)
    assert (tracked["frames"], tracked["recall"]) == (10, pytest.approx(25 / 30))
    assert "20 of 30 frames have no line" in err
    # the limit does not explain the lack of so many at the end
    write_lines(lines, range(0, FRAMES - 5, 3))
    assert main(["evaluate", *given]) == 2
    assert "video.jsonl has 25 frames" in capsys.readouterr().err


def test_still_frames_are_not_detected_again(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for number in range(4, 8):
        shutil.copy(sequence / "img1" / "000003.png", sequence / "img1" / f"{number:06d}.png")
    given = ["evaluate", "--sequence", str(sequence), "--format", "json"]
    assert main(given) == 0
    assert seen.detectors[0].seen == [0, 1, 2, *range(7, FRAMES)]
    alone, tracked = rows(capsys.readouterr().out)
    assert (alone["frames"], tracked["frames"]) == (FRAMES, FRAMES)
    assert len(seen.trackers[0].times_ms) == FRAMES
    assert main([*given, "--still-threshold", "0"]) == 0
    assert len(seen.detectors[1].seen) == FRAMES


def test_detector_is_handed_as_many_frames_at_once_as_extraction_would(
    seen: Seen, sequence: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at_once: list[int] = []
    detect = TrueDetector.detect

    def counted(self: TrueDetector, images: Sequence[Image]) -> list[list[RawDetection]]:
        at_once.append(len(images))
        return detect(self, images)

    monkeypatch.setattr(TrueDetector, "detect", counted)
    given = ["--sequence", str(sequence), "--batch", "8", "--format", "json"]
    assert main(["evaluate", *given]) == 0
    assert at_once == [8, 8, 8, 6]
    assert rows(capsys.readouterr().out)[1]["hota"] == 1


def test_who_stands_in_a_mask_is_neither_right_nor_wrong(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    # the first of three people
    mask = "[[[0,0],[0.25,0],[0.25,1],[0,1]]]"
    given = ["--sequence", str(sequence), "--mask", mask, "--format", "json"]
    assert main(["evaluate", *given]) == 0
    alone, tracked = rows(capsys.readouterr().out)
    assert (alone["recall"], alone["precision"]) == (1, 1)
    assert tracked["minutes"] == [{"counted": 2, "true": 2}]
    assert set(seen.trackers[0].people) == {2}


def test_tracks_are_confirmed_after_as_many_frames_as_is_said(
    seen: Seen, sequence: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["evaluate", "--sequence", str(sequence)]
    assert main([*given, "--confirm-after-frames", "5"]) == 0
    assert seen.trackers[0].settings.tracking.confirm_after_frames == 5
    assert main([*given, "--confirm-after-frames", "0"]) == 2
    assert "--confirm-after-frames: must be a whole number from 1 on" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (["--sequence", "nowhere"], "there is no folder nowhere"),
        (["--sequence", "."], "cannot read seqinfo.ini"),
        (["--sequence", ".", "--tracker", "deepsort,sort"], "--tracker must be deepsort or"),
        (["--sequence", ".", "--detector", ","], "--detector names nothing"),
        (["--sequence", ".", "--max-frames", "0"], "--max-frames must be 1 or more"),
        (["--sequence", "x.mp4"], "cannot read x.truth.json"),
        ([], "the following arguments are required: --sequence"),
    ],
)
def test_what_cannot_be_evaluated_is_told_in_one_line(
    given: list[str],
    said: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["evaluate", *given]) == 2
    out, err = capsys.readouterr()
    assert (out, len(err.splitlines())) == ("", 1)
    assert said in err


def test_rows_measured_before_an_interruption_are_shown(
    seen: Seen, sequence: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = ["--sequence", str(sequence), "--sequence", str(sequence)]
    detect = TrueDetector.detect

    def interrupted(self: TrueDetector, images: Sequence[Image]) -> list[list[RawDetection]]:
        if len(self.seen) == FRAMES + 5:
            raise KeyboardInterrupt
        return detect(self, images)

    monkeypatch.setattr(TrueDetector, "detect", interrupted)
    assert main(["evaluate", *given]) == 130
    out, err = capsys.readouterr()
    assert out.count("WALK") == 2
    assert err.splitlines()[-1] == "error: interrupted"


def test_our_sample_is_a_sequence_with_its_truth(
    sample_video: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    class Blind:
        name, backend, concurrency = "blind", "none", 1

        def detect(self, images: Sequence[Image]) -> list[list[RawDetection]]:
            return [[] for _ in images]

    monkeypatch.setattr(evaluation, "make_detector", lambda *_: Blind())
    monkeypatch.setattr(evaluation, "make_tracker", OrderTracker)
    assert main(["evaluate", "--sequence", str(sample_video), "--format", "json"]) == 0
    _, row = rows(capsys.readouterr().out)
    assert (row["sequence"], row["frames"], row["recall"]) == ("sample", 200, 0)
    assert row["minutes"] == [{"counted": 0, "true": 4}]


@pytest.mark.parametrize(
    ("name", "package"),
    [("deepsort", "deep_sort_realtime.deepsort_tracker"), ("botsort", "ultralytics.utils")],
)
def test_tracker_whose_library_is_missing_is_told_in_one_line(
    monkeypatch: pytest.MonkeyPatch, name: str, package: str
) -> None:
    # what Python finds in place of the module
    monkeypatch.setitem(sys.modules, package, None)
    with pytest.raises(
        SettingsError, match=rf"^{name}'s library .*{package}.*--library-defaults"
    ) as error:
        make_library_tracker(name)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    "name",
    # its embedder loads PyTorch
    [pytest.param("deepsort", marks=pytest.mark.slow), *LIBRARY_TRACKERS[1:]],
)
def test_library_trackers_follow_two_people_who_pass(name: str) -> None:
    tracker = make_library_tracker(name)
    random = np.random.default_rng(7)
    clothes = random.integers(0, 255, (2, 60, 30, 3), dtype=np.uint8)
    given = []
    for number in range(12):
        image = np.full((240, 320, 3), 90, dtype=np.uint8)
        boxes = [PixelBox(20 + 4 * number, 60, 50 + 4 * number, 120), PixelBox(200, 60, 230, 120)]
        for box, cloth in zip(boxes, clothes, strict=True):
            image[box.y1 : box.y2, box.x1 : box.x2] = cloth
        objects = [SeenObject("person", 0.9, box) for box in boxes]
        if number == 6:
            assert tracker.update(image, [], 100 * number) == []
        else:
            # the order in which they are found says nothing
            ids = tracker.update(image, objects[:: 1 if number % 2 else -1], 100 * number)
            given.append(ids[:: 1 if number % 2 else -1])
    assert tracker.name == f"{name} (library)"
    assert len({tuple(ids) for ids in given[4:]}) == 1
    assert None not in given[-1]
    assert given[-1][0] != given[-1][1]


@pytest.mark.slow
def test_lines_of_a_run_score_as_the_run_itself(run_cli: RunCli, sample_video: Path) -> None:
    detector = ("--detector", "hog", "--image-size", "480", "--max-frames", "45")
    assert run_cli("--input", sample_video, "--output", "video.jsonl", *detector).returncode == 0
    given = ("evaluate", "--sequence", sample_video, "--max-frames", "45", "--format", "json")
    run = run_cli(*given, *detector)
    lines = run_cli(*given, "--jsonl", "video.jsonl")
    assert (run.returncode, lines.returncode) == (0, 0), run.stderr + lines.stderr
    for one, other in zip(rows(run.stdout), rows(lines.stdout), strict=True):
        for name in ("deta", "assa", "mota", "idf1", "recall", "switches", "minutes"):
            assert one[name] == other[name]
    assert one["recall"] > 0.2


@pytest.mark.slow
def test_real_detector_on_a_real_sequence(run_cli: RunCli, yolo_weights: Path) -> None:
    folder = shared("mot/TUD-Stadtmitte/gt/gt.txt").parents[1]
    done = run_cli(
        *("evaluate", "--sequence", folder, "--detector", "yolo", "--weights", yolo_weights),
        *("--backend", "torch", "--max-frames", "30", "--format", "json"),
    )
    assert done.returncode == 0, done.stderr
    alone, tracked = rows(done.stdout)
    assert alone["recall"] > 0.7
    assert tracked["precision"] > 0.9
    assert tracked["hota"] > 0.5
