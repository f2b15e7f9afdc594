import json
import re
import socket
from collections.abc import Callable
from dataclasses import MISSING, fields
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import RunCli, read_lines, shared
from numbered_video import packet_places, write_numbered_video

from vision.annotation import AnnotateSettings
from vision.cli import main
from vision.settings import ExtractSettings

SETTINGS = ("--detector", "hog")


@pytest.fixture
def refusal(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> Callable[..., str]:
    """Run a command that must fail; its one line, and nothing else, whoever may have printed it."""

    def run(*arguments: str | Path) -> str:
        output = tmp_path / "out" / "video.jsonl"
        # the last of two options counts
        code = main(["--output", str(output), *map(str, arguments)])
        printed = capfd.readouterr()
        assert code == 2
        assert printed.out == ""
        # what takes seconds may say so before; of the error there is one line
        lines = [line for line in printed.err.splitlines() if "exporting" not in line]
        assert len(lines) == 1
        assert lines[0].startswith("error: ")
        assert not output.exists()
        assert not list(tmp_path.glob("out/*.partial"))
        return lines[0]

    return run


def test_file_that_is_missing(refusal, tmp_path: Path) -> None:
    assert "no such file" in refusal("--input", tmp_path / "missing.mp4", *SETTINGS)


def test_folder_without_videos(refusal, tmp_path: Path) -> None:
    assert "is a folder without a video" in refusal("--input", tmp_path, *SETTINGS)


def test_folder_of_pictures_without_a_rate(refusal, tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "1.png"), np.zeros((64, 64, 3), np.uint8))
    assert "give --frame-rate" in refusal("--input", tmp_path, *SETTINGS)


def test_folder_of_what_is_no_video(refusal, tmp_path: Path) -> None:
    (tmp_path / "1.mp4").write_bytes(b"no video")
    told = refusal("--input", tmp_path, *SETTINGS)
    assert "can be read (1 tried)" in told


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"", "is empty"),
        (b"no video\n" * 500, "cannot be read as a video"),
        (bytes(range(256)) * 40, "cannot be read as a video"),
    ],
)
def test_file_that_is_no_video(refusal, tmp_path: Path, content: bytes, told: str) -> None:
    path = tmp_path / "video.mp4"
    path.write_bytes(content)
    assert told in refusal("--input", path, *SETTINGS)


def test_recording_that_was_cut_off(refusal, tmp_path: Path, sample_video: Path) -> None:
    path = tmp_path / "cut.mp4"
    path.write_bytes(sample_video.read_bytes()[:100_000])
    assert "lacks its index" in refusal("--input", path, *SETTINGS)


def test_video_without_frames(refusal, tmp_path: Path) -> None:
    path = tmp_path / "none.avi"
    writer = cv2.VideoWriter(
        str(path), cv2.CAP_FFMPEG, cv2.VideoWriter.fourcc(*"MJPG"), 10, (64, 64)
    )
    writer.write(np.zeros((64, 64, 3), np.uint8))
    writer.release()
    content = path.read_bytes()
    path.write_bytes(content[: content.index(b"movi") + 4])
    told = refusal("--input", path, *SETTINGS)
    assert "gives no frame that can be read: copy the recording again" in told


def test_picture(refusal, tmp_path: Path) -> None:
    path = tmp_path / "picture.png"
    cv2.imwrite(str(path), np.zeros((64, 64, 3), np.uint8))
    assert "is a picture" in refusal("--input", path, *SETTINGS)


def test_camera_that_is_not_there(refusal) -> None:
    assert "no such camera: 97" in refusal("--input", "97", *SETTINGS)


def test_stream_that_nobody_serves(refusal) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"rtsp://admin:s3cret@127.0.0.1:{free.getsockname()[1]}/ch1"
    told = refusal("--input", address, *SETTINGS)
    assert "nothing listens there" in told
    assert "s3cret" not in told


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("missing.pt", None, "no such weights file"),
        ("empty.pt", b"", "is empty"),
        ("text.pt", b"no weights", "holds no PyTorch weights"),
        ("cut.pt", b"PK\x03\x04" + bytes(1000), "is cut off or damaged"),
    ],
)
def test_weights_that_are_none(
    refusal, tmp_path: Path, sample_video: Path, name: str, content: bytes | None, told: str
) -> None:
    path = tmp_path / name
    if content is not None:
        path.write_bytes(content)
    assert told in refusal("--input", sample_video, "--weights", path)


