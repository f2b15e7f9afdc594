"""YOLO by ONNX Runtime on the CPU, in float32."""

import importlib
from typing import Any

import cv2

from vision.yolo.exported import Runner
from vision.yolo.exports import Export
from vision.yolo.letterbox import Canvas
from vision.yolo.outputs import Floats, Selection

_ERRORS_ONLY = 3


def open_runners(export: Export, at_once: int, threads: int) -> list[Runner]:
    """`at_once` runners that share `threads` threads. Raises whatever ONNX Runtime raises."""
    ort = importlib.import_module("onnxruntime")
    options = ort.SessionOptions()
    # one of them is the caller's own
    options.intra_op_num_threads = max(threads // at_once, 1)
    options.inter_op_num_threads = 1
    # threads that wait by spinning took twice the CPU time for half the rate on a busy machine
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.log_severity_level = _ERRORS_ONLY
    session = ort.InferenceSession(str(export.model), options, providers=["CPUExecutionProvider"])
    return [_OnnxRunner(session) for _ in range(at_once)]


class _OnnxRunner:
    def __init__(self, session: Any) -> None:
        images = session.get_inputs()[0]
        _, _, height, width = images.shape
        self.canvas = Canvas((height, width))
        self._session = session
        self._input = images.name
        # what segments or poses besides is not asked for
        self._outputs = [session.get_outputs()[0].name]

    def run(self, selection: Selection) -> Floats:
        blob = cv2.dnn.blobFromImage(self.canvas.pixels, 1 / 255, swapRB=True)
        output: Floats = self._session.run(self._outputs, {self._input: blob})[0][0]
        return selection.places(output)
