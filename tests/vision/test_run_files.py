"""Where a run writes: nowhere that it reads from, and never twice to one place."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from numbered_video import write_numbered_video

from vision.cli import main
from vision.run_files import RunFiles
from vision.settings import ExtractSettings


@pytest.fixture(scope="module")
def small_video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_numbered_video(tmp_path_factory.mktemp("small") / "small.mp4", 3)


def _link(video: Path) -> Path:
    link = video.with_name("link")
    link.symlink_to(video)
    return link


@pytest.mark.parametrize("option", ["--output", "--summary"])
@pytest.mark.parametrize(
    "path_to",
    [
        lambda video: video,
        lambda video: video.parent / ".." / video.parent.name / video.name,
        _link,
    ],
    ids=["itself", "in other words", "a link"],
)
def test_video_is_never_overwritten(
    option: str,
    path_to: Callable[[Path], Path],
    small_video: Path,
    tmp_path: Path,
    capfd: pytest.CaptureFixture[str],
) -> None:
    video = tmp_path / "visit.mp4"
    shutil.copy(small_video, video)
    there = path_to(video)
    given = {"--output": str(tmp_path / "out" / "video.jsonl"), option: str(there)}
    options = [word for pair in given.items() for word in pair]
    assert main(["--input", str(video), "--detector", "hog", *options]) == 2
    assert f"{option} {there} would overwrite {video}" in capfd.readouterr().err
    assert video.read_bytes() == small_video.read_bytes()


def test_video_is_not_overwritten_by_the_partial_file(
    small_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    video = tmp_path / "visit.mp4.partial"
    shutil.copy(small_video, video)
    options = ["--detector", "hog", "--output", str(tmp_path / "visit.mp4")]
    assert main(["--input", str(video), *options]) == 2
    assert "would overwrite" in capfd.readouterr().err
    assert video.read_bytes() == small_video.read_bytes()


def test_video_of_a_folder_is_not_overwritten(
    small_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    for name in ("1.mp4", "2.mp4"):
        shutil.copy(small_video, tmp_path / name)
    options = ["--detector", "hog", "--output", str(tmp_path / "2.mp4")]
    assert main(["--input", str(tmp_path), *options]) == 2
    assert "would overwrite" in capfd.readouterr().err
    assert (tmp_path / "2.mp4").read_bytes() == small_video.read_bytes()


@pytest.mark.parametrize("summary", ["v.jsonl", "v.jsonl.partial", "v.health.jsonl"])
def test_two_of_a_runs_files_in_one_place_are_refused(
    summary: str, small_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    paths = ["--output", str(tmp_path / "v.jsonl"), "--summary", str(tmp_path / summary)]
    assert main(["--input", str(small_video), "--detector", "hog", *paths]) == 2
    assert "are the same file" in capfd.readouterr().err
    assert list(tmp_path.iterdir()) == []


def test_summary_that_cannot_be_written_is_told_before_the_first_frame(
    small_video: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    output, summary = tmp_path / "v.jsonl", tmp_path / "file" / "summary.json"
    paths = ["--output", str(output), "--summary", str(summary)]
    assert main(["--input", str(small_video), "--detector", "hog", *paths]) == 2
    assert f"cannot write {summary}: " in capfd.readouterr().err
    assert not output.exists()


def test_runs_that_only_publish_have_a_summary_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RVA_DATA_DIR", "/data")
    names = []
    for camera in ("door", "till/2"):
        files = RunFiles.of(ExtractSettings(input="0", to="pulsar://broker", camera_id=camera))
        assert files.output is None
        names.append(str(files.summary))
    assert names == [
        "/data/metadata/store_01-door.summary.json",
        "/data/metadata/store_01-till_2.summary.json",
    ]


PATHS = ["x" * 300, "~nobody-of-this-name/x", "secret/x"]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("option", ["--input", "--output", "--summary", "--weights"])
def test_path_that_cannot_be_asked_about_is_one_line(
    option: str,
    path: str,
    small_video: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    _forbid(tmp_path / "secret", monkeypatch)
    given = {"--input": str(small_video), "--output": "v.jsonl", option: path}
    options = [word for pair in given.items() for word in pair]
    assert main(options) == 2
    told = capfd.readouterr().err
    assert told.startswith("error: ")
    assert told.count("\n") == 1
    assert path[:20] in told


def _forbid(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make it as it is for who may not look into it, whoever runs the tests (root may)."""
    ask = os.stat

    def refuse(path: object, *args: object, **options: object) -> os.stat_result:
        if str(path).startswith(("secret/", f"{folder}/")):
            raise PermissionError(13, "Permission denied", str(path))
        return ask(path, *args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr("os.stat", refuse)