def test_pickle_that_is_no_model(refusal, tmp_path: Path, sample_video: Path) -> None:
    path = tmp_path / "pickle.pt"
    path.write_bytes(b"\x80\x02}q\x00.")
    assert "cannot be loaded as YOLO weights" in refusal("--input", sample_video, "--weights", path)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_weights_of_another_task(
    run_cli: RunCli, tmp_path: Path, sample_video: Path, backend: str
) -> None:
    weights = tmp_path / "sorter.pt"
    pytest.importorskip("ultralytics").YOLO("yolo11n-cls.yaml").save(weights)
    ended = run_cli("--input", sample_video, "--weights", weights, "--backend", backend)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr.splitlines()[-1] == (
        f"error: {weights} is made to classify and finds no boxes: give weights for detection"
    )
    assert "Traceback" not in ended.stderr
    assert ended.stderr.count("error: ") == 1


def test_weights_that_cannot_be_had_when_yolo_is_demanded(refusal, sample_video: Path) -> None:
    told = refusal("--input", sample_video, "--detector", "yolo")
    assert "RVA_WEIGHTS" in told


def test_class_that_the_weights_do_not_know(refusal, sample_video: Path) -> None:
    weights = shared("weights/yolo11n.pt")
    told = refusal("--input", sample_video, "--weights", weights, "--classes", "person,bycicle")
    assert "'bycicle'" in told
    assert "bicycle" in told.removeprefix("error: --classes: the weights know no 'bycicle'")


@pytest.mark.parametrize("detector", ["hog", "auto"])
def test_class_that_hog_cannot_find(refusal, sample_video: Path, detector: str) -> None:
    told = refusal("--input", sample_video, "--detector", detector, "--classes", "dog")
    assert "only people" in told


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--confidence", "2"),
        ("--confidence", "high"),
        ("--start-time", "yesterday"),
        ("--frame-rate", "0"),
        ("--max-frames", "0"),
        ("--run-id", ""),
        ("--tracker", "sort"),
        ("--confirm-after-frames", "0"),
        ("--confirm-after-frames", "two"),
    ],
)
def test_setting_that_cannot_be(refusal, sample_video: Path, option: str, value: str) -> None:
    assert option in refusal("--input", sample_video, *SETTINGS, option, value)


def test_output_that_is_a_folder(refusal, tmp_path: Path, sample_video: Path) -> None:
    assert "is a folder" in refusal("--input", sample_video, *SETTINGS, "--output", tmp_path)


def test_output_and_summary_in_one_file(refusal, tmp_path: Path, sample_video: Path) -> None:
    told = refusal(
        "--input", sample_video, *SETTINGS, "--summary", tmp_path / "out" / "video.jsonl"
    )
    assert "same file" in told


