"""What vision is told, in a container and in its environment alike: `python -m vision extract …`.

Pure: values in, an argument list out. Nothing passes through a shell.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store_pipeline.errors import InputUnusable

ADDRESS_VARIABLE = "RVA_CAMERA_ADDRESS"
"""Environment variable in which vision finds a camera's address that may have a password."""


@dataclass(frozen=True, kw_only=True)
class VisionRun:
    """One run of vision, ready to be started."""

    arguments: tuple[str, ...]
    """Behind `python -m vision`."""
    output: Path
    summary: Path
    outcome: Path
    """Where vision leaves how the run ended."""
    secrets: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Environment variables that stand in no command line and are stored nowhere."""


def vision_run(inputs: Mapping[str, Any], address: str) -> VisionRun:
    """Return the run that the inputs ask for.

    :param inputs: options of `python -m vision extract`, by their names with _; None and false are
        left out.
    :param address: what is read: the input, or the address that its Variable holds.
    :raises InputUnusable: there is no output, or a value that no option can have.
    """
    if not inputs.get("output"):
        raise InputUnusable("output", inputs.get("output"), "name the file for the frame metadata")
    output = Path(inputs["output"])
    summary = Path(inputs.get("summary") or output.with_name(f"{output.stem}.summary.json"))
    outcome = output.with_name(f"{output.stem}.outcome.json")
    is_secret = address != inputs["input"]
    told = dict(inputs) | {
        "input": f"${{{ADDRESS_VARIABLE}}}" if is_secret else address,
        "outcome": str(outcome),
    }
    return VisionRun(
        arguments=("extract", *(each for name in told for each in _option(name, told[name]))),
        output=output,
        summary=summary,
        outcome=outcome,
        secrets={ADDRESS_VARIABLE: address} if is_secret else {},
    )


def _option(name: str, value: object) -> Sequence[str]:
    """One argument, so that a value that begins with - is still a value."""
    option = f"--{name.replace('_', '-')}"
    if value is None or value is False:
        return ()
    if value is True:
        return (option,)
    if isinstance(value, str | int | float):
        return (f"{option}={value}",)
    if isinstance(value, list | tuple):
        if all(isinstance(each, str) for each in value):
            return (f"{option}={','.join(value)}",)
        return (f"{option}={json.dumps(value)}",)
    raise InputUnusable(name, value, "give text, a number, true or false, or a list")
