"""Where a detector computes: the CPU, or CUDA where there is one."""

import ctypes
import importlib

from vision.errors import SettingsError

_DRIVER = "libcuda.so.1"


def resolve_device(wanted: str) -> str:
    """`cpu` or `cuda:N` for `auto`, `cpu`, `cuda` or `cuda:N`.

    PyTorch, which takes seconds to import, is asked only where NVIDIA's driver is installed.
    Raises `SettingsError` for a CUDA device that is not there.
    """
    if wanted == "cpu":
        return "cpu"
    count = _cuda_devices()
    if wanted == "auto":
        return "cuda:0" if count else "cpu"
    number = int(wanted.partition(":")[2] or 0)
    if not count:
        raise SettingsError(
            f"--device {wanted}: PyTorch finds no CUDA device on this machine; "
            "use --device cpu, or leave it out"
        )
    if number >= count:
        raise SettingsError(
            f"--device {wanted}: this machine has {count} CUDA devices, counted from cuda:0"
        )
    return f"cuda:{number}"


def _cuda_devices() -> int:
    """How many CUDA devices PyTorch can use."""
    try:
        ctypes.CDLL(_DRIVER)
    except OSError:
        return 0
    try:
        cuda = importlib.import_module("torch").cuda
        return int(cuda.device_count()) if cuda.is_available() else 0
    except ImportError:
        return 0
