"""`--threads` holds for the libraries that have threads of their own."""

from collections.abc import Iterator
from pathlib import Path

import cv2
import pytest

from vision.run import extract
from vision.settings import ExtractSettings


@pytest.fixture(autouse=True)
def _threads_as_they_were() -> Iterator[None]:
    before = cv2.getNumThreads()
    yield
    cv2.setNumThreads(before)


def run(video: Path, folder: Path, threads: int | None, embedder: str = "histogram") -> None:
    extract(
        ExtractSettings(
            input=str(video),
            output=str(folder / "v.jsonl"),
            detector="hog",
            embedder=embedder,
            device="cpu",
            threads=threads,
            max_frames=1,
        )
    )


@pytest.mark.parametrize("threads", [1, 3])
def test_opencv_computes_with_as_many_threads_as_were_asked_for(
    sample_video: Path, tmp_path: Path, threads: int
) -> None:
    cv2.setNumThreads(2)
    run(sample_video, tmp_path, threads)
    assert cv2.getNumThreads() == threads


def test_where_none_are_asked_for_opencvs_choice_stays(sample_video: Path, tmp_path: Path) -> None:
    cv2.setNumThreads(2)
    run(sample_video, tmp_path, None)
    assert cv2.getNumThreads() == 2


@pytest.mark.slow
def test_mobilenet_computes_with_as_many_threads_as_were_asked_for(
    sample_video: Path, tmp_path: Path
) -> None:
    torch = pytest.importorskip("torch")
    before = torch.get_num_threads()
    try:
        for threads in (3, 1):
            run(sample_video, tmp_path, threads, "mobilenet")
            assert torch.get_num_threads() == threads
    finally:
        torch.set_num_threads(before)
