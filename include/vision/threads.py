"""Libraries with threads of their own, which take one for each CPU unless they are told."""

import sys

import cv2


def bind_threads(threads: int) -> None:
    """Let OpenCV, and PyTorch where it is loaded by now, compute with so many threads."""
    cv2.setNumThreads(threads)
    torch = sys.modules.get("torch")
    if torch is not None:
        torch.set_num_threads(threads)
