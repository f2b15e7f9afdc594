"""Takes away what a Pulsar that was killed has left registered, then becomes Pulsar.

A bookie's registration lasts as long as its process. One that was killed leaves it, and the next
deletes it while it registers itself. If the news of that comes when the new registration stands,
Pulsar takes its own for lost, deletes it and makes it again, which is the next such news, and so
on: it works, but takes a whole core until it is started again (apache/pulsar#17759).

Run by the Python of the `flink` environment, which has py4j, with METADATA BOOKIE JAVA LIBRARIES
COMMAND…
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from py4j.java_gateway import JavaGateway
from py4j.protocol import Py4JError

LIMITS = ("-Xmx64m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-Dlog4j2.level=ERROR")
"""It lives for a second."""
REGISTRATIONS = ("/ledgers/available", "/ledgers/available/readonly")
END_SECONDS = 10.0


def release(metadata: Path, bookie: str, java: str, libraries: str) -> list[str]:
    """Delete the bookie's registrations from the metadata of a Pulsar that does not run.

    :param metadata: folder of Pulsar's RocksDB
    :param bookie: its id, host:port
    :param libraries: folder of Pulsar's jars
    :returns: the paths that were there
    :raises Py4JError: the metadata could not be opened
    :raises OSError, ValueError: Java could not be started
    """
    gateway = JavaGateway.launch_gateway(
        java_path=java,
        classpath=f"{libraries}/*",
        javaopts=list(LIMITS),
        die_on_exit=True,
        enable_auth=True,
    )
    try:
        api = gateway.jvm.org.apache.pulsar.metadata.api
        store = api.MetadataStoreFactory.create(
            f"rocksdb:{metadata}", api.MetadataStoreConfig.builder().build()
        )
        try:
            paths = [f"{folder}/{bookie}" for folder in REGISTRATIONS]
            left = [path for path in paths if store.exists(path).get()]
            for path in left:
                store.delete(path, gateway.jvm.java.util.Optional.empty()).get()
            return left
        finally:
            store.close()
    finally:
        gateway.shutdown()
        # nobody would take note of its end after we have become Pulsar
        gateway.java_process.stdin.close()
        gateway.java_process.wait(END_SECONDS)


def main(metadata: str, bookie: str, java: str, libraries: str, *command: str) -> None:
    """Release, and become the command; a failure is told, and keeps nobody from starting."""
    if Path(metadata).is_dir():
        try:
            for path in release(Path(metadata), bookie, java, libraries):
                print(f"{path} was left by a Pulsar that was killed: deleted", flush=True)
        # ValueError: a Java that has ended without naming its port
        except (Py4JError, OSError, ValueError, subprocess.TimeoutExpired) as error:
            print(f"a bookie's registration could not be looked for: {error}", flush=True)
    os.execv(command[0], command)  # noqa: S606 - the command that it was given


if __name__ == "__main__":
    main(*sys.argv[1:])
