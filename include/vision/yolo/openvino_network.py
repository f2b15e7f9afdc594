"""YOLO's network as OpenVINO computes it best: images as they are, and no box that nobody needs."""

import importlib
from dataclasses import dataclass
from typing import Any

import numpy as np

from vision.yolo.exports import Head

_ROWS_COLUMNS_CHANNELS = "NHWC"
_CHANNELS_ROWS_COLUMNS = "NCHW"


@dataclass(frozen=True)
class Parts:
    """A network whose boxes are computed apart, at those levels where anything was found.

    The same sums as in the whole: what is left out is what would have been thrown away.
    """

    classes: Any
    """Image in; out come each level's logits (1, rows, columns, classes) float32, then each level's
    features, which `boxes` take."""

    boxes: list[Any]
    """For each level: features in, distances (1, rows, columns, 4 * bins) float32 out."""


def whole(network: Any) -> Any:
    """The network with images (1, height, width, 3) uint8 in blue, green, red as its input."""
    ov = importlib.import_module("openvino")
    images = _take_images(network)
    # what segments or poses besides is not computed
    return ov.Model([network.output(0)], [images])


def in_parts(network: Any, head: Head, features_type: Any) -> Parts | None:
    """The network in parts, which the features pass between as `features_type`.

    None where its nodes are not named as Ultralytics' exporter and OpenVINO's reader name them.
    """
    ov = importlib.import_module("openvino")
    operators = importlib.import_module("openvino.opset13")
    levels = range(len(head.strides_px))
    boxes = []
    for level in levels:
        # a copy each, since its branch is cut off where the features come in
        nodes = _by_name(network.clone())
        branch = f"{head.name}/cv2.{level}/cv2.{level}."
        first, last = nodes.get(f"{branch}0/conv/Conv/WithoutBiases"), nodes.get(f"{branch}2/Conv")
        if first is None or last is None:
            return None
        # a shape is handed on, never iterated: beside Pulsar's client (`--to`), which brings a C++
        # runtime of its own, OpenVINO's iterators end in an error
        features = operators.parameter(first.input_value(0).get_partial_shape(), ov.Type.f32)
        first.input(0).replace_source_output(features.output(0))
        boxes.append(_between(ov.Model([last.output(0)], [features]), features_type))
    nodes = _by_name(network)
    try:
        logits = [
            nodes[f"{head.name}/cv3.{level}/cv3.{level}.2/Conv"].output(0) for level in levels
        ]
    except KeyError:
        return None
    features = [
        nodes[f"{head.name}/cv2.{level}/cv2.{level}.0/conv/Conv/WithoutBiases"].input_value(0)
        for level in levels
    ]
    results = [operators.result(each) for each in (*logits, *features)]
    preprocess = importlib.import_module("openvino.preprocess")
    steps = preprocess.PrePostProcessor(ov.Model(results, [_take_images(network)]))
    for index in range(len(results)):
        _channels_last(steps.output(index))
        if index >= len(logits):
            steps.output(index).tensor().set_element_type(features_type)
    return Parts(steps.build(), boxes)


def _by_name(network: Any) -> dict[str, Any]:
    return {node.get_friendly_name(): node for node in network.get_ordered_ops()}


def _take_images(network: Any) -> Any:
    """Give the network images as its input; the new input.

    The order of these steps lets OpenVINO put colours and scale into the first weights and leave
    the rows where they are: in its own PrePostProcessor's order the whole takes 2 % longer.
    """
    ov = importlib.import_module("openvino")
    operators = importlib.import_module("openvino.opset13")
    (planes,) = network.get_parameters()
    # by index, never iterated: see above
    shape = planes.get_output_shape(0)
    images = operators.parameter([1, shape[2], shape[3], 3], ov.Type.u8)
    blue_green_red = operators.convert(images, "f32")
    red_green_blue = operators.gather(blue_green_red, [2, 1, 0], 3)
    to_one = operators.multiply(red_green_blue, np.float32(1 / 255))
    replacement = operators.transpose(to_one, [0, 3, 1, 2])
    for reader in planes.output(0).get_target_inputs():
        reader.replace_source_output(replacement.output(0))
    return images


def _between(network: Any, features_type: Any) -> Any:
    """A branch with features in and out as the CPU has them: each place's channels together."""
    steps = importlib.import_module("openvino.preprocess").PrePostProcessor(network)
    steps.input().tensor().set_element_type(features_type)
    _channels_last(steps.input())
    _channels_last(steps.output())
    return steps.build()


def _channels_last(edge: Any) -> None:
    ov = importlib.import_module("openvino")
    edge.tensor().set_layout(ov.Layout(_ROWS_COLUMNS_CHANNELS))
    edge.model().set_layout(ov.Layout(_CHANNELS_ROWS_COLUMNS))
