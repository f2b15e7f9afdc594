"""How a benchmark's run ends: printed, kept, and as an exit code."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

RESULTS = Path(__file__).parent / "results"


def conclude(result: DataclassInstance, name: str, *, is_good: bool, keep: bool) -> int:
    """Print the result and, if it is to be kept, write it as `bench/results/<name>`.

    :returns: 0 if it is good, else 1
    """
    text = json.dumps(asdict(result), indent=2)
    print(text)
    if keep:
        (RESULTS / name).write_text(text + "\n", encoding="utf-8")
        print(f"written to bench/results/{name}")
    return 0 if is_good else 1


def machine() -> dict[str, Any]:
    """What a run was measured on."""
    names = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        if line.startswith("model name")
    ]
    return {
        "cores": os.cpu_count(),
        "processor": names[0] if names else platform.processor(),
        "memory_gib": round(psutil.virtual_memory().total / 2**30, 1),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }
