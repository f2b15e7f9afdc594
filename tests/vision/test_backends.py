"""What computes YOLO: the same objects by each of them, and the choice among them."""

import ctypes
import dataclasses
import importlib.util
import os
import subprocess
import sys
import threading
import types
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest
from conftest import CHECKOUT, shared

from vision.boxes import Image, RawDetection
from vision.detection import Detector
from vision.detectors import make_detector
from vision.errors import SettingsError, WeightsError
from vision.sample.people import picture_path
from vision.settings import ExtractSettings
from vision.yolo import opening, openvino_backend
from vision.yolo.exported import ExportedDetector, Runner
from vision.yolo.exports import Export, ExportError, Head, find_export
from vision.yolo.letterbox import padded_size
from vision.yolo.request import YoloRequest

VIDEOS = {
    "street": "mot/TUD-Stadtmitte/TUD-Stadtmitte.mp4",
    "yard": "video/vtest_480x360.mp4",
    "hall": "video/one-by-one-person-detection.mp4",
}

BUS = (1080, 810)


def opened(
    weights: Path, backend: str, size: tuple[int, int] = BUS, threads: int = 2, **settings: object
) -> Detector:
    return make_detector(
        ExtractSettings(
            input="x",
            weights=str(weights),
            backend=backend,
            threads=threads,
            **settings,  # type: ignore[arg-type]
        ),
        size,
        pytest.fail,
    )


def bus() -> Image:
    image = cv2.imread(str(picture_path()))
    assert image is not None
    return np.asarray(image, dtype=np.uint8)


def pictures(name: str) -> list[Image]:
    """A few frames of a video, far apart."""
    capture = cv2.VideoCapture(str(shared(VIDEOS[name])))
    frames = []
    for index in range(20, 160, 20):
        capture.set(cv2.CAP_PROP_POS_FRAMES, index)
        frames.append(capture.read()[1])
    return frames


def likeness(
    ones: Sequence[list[RawDetection]], others: Sequence[list[RawDetection]]
) -> tuple[float, float]:
    """The least overlap and the greatest difference in confidence of objects that must be alike."""
    overlaps, differences = [1.0], [0.0]
    for one, other in zip(ones, others, strict=True):
        assert len(one) == len(other)
        rest = list(other)
        for object_ in one:
            best = max(rest, key=lambda each: overlap(object_, each))
            rest.remove(best)
            assert best.class_name == object_.class_name
            overlaps.append(overlap(object_, best))
            differences.append(abs(object_.confidence - best.confidence))
    return min(overlaps), max(differences)