def test_window_without_a_screen(
    refusal, sample_video: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("DISPLAY", raising=False)
    monkeypatch.delenv("WAYLAND_DISPLAY", raising=False)
    assert "DISPLAY is not set" in refusal("--input", sample_video, *SETTINGS, "--show")
    # a screen that is named and is not there would abort the process inside Qt
    monkeypatch.setenv("DISPLAY", ":9797")
    assert "display :9797" in refusal("--input", sample_video, *SETTINGS, "--show")


def test_refusal_leaves_an_earlier_output_alone(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    output = tmp_path / "video.jsonl"
    output.write_text("earlier\n")
    bad = tmp_path / "bad.mp4"
    bad.write_bytes(b"no video")
    assert main(["--input", str(bad), "--output", str(output), *SETTINGS]) == 2
    assert output.read_text() == "earlier\n"
    assert [path.name for path in tmp_path.glob("video*")] == ["video.jsonl"]


def test_a_process_of_its_own_ends_with_code_two_and_one_line(run_cli: RunCli) -> None:
    ended = run_cli("--input", "missing.mp4")
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == "error: no such file: missing.mp4; check the path\n"


@pytest.fixture
def half(tmp_path: Path) -> Path:
    """A video of 40 frames that breaks off in the middle, and keeps its index."""
    path = tmp_path / "half.mp4"
    write_numbered_video(path, 40, codec="mpeg4", muxing={"movflags": "faststart"})
    path.write_bytes(path.read_bytes()[: packet_places(path)[20][0]])
    return path


def test_recording_that_breaks_off_is_an_error_and_what_could_be_read_is_kept(
    run_cli: RunCli, half: Path, tmp_path: Path
) -> None:
    output = tmp_path / "video.jsonl"
    given = ("--input", half, "--output", output, "--image-size", "200", *SETTINGS)
    ended = run_cli(*given)
    assert (ended.returncode, ended.stdout) == (2, "")
    assert ended.stderr == (
        f"error: 20 frames of {half} cannot be read (it breaks off behind frame 19): the 20 frames "
        f"that could be are in {output}; copy the recording again, or accept the holes with "
        "--accept-damage\n"
    )
    assert [line["frame_index"] for line in read_lines(output)] == list(range(20))
    summary = json.loads((tmp_path / "video.summary.json").read_text())
    assert (summary["unreadable_frames"], summary["ended_by"]) == (20, "end of video")
    accepted = run_cli(*given, "--accept-damage")
    assert accepted.returncode == 0
    assert f"warning: 20 frames of {half} cannot be read" in accepted.stderr


def test_folder_with_a_video_that_cannot_be_read_is_an_error_behind_the_others(
    half: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "videos"
    folder.mkdir()
    (folder / "1.mp4").write_bytes(b"no video")
    half.rename(folder / "2.mp4")
    output = tmp_path / "video.jsonl"
    assert main(["--input", str(folder), "--output", str(output), *SETTINGS]) == 2
    told = capfd.readouterr().err.splitlines()[-1]
    assert told.startswith(
        f"error: 20 frames and 1 video of {folder} cannot be read (the first: {folder / '1.mp4'} "
    )
    assert "the 20 frames that could be are in" in told
    assert len(read_lines(output)) == 20


NOT_OPTIONS = {"tracking"}
NOT_FOR = {
    # whose capture it is, where it goes, and how cameras are waited for: nothing to measure
    ("evaluate",): NOT_OPTIONS
    | {"input", "output", "summary", "store_id", "camera_id", "stream_id", "start_time", "classes"}
    | {"show", "frame_rate", "clock", "to", "resume", "reconnect_seconds", "accept_damage"}
}
NAMED_OTHERWISE = {"from_seconds": "--from", "to_seconds": "--to"}


@pytest.mark.parametrize(
    ("command", "settings"),
    [
        ([], ExtractSettings),
        (["extract"], ExtractSettings),
        (["evaluate"], ExtractSettings),
        (["annotate"], AnnotateSettings),
        (["cameras"], None),
        (["sample"], None),
    ],
)
def test_help_names_every_option_with_its_default(
    command: list[str], settings: type | None, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*command, "--help"])
    assert ended.value.code == 0
    told = capfd.readouterr().out
    usage, options = told.split("\noptions:\n")
    # each begins in the third column, and goes on further in until the next or an empty line
    entries = {
        entry.split()[0]: entry
        for entry in re.split(r"^  (?=-)", options.split("\n\n")[0], flags=re.MULTILINE)[1:]
    }
    entries.pop("-h,")
    required = set(re.findall(r"(?<!\[)(?<!\S)(--[a-z-]+)", " ".join(usage.split())))
    assert len(entries) > 3
    for name, entry in entries.items():
        takes_a_value = len(entry.splitlines()[0].split("  ")[0].split()) > 1
        assert name in required or not takes_a_value or "default" in entry, entry
    for each in fields(settings) if settings else ():
        option = NAMED_OTHERWISE.get(each.name, f"--{each.name.replace('_', '-')}")
        if each.name in NOT_FOR.get(tuple(command), NOT_OPTIONS):
            continue
        assert option in entries
        if each.default not in (None, False, MISSING, ()):
            default = ",".join(each.default) if isinstance(each.default, tuple) else each.default
            shown = f"{default:g}" if isinstance(default, float) else str(default)
            assert re.search(rf"\b{re.escape(shown)}\b", entries[option]), entries[option]
