"""Closing days of Gold."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from pyiceberg.catalog import Catalog

from lakehouse.closing import close_days, closed_days
from lakehouse.tables import ensure_tables

NOW = datetime(2026, 11, 25, 0, 30, tzinfo=UTC)
YESTERDAY, TODAY = date(2026, 11, 24), date(2026, 11, 25)


@pytest.fixture(autouse=True)
def made_tables(catalog: Catalog) -> None:
    ensure_tables(catalog, "rva")


def test_day_that_has_ended_is_closed_and_today_is_left_open(catalog: Catalog) -> None:
    assert closed_days(catalog, "rva") == ()
    assert close_days(catalog, "rva", [TODAY, YESTERDAY], now=NOW) == (YESTERDAY,)
    assert closed_days(catalog, "rva") == (YESTERDAY,)


def test_days_add_up_in_order_and_twice_is_as_once(catalog: Catalog) -> None:
    earlier = date(2026, 11, 20)
    close_days(catalog, "rva", [YESTERDAY], now=NOW)
    close_days(catalog, "rva", [earlier], now=NOW)
    close_days(catalog, "rva", [YESTERDAY], now=NOW)
    assert closed_days(catalog, "rva") == (earlier, YESTERDAY)


def test_closing_keeps_the_properties_that_ensure_wrote(catalog: Catalog) -> None:
    close_days(catalog, "rva", [YESTERDAY], now=NOW)
    properties = catalog.load_table(("rva", "gold_people_per_minute")).properties
    assert properties["write.parquet.compression-codec"] == "zstd"