def overlap(one: RawDetection, other: RawDetection) -> float:
    a, b = one.bbox_xyxy_px, other.bbox_xyxy_px
    width, height = min(a[2], b[2]) - max(a[0], b[0]), min(a[3], b[3]) - max(a[1], b[1])
    both = max(width, 0) * max(height, 0)
    areas = [(box[2] - box[0]) * (box[3] - box[1]) for box in (a, b)]
    return both / (sum(areas) - both)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_each_backend_finds_what_ultralytics_finds(
    yolo_weights: Path, video: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    frames = pictures(video)
    size = frames[0].shape[:2]
    expected = opened(yolo_weights, "torch", size).detect(frames)
    assert sum(map(len, expected)) > 3

    overlap_, difference = likeness(expected, opened(yolo_weights, "onnx", size).detect(frames))
    assert overlap_ > 0.999
    assert difference < 0.001

    # as it computes where nothing shorter than float32 is built into the CPU
    monkeypatch.setitem(opening._WITHOUT_TORCH, "openvino", ("openvino", open_in_float32))
    overlap_, difference = likeness(expected, opened(yolo_weights, "openvino", size).detect(frames))
    assert overlap_ > 0.999
    assert difference < 0.001


def open_in_float32(export: Export, at_once: int, threads: int) -> list[Runner]:
    runners = openvino_backend.open_runners(export, at_once, threads, precision="f32")
    assert all(isinstance(runner, openvino_backend.PartsRunner) for runner in runners)
    return runners


@pytest.mark.slow
@pytest.mark.parametrize("precision", [None, "f32"])
@pytest.mark.parametrize("confidence", [0.1, 0.8])
def test_boxes_that_nobody_needs_are_not_missed(
    yolo_weights: Path, precision: str | None, confidence: float
) -> None:
    frames = pictures("yard")
    size = frames[0].shape[:2]
    export = find_export(yolo_weights, padded_size(size, 640), "test")
    assert export.head == Head(name="/model.23", strides_px=(8, 16, 32), bins=16)
    request = YoloRequest(
        weights=yolo_weights,
        classes=("person", "chair"),
        confidence=confidence,
        longer_side_px=640,
        threads=1,
    )

    def found(export: Export, kind: type) -> list[list[RawDetection]]:
        runners = openvino_backend.open_runners(export, 1, 1, precision)
        assert [type(runner) for runner in runners] == [kind]
        return ExportedDetector("openvino", request, export, runners).detect(frames)

    parts = found(export, openvino_backend.PartsRunner)
    for other in (
        dataclasses.replace(export, head=None),
        # of a version that names its nodes in another way
        dataclasses.replace(export, head=dataclasses.replace(export.head, name="/model.9")),
    ):
        whole = found(other, openvino_backend.WholeRunner)
        if precision is not None:
            overlap_, difference = likeness(whole, parts)
            assert overlap_ > 0.999
            assert difference < 0.001
        # boxes are decoded in float32 in the one and in bfloat16 in the other
        assert sum(map(len, whole)) == pytest.approx(sum(map(len, parts)), rel=0.02)


@pytest.mark.slow
@pytest.mark.parametrize("video", VIDEOS)
def test_openvinos_own_precision_finds_the_same_people(yolo_weights: Path, video: str) -> None:
    frames = pictures(video)
    size = frames[0].shape[:2]
    # what is about as sure as the limit may fall on either side of it
    exact = opened(yolo_weights, "onnx", size, confidence=0.3).detect(frames)
    found = opened(yolo_weights, "openvino", size, confidence=0.3).detect(frames)
    overlaps = []
    for one, other in ((exact, found), (found, exact)):
        for objects, candidates in zip(one, other, strict=True):
            for object_ in objects:
                if object_.confidence > 0.35:
                    best = max(candidates, key=lambda each: overlap(object_, each))
                    overlaps.append(overlap(object_, best))
                    assert abs(object_.confidence - best.confidence) < 0.05
    # whoever is half hidden has no certain edge; measured: .9 at least, .99 in the mean
    assert min(overlaps) > 0.75
    assert np.mean(overlaps) > 0.975


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["torch", "openvino", "onnx"])
def test_images_of_one_call_are_found_as_they_are_alone(yolo_weights: Path, backend: str) -> None:
    image = bus()
    images = [image, np.ascontiguousarray(image[:, ::-1]), np.zeros_like(image)]
    detector = opened(yolo_weights, backend, batch=3, classes=("bus", "person"))
    assert detector.backend == backend
    assert detector.name == "yolo11n"
    together = detector.detect(images)
    alone = [detector.detect([each])[0] for each in images]
    assert detector.detect([]) == []
    overlap_, difference = likeness(together, alone)
    assert overlap_ > 0.999
    assert difference < 0.001
    assert [each.class_name for each in alone[0]].count("person") == 4
    assert [each.class_name for each in alone[0]].count("bus") == 1
    assert alone[2] == []
    for objects in together:
        assert objects == sorted(objects, key=lambda each: -each.confidence)


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_threads_that_call_at_once_do_not_mix_their_images(
    yolo_weights: Path, backend: str
) -> None:
    image = bus()
    images = [image, np.ascontiguousarray(image[:, ::-1]), np.zeros_like(image)]
    detector = opened(yolo_weights, backend, threads=2)
    assert detector.concurrency == 2
    expected = detector.detect(images)
    assert [len(objects) for objects in expected] == [4, 4, 0]
    found: dict[int, list[list[RawDetection]]] = {}

    def look(number: int) -> None:
        found[number] = [detector.detect([images[number % 3]])[0] for _ in range(3)]

    # more than it has room for: they wait
    threads = [threading.Thread(target=look, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == {number: [expected[number % 3]] * 3 for number in range(4)}


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_frames_of_another_size_than_expected_are_found_too(
    yolo_weights: Path, backend: str
) -> None:
    detector = opened(yolo_weights, backend)
    wide = np.zeros((540, 1600, 3), dtype=np.uint8)
    wide[:, 400:805] = cv2.resize(bus(), (405, 540))
    before = detector.detect([bus()])
    (objects,) = detector.detect([wide])
    assert len(objects) >= 2
    assert all(400 <= each.bbox_xyxy_px[0] < each.bbox_xyxy_px[2] <= 805 for each in objects)
    assert detector.detect([bus()]) == before


@pytest.mark.slow
@pytest.mark.parametrize("backend", ["auto", "openvino", "onnx"])
def test_once_exported_neither_torch_nor_ultralytics_is_imported(
    yolo_weights: Path, backend: str
) -> None:
    find_export(yolo_weights, padded_size(BUS, 640), "test")
    script = f"""
import sys
import numpy as np
from vision.detectors import make_detector
from vision.settings import ExtractSettings
settings = ExtractSettings(input="x", weights={str(yolo_weights)!r}, backend={backend!r})
detector = make_detector(settings, {BUS}, sys.exit)
assert detector.backend == {"openvino" if backend == "auto" else backend!r}
assert detector.detect([np.zeros((*{BUS}, 3), dtype=np.uint8)]) == [[]]
assert not {{"torch", "ultralytics", "onnx"}} & {{*sys.modules}}
"""
    ended = subprocess.run(
        [sys.executable, "-c", script],
        env=os.environ | {"PYTHONPATH": str(CHECKOUT / "include")},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    # nor is it exported again
    assert ended.stderr == ""


@pytest.mark.slow
def test_exporting_leaves_alone_the_folder_of_the_weights(
    yolo_weights: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "weights" / "my own.pt"
    own.parent.mkdir()
    # other bytes, hence another export: a zip archive may have a comment at its end
    content = bytearray(yolo_weights.read_bytes())
    assert content[-2:] == b"\0\0"
    content[-2:] = b"\1\0"
    own.write_bytes(bytes(content) + b"x")
    export = find_export(own, (64, 96), "onnx")
    assert export.names[0] == "person"
    assert [path.name for path in own.parent.iterdir()] == ["my own.pt"]
    assert [path.name for path in export.model.parent.parent.glob("my_own*")]
    assert "exporting my own for 64x96 (onnx), once" in capfd.readouterr().err


@pytest.mark.slow
def test_weights_of_another_task_are_told_by_the_process_that_exports(tmp_path: Path) -> None:
    ultralytics = pytest.importorskip("ultralytics")
    weights = tmp_path / "sorter.pt"
    ultralytics.YOLO("yolo11n-cls.yaml").save(weights)
    with pytest.raises(WeightsError) as error:
        opened(weights, "onnx")
    assert str(error.value) == (
        f"{weights} is made to classify and finds no boxes: give weights for detection"
    )
    assert not isinstance(error.value, ExportError)


@pytest.mark.slow
def test_unknown_class_is_told_whatever_computes(yolo_weights: Path) -> None:
    with pytest.raises(SettingsError, match="'persn'; close to it: person"):
        opened(yolo_weights, "onnx", classes=("persn",))


# from here on nothing is loaded: only the choice is made


Opener = Callable[..., object]


@pytest.fixture
def chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., object]:
    """What is opened, by name, for a backend and a device, and what was warned of."""
    weights = tmp_path / "own.pt"
    weights.write_bytes(b"\x80")
    monkeypatch.setattr(opening, "TorchDetector", lambda _, device: f"torch on {device}")
    monkeypatch.setattr(opening, "find_export", lambda *_: types.SimpleNamespace(model="model"))
    monkeypatch.setattr(opening, "ExportedDetector", lambda backend, *_: backend)
    runtimes = {
        name: (package, lambda *_: []) for name, (package, _) in opening._WITHOUT_TORCH.items()
    }
    monkeypatch.setattr(opening, "_WITHOUT_TORCH", runtimes)

    def choose(backend: str = "auto", device: str = "auto", warn: Opener = pytest.fail) -> object:
        settings = ExtractSettings(input="x", weights=str(weights), backend=backend, device=device)
        made = make_detector(settings, (48, 64), warn)  # type: ignore[arg-type]
        return made._detector  # type: ignore[attr-defined]

    return choose


def cuda(monkeypatch: pytest.MonkeyPatch, devices: int, is_usable: bool = True) -> None:
    """A machine with NVIDIA's driver, whose PyTorch sees so many devices."""
    monkeypatch.setattr(ctypes, "CDLL", lambda _: None)
    torch = types.ModuleType("torch")
    torch.cuda = types.SimpleNamespace(  # type: ignore[attr-defined]
        is_available=lambda: is_usable, device_count=lambda: devices
    )
    monkeypatch.setitem(sys.modules, "torch", torch)


def no_driver(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise OSError(f"{name}: cannot open shared object file")

    monkeypatch.setattr(ctypes, "CDLL", missing)
    # asking it would fail
    monkeypatch.setitem(sys.modules, "torch", None)


def missing_packages(monkeypatch: pytest.MonkeyPatch, *missing: str) -> None:
    find_spec = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda name: None if name in missing else find_spec(name)
    )


def test_auto_on_a_cpu_is_openvino_and_torch_is_not_asked(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_driver(monkeypatch)
    assert chosen() == "openvino"
    assert chosen(device="cpu") == "openvino"


def test_auto_with_cuda_is_torch(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    cuda(monkeypatch, devices=2)
    assert chosen() == "torch on cuda:0"
    assert chosen(device="cuda:1") == "torch on cuda:1"
    assert chosen(device="cpu") == "openvino"
    assert chosen("torch", "cpu") == "torch on cpu"
    assert chosen("onnx") == "onnx"
    with pytest.raises(SettingsError, match="this machine has 2 CUDA devices, counted from cuda:0"):
        chosen(device="cuda:2")


@pytest.mark.parametrize("devices", [0, 1])
def test_driver_whose_devices_pytorch_cannot_use_is_a_cpu(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch, devices: int
) -> None:
    cuda(monkeypatch, devices, is_usable=False)
    assert chosen() == "openvino"
    assert chosen("torch") == "torch on cpu"


@pytest.mark.parametrize("backend", ["auto", "torch"])
def test_cuda_that_is_not_there_is_told(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch, backend: str
) -> None:
    no_driver(monkeypatch)
    with pytest.raises(SettingsError, match="--device cuda: PyTorch finds no CUDA device"):
        chosen(backend, "cuda")


@pytest.mark.parametrize("backend", ["openvino", "onnx"])
def test_backend_of_the_cpu_with_cuda_is_told(chosen: Callable[..., object], backend: str) -> None:
    with pytest.raises(SettingsError, match=f"--backend {backend} computes on the CPU: use "):
        chosen(backend, "cuda:0")


def test_cuda_that_is_not_there_is_told_before_weights_are_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    no_driver(monkeypatch)
    monkeypatch.setenv("RVA_CACHE_DIR", str(tmp_path))
    settings = ExtractSettings(input="x", device="cuda")
    with pytest.raises(SettingsError, match="finds no CUDA device"):
        make_detector(settings, (48, 64), pytest.fail)


def test_what_is_not_installed_is_passed_over(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    no_driver(monkeypatch)
    missing_packages(monkeypatch, "openvino")
    assert chosen() == "onnx"
    with pytest.raises(ExportError, match="--backend openvino needs the package openvino"):
        chosen("openvino")
    missing_packages(monkeypatch, "openvino", "onnxruntime")
    told: list[str] = []
    assert chosen(warn=told.append) == "torch on cpu"
    assert told == [
        "PyTorch, which is slower, runs own.pt: neither openvino nor onnxruntime is installed"
    ]


def test_export_that_fails_ends_at_torch_with_a_warning(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ExportError("own.pt cannot be exported (no room); use --backend torch")

    no_driver(monkeypatch)
    monkeypatch.setattr(opening, "find_export", fail)
    told: list[str] = []
    assert chosen(warn=told.append) == "torch on cpu"
    assert told == [
        "PyTorch, which is slower, runs own.pt: "
        "own.pt cannot be exported (no room); use --backend torch"
    ]
    with pytest.raises(ExportError, match="use --backend torch"):
        chosen("onnx")


def test_runtime_that_fails_gives_way_to_the_next(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("unknown\nCPU")

    no_driver(monkeypatch)
    monkeypatch.setitem(opening._WITHOUT_TORCH, "openvino", ("openvino", fail))
    told: list[str] = []
    assert chosen(warn=told.append) == "onnx"
    assert told == ["openvino cannot run own.pt (unknown CPU); use --backend torch"]
    monkeypatch.setitem(opening._WITHOUT_TORCH, "onnx", ("onnxruntime", fail))
    assert chosen(warn=told.append) == "torch on cpu"
    assert len(told) == 3


def test_runtime_whose_first_image_fails_gives_way_to_the_next(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    class Fails:
        canvas = None

        def run(self, _: object) -> None:
            raise RuntimeError("no such\ninstruction")

    class Finds(Fails):
        def run(self, _: object) -> None:
            pass

    export = Export(model=Path("model.onnx"), names={0: "person"}, head=None)
    no_driver(monkeypatch)
    monkeypatch.setattr(opening, "find_export", lambda *_: export)
    monkeypatch.setattr(opening, "ExportedDetector", ExportedDetector)
    for name, runner in (("openvino", Fails()), ("onnx", Finds())):
        package, _ = opening._WITHOUT_TORCH[name]
        runners = [runner]
        monkeypatch.setitem(
            opening._WITHOUT_TORCH, name, (package, lambda *_, runners=runners: runners)
        )
    told: list[str] = []
    detector = chosen(warn=told.append)
    assert detector.backend == "onnx"  # type: ignore[attr-defined]
    assert told == ["openvino cannot run own.pt (no such instruction); use --backend torch"]
    with pytest.raises(ExportError, match="openvino cannot run own"):
        chosen("openvino")


def test_weights_that_are_damaged_are_an_error_also_for_auto(
    chosen: Callable[..., object], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise WeightsError("own.pt is damaged")

    no_driver(monkeypatch)
    monkeypatch.setattr(opening, "find_export", fail)
    with pytest.raises(WeightsError, match=r"own\.pt is damaged"):
        chosen()
