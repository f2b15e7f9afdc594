"""A detector that fails while it looks: what was written until then is kept, and told."""

import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from conftest import RunCli, read_lines
from plugin_package import install, on_path

from vision.boxes import Image, RawDetection
from vision.errors import DetectorError
from vision.hog import HogDetector
from vision.run import extract
from vision.settings import ExtractSettings

CRASHES = """
    class Crashes:
        name, backend, concurrency = "crashes", "mine", {concurrency}

        def __init__(self, request):
            self.calls = 0

        def detect(self, images):
            self.calls += 1
            if self.calls > {good_calls}:
                raise RuntimeError("out of\\nmemory")
            return [[] for image in images]
"""


def settings(video: Path, output: Path, **others: object) -> ExtractSettings:
    return ExtractSettings(
        input=str(video),
        output=str(output),
        detector="hog",
        still_threshold=0,
        **others,  # type: ignore[arg-type]
    )


def fail_after(monkeypatch: pytest.MonkeyPatch, good_calls: int) -> None:
    """OpenCV's detector fails at a later call, as a library does."""
    calls = 0

    def detect(_: HogDetector, images: Sequence[Image]) -> list[list[RawDetection]]:
        nonlocal calls
        calls += 1
        if calls > good_calls:
            raise RuntimeError("CUDA out of memory.\nTried to allocate 2 GiB")
        return [[] for _ in images]

    monkeypatch.setattr(HogDetector, "detect", detect)


@pytest.mark.parametrize(("batch", "kept"), [(1, 3), (4, 12)])
def test_what_was_written_until_a_detector_failed_is_a_whole_run(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, batch: int, kept: int
) -> None:
    fail_after(monkeypatch, 3)
    output = tmp_path / "video.jsonl"
    with pytest.raises(DetectorError) as error:
        extract(settings(sample_video, output, batch=batch))
    assert str(error.value) == (
        f"hog by opencv failed on {batch} images of 640x480 (RuntimeError: CUDA out of memory. "
        "Tried to allocate 2 GiB): try a smaller --batch, another --backend or another --detector; "
        f"the {kept} frames until then are in {output}"
    )
    assert [line["frame_index"] for line in read_lines(output)] == list(range(kept))
    summary = json.loads((tmp_path / "video.summary.json").read_text())
    assert (summary["frames"], summary["ended_by"]) == (kept, "detector failed")
    assert not (tmp_path / "video.jsonl.partial").exists()


def test_detector_that_fails_at_once_leaves_what_was_there(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fail_after(monkeypatch, 0)
    output = tmp_path / "video.jsonl"
    output.write_text("earlier\n")
    with pytest.raises(DetectorError, match=r"another --detector$"):
        extract(settings(sample_video, output))
    assert output.read_text() == "earlier\n"
    assert [path.name for path in tmp_path.iterdir()] == ["video.jsonl"]


@pytest.mark.parametrize("concurrency", [1, 3])
def test_plugin_that_fails_ends_the_command_with_one_line(
    sample_video: Path, tmp_path: Path, run_cli: RunCli, concurrency: int
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    code = CRASHES.format(good_calls=5, concurrency=concurrency)
    install(site, "crashes", code, {"crashes": "crashes:Crashes"})
    ended = run_cli(
        *("--input", sample_video, "--output", "v.jsonl", "--detector", "crashes"),
        *("--still-threshold", "0"),
        PYTHONPATH=on_path(site),
    )
    assert ended.returncode == 2
    (line,) = ended.stderr.splitlines()
    assert line.startswith("error: crashes by mine failed on 1 images of 640x480 (RuntimeError: ")
    assert line.endswith("; the 5 frames until then are in v.jsonl")
    assert [line["frame_index"] for line in read_lines(tmp_path / "v.jsonl")] == list(range(5))


def test_plugins_own_words_at_work_are_kept_too(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    site = tmp_path / "site"
    site.mkdir()
    code = CRASHES.format(good_calls=2, concurrency=1).replace(
        'RuntimeError("out of\\nmemory")', '__import__("vision.errors").errors.WeightsError("torn")'
    )
    install(site, "torn", code, {"torn": "torn:Crashes"})
    monkeypatch.syspath_prepend(str(site))
    output = tmp_path / "v.jsonl"
    told = ExtractSettings(
        input=str(sample_video), output=str(output), detector="torn", still_threshold=0
    )
    with pytest.raises(DetectorError, match=r"^torn; the 2 frames until then are in "):
        extract(told)
    assert len(read_lines(output)) == 2


def test_detector_that_cannot_be_opened_is_told_in_one_line(
    sample_video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("CUDA error:\nno kernel image")

    monkeypatch.setattr(HogDetector, "__init__", fail)
    with pytest.raises(DetectorError, match=r"RuntimeError: CUDA error: no kernel image") as error:
        extract(settings(sample_video, tmp_path / "video.jsonl"))
    assert "\n" not in str(error.value)
    assert not list(tmp_path.iterdir())
