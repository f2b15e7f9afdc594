"""YOLO's network as OpenVINO computes it best: images as they are, and no box that nobody needs."""

import importlib
from dataclasses import dataclass
from typing import Any

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
    # what segments or poses besides is not computed
    ov = importlib.import_module("openvino")
    return _with_images(ov.Model([network.output(0)], network.get_parameters())).build()


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
        # handed on, never iterated: beside Pulsar's client (`--to`), which brings a C++ runtime of
        # its own, OpenVINO's iterators end in an error
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
    steps = _with_images(ov.Model(results, network.get_parameters()))
    for index in range(len(results)):
        _channels_last(steps.output(index))
        if index >= len(logits):
            steps.output(index).tensor().set_element_type(features_type)
    return Parts(steps.build(), boxes)


def _by_name(network: Any) -> dict[str, Any]:
    return {node.get_friendly_name(): node for node in network.get_ordered_ops()}


def _with_images(network: Any) -> Any:
    """Steps before the network that its input's order of colours, layout and scale ask for."""
    ov = importlib.import_module("openvino")
    preprocess = importlib.import_module("openvino.preprocess")
    steps = preprocess.PrePostProcessor(network)
    image = steps.input()
    image.tensor().set_element_type(ov.Type.u8).set_layout(ov.Layout(_ROWS_COLUMNS_CHANNELS))
    image.tensor().set_color_format(preprocess.ColorFormat.BGR)
    image.preprocess().convert_element_type(ov.Type.f32)
    image.preprocess().convert_color(preprocess.ColorFormat.RGB).scale(255.0)
    image.model().set_layout(ov.Layout(_CHANNELS_ROWS_COLUMNS))
    return steps


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
