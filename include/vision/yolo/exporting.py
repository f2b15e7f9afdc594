"""`python -m vision.yolo.exporting WEIGHTS FOLDER HEIGHT WIDTH`: the process that exports.

It leaves in the folder the model and its facts, or why there is none. When its stdin ends, whoever
wanted the export is gone, and so is it.
"""

import importlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from vision.errors import WeightsError
from vision.leaving import when_stdin_ends
from vision.yolo.exports import FAILURE, MODEL, ExportError, Head, write_facts
from vision.yolo.torch_backend import load_model

COLOURS = 3
ABANDONED = 1
"""The exit code where nobody is there to see it."""


def export(weights: Path, folder: Path, input_size: tuple[int, int]) -> None:
    """Write the model for (height, width) and its facts into the folder.

    Where the model cannot take that size, it is made for the next that it can. Raises
    `WeightsError` and `ExportError`.
    """
    model = load_model(weights)
    network = model.model
    # RT-DETR has no such head, and fused end-to-end models have lost theirs
    has_boxes_for_each_place = getattr(network.model[-1], "cv2", None) is not None
    if not has_boxes_for_each_place or network.yaml.get("channels", COLOURS) != COLOURS:
        raise ExportError("only YOLO on colour images is run outside of PyTorch")
    # Ultralytics writes beside the weights, where nobody may be allowed to
    network.pt_path = str((folder / MODEL).with_suffix(".pt"))
    try:
        # not simplified: the runtimes do that themselves
        model.export(format="onnx", imgsz=input_size, device="cpu", simplify=False)
    except Exception as error:  # noqa: BLE001  whatever goes wrong in there, there is no export
        raise ExportError(f"{type(error).__name__}: {error}") from None
    write_facts(folder, model.names, _head(network))


_STEPS_OF_THE_USUAL_HEAD = (
    "forward",
    "forward_head",
    "_inference",
    "_get_decode_boxes",
    "decode_bboxes",
)


def _head(network: Any) -> Head | None:
    """What the runtimes may rely on inside the graph; None where the head is a special one."""
    head = network.model[-1]
    usual = importlib.import_module("ultralytics.nn.modules.head").Detect
    if any(
        getattr(type(head), step) is not getattr(usual, step) for step in _STEPS_OF_THE_USUAL_HEAD
    ):
        return None
    return Head(
        name=f"/model.{len(network.model) - 1}",
        strides_px=tuple(int(stride) for stride in head.stride),
        bins=int(head.reg_max),
    )


def main(arguments: list[str]) -> int:
    """The command."""
    when_stdin_ends(lambda: os._exit(ABANDONED))
    weights, folder, height, width = arguments
    try:
        export(Path(weights), Path(folder), (int(height), int(width)))
    except WeightsError as error:
        failed = "export" if isinstance(error, ExportError) else "weights"
        failure = {"of": failed, "text": str(error)}
        (Path(folder) / FAILURE).write_text(json.dumps(failure), encoding="utf-8")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
