"""Options that several commands have, said once."""

import argparse

from vision.settings import BACKENDS, ExtractSettings


def add_detector_options(parser: argparse.ArgumentParser) -> None:
    """How objects are found, by whichever detector."""
    add = parser.add_argument
    add(
        "--weights",
        metavar="FILE",
        help="YOLO weights, or a name that Ultralytics publishes "
        "(default: RVA_WEIGHTS, else yolo11n.pt, fetched once into the cache)",
    )
    add(
        "--backend",
        choices=BACKENDS,
        default=ExtractSettings.backend,
        help="what computes YOLO (default: auto, the fastest on the device)",
    )
    add(
        "--device",
        default=ExtractSettings.device,
        metavar="NAME",
        help="cpu, cuda, cuda:1, or auto (default): CUDA where there is one, else the CPU",
    )
    add(
        "--confidence",
        type=float,
        metavar="0..1",
        help="ignore what is less sure (default: 0.35 for yolo, 0.65 for hog)",
    )
    add(
        "--image-size",
        type=int,
        metavar="PX",
        help="scale frames for the detector so that their longer side has PX pixels (default: "
        "640 for yolo; for hog as it is, but 640 to 960)",
    )
    add("--threads", type=int, metavar="N", help="threads of the detector (default: one a CPU)")
