"""MinIO's build, with a Go that only pretends."""

from pathlib import Path

import pytest

from local_stack import minio_build
from local_stack.artefacts import load_lock
from local_stack.errors import StackError
from local_stack.settings import StackSettings

WORKS = """#!/bin/sh
echo "github.com/minio/minio/cmd"
mkdir -p "$GOBIN" "$GOPATH/pkg"
echo "$@" > "$GOBIN/minio"
"""
FAILS = """#!/bin/sh
echo "go: github.com/minio/minio: dial tcp: no such host"
exit 1
"""


@pytest.fixture
def settings(tmp_path: Path) -> StackSettings:
    return StackSettings.load({"RVA_CACHE_DIR": str(tmp_path / "cache"), "RVA_MAVEN_URL": "x"})


def build(settings: StackSettings, script: str | None, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = settings.cache_dir.parent / "scripts"
    folder.mkdir(exist_ok=True)
    if script:
        (folder / "go").write_text(script)
        (folder / "go").chmod(0o755)
    monkeypatch.setattr(minio_build.sysconfig, "get_path", lambda _: str(folder))
    target = settings.cache_dir / "bin" / "minio"
    minio_build.build_minio(settings, load_lock().minio, target)
    return target


def test_build_of_the_locked_version_lands_in_the_cache_and_leaves_nothing_else(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = build(settings, WORKS, monkeypatch)
    lock = load_lock().minio
    assert target.read_text().strip().endswith(f"{lock.module}@{lock.version}")
    assert [path.name for path in settings.cache_dir.iterdir()] == ["bin"]


def test_failed_build_shows_what_go_said_and_what_to_do(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackError, match=r"no such host[\s\S]*put a `minio` on PATH"):
        build(settings, FAILS, monkeypatch)
    assert not (settings.cache_dir / "bin").exists()
    build(settings, WORKS, monkeypatch)


def test_environment_without_go_is_named(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackError, match="make setup"):
        build(settings, None, monkeypatch)
