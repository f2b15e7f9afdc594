"""The arithmetic around an exported model, without a model."""

import numpy as np
import numpy.typing as npt
import pytest

from vision.boxes import RawDetection
from vision.yolo.letterbox import GREY, Canvas, padded_size, place
from vision.yolo.outputs import Selection, confidences, decoded
from vision.yolo.request import MAX_OBJECTS

NAMES = {0: "person", 1: "cat", 2: "dog"}


@pytest.mark.parametrize(
    ("frame", "longer_side_px", "expected"),
    [
        pytest.param((360, 480), 640, (480, 640), id="PETS, enlarged"),
        pytest.param((432, 768), 640, (384, 640), id="wide, padded to the stride"),
        pytest.param((1080, 1920), 640, (384, 640), id="full HD"),
        pytest.param((1920, 1080), 640, (640, 384), id="a camera on its side"),
        pytest.param((500, 500), 500, (512, 512), id="no multiple of the stride"),
        pytest.param((10, 1000), 640, (32, 640), id="a sliver"),
    ],
)
def test_input_is_as_long_as_asked_and_only_as_wide_as_needed(
    frame: tuple[int, int], longer_side_px: int, expected: tuple[int, int]
) -> None:
    assert padded_size(frame, longer_side_px) == expected


FRAMES = [
    (360, 480),
    (432, 768),
    (433, 768),
    (1080, 1920),
    (1920, 1080),
    (481, 641),
    (1793, 2442),
    (195, 3843),
]


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_canvas_holds_what_ultralytics_letterbox_makes(frame: tuple[int, int]) -> None:
    augment = pytest.importorskip("ultralytics.data.augment")
    image = np.random.default_rng(1).integers(0, 256, (*frame, 3), dtype=np.uint8)
    canvas = Canvas(padded_size(frame, 640))
    canvas.show(image)
    assert np.array_equal(canvas.pixels, augment.LetterBox(640, auto=True)(image=image))


def test_canvas_is_grey_again_around_an_image_of_another_size() -> None:
    canvas = Canvas((64, 64))
    canvas.show(np.zeros((32, 64, 3), dtype=np.uint8))
    # 64x32 lies in the middle; nothing of the 32x64 before may show beside it
    canvas.show(np.zeros((64, 32, 3), dtype=np.uint8))
    assert (canvas.pixels[:, :16] == GREY).all()
    assert (canvas.pixels[:, 48:] == GREY).all()
    assert (canvas.pixels[:, 16:48] == 0).all()


@pytest.mark.parametrize("frame", FRAMES, ids=str)
def test_boxes_come_back_to_where_they_are_in_the_image(frame: tuple[int, int]) -> None:
    height, width = frame
    placement = place(frame, padded_size(frame, 640))
    scaled_height, scaled_width = placement.scaled_size
    corner = np.array([placement.left, placement.top] * 2, dtype=np.float32)
    shares = np.array([0.25, 0.5, 0.75, 1], dtype=np.float32)
    expected = shares * [width, height, width, height]
    inside = corner + shares * np.array([scaled_width, scaled_height] * 2)
    assert placement.to_image(inside[np.newaxis].astype(np.float32))[0] == pytest.approx(
        expected, abs=0.01
    )
    # in the grey there is nothing
    beyond = np.array([[-50, -50, 9_000, 9_000]], dtype=np.float32)
    assert placement.to_image(beyond).tolist() == [[0, 0, width, height]]


def output(*places: tuple[tuple[float, float, float, float], tuple[float, ...]]) -> npt.NDArray:
    """A model's output of middle x, y, width, height and the classes' scores at some places."""
    return np.array([[*box, *scores] for box, scores in places], dtype=np.float32).T


HERE = (50, 50, 20, 40)
NEARLY_HERE = (51, 50, 20, 40)
THERE = (20, 30, 10, 10)
AS_IT_IS = place((100, 100), (100, 100))


def objects(raw: npt.NDArray, *wanted: int, confidence: float = 0.35) -> list[RawDetection]:
    selection = Selection(wanted or (0,), NAMES, confidence)
    found = selection.objects(raw, AS_IT_IS)
    # whether or not the places were looked through before
    assert selection.objects(selection.places(raw), AS_IT_IS) == found
    return found


def test_sure_object_is_found_with_its_corners() -> None:
    (one,) = objects(output((HERE, (0.75, 0, 0))))
    assert one == RawDetection("person", 0.75, (40, 30, 60, 70))


def test_surest_comes_first() -> None:
    raw = output((HERE, (0.5, 0, 0)), (THERE, (0.75, 0, 0)))
    assert [one.confidence for one in objects(raw)] == [0.75, 0.5]


def test_object_that_is_not_surer_than_asked_is_left_out() -> None:
    raw = output((HERE, (0.5, 0, 0)), (THERE, (0.75, 0, 0)))
    assert [one.confidence for one in objects(raw, confidence=0.5)] == [0.75]
    assert objects(raw, confidence=0.9) == []


