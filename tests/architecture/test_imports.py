"""Imports go one way: dags → plugins → {lakehouse, replay} → frame_contract; vision → replay."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = {path.name for path in (ROOT / "plugins").iterdir() if path.is_dir()} - {"__pycache__"}
INCLUDE = {path.name for path in (ROOT / "include").iterdir() if (path / "__init__.py").exists()}
OURS = PLUGINS | INCLUDE | {"dags", "plugins", "include"}

MAY_IMPORT: dict[str, set[str]] = {
    "frame_contract": set(),
    # how a frame is published has one home: vision publishes while it writes, by the same rules
    "vision": {"frame_contract", "replay"},
    "flink_jobs": {"frame_contract"},
    # it publishes as replay does, and shows progress as replay does
    "store_simulator": {"frame_contract", "replay"},
    "replay": {"frame_contract"},
    # the audit reads the topic, the quarantine publishes to it again: by replay's rules (ADR 009)
    "lakehouse": {"frame_contract", "replay"},
    "local_stack": set(),
    **{plugin: PLUGINS | {"lakehouse", "replay", "frame_contract"} for plugin in PLUGINS},
    "dags": PLUGINS | {"lakehouse", "replay", "frame_contract"},
}
"""What each package may import of ours, besides itself."""
HEAVY = {"torch", "cv2", "ultralytics", "pyflink", "pyiceberg", "pulsar", "pyarrow", "trino"}


def sources(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*.py") if "__pycache__" not in path.parts)


def imported_modules(path: Path, *, at_module_level: bool = False) -> Iterator[str]:
    """Full names of the modules that a file imports, anywhere or at module level only."""
    tree = ast.parse(path.read_text(encoding="utf-8"), str(path))
    nodes = tree.body if at_module_level else ast.walk(tree)
    for node in nodes:
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module


def imported(path: Path, *, at_module_level: bool = False) -> Iterator[str]:
    """First names of what a file imports."""
    for module in imported_modules(path, at_module_level=at_module_level):
        yield module.partition(".")[0]


def package_files() -> list[tuple[str, Path]]:
    folders = [(name, ROOT / "include" / name) for name in sorted(INCLUDE)]
    folders += [(name, ROOT / "plugins" / name) for name in sorted(PLUGINS)]
    folders += [("dags", ROOT / "dags")]
    return [(name, path) for name, folder in folders for path in sources(folder)]


@pytest.mark.parametrize(
    ("package", "path"), package_files(), ids=lambda each: str(getattr(each, "name", each))
)
def test_package_imports_of_ours_only_what_it_may(package: str, path: Path) -> None:
    allowed = MAY_IMPORT[package] | {package}
    where = f"{path.parent.name}/{path.name}"
    forbidden = {name for name in imported(path) if name in OURS and name not in allowed}
    assert not forbidden, f"{where} imports {', '.join(sorted(forbidden))}"


@pytest.mark.parametrize("path", sources(ROOT / "dags"), ids=lambda path: path.name)
def test_dag_file_imports_nothing_heavy_at_module_level(path: Path) -> None:
    heavy = HEAVY & set(imported(path, at_module_level=True))
    assert not heavy, f"{path.name} imports {', '.join(sorted(heavy))} when it is parsed"


def test_contract_needs_nothing_but_msgspec_and_the_standard_library() -> None:
    names = {
        name for path in sources(ROOT / "include" / "frame_contract") for name in imported(path)
    }
    assert names - set(sys.stdlib_module_names) == {"frame_contract", "msgspec"}


def test_what_vision_takes_of_replay_needs_nothing_but_what_vision_has() -> None:
    taken = {"errors", "message", "run", "settings", "topic"}
    inside = {
        module.removeprefix("replay.")
        for path in sources(ROOT / "include" / "vision")
        for module in imported_modules(path)
        if module.startswith("replay.")
    }
    assert inside <= taken
    names = {
        name for part in taken for name in imported(ROOT / "include" / "replay" / f"{part}.py")
    }
    assert names - set(sys.stdlib_module_names) == {"frame_contract", "replay", "pulsar"}


@pytest.mark.parametrize("path", sources(ROOT / "include" / "vision"), ids=lambda path: path.name)
def test_vision_imports_pulsar_only_where_it_publishes(path: Path) -> None:
    assert not {"pulsar", "replay.topic"} & set(imported_modules(path, at_module_level=True))


def test_every_package_of_ours_has_its_rule() -> None:
    assert set(MAY_IMPORT) >= INCLUDE | PLUGINS


def test_airflow_s_scan_passes_every_package_by() -> None:
    # it would import each file by its bare name: `numbers.py` in place of Python's own module
    listed = (ROOT / "plugins" / ".airflowignore").read_text(encoding="utf-8").splitlines()
    assert {line for line in listed if not line.startswith("#")} == PLUGINS
