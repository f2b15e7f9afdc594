"""The SQL texts of include/sql with their settings filled in."""

from __future__ import annotations

import re
from pathlib import Path

from flink_jobs.settings import Connections

SQL_DIR = Path(__file__).resolve().parents[1] / "sql"
_PLACE = re.compile(r"\$\{(\w+)\}")


def render(name: str, **values: object) -> str:
    """Return the text of `include/sql/<name>` with every `${value}` filled in.

    Values come from `JobSettings` and `Connections`, which have refused whatever could leave a
    quoted literal or an identifier.

    :raises KeyError: the text asks for a value that was not given.
    """
    text = (SQL_DIR / name).read_text(encoding="utf-8")
    return _PLACE.sub(lambda place: str(values[place[1]]), text)


def catalog(connections: Connections) -> str:
    """Statement that makes the Iceberg catalogue known to Flink."""
    return render("catalog/lakehouse.sql", **vars(connections))


def iceberg_source(connections: Connections, database: str) -> str:
    """Options of a temporary table that reads one Iceberg table of `database`."""
    return ",\n  ".join(
        f"'{option}' = '{value}'"
        for option, value in {
            "connector": "iceberg",
            "catalog-name": "lakehouse",
            "catalog-database": database,
            "catalog-type": "rest",
            "uri": connections.catalog_uri,
            "warehouse": connections.warehouse,
            "io-impl": "org.apache.iceberg.aws.s3.S3FileIO",
            "s3.endpoint": connections.s3_endpoint,
            "s3.path-style-access": "true",
            "s3.access-key-id": connections.s3_access_key,
            "s3.secret-access-key": connections.s3_secret_key,
            "client.region": connections.s3_region,
        }.items()
    )
