"""Trino: SQL over the lakehouse's tables."""

from __future__ import annotations

from local_stack.errors import NotReady
from local_stack.fetch import Distributions
from local_stack.program import (
    JAVA_25_HOME,
    Program,
    config_properties,
    config_text,
    properties_text,
)
from local_stack.settings import LOOPBACK, StackSettings

CATALOG = "lakehouse"
USER = "rva"
ASK_SECONDS = 30.0


def program(settings: StackSettings, places: Distributions) -> Program:
    """How Trino runs."""
    home = settings.stack_dir / "trino"
    etc = home / "etc"
    names = settings.addresses()
    flags = [
        line
        for line in config_text("trino/jvm.config").splitlines()
        if line and not line.startswith("#")
    ]
    return Program(
        name="trino",
        command=(
            str(JAVA_25_HOME / "bin" / "java"),
            f"-Xmx{settings.memory.trino_heap}m",
            *flags,
            *settings.profile.jvm_flags,
            f"-Djava.io.tmpdir={settings.stack_dir / 'tmp'}",
            f"-Dconfig={etc / 'config.properties'}",
            f"-Dlog.levels-file={etc / 'log.properties'}",
            f"-Dnode.data-dir={home / 'var'}",
            "-cp",
            f"{places.trino_home / 'lib'}/*",
            "io.trino.server.TrinoServer",
        ),
        directory=home,
        environment=dict(settings.profile.environment)
        | {
            key: names[key]
            for key in (
                "RVA_CATALOG_URI",
                "RVA_WAREHOUSE",
                "RVA_S3_ENDPOINT",
                "RVA_S3_ACCESS_KEY",
                "RVA_S3_SECRET_KEY",
                "RVA_S3_REGION",
            )
        },
        files={
            etc / "config.properties": properties_text(
                config_properties(settings, "trino/config.properties", "trino")
                | {
                    "http-server.http.port": str(settings.ports.trino),
                    "discovery.uri": f"http://{LOOPBACK}:{settings.ports.trino}",
                    "node.environment": "local",
                    "node.id": "local",
                    "node.bind-ip": LOOPBACK,
                    "node.internal-address": LOOPBACK,
                    "plugin.dir": str(places.trino_home / "plugin"),
                    "catalog.config-dir": str(etc / "catalog"),
                }
            ),
            etc / "log.properties": config_text("trino/log.properties"),
            etc / "catalog" / f"{CATALOG}.properties": config_text(
                f"trino/catalog/{CATALOG}.properties"
            ),
        },
        stop_seconds=15,
    )


def probe(settings: StackSettings) -> None:
    """Run `SELECT 1`, and list the lakehouse's schemas.

    :raises NotReady: it does not answer yet
    """
    from trino.dbapi import Connection

    connection = Connection(
        host=LOOPBACK,
        port=settings.ports.trino,
        user=USER,
        source="readiness",
        max_attempts=1,
        request_timeout=ASK_SECONDS,
    )
    cursor = connection.cursor()
    for statement in ("SELECT 1", f"SHOW SCHEMAS FROM {CATALOG}"):
        try:
            cursor.execute(statement)
            cursor.fetchall()
        except Exception as error:
            raise NotReady(f"{statement} failed ({_short(error)})") from error


def _short(error: Exception) -> str:
    message = getattr(error, "message", None)
    return f"{type(error).__name__}: {message}" if message else type(error).__name__
