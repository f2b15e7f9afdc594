"""What can go wrong with the lakehouse, each with its facts and what to do next."""

from __future__ import annotations

from collections.abc import Sequence


class LakehouseError(Exception):
    """Base of this package's errors."""


class InvalidSetting(LakehouseError):
    """A setting has a value that cannot be used."""

    def __init__(self, name: str, value: str, advice: str) -> None:
        super().__init__(f"{name}={value!r} cannot be used: {advice}")
        self.name, self.value = name, value


class ServerUnreachable(LakehouseError):
    """The catalogue, the object store or Trino does not answer."""

    def __init__(self, server: str, address: str, cause: str) -> None:
        super().__init__(
            f"{server} at {address} does not answer ({cause}): "
            "see `make status`, start it with `make up`"
        )
        self.server, self.address = server, address


class TableMissing(LakehouseError):
    """A table that should be there is not."""

    def __init__(self, table: str) -> None:
        super().__init__(f'table {table} does not exist: run `make lakehouse ARGS="ensure"`')
        self.table = table


class SchemaConflict(LakehouseError):
    """A table differs from its definition in a way that cannot be evolved."""

    def __init__(self, table: str, conflicts: Sequence[str]) -> None:
        super().__init__(
            f"table {table} cannot be evolved to its definition: {'; '.join(conflicts)}. "
            "Nothing was changed; docs/tables.md, Adding a column, says what can be"
        )
        self.table, self.conflicts = table, tuple(conflicts)


class CatalogueFailed(LakehouseError):
    """The catalogue or the object store behind it could not do what was asked."""

    def __init__(self, address: str, cause: str) -> None:
        super().__init__(
            f"the Iceberg REST catalogue at {address} failed: {cause}. Is MinIO up? "
            "See `make status` and `make logs S=catalog`"
        )
        self.address, self.cause = address, cause


class CommitsCollide(LakehouseError):
    """Another writer's commits came in between at every attempt."""

    def __init__(self, table: str, attempts: int, cause: str) -> None:
        super().__init__(
            f"{table} was committed to by others during each of {attempts} attempts ({cause}): "
            "try again; if it stays so, its writers commit too often "
            "(RVA_CHECKPOINT_INTERVAL_SECONDS)"
        )
        self.table, self.attempts = table, attempts
