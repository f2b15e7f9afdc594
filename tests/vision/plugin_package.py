"""A package with a detector, as an installer leaves it behind."""

import os
from pathlib import Path
from textwrap import dedent

from conftest import CHECKOUT

from vision.plugins import GROUP


def install(site: Path, module: str, code: str, entry_points: dict[str, str]) -> None:
    """The module and a .dist-info with its entry points."""
    (site / f"{module}.py").write_text(dedent(code))
    info = site / f"{module}-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {module}\nVersion: 1.0\n")
    points = "".join(f"{name} = {target}\n" for name, target in entry_points.items())
    (info / "entry_points.txt").write_text(f"[{GROUP}]\n{points}")


def on_path(site: Path) -> str:
    """What `PYTHONPATH` must be for a process that is to find it."""
    return os.pathsep.join([str(site), str(CHECKOUT / "include")])
