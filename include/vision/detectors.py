"""The choice among detectors, and the loud word when it is not the one that was hoped for."""

from collections.abc import Callable

from vision import hog
from vision.detection import Detector, GuardedDetector
from vision.environment import usable_cpus
from vision.errors import DetectorError, SettingsError, VisionError, one_line
from vision.plugins import DetectorRequest, open_plugin
from vision.settings import DETECTORS, PERSON, ExtractSettings
from vision.weights import WeightsUnavailableError, find_weights
from vision.yolo.opening import check_choice, open_yolo
from vision.yolo.request import DEFAULT_CONFIDENCE, DEFAULT_IMAGE_SIZE_PX, YoloRequest


def make_detector(
    settings: ExtractSettings,
    frame_size: tuple[int, int],
    warn: Callable[[str], None],
    should_stop: Callable[[], bool] = lambda: False,
) -> Detector:
    """The detector of the settings, loaded, for frames of (height, width).

    `auto` falls back to HOG and `warn`s why. `should_stop` is asked while weights are exported.
    Raises `WeightsError`, `SettingsError`, `StoppedEarlyError` and, for whatever else goes wrong,
    `DetectorError`, as the detector itself does.
    """
    try:
        return GuardedDetector(_open(settings, frame_size, warn, should_stop))
    except VisionError:
        raise
    except Exception as error:
        raise DetectorError(
            f"the detector cannot be opened ({one_line(error)}): "
            "try another --backend or --device, or another --detector"
        ) from error


def _open(
    settings: ExtractSettings,
    frame_size: tuple[int, int],
    warn: Callable[[str], None],
    should_stop: Callable[[], bool],
) -> Detector:
    is_plugin = settings.detector not in DETECTORS
    if settings.backend != "auto" and (is_plugin or settings.detector == "hog"):
        raise SettingsError(
            f"--backend is for yolo: leave it out with --detector {settings.detector}"
        )
    if is_plugin:
        return open_plugin(settings.detector, _plugin_request(settings, frame_size))
    if settings.detector == "hog":
        if settings.device.startswith("cuda"):
            raise SettingsError("--detector hog computes on the CPU: leave --device out")
        return _hog(settings)
    # before the search for weights, which may end at HOG
    check_choice(settings.backend, settings.device)
    try:
        weights = find_weights(settings.weights)
    except WeightsUnavailableError as error:
        if settings.detector == "yolo":
            raise WeightsUnavailableError(f"{error}; {HOW_TO_MEND}") from None
        if set(settings.classes) != {PERSON}:
            raise WeightsUnavailableError(
                f"{error}, and without weights only people can be found, "
                f"not {', '.join(settings.classes)}; {HOW_TO_MEND}"
            ) from None
        warn(_fallback_warning(error))
        return _hog(settings)
    request = YoloRequest(
        weights=weights,
        classes=settings.classes,
        confidence=DEFAULT_CONFIDENCE if settings.confidence is None else settings.confidence,
        longer_side_px=settings.image_size or DEFAULT_IMAGE_SIZE_PX,
        threads=settings.threads or usable_cpus(),
    )
    return open_yolo(request, settings.backend, settings.device, frame_size, warn, should_stop)


HOW_TO_MEND = (
    "give weights with --weights yolo11n.pt (or RVA_WEIGHTS), or connect to the internet once"
)


def _fallback_warning(reason: VisionError) -> str:
    return "\n".join(
        [
            "THE YOLO DETECTOR IS NOT USED: its weights cannot be had.",
            f"  Why: {reason}.",
            "  Instead: OpenCV's HOG people detector. It is slower, misses people who are small,",
            "  bent, half hidden or seen from above, and every line says model.detector = hog.",
            f"  To mend it: {HOW_TO_MEND}.",
        ]
    )


def _hog(settings: ExtractSettings) -> Detector:
    others = [name for name in settings.classes if name != PERSON]
    if others:
        raise SettingsError(
            f"--detector hog finds only people, not {', '.join(others)}: use --detector yolo"
        )
    return hog.HogDetector(
        confidence=hog.DEFAULT_CONFIDENCE if settings.confidence is None else settings.confidence,
        longer_side_px=settings.image_size,
        threads=settings.threads or usable_cpus(),
    )


def _plugin_request(settings: ExtractSettings, frame_size: tuple[int, int]) -> DetectorRequest:
    return DetectorRequest(
        weights=settings.weights,
        classes=settings.classes,
        confidence=settings.confidence,
        image_size=settings.image_size,
        threads=settings.threads or usable_cpus(),
        device=settings.device,
        batch=settings.batch,
        frame_size=frame_size,
    )
