"""The Iceberg REST catalogue: which tables there are and where each one's newest state lies."""

from __future__ import annotations

import httpx

from local_stack.errors import NotReady
from local_stack.fetch import Distributions
from local_stack.program import JAVA_21_HOME, Program, config_text
from local_stack.settings import LOOPBACK, StackSettings

ASK_SECONDS = 10


def program(settings: StackSettings, places: Distributions) -> Program:
    """How the catalogue runs."""
    home = settings.stack_dir / "catalog"
    jetty = home / "conf" / "jetty.xml"
    names = settings.addresses()
    return Program(
        name="catalog",
        command=(
            str(JAVA_21_HOME / "bin" / "java"),
            f"-Xmx{settings.memory.catalog_heap}m",
            "-XX:+UseSerialGC",
            # the first compiler only: it starts in half the time
            "-XX:TieredStopAtLevel=1",
            "-XX:+ExitOnOutOfMemoryError",
            *settings.profile.jvm_flags,
            f"-Djava.io.tmpdir={settings.stack_dir / 'tmp'}",
            "-Dorg.slf4j.simpleLogger.showDateTime=true",
            "-Dorg.slf4j.simpleLogger.dateTimeFormat=yyyy-MM-dd HH:mm:ss,SSS",
            "-Dorg.slf4j.simpleLogger.log.org.apache.iceberg=warn",
            # it prints a stack trace for each table that is asked for and not there; what went
            # wrong is told to the client
            "-Dorg.slf4j.simpleLogger.log.org.apache.iceberg.rest.RESTCatalogServlet=off",
            "-cp",
            ":".join(str(jar) for jar in places.catalog_jars),
            "org.eclipse.jetty.xml.XmlConfiguration",
            str(jetty),
        ),
        directory=home,
        environment={
            **dict(settings.profile.environment),
            "RVA_CATALOG_HOST": LOOPBACK,
            "RVA_PORT_CATALOG": str(settings.ports.catalog),
            # waits up to 30 s for a lock; readers do not block the writer
            "RVA_CATALOG_JDBC_URL": (
                f"jdbc:sqlite:{home / 'catalog.db'}?journal_mode=WAL&busy_timeout=30000"
            ),
            **{
                key: names[key]
                for key in (
                    "RVA_WAREHOUSE",
                    "RVA_S3_ENDPOINT",
                    "RVA_S3_ACCESS_KEY",
                    "RVA_S3_SECRET_KEY",
                    "RVA_S3_REGION",
                )
            },
        },
        files={jetty: config_text("catalog/jetty.xml")},
    )


def probe(settings: StackSettings) -> None:
    """Ask for its configuration and its namespaces.

    :raises NotReady: it does not answer yet
    """
    base = f"http://{LOOPBACK}:{settings.ports.catalog}/v1"
    try:
        with httpx.Client(timeout=ASK_SECONDS, trust_env=False) as client:
            for path in ("config", "namespaces"):
                response = client.get(f"{base}/{path}")
                if response.status_code != httpx.codes.OK:
                    raise NotReady(f"GET /v1/{path} answered {response.status_code}")
    except httpx.HTTPError as error:
        raise NotReady(f"GET /v1/config does not answer ({type(error).__name__})") from error
