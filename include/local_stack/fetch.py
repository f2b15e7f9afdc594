"""Brings the servers' files into the user's cache: fetched, checked, unpacked, built; once.

The cache is shared by all clones. A file is in its place only when it is whole: downloads are
checked by sha256 before they are moved there (pooch), archives are unpacked and MinIO is built
in a temporary folder that is renamed at the end. Run again after an interruption, it goes on
with what is missing.
"""

from __future__ import annotations

import gzip
import logging
import shutil
import tarfile
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from local_stack import beam_on_loopback
from local_stack.artefacts import Artefact, GoTool, Lock, load_lock
from local_stack.download import download
from local_stack.errors import StackError, explain
from local_stack.minio_build import build_minio
from local_stack.program import PYFLINK_HOME
from local_stack.settings import StackSettings

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Distributions:
    """Where each server's files lie in the cache."""

    pulsar_home: Path
    trino_home: Path
    catalog_jars: tuple[Path, ...]
    flink_jars: tuple[Path, ...]
    minio: Path
    beam_jar: Path
    """Keeps the channels to Python workers on 127.0.0.1; see `beam_on_loopback`."""


def locate(settings: StackSettings, lock: Lock | None = None) -> Distributions:
    """The places in the cache, whether or not something is there yet."""
    lock = lock or load_lock()
    jars = settings.cache_dir / "maven"
    unpacked = settings.cache_dir / "unpacked"
    return Distributions(
        pulsar_home=unpacked / _unpacked_name("pulsar", lock.of("pulsar")),
        trino_home=unpacked / _unpacked_name("trino", lock.of("trino")),
        catalog_jars=tuple(jars / a.path for a in lock.of("catalog")),
        flink_jars=tuple(jars / a.path for a in lock.of("flink")),
        minio=_minio_path(settings, lock.minio),
        beam_jar=settings.cache_dir / "made" / f"beam-on-loopback-{flink_python_jar().stem}.jar",
    )


def missing(settings: StackSettings, lock: Lock | None = None) -> tuple[Artefact, ...]:
    """What has still to be downloaded."""
    lock = lock or load_lock()
    places = locate(settings, lock)
    needed: list[Artefact] = []
    for artefact in lock.maven:
        archive = artefact.extension != "jar"
        home = places.pulsar_home if "pulsar" in artefact.used_by else places.trino_home
        if archive and home.is_dir():
            continue
        target = settings.cache_dir / "maven" / artefact.path
        if not target.is_file() or target.stat().st_size != artefact.size:
            needed.append(artefact)
    return tuple(needed)


def fetch_all(settings: StackSettings) -> Distributions:
    """Everything that the servers need, in the cache when this returns.

    :raises StackError: something could not be fetched, unpacked or built; says what to do
    """
    lock = load_lock()
    places = locate(settings, lock)
    if _complete(settings, lock, places):
        return places
    try:
        settings.cache_dir.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise StackError(explain(error, "the cache cannot be used", "RVA_CACHE_DIR")) from error
    guard = FileLock(settings.cache_dir / "fetch.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        log.info("another clone is filling %s: waiting for it", settings.cache_dir)
        guard.acquire()
    try:
        download(settings, missing(settings, lock))
        _unpack_pulsar(settings, lock, places.pulsar_home)
        _unpack_trino(settings, lock, places.trino_home)
        if not places.beam_jar.is_file():
            beam_on_loopback.write_jar(flink_python_jar(), places.beam_jar)
        if not places.minio.is_file():
            build_minio(settings, lock.minio, places.minio)
    finally:
        guard.release()
    return places


def _complete(settings: StackSettings, lock: Lock, places: Distributions) -> bool:
    homes = places.pulsar_home.is_dir() and places.trino_home.is_dir()
    made = places.minio.is_file() and places.beam_jar.is_file()
    return homes and made and not missing(settings, lock)


def flink_python_jar() -> Path:
    """The jar of PyFlink's own distribution.

    :raises StackError: the environment `flink` is not there
    """
    found = sorted((PYFLINK_HOME / "opt").glob("flink-python-*.jar"))
    if not found:
        raise StackError("there is no PyFlink in .venvs/flink: run `make setup`")
    return found[0]


def _unpacked_name(name: str, artefacts: tuple[Artefact, ...]) -> str:
    """A folder name that changes with the archives' contents."""
    return "-".join([name, artefacts[0].version, *(a.sha256[:8] for a in artefacts)])


def _unpack_pulsar(settings: StackSettings, lock: Lock, home: Path) -> None:
    if home.is_dir():
        return
    (archive,) = lock.of("pulsar")
    with _Staging(home) as staging:
        _extract(settings.cache_dir / "maven" / archive.path, staging)
        staging.publish(next(staging.folder.iterdir()))


def _unpack_trino(settings: StackSettings, lock: Lock, home: Path) -> None:
    if home.is_dir():
        return
    maven = settings.cache_dir / "maven"
    with _Staging(home) as staging:
        _extract(maven / lock.one("trino-server-core").path, staging)
        server = next(staging.folder.iterdir())
        _extract(maven / lock.one("trino-iceberg").path, staging)
        plugin = next(p for p in staging.folder.iterdir() if p != server)
        plugin.rename(server / "plugin" / "iceberg")
        staging.publish(server)


class _Staging:
    """A temporary folder beside the target; what is published from it appears whole or not."""

    def __init__(self, target: Path) -> None:
        self.target = target
        self.folder = target.with_name(f".{target.name}.partial")

    def __enter__(self) -> _Staging:
        shutil.rmtree(self.folder, ignore_errors=True)
        self.folder.mkdir(parents=True)
        return self

    def publish(self, made: Path) -> None:
        """Move what was made to the target."""
        self.target.parent.mkdir(parents=True, exist_ok=True)
        made.rename(self.target)

    def __exit__(self, *_: object) -> None:
        shutil.rmtree(self.folder, ignore_errors=True)


def _extract(archive: Path, staging: _Staging) -> None:
    log.info("unpacking %s", archive.name)
    try:
        _extract_all(archive, staging)
    except (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError) as error:
        raise StackError(
            f"{archive} is damaged: delete it and run the same command again"
        ) from error
    except OSError as error:
        raise StackError(
            explain(error, f"could not unpack {archive.name} into {staging.folder.parent}")
        ) from error


def _extract_all(archive: Path, staging: _Staging) -> None:
    if archive.suffix == ".zip":
        with zipfile.ZipFile(archive) as zipped:
            zipped.extractall(staging.folder)  # noqa: S202 (checked by sha256)
        return
    with tarfile.open(archive) as tarred:
        # Python 3.11 before 3.11.4 has no filters
        safe = {"filter": "data"} if hasattr(tarfile, "data_filter") else {}
        tarred.extractall(staging.folder, **safe)  # type: ignore[arg-type]  # noqa: S202


def _minio_path(settings: StackSettings, tool: GoTool) -> Path:
    built = settings.cache_dir / "bin" / f"minio-{tool.version}"
    if not built.is_file() and (on_path := shutil.which("minio")):
        return Path(on_path)
    return built
