"""Opening YOLO weights by what computes them best, or by what was asked for."""

import importlib
import importlib.util
from collections.abc import Callable

from vision.detection import Detector
from vision.devices import resolve_device
from vision.errors import SettingsError, VisionError
from vision.yolo import onnx_backend, openvino_backend
from vision.yolo.exported import ExportedDetector, Runner
from vision.yolo.exports import Export, ExportError, find_export
from vision.yolo.letterbox import padded_size
from vision.yolo.request import YoloRequest
from vision.yolo.torch_backend import TorchDetector

MOST_AT_ONCE = 8
"""Images computed at once by an exported model; where there are more threads, they share these."""

_Open = Callable[[Export, int, int], list[Runner]]

_WITHOUT_TORCH: dict[str, tuple[str, _Open]] = {
    "openvino": ("openvino", openvino_backend.open_runners),
    "onnx": ("onnxruntime", onnx_backend.open_runners),
}
"""Each backend's package and what opens a model by it; the fastest first."""


def check_choice(backend: str, device: str) -> None:
    """Raise `SettingsError` where the two contradict each other or there is no such device."""
    if backend in _WITHOUT_TORCH and device.startswith("cuda"):
        raise SettingsError(
            f"--backend {backend} computes on the CPU: use --backend torch with --device {device}, "
            "or leave one of them out"
        )
    if device.startswith("cuda"):
        resolve_device(device)


def open_yolo(
    request: YoloRequest,
    backend: str,
    device: str,
    frame_size: tuple[int, int],
    warn: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> Detector:
    """The detector for frames of (height, width).

    `auto` takes PyTorch on a CUDA device, and else the first of OpenVINO, ONNX Runtime and PyTorch
    that works, and `warn`s of what should and does not. `should_stop` is asked during an export.
    Raises `WeightsError`, `SettingsError` and `StoppedEarlyError`.
    """
    check_choice(backend, device)
    if backend in _WITHOUT_TORCH:
        return _by(backend, request, _export(backend, request, frame_size, should_stop))
    chosen = resolve_device(device)
    if backend == "auto" and chosen == "cpu":
        try:
            return _by_the_fastest(request, frame_size, warn, should_stop)
        except ExportError as error:
            warn(f"PyTorch, which is slower, runs {request.weights.name}: {error}")
    return TorchDetector(request, chosen)


def _by_the_fastest(
    request: YoloRequest,
    frame_size: tuple[int, int],
    warn: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> Detector:
    """The first that works. Raises `ExportError` where none does."""
    installed = [
        name
        for name, (package, _) in _WITHOUT_TORCH.items()
        if importlib.util.find_spec(package) is not None
    ]
    if not installed:
        raise ExportError("neither openvino nor onnxruntime is installed")
    export = _export(installed[0], request, frame_size, should_stop)
    for name in installed[:-1]:
        try:
            return _by(name, request, export)
        except ExportError as error:
            warn(str(error))
    return _by(installed[-1], request, export)


def _export(
    backend: str,
    request: YoloRequest,
    frame_size: tuple[int, int],
    should_stop: Callable[[], bool],
) -> Export:
    package, _ = _WITHOUT_TORCH[backend]
    if importlib.util.find_spec(package) is None:
        raise ExportError(
            f"--backend {backend} needs the package {package}: install it, or use --backend torch"
        )
    size = padded_size(frame_size, request.longer_side_px)
    return find_export(request.weights, size, backend, should_stop)


def _by(backend: str, request: YoloRequest, export: Export) -> Detector:
    package, open_runners = _WITHOUT_TORCH[backend]
    try:
        runners = open_runners(export, min(request.threads, MOST_AT_ONCE), request.threads)
        # it computes a first image
        return ExportedDetector(backend, request, export, runners)
    except VisionError:
        raise
    except Exception as error:  # noqa: BLE001  each runtime has errors of its own
        reason = " ".join(str(error).split())[:200]
        raise ExportError(
            f"{package} cannot run {request.weights.name} ({reason}); use --backend torch"
        ) from None