def test_place_belongs_to_the_surest_class_even_if_that_is_not_wanted() -> None:
    raw = output((HERE, (0.5, 0.6, 0)), (THERE, (0.5, 0.4, 0)))
    assert [one.bbox_xyxy_px for one in objects(raw)] == [(15, 25, 25, 35)]
    assert [one.class_name for one in objects(raw, 0, 1)] == ["cat", "person"]


def test_classes_that_are_not_wanted_are_left_out() -> None:
    raw = output((HERE, (0, 0.6, 0)), (THERE, (0, 0, 0.5)))
    assert objects(raw) == []
    assert [one.class_name for one in objects(raw, 2)] == ["dog"]
    # in whatever order they were asked for
    assert [one.class_name for one in objects(raw, 2, 1)] == ["cat", "dog"]


def test_one_object_seen_at_two_places_is_one() -> None:
    raw = output((HERE, (0.5, 0, 0)), (NEARLY_HERE, (0.75, 0, 0)))
    assert [one.bbox_xyxy_px for one in objects(raw)] == [(41, 30, 61, 70)]


def test_two_classes_at_one_place_are_two_objects() -> None:
    raw = output((HERE, (0.5, 0, 0)), (NEARLY_HERE, (0, 0.75, 0)))
    assert [one.class_name for one in objects(raw, 0, 1)] == ["cat", "person"]


def test_objects_that_overlap_by_two_thirds_are_two() -> None:
    # 20 wide, 4 apart: 16 of 24 shared
    raw = output((HERE, (0.5, 0, 0)), ((54, 50, 20, 40), (0.75, 0, 0)))
    assert len(objects(raw)) == 2


def test_what_a_model_says_besides_is_not_taken_for_a_class() -> None:
    raw = np.vstack([output((HERE, (0.5, 0, 0))), np.full((32, 1), 0.9, dtype=np.float32)])
    selection = Selection((0, 1, 2), NAMES, 0.35)
    assert selection.places(raw).tolist() == [[50], [50], [20], [40], [0.5], [0], [0]]


def test_no_more_objects_than_ultralytics_would_give() -> None:
    places = [((x, y, 2, 2), (0.5, 0, 0)) for x in range(0, 100, 4) for y in range(0, 100, 4)]
    assert len(places) > MAX_OBJECTS
    assert len(objects(output(*places))) == MAX_OBJECTS


def test_places_are_only_those_where_a_wanted_class_is_sure_enough() -> None:
    raw = output((HERE, (0.3, 0.9, 0)), (NEARLY_HERE, (0.4, 0, 0)), (THERE, (0, 0, 0.4)))
    selection = Selection((0, 2), NAMES, 0.35)
    assert selection.places(raw)[4:].tolist() == raw[4:, 1:].tolist()
    # the same of logits, of which the confidences are made
    with np.errstate(divide="ignore"):
        logits = np.log(raw[4:]) - np.log1p(-raw[4:])
    assert selection.likely_places(logits).tolist() == [1, 2]


@pytest.mark.parametrize("confidence", [0.0, 0.001, 0.35, 0.999, 1.0])
def test_no_likely_place_is_missed(confidence: float) -> None:
    logits = np.linspace(-100, 100, 3_000, dtype=np.float32).reshape(3, -1)
    selection = Selection((0, 1, 2), NAMES, confidence)
    sure = np.flatnonzero((confidences(logits) > confidence).any(axis=0))
    likely = selection.likely_places(logits)
    assert set(sure) <= set(likely)
    assert len(likely) <= len(sure) + 3


def test_confidences_run_from_nothing_to_one() -> None:
    logits = np.array([-1_000, -1, 0, 1, 1_000], dtype=np.float32)
    assert confidences(logits) == pytest.approx([0, 0.268941, 0.5, 0.731059, 1], abs=1e-6)


def test_boxes_are_decoded_as_ultralytics_decodes_them() -> None:
    torch = pytest.importorskip("torch")
    modules = pytest.importorskip("ultralytics.nn.modules.block")
    tal = pytest.importorskip("ultralytics.utils.tal")
    rows, columns, stride_px, bins = 3, 5, 16, 16
    random = np.random.default_rng(4)
    distances = random.normal(0, 4, (rows * columns, 4 * bins)).astype(np.float32)
    features = [torch.zeros(1, 1, rows, columns)]
    anchors, strides = (each.T for each in tal.make_anchors(features, [stride_px], 0.5))
    expectations = modules.DFL(bins)(torch.from_numpy(distances.T[np.newaxis].copy()))
    expected = (tal.dist2bbox(expectations, anchors[None], xywh=True, dim=1) * strides)[0].numpy()
    places = np.array([14, 0, 7])
    boxes = decoded(distances[places], places, columns, stride_px, bins)
    assert boxes.dtype == np.float32
    assert boxes == pytest.approx(expected[:, places], abs=1e-3)


def test_distances_without_bins_are_taken_as_they_are() -> None:
    # left, top, right, bottom of the second place in the second row of three
    boxes = decoded(np.array([[1, 0.5, 2, 3.5]], dtype=np.float32), np.array([4]), 3, 8, bins=1)
    assert boxes[:, 0].tolist() == [16, 24, 24, 32]
