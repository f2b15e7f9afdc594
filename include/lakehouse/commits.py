"""Changes to a table that others commit to meanwhile: made again on what they left."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

from pyiceberg.catalog import Catalog
from pyiceberg.exceptions import CommitFailedException, ValidationException
from pyiceberg.table import Table

from lakehouse.errors import CommitsCollide
from lakehouse.tables import load

ATTEMPTS = 10
"""A stream commits every 2 to 60 s, and a change here takes less than a second."""
_PAUSE_SECONDS = 0.5
_Result = TypeVar("_Result")


def change(catalog: Catalog, database: str, name: str, make: Callable[[Table], _Result]) -> _Result:
    """Load the table and `make` the change, again where another commit came in between.

    PyIceberg's own tries again do not hide it: they refuse whatever was added meanwhile
    (serializable isolation), since what was found out before may no longer be so.

    :raises CommitsCollide: one did at every attempt.
    """
    for attempt in range(1, ATTEMPTS + 1):
        try:
            return make(load(catalog, database, name))
        except (CommitFailedException, ValidationException) as error:
            if attempt == ATTEMPTS:
                raise CommitsCollide(f"{database}.{name}", ATTEMPTS, str(error)) from error
            time.sleep(_PAUSE_SECONDS)
    raise AssertionError("unreachable")
