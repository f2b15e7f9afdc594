"""Where the lakehouse is, and the credentials to reach it."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from lakehouse.errors import InvalidSetting

_IDENTIFIER = re.compile(r"[a-z][a-z0-9_]{0,62}")


def _is_address(text: str) -> bool:
    try:
        address = urlsplit(text)
        _ = address.port
    except ValueError:
        return False
    return address.scheme in {"http", "https"} and bool(address.hostname)


@dataclass(frozen=True, kw_only=True)
class LakehouseSettings:
    """Addresses and credentials of the catalogue, the object store and Trino.

    Every field has the environment variable named beside it; the defaults are those of the
    local stack.
    """

    catalog_uri: str = "http://127.0.0.1:8181"
    """RVA_CATALOG_URI: Iceberg REST catalogue."""
    warehouse: str = "s3://warehouse/"
    """RVA_WAREHOUSE: root of the tables' files."""
    database: str = "rva"
    """RVA_DATABASE: Iceberg namespace (Trino: schema)."""
    s3_endpoint: str = "http://127.0.0.1:9000"
    """RVA_S3_ENDPOINT: MinIO."""
    s3_access_key: str = "minioadmin"
    """RVA_S3_ACCESS_KEY."""
    s3_secret_key: str = "minioadmin123"  # noqa: S105 - the documented default of the local stack
    """RVA_S3_SECRET_KEY."""
    s3_region: str = "us-east-1"
    """RVA_S3_REGION."""
    trino_url: str = "http://127.0.0.1:8082"
    """RVA_TRINO_URL."""
    flink_url: str = "http://127.0.0.1:8081"
    """RVA_FLINK_URL: Flink's REST API, asked only which jobs run."""
    checkpoint_dir: str = "data/stack/flink/checkpoints"
    """RVA_CHECKPOINT_DIR: holds each Flink job's checkpoints in a folder of the job's name."""

    def __post_init__(self) -> None:
        """Refuse a database name that could not stand unquoted in SQL, and what is no address."""
        if not _IDENTIFIER.fullmatch(self.database):
            raise InvalidSetting(
                "RVA_DATABASE",
                self.database,
                "use lower-case letters, digits and underscores, a letter first",
            )
        for name in ("catalog_uri", "s3_endpoint", "trino_url", "flink_url"):
            if not _is_address(getattr(self, name)):
                raise InvalidSetting(
                    f"RVA_{name.upper()}",
                    getattr(self, name),
                    "give an address such as http://127.0.0.1:8181",
                )

    @classmethod
    def from_env(cls, environ: Mapping[str, str] | None = None) -> LakehouseSettings:
        """Read the RVA_* variables; what is unset or empty keeps its default."""
        environ = os.environ if environ is None else environ
        given = {
            name: environ[f"RVA_{name.upper()}"]
            for name in cls.__dataclass_fields__
            if environ.get(f"RVA_{name.upper()}")
        }
        return cls(**given)
