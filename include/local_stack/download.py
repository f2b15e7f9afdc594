"""Downloads from Maven Central: with progress, tried again, checked by sha256."""

from __future__ import annotations

import logging
import sys
import time

from tqdm import tqdm

from local_stack.artefacts import Artefact
from local_stack.errors import NO_SPACE, StackError, explain
from local_stack.settings import StackSettings

log = logging.getLogger(__name__)

DOWNLOAD_ATTEMPTS = 5
DOWNLOAD_TIMEOUT_SECONDS = 60
LOG_EVERY_SECONDS = 5.0
MIB = 1024 * 1024


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


def download(settings: StackSettings, artefacts: tuple[Artefact, ...]) -> None:
    """Bring files into the cache, below `maven/`, at the paths that they have in the repository.

    :raises StackError: one cannot be had; says what to do
    """
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
                if isinstance(error, OSError) and error.errno in NO_SPACE:
                    told = explain(error, f"{artefact.file_name} does not fit into {store.path}")
                    raise StackError(told) from error
                reason = str(error).splitlines()[0]
                raise StackError(
                    f"could not fetch {artefact.coordinates} ({reason}). Check the network, or set "
                    "RVA_MAVEN_URL to a mirror of Maven Central; run the same command again and "
                    "it goes on with what is missing"
                ) from error
            progress.finish()
    finally:
        progress.end()
