"""Detectors of other packages: installed for real, as a distribution on the path."""

import importlib.metadata
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from textwrap import dedent

import cv2
import numpy as np
import pytest
from conftest import CHECKOUT, RunCli, read_lines
from plugin_package import install, on_path

from vision.boxes import RawDetection
from vision.detectors import make_detector
from vision.errors import DetectorError, SettingsError, WeightsError
from vision.plugins import GROUP, DetectorRequest
from vision.settings import ExtractSettings

SIZE = (48, 64)
IMAGES = [np.zeros((*SIZE, 3), dtype=np.uint8)] * 2

PAGE = CHECKOUT / "docs" / "detectors.md"


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(str(folder))
    return folder


def opened(name: str, **settings: object):
    return make_detector(
        ExtractSettings(input="x", detector=name, **settings),  # type: ignore[arg-type]
        SIZE,
        pytest.fail,
    )


GOOD = """
    from vision.boxes import RawDetection

    class Good:
        name, backend, concurrency = "good", "mine", 3

        def __init__(self, request):
            self.request = request

        def detect(self, images):
            return [FOUND for image in images]

    def broken(request):
        return 1 / 0
"""


def found(text: str) -> str:
    return GOOD + f"    FOUND = [{text}]\n"


def test_what_a_plugin_finds_is_sorted_and_only_what_was_asked_for(site: Path) -> None:
    install(
        site,
        "good_sorted",
        "import numpy as np\n"
        + dedent(
            found(
                "RawDetection('person', np.float32(.5), tuple(np.arange(4.0))),"
                "RawDetection('car', .9, (0, 0, 1, 1)),"
                "RawDetection('person', .8, (0, 0, 1, 1)),"
                "RawDetection('person', .2, (0, 0, 1, 1))"
            )
        ),
        {"sorted": "good_sorted:Good"},
    )
    detector = opened("sorted", confidence=0.25, threads=5, weights="own.onnx", batch=2)
    assert (detector.name, detector.backend, detector.concurrency) == ("good", "mine", 3)
    objects = [
        RawDetection("person", 0.8, (0.0, 0.0, 1.0, 1.0)),
        RawDetection("person", 0.5, (0.0, 1.0, 2.0, 3.0)),
    ]
    assert detector.detect(IMAGES) == [objects, objects]
    # plain numbers, which JSON takes
    assert {type(one.confidence) for one in objects} == {float}
    assert detector._detector._detector.request == DetectorRequest(
        weights="own.onnx",
        classes=("person",),
        confidence=0.25,
        image_size=None,
        threads=5,
        device="auto",
        batch=2,
        frame_size=SIZE,
    )


def test_unknown_name_is_told_with_those_there_are(site: Path) -> None:
    install(site, "good_listed", found(""), {"zebra": "good_listed:Good"})
    with pytest.raises(
        SettingsError, match=r"--detector nothing: .* there are auto, yolo, hog, zebra \("
    ):
        opened("nothing")


def test_two_packages_of_one_name_are_told(site: Path) -> None:
    install(site, "good_one", found(""), {"twice": "good_one:Good"})
    install(site, "good_two", found(""), {"twice": "good_two:Good"})
    with pytest.raises(DetectorError, match="two packages give it"):
        opened("twice")


@pytest.mark.parametrize(
    ("target", "told"),
    [
        ("no_such_module:x", r"cannot be loaded: ModuleNotFoundError: No module named"),
        ("{module}:NoSuchName", r"cannot be loaded: AttributeError"),
        ("{module}:broken", r"cannot be loaded: ZeroDivisionError: division by zero"),
        ("{module}:FOUND", r"cannot be loaded: TypeError: 'list' object is not callable"),
        ("builtins:str", r"is no detector: its `name` must be a short text"),
        ("{module}:nameless", r"is no detector: its `name` must be a short text"),
        ("{module}:lazy", r"is no detector: its `concurrency` must be 1 or more"),
        ("{module}:blind", r"is no detector: it has no `detect`"),
    ],
)
def test_what_is_no_detector_is_told_in_one_line(
    site: Path, request: pytest.FixtureRequest, target: str, told: str
) -> None:
    module = re.sub(r"\W", "_", "bad_" + request.node.callspec.id)
    code = found("") + (
        "    def nameless(request): d = Good(request); d.name = 'two\\nlines'; return d\n"
        "    def lazy(request): d = Good(request); d.concurrency = 0; return d\n"
        "    def blind(request): d = Good(request); d.detect = None; return d\n"
    )
    install(site, module, code, {"bad": target.format(module=module)})
    with pytest.raises(DetectorError, match=told) as error:
        opened("bad")
    assert "\n" not in str(error.value)
    assert str(error.value).startswith("--detector bad (")


@pytest.mark.parametrize(
    ("objects", "told"),
    [
        ("RawDetection('person', 1.5, (0, 0, 1, 1))", "no RawDetection: ValueError: confidence"),
        ("RawDetection('person', float('nan'), (0, 0, 1, 1))", "no RawDetection: ValueError"),
        ("RawDetection('person', .5, (0, 0, 1))", "no RawDetection: ValueError"),
        ("(0, 0, 1, 1)", "no RawDetection: AttributeError"),
    ],
)
def test_what_is_no_object_is_told_in_one_line(
    site: Path, request: pytest.FixtureRequest, objects: str, told: str
) -> None:
    module = re.sub(r"\W", "_", "odd_" + request.node.callspec.id)
    install(site, module, found(objects), {"odd": f"{module}:Good"})
    with pytest.raises(DetectorError, match=told):
        opened("odd").detect(IMAGES)


def test_detector_that_fails_or_answers_too_little_is_told_in_one_line(site: Path) -> None:
    code = found("") + (
        "    def failing(request):\n"
        "        d = Good(request); d.detect = lambda images: 1 / 0; return d\n"
        "    def short(request):\n"
        "        d = Good(request); d.detect = lambda images: [[]]; return d\n"
    )
    install(site, "short", code, {"failing": "short:failing", "short": "short:short"})
    with pytest.raises(
        DetectorError, match=r"good by mine failed on 2 images of 64x48 \(ZeroDivisionError"
    ):
        opened("failing").detect(IMAGES)
    with pytest.raises(DetectorError, match="answered 2 images with 1 lists of objects"):
        opened("short").detect(IMAGES)


def test_plugin_has_its_own_words_for_what_is_missing(site: Path) -> None:
    code = """
        from vision.errors import WeightsError
        def picky(request):
            raise WeightsError("give me weights")
    """
    install(site, "picky", code, {"picky": "picky:picky"})
    with pytest.raises(WeightsError, match=r"^give me weights$"):
        opened("picky")


def test_backend_is_for_yolo_alone() -> None:
    for name in ("hog", "a-plug-in"):
        with pytest.raises(SettingsError, match=f"leave it out with --detector {name}"):
            opened(name, backend="torch")
    with pytest.raises(SettingsError, match="--detector hog computes on the CPU"):
        opened("hog", device="cuda")


