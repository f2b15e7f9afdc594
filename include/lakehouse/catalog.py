"""The connection to the Iceberg REST catalogue."""

from __future__ import annotations

import httpx
from pyiceberg.catalog import Catalog
from pyiceberg.catalog.rest import RestCatalog

from lakehouse.errors import ServerUnreachable
from lakehouse.settings import LakehouseSettings

CATALOG_NAME = "lakehouse"
_ANSWER_SECONDS = 30.0
"""How long the catalogue may take to say that it is there; it needs milliseconds."""


def connect(settings: LakehouseSettings | None = None) -> Catalog:
    """Return the catalogue, having asked it once whether it is there.

    :raises ServerUnreachable: the catalogue does not answer.
    """
    settings = settings or LakehouseSettings.from_env()
    try:
        httpx.get(f"{settings.catalog_uri}/v1/config", timeout=_ANSWER_SECONDS).raise_for_status()
    except httpx.HTTPError as error:
        raise ServerUnreachable(
            "the Iceberg REST catalogue", settings.catalog_uri, str(error) or type(error).__name__
        ) from error
    return RestCatalog(
        CATALOG_NAME,
        **{
            "uri": settings.catalog_uri,
            "warehouse": settings.warehouse,
            "py-io-impl": "pyiceberg.io.pyarrow.PyArrowFileIO",
            "s3.endpoint": settings.s3_endpoint,
            "s3.access-key-id": settings.s3_access_key,
            "s3.secret-access-key": settings.s3_secret_key,
            "s3.region": settings.s3_region,
            "s3.force-virtual-addressing": "false",
        },
    )
