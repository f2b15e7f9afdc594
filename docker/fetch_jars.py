"""Fetches one server's jars of the local stack's artefact lock, for the image of that server.

Beside the jars goes `java.args`, an argument file for `java` with the class path in the lock's
order. Every file is checked by its sha256 before it is in its place.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import pooch

from local_stack.artefacts import load_lock
from local_stack.settings import StackSettings

ATTEMPTS = 5


def fetch_jars(server: str, folder: Path) -> tuple[Path, ...]:
    """The jars of a server in `folder`, in the lock's order.

    :raises OSError: a file cannot be had
    :raises ValueError: a file is not what the lock says
    """
    artefacts = load_lock().of(server)
    store = pooch.create(
        path=folder,
        base_url="",
        registry={a.file_name: f"sha256:{a.sha256}" for a in artefacts},
        urls={a.file_name: f"{StackSettings.load().maven_url}/{a.path}" for a in artefacts},
        retry_if_failed=ATTEMPTS - 1,
    )
    return tuple(Path(store.fetch(a.file_name)) for a in artefacts)


def main() -> int:
    """Fetch; the exit status."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("server", help="as `used_by` of the lock names it: flink, catalog")
    parser.add_argument("folder", type=Path, help="the jars' place, here and in the image")
    options = parser.parse_args()
    if not load_lock().of(options.server):
        print(f"error: artefacts.lock.json has nothing for {options.server}", file=sys.stderr)
        return 2
    try:
        jars = fetch_jars(options.server, options.folder)
    except (OSError, ValueError) as error:
        print(f"error: {error}; check the network and build again", file=sys.stderr)
        return 2
    class_path = ":".join(str(jar) for jar in jars)
    (options.folder / "java.args").write_text(f"-cp {class_path}\n", encoding="utf-8")
    print(f"{len(jars)} jars of {options.server} in {options.folder}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
