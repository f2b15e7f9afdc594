import shutil
from fractions import Fraction
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import RunCli
from test_annotation import FRAMES, HEIGHT, RATE, STANDING, WIDTH, line

from frame_contract import stills
from vision.errors import OutputError, VisionError
from vision.mp4 import Mp4File
from vision.still import StillSettings, keep_still

EMPTY_AT = 12
"""The first frame with nobody in it; each frame's grey tells its number."""


def grey(index: int) -> int:
    return 20 + 5 * index


@pytest.fixture(scope="module")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("stairs") / "stairs.mp4"
    with Mp4File(path, WIDTH, HEIGHT, Fraction(RATE)) as file:
        for index in range(FRAMES):
            file.write(np.full((HEIGHT, WIDTH, 3), grey(index), np.uint8), index * 1000 // RATE)
        file.finish()
    return path


def lines(path: Path, empty_from: int = EMPTY_AT) -> Path:
    written = [line(i, [] if i >= empty_from else [(5, STANDING)]) for i in range(FRAMES)]
    path.write_bytes(b"".join(one + b"\n" for one in written))
    return path


def test_first_frame_without_people_is_kept_where_the_page_looks(
    run_cli: RunCli, video: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RVA_STILLS_DIR", str(tmp_path / "stills"))
    done = run_cli("still", "--input", str(video), "--jsonl", str(lines(tmp_path / "l.jsonl")))
    assert done.returncode == 0, done.stderr
    path = stills.path_of(tmp_path / "stills", "s", "c")
    assert done.stdout.strip() == str(path)
    assert stills.found(tmp_path / "stills", "s", "c") == path
    image = cv2.imread(str(path))
    assert image.shape == (HEIGHT, WIDTH, 3)
    assert abs(float(image.mean()) - grey(EMPTY_AT)) < 2
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_folder_of_pictures_that_tell_no_rate_will_do(tmp_path: Path) -> None:
    pictures = tmp_path / "pictures"
    pictures.mkdir()
    for index in range(FRAMES):
        image = np.full((HEIGHT, WIDTH, 3), grey(index), np.uint8)
        assert cv2.imwrite(str(pictures / f"{index:04d}.png"), image)
    settings = StillSettings(
        input=str(pictures),
        jsonl=str(lines(tmp_path / "l.jsonl")),
        output=str(tmp_path / "still.jpg"),
    )
    image = cv2.imread(str(keep_still(settings)))
    assert abs(float(image.mean()) - grey(EMPTY_AT)) < 2


def test_recording_that_is_never_empty_keeps_none(video: Path, tmp_path: Path) -> None:
    settings = StillSettings(
        input=str(video),
        jsonl=str(lines(tmp_path / "l.jsonl", empty_from=FRAMES)),
        output=str(tmp_path / "still.jpg"),
    )
    with pytest.raises(VisionError, match="somebody is in every frame of run-1"):
        keep_still(settings)
    assert not (tmp_path / "still.jpg").exists()


def test_place_that_cannot_be_written_is_told(video: Path, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    settings = StillSettings(
        input=str(video),
        jsonl=str(lines(tmp_path / "l.jsonl")),
        output=str(tmp_path / "file" / "still.jpg"),
    )
    with pytest.raises(OutputError, match="cannot write"):
        keep_still(settings)


@pytest.mark.parametrize(
    ("store", "camera"),
    [("..", ".."), ("a/../../b", "c"), ("a@b", "c"), ("a", "b@c"), ("ä\0", "\n")],
)
def test_no_name_leads_out_of_the_folder_or_to_anothers_file(
    tmp_path: Path, store: str, camera: str
) -> None:
    path = stills.path_of(tmp_path, store, camera)
    assert path.resolve().parent == tmp_path.resolve()
    others = {stills.path_of(tmp_path, *names) for names in (("a@b", "c"), ("a", "b@c"))}
    assert len(others) == 2


def test_name_too_long_for_a_file_has_no_still(tmp_path: Path) -> None:
    assert stills.found(tmp_path, "x" * 200, "ü" * 200) is None
    shutil.copy(__file__, stills.path_of(tmp_path, "s", "c"))
    assert stills.found(tmp_path, "s", "c") is not None
