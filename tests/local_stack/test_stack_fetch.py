import errno
import hashlib
import io
import json
import os
import shutil
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from local_stack import artefacts, download, fetch
from local_stack.errors import StackError
from local_stack.settings import StackSettings


class Repository:
    """A Maven repository of small files on 127.0.0.1, and the lock of what is in it."""

    def __init__(self, root: Path, url: str, lock_file: Path) -> None:
        self.root, self.url, self.lock_file = root, url, lock_file
        self.entries: list[dict[str, object]] = []
        self.asked: list[str] = []

    def add(self, artifact: str, extension: str, content: bytes, used_by: str) -> Path:
        entry = {
            "group": "org.example",
            "artifact": artifact,
            "version": "1",
            "extension": extension,
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
            "used_by": [used_by],
        }
        self.entries.append(entry)
        path = self.root / "org" / "example" / artifact / "1" / f"{artifact}-1.{extension}"
        path.parent.mkdir(parents=True)
        path.write_bytes(content)
        go = {"minio": {"name": "minio", "module": "example.org/minio", "version": "v0"}}
        self.lock_file.write_text(json.dumps({"maven": self.entries, "go": go}))
        return path


def archive_tar(name: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        info = tarfile.TarInfo(f"{name}/lib/a.jar")
        info.size = 3
        tar.addfile(info, io.BytesIO(b"jar"))
        # Trino's archive has this folder too
        tar.addfile(tarfile.TarInfo(f"{name}/plugin/other.txt"), io.BytesIO(b""))
    return buffer.getvalue()


def archive_zip(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as zipped:
        zipped.writestr(f"{name}/b.jar", b"jar")
    return buffer.getvalue()


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Repository]:
    root = tmp_path / "repository"
    root.mkdir()
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(root)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    made = Repository(root, f"http://127.0.0.1:{server.server_port}", tmp_path / "lock.json")
    made.asked = asked
    made.add("pulsar", "tar.gz", archive_tar("pulsar-1"), "pulsar")
    made.add("trino-server-core", "tar.gz", archive_tar("trino-1"), "trino")
    made.add("trino-iceberg", "zip", archive_zip("trino-iceberg-1"), "trino")
    made.add("some", "jar", b"a jar", "catalog")
    monkeypatch.setattr(fetch, "load_lock", lambda: artefacts.load_lock(made.lock_file))
    monkeypatch.setattr(fetch.shutil, "which", lambda _: "/bin/true")  # a minio on PATH
    monkeypatch.setattr(download, "DOWNLOAD_ATTEMPTS", 1)
    yield made
    server.shutdown()


@pytest.fixture
def settings(repository: Repository, tmp_path: Path) -> StackSettings:
    return StackSettings.load(
        {"RVA_CACHE_DIR": str(tmp_path / "cache"), "RVA_MAVEN_URL": repository.url}
    )


def test_fetches_checks_and_unpacks_what_is_missing(settings: StackSettings) -> None:
    places = fetch.fetch_all(settings)
    assert (places.pulsar_home / "lib" / "a.jar").read_bytes() == b"jar"
    assert (places.trino_home / "plugin" / "iceberg" / "b.jar").read_bytes() == b"jar"
    assert places.catalog_jars[0].read_bytes() == b"a jar"
    assert places.beam_jar.is_file()


def test_second_fetch_asks_nobody(settings: StackSettings, repository: Repository) -> None:
    fetch.fetch_all(settings)
    before = len(repository.asked)
    fetch.fetch_all(settings)
    assert len(repository.asked) == before > 0


def test_file_that_was_changed_on_the_way_is_not_taken(
    settings: StackSettings, repository: Repository
) -> None:
    (repository.root / "org/example/some/1/some-1.jar").write_bytes(b"b jar")
    with pytest.raises(StackError, match=r"org\.example:some:1.*RVA_MAVEN_URL"):
        fetch.fetch_all(settings)
    assert not fetch.locate(settings).catalog_jars[0].exists()


def test_half_a_file_of_an_earlier_run_is_fetched_again(settings: StackSettings) -> None:
    target = fetch.locate(settings).catalog_jars[0]
    target.parent.mkdir(parents=True)
    target.write_bytes(b"a j")
    fetch.fetch_all(settings)
    assert target.read_bytes() == b"a jar"


def test_half_an_unpacked_archive_is_not_taken(settings: StackSettings) -> None:
    home = fetch.locate(settings).pulsar_home
    partial_folder = home.with_name(f".{home.name}.partial")
    (partial_folder / "pulsar-1" / "lib").mkdir(parents=True)
    fetch.fetch_all(settings)
    assert (home / "lib" / "a.jar").is_file()
    assert not partial_folder.exists()


@pytest.mark.parametrize("damage", ["not an archive", "cut"])
def test_damaged_archive_is_named(settings: StackSettings, damage: str) -> None:
    """Of the right size, so that only unpacking finds it."""
    home = fetch.fetch_all(settings).pulsar_home
    shutil.rmtree(home)
    (archive,) = (settings.cache_dir / "maven").rglob("pulsar-*.tar.gz")
    whole = archive.read_bytes()
    half = whole[: len(whole) // 2] if damage == "cut" else b""
    archive.write_bytes(half.ljust(len(whole), b"\0"))
    with pytest.raises(StackError, match=r"pulsar-1\.tar\.gz is damaged: delete it and run"):
        fetch.fetch_all(settings)


def test_full_disk_while_unpacking_says_what_to_do(
    settings: StackSettings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("tarfile.TarFile.extractall", full)
    with pytest.raises(StackError, match=r"could not unpack pulsar-1\.tar\.gz .*free some space"):
        fetch.fetch_all(settings)
    assert not list((settings.cache_dir / "unpacked").iterdir())


def test_other_contents_get_a_folder_of_their_own(
    settings: StackSettings, repository: Repository
) -> None:
    before = fetch.locate(settings).pulsar_home
    repository.entries[0]["sha256"] = "0" * 64
    repository.lock_file.write_text(
        json.dumps(json.loads(repository.lock_file.read_text()) | {"maven": repository.entries})
    )
    assert fetch.locate(settings).pulsar_home != before


def test_repository_that_is_down_is_named_with_what_to_do(
    settings: StackSettings, repository: Repository
) -> None:
    for path in repository.root.rglob("*.*"):
        if path.is_file():
            path.unlink()
    with pytest.raises(StackError, match="the same command again"):
        fetch.fetch_all(settings)


def test_progress_takes_back_the_bytes_of_a_failed_attempt() -> None:
    progress = download.DownloadProgress(total_bytes=100)
    progress.start("a.jar")
    progress.update(40)
    progress.start("a.jar")
    progress.update(60)
    progress.finish()
    progress.start("b.jar")
    progress.update(10)
    assert progress.done_bytes == 70
