"""How a benchmark's run ends: printed, kept, and as an exit code."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

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
