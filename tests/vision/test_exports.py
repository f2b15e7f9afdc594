"""Exports are made once and kept; the process that makes them is stood in for here (the real one
is in test_exporting_process.py)."""

import fcntl
import json
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from vision.errors import StoppedEarlyError, WeightsError
from vision.yolo import exports
from vision.yolo.exports import (
    FACTS,
    FAILURE,
    MODEL,
    Export,
    ExportError,
    Head,
    find_export,
    write_facts,
)

SIZE = (384, 640)
NAMES = {0: "person", 7: "truck"}
HEAD = Head(name="/model.23", strides_px=(8, 16, 32), bins=16)


class Exporter:
    """Stands in for the process that exports; counts how often it was asked to."""

    def __init__(self) -> None:
        self.sizes: list[tuple[int, int]] = []
        self.does: Callable[[Path], None] = self.export
        self.says = ""
        self.head: Head | None = HEAD

    def export(self, folder: Path) -> None:
        (folder / MODEL).write_bytes(b"model %d" % len(self.sizes))
        write_facts(folder, NAMES, self.head)

    def __call__(
        self, _: Path, input_size: tuple[int, int], folder: Path, _should_stop: Callable[[], bool]
    ) -> str:
        self.sizes.append(input_size)
        self.does(folder)
        return self.says


@pytest.fixture
def exporter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Exporter:
    monkeypatch.setenv("RVA_CACHE_DIR", str(tmp_path / "cache"))
    made = Exporter()
    monkeypatch.setattr(exports, "_run", made)
    return made


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    path = tmp_path / "own weights.pt"
    path.write_bytes(b"\x80 some weights")
    return path


def folder_of(found: Export) -> Path:
    return found.model.parent


def test_export_is_made_once_and_told(
    exporter: Exporter, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    first = find_export(weights, SIZE, "openvino")
    assert first.names == NAMES
    assert first.head == HEAD
    assert first.model.read_bytes() == b"model 1"
    told = capfd.readouterr().err.splitlines()
    assert told[0] == "exporting own weights for 384x640 (openvino), once: some ten seconds"
    assert told[1].startswith("exporting own weights took ")
    # for whichever runtime
    assert find_export(weights, SIZE, "onnx") == first
    assert exporter.sizes == [SIZE]
    assert capfd.readouterr().err == ""


def test_head_that_is_a_special_one_is_not_described(exporter: Exporter, weights: Path) -> None:
    exporter.head = None
    assert find_export(weights, SIZE, "onnx").head is None
    assert len(exporter.sizes) == 1
    assert find_export(weights, SIZE, "onnx").head is None
    assert len(exporter.sizes) == 1


def test_nothing_but_the_export_and_its_lock_is_left(exporter: Exporter, weights: Path) -> None:
    folder = folder_of(find_export(weights, SIZE, "onnx"))
    assert {path.name for path in folder.parent.iterdir()} == {folder.name, f"{folder.name}.lock"}
    assert {path.name for path in folder.iterdir()} == {MODEL, FACTS}


def test_export_that_is_there_is_read_without_its_lock(exporter: Exporter, weights: Path) -> None:
    folder = folder_of(find_export(weights, SIZE, "onnx"))
    (lock,) = folder.parent.glob("*.lock")
    lock.unlink()
    find_export(weights, SIZE, "onnx")
    # a cache that cannot be written serves as well
    assert not lock.exists()


def test_other_content_size_or_version_is_another_export(
    exporter: Exporter, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folders = {folder_of(find_export(weights, SIZE, "onnx"))}
    folders.add(folder_of(find_export(weights, (384, 320), "onnx")))
    folders.add(folder_of(find_export(weights, (640, 640), "onnx")))
    monkeypatch.setattr(exports.metadata, "version", lambda _: "99.0")
    folders.add(folder_of(find_export(weights, SIZE, "onnx")))
    weights.write_bytes(b"\x80 other weights")
    folders.add(folder_of(find_export(weights, SIZE, "onnx")))
    assert len(folders) == len(exporter.sizes) == 5


def test_same_content_under_another_folder_is_the_same_export(
    exporter: Exporter, weights: Path, tmp_path: Path
) -> None:
    moved = tmp_path / "elsewhere" / weights.name
    moved.parent.mkdir()
    moved.write_bytes(weights.read_bytes())
    assert find_export(weights, SIZE, "onnx") == find_export(moved, SIZE, "onnx")
    assert len(exporter.sizes) == 1


def cut_model(folder: Path) -> None:
    (folder / MODEL).write_bytes((folder / MODEL).read_bytes()[:-1])


def lose_model(folder: Path) -> None:
    (folder / MODEL).unlink()


def lose_facts(folder: Path) -> None:
    (folder / FACTS).unlink()


def cut_facts(folder: Path) -> None:
    (folder / FACTS).write_bytes((folder / FACTS).read_bytes()[:-3])


def empty_facts(folder: Path) -> None:
    (folder / FACTS).write_text("[]")


def earlier_layout(folder: Path) -> None:
    facts = json.loads((folder / FACTS).read_text())
    (folder / FACTS).write_text(json.dumps(facts | {"layout": 0}))


@pytest.mark.parametrize(
    "damage", [cut_model, lose_model, lose_facts, cut_facts, empty_facts, earlier_layout]
)
def test_damaged_export_is_made_again(
    exporter: Exporter, weights: Path, damage: Callable[[Path], None]
) -> None:
    folder = folder_of(find_export(weights, SIZE, "onnx"))
    damage(folder)
    assert find_export(weights, SIZE, "onnx").model.read_bytes() == b"model 2"
    assert find_export(weights, SIZE, "onnx").names == NAMES
    assert len(exporter.sizes) == 2


def test_what_a_killed_run_left_behind_is_cleared_away(exporter: Exporter, weights: Path) -> None:
    folder = folder_of(find_export(weights, SIZE, "onnx"))
    lose_model(folder)
    partial = folder.with_name(folder.name + ".partial")
    partial.mkdir()
    (partial / MODEL).write_bytes(b"half")
    find_export(weights, SIZE, "onnx")
    assert not partial.exists()
    assert {path.name for path in folder.iterdir()} == {MODEL, FACTS}


def test_two_that_need_it_at_once_make_it_once(
    exporter: Exporter, weights: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    is_exporting, may_go_on = threading.Event(), threading.Event()

    def slowly(folder: Path) -> None:
        is_exporting.set()
        assert may_go_on.wait(30)
        exporter.export(folder)

    exporter.does = slowly
    found: list[Export] = []
    both = [
        threading.Thread(target=lambda: found.append(find_export(weights, SIZE, "onnx")))
        for _ in range(2)
    ]
    both[0].start()
    assert is_exporting.wait(30)
    both[1].start()
    told = ""
    while "waiting for another run" not in told:
        time.sleep(0.01)
        told += capfd.readouterr().err
    may_go_on.set()
    for one in both:
        one.join(30)
    assert found[0] == found[1]
    assert len(exporter.sizes) == 1


def test_who_waits_for_anothers_export_can_be_stopped(exporter: Exporter, weights: Path) -> None:
    folder = folder_of(find_export(weights, SIZE, "onnx"))
    lose_model(folder)
    with folder.with_name(f"{folder.name}.lock").open("w") as others:
        fcntl.flock(others, fcntl.LOCK_EX)
        with pytest.raises(StoppedEarlyError, match="during the export"):
            find_export(weights, SIZE, "onnx", lambda: True)
    assert len(exporter.sizes) == 1


def failing(of: str, text: str) -> Callable[[Path], None]:
    return lambda folder: (
        (folder / FAILURE).write_text(json.dumps({"of": of, "text": text})) and None
    )


def test_failed_export_names_the_way_out_and_leaves_nothing(
    exporter: Exporter, weights: Path
) -> None:
    exporter.does = failing("export", "RuntimeError: no\nroom")
    with pytest.raises(ExportError) as error:
        find_export(weights, SIZE, "onnx")
    assert str(error.value) == (
        f"{weights} cannot be exported (RuntimeError: no room); use --backend torch"
    )
    (lock,) = (weights.parent / "cache" / "exports").iterdir()
    assert lock.suffix == ".lock"
    # nor is it remembered
    exporter.does = exporter.export
    assert find_export(weights, SIZE, "onnx").names == NAMES


def test_weights_that_cannot_be_used_at_all_are_told_as_they_are(
    exporter: Exporter, weights: Path
) -> None:
    exporter.does = failing("weights", "x.pt is made to classify and finds no boxes")
    with pytest.raises(WeightsError, match=r"^x\.pt is made to classify") as error:
        find_export(weights, SIZE, "onnx")
    assert not isinstance(error.value, ExportError)


@pytest.mark.parametrize(
    ("said", "told"), [("much\nlast word\n", "last word"), ("", "it ended early")]
)
def test_exporter_that_dies_is_told_by_its_last_word(
    exporter: Exporter, weights: Path, said: str, told: str
) -> None:
    exporter.does = lambda _: None
    exporter.says = said
    with pytest.raises(ExportError, match=rf"cannot be exported \({told}\); use --backend torch"):
        find_export(weights, SIZE, "onnx")


def test_folder_that_cannot_be_written_is_told_in_one_line(
    exporter: Exporter, weights: Path, tmp_path: Path
) -> None:
    (tmp_path / "cache").write_text("a file where the folder should be")
    with pytest.raises(ExportError, match=r"cannot export own weights\.pt to .*exports: ") as error:
        find_export(weights, SIZE, "onnx")
    assert "set RVA_CACHE_DIR" in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("content", "told"), [(b"", "is empty"), (b"text", "holds no PyTorch weights")]
)
def test_what_is_no_weights_file_is_not_exported(
    exporter: Exporter, weights: Path, content: bytes, told: str
) -> None:
    weights.write_bytes(content)
    with pytest.raises(WeightsError, match=told):
        find_export(weights, SIZE, "onnx")
    assert exporter.sizes == []
