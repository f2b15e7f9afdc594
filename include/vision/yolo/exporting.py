"""`python -m vision.yolo.exporting WEIGHTS FOLDER HEIGHT WIDTH`: the process that exports.

It leaves in the folder the model and its facts, or why there is none.
"""

import json
import sys
from pathlib import Path

from vision.errors import WeightsError
from vision.yolo.exports import FAILURE, MODEL, ExportError, write_facts
from vision.yolo.torch_backend import load_model

COLOURS = 3


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
    write_facts(folder, model.names)


def main(arguments: list[str]) -> int:
    """The command."""
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