def block(language: str) -> str:
    """The page's first block of code in a language."""
    found_block = re.search(rf"```{language}\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found_block is not None
    return found_block.group(1)


def write_rtdetr(path: Path) -> None:
    """A network with RT-DETR's inputs and outputs that sees a person where it is told to.

    Its three boxes are shares of the image that `orig_target_sizes` gives; the first one's score
    is how red the image is.
    """
    onnx = pytest.importorskip("onnx")
    helper, numpy_helper, floats = onnx.helper, onnx.numpy_helper, onnx.TensorProto.FLOAT

    def constant(name: str, value: np.ndarray):
        return numpy_helper.from_array(value, name)

    shares = np.array([[[0.25, 0.5, 0.5, 1]] * 3], dtype=np.float32)
    nodes = [
        helper.make_node("Cast", ["orig_target_sizes"], ["size"], to=floats),
        helper.make_node("Concat", ["size", "size"], ["limits"], axis=1),
        helper.make_node("Mul", ["shares", "limits"], ["boxes"]),
        helper.make_node("Slice", ["images", "zero", "one", "one"], ["red"]),
        helper.make_node("ReduceMean", ["red"], ["redness"], keepdims=0),
        helper.make_node("Reshape", ["redness", "as_score"], ["score"]),
        helper.make_node("Concat", ["score", "others"], ["scores"], axis=1),
        helper.make_node("Identity", ["numbers"], ["labels"]),
    ]
    graph = helper.make_graph(
        nodes,
        "rtdetr",
        [
            helper.make_tensor_value_info("images", floats, [1, 3, 32, 32]),
            helper.make_tensor_value_info("orig_target_sizes", onnx.TensorProto.INT64, [1, 2]),
        ],
        [
            helper.make_tensor_value_info("labels", onnx.TensorProto.INT64, [1, 3]),
            helper.make_tensor_value_info("boxes", floats, [1, 3, 4]),
            helper.make_tensor_value_info("scores", floats, [1, 3]),
        ],
        [
            constant("shares", shares),
            constant("zero", np.array([0], dtype=np.int64)),
            constant("one", np.array([1], dtype=np.int64)),
            constant("as_score", np.array([1, 1], dtype=np.int64)),
            constant("others", np.array([[0.9, 0.1]], dtype=np.float32)),
            # the second is a car
            constant("numbers", np.array([[0, 2, 0]], dtype=np.int64)),
        ],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 16)], ir_version=8)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def test_the_pages_package_works_as_it_is_printed(tmp_path: Path, run_cli: RunCli) -> None:
    project = tomllib.loads(block("toml"))["project"]
    site = tmp_path / "site"
    site.mkdir()
    install(site, "rva_rtdetr", block("python"), project["entry-points"][GROUP])
    write_rtdetr(tmp_path / "tiny.onnx")
    video = tmp_path / "red.mp4"
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter.fourcc(*"mp4v"), 10, (64, 48))
    for _ in range(3):
        # BGR: red only where the colours arrive in the order that the network wants
        writer.write(np.full((*SIZE, 3), (20, 20, 200), dtype=np.uint8))
    writer.release()
    environment = {"PYTHONPATH": on_path(site)}
    ended = run_cli(
        *("--input", video, "--detector", "rtdetr", "--weights", tmp_path / "tiny.onnx"),
        *("--output", tmp_path / "v.jsonl"),
        **environment,
    )
    assert ended.returncode == 0, ended.stderr
    lines = read_lines(tmp_path / "v.jsonl")
    assert len(lines) == 3
    for line in lines:
        assert line["model"]["detector"] == "tiny"
        (one,) = line["detections"]
        assert one["bbox"] == {"x1": 16, "y1": 24, "x2": 32, "y2": 48}
        assert 0.7 < one["conf"] < 0.87
    summary = json.loads((tmp_path / "v.summary.json").read_text())
    assert summary["detector"] == "tiny"

    ended = run_cli(
        *("--input", video, "--detector", "rtdetr", "--weights", tmp_path / "tiny.onnx"),
        *("--output", tmp_path / "all.jsonl", "--confidence", "0"),
        **environment,
    )
    assert ended.returncode == 0, ended.stderr
    for line in read_lines(tmp_path / "all.jsonl"):
        # also who is not sure
        assert len(line["detections"]) == 2

    ended = run_cli("--input", video, "--detector", "rtdetr", **environment)
    assert ended.returncode == 2
    assert (
        ended.stderr.strip() == "error: --detector rtdetr needs --weights, an ONNX file of RT-DETR"
    )


def test_plugin_is_opened_without_importing_ultralytics(site: Path) -> None:
    install(site, "light", found(""), {"light": "light:Good"})
    script = (
        "from vision.detectors import make_detector\n"
        "from vision.settings import ExtractSettings\n"
        "import sys\n"
        "make_detector(ExtractSettings(input='x', detector='light'), (48, 64), print)\n"
        "assert not {'torch', 'ultralytics'} & {*sys.modules}\n"
    )
    environment = os.environ | {"PYTHONPATH": on_path(site)}
    subprocess.run([sys.executable, "-c", script], env=environment, check=True)


def test_built_in_names_are_not_taken_from_packages(site: Path) -> None:
    install(site, "thief", found(""), {"hog": "thief:Good"})
    assert [point.value for point in importlib.metadata.entry_points(group=GROUP, name="hog")]
    assert opened("hog").backend == "opencv"
