"""MinIO: the object store that holds the lakehouse's files."""

from __future__ import annotations

from local_stack.errors import NotReady
from local_stack.fetch import Distributions
from local_stack.program import Program
from local_stack.settings import LOOPBACK, StackSettings

ASK_SECONDS = 5.0


def program(settings: StackSettings, places: Distributions) -> Program:
    """How MinIO runs."""
    home = settings.stack_dir / "minio"
    return Program(
        name="minio",
        command=(
            str(places.minio),
            "server",
            str(home),
            "--address",
            f"{LOOPBACK}:{settings.ports.minio}",
            "--console-address",
            f"{LOOPBACK}:{settings.ports.minio_console}",
        ),
        directory=home,
        environment={
            "MINIO_ROOT_USER": settings.s3_access_key,
            "MINIO_ROOT_PASSWORD": settings.s3_secret_key,
            "MINIO_REGION": settings.s3_region,
            "MINIO_UPDATE": "off",
            "MINIO_CALLHOME_ENABLE": "off",
            # Go takes what it likes otherwise; this is a soft limit
            "GOMEMLIMIT": f"{settings.memory.minio}MiB",
        },
    )


def probe(settings: StackSettings) -> None:
    """Make the warehouse's bucket where it is missing, and list it.

    :raises NotReady: it cannot yet
    """
    from pyarrow import fs

    store = fs.S3FileSystem(
        access_key=settings.s3_access_key,
        secret_key=settings.s3_secret_key,
        region=settings.s3_region,
        endpoint_override=f"http://{LOOPBACK}:{settings.ports.minio}",
        allow_bucket_creation=True,
        connect_timeout=ASK_SECONDS,
        request_timeout=ASK_SECONDS,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=1),
    )
    try:
        store.create_dir(settings.bucket, recursive=False)
        store.get_file_info(fs.FileSelector(settings.bucket))
    except OSError as error:
        reason = str(error).split(". ", 1)[0][:200]
        raise NotReady(f"the bucket {settings.bucket} cannot be listed ({reason})") from error
