"""requirements.txt, from which the Airflow image is made, is uv.lock's `orchestration`."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from compose.deployment import ROOT

REQUIREMENTS = ROOT / "requirements.txt"
EXPORT = ("export", "--frozen", "--group", "orchestration", "--no-emit-project")


def uv() -> str:
    own = ROOT / ".venvs" / "uv" / "bin" / "uv"
    found = str(own) if own.is_file() else shutil.which("uv")
    if not found:
        pytest.skip("no uv here: the export was not compared")
    return found


def pins(text: str) -> list[str]:
    """Requirements and hashes; comments, which differ between versions of uv, are left out."""
    return [line.strip() for line in text.splitlines() if not line.strip().startswith("#")]


def test_requirements_are_what_uv_exports_from_the_lock(tmp_path: Path) -> None:
    fresh = subprocess.run(
        [uv(), "--directory", str(ROOT), *EXPORT],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert pins(REQUIREMENTS.read_text(encoding="utf-8")) == pins(fresh), (
        f"run uv {' '.join(EXPORT)} --output-file requirements.txt"
    )


def test_every_requirement_is_pinned_and_hashed() -> None:
    text = REQUIREMENTS.read_text(encoding="utf-8").replace("\\\n", "")
    for line in pins(text):
        assert re.match(r"[\w.\[\],-]+==\S+( ;.*?)? +--hash=sha256:", line), line


def test_requirements_name_no_place_outside_of_the_repository() -> None:
    text = REQUIREMENTS.read_text(encoding="utf-8")
    assert "://" not in text
    assert not re.search(r"^\s*(-e|--index|--find-links|/|\.\.)", text, re.MULTILINE)
    assert not re.search(r"(^|\s)/\w+/", text)
