# %% [markdown]
# # Gold in a notebook
#
# A camera's day out of the Gold tables, read with PyIceberg into Arrow and from there into pandas,
# Polars and DuckDB, and two pictures. How to run it, and which days PyIceberg can read:
# docs/notebooks/README.md. What each number means: docs/tables.md. All times are UTC.

# %%
import os
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import duckdb
import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter
from pyiceberg.expressions import And, EqualTo, GreaterThanOrEqual, LessThan

from lakehouse.catalog import connect
from lakehouse.query import session
from lakehouse.schema import TABLES
from lakehouse.settings import LakehouseSettings

# %% [markdown]
# ## What to look at
#
# Addresses and credentials come from the environment (`RVA_*`); without it, those of the local
# stack. Where store, camera or day are not named, the newest day of the first camera that Gold has.

# %%
settings = LakehouseSettings.from_env()
catalog = connect(settings)

with session(settings) as trino:
    cameras = pd.DataFrame(
        trino.ask(
            "SELECT store_id, camera_id, CAST(ts_minute AT TIME ZONE 'UTC' AS date) AS day,"
            " count(*) AS minutes FROM gold_people_per_minute GROUP BY 1, 2, 3"
            " ORDER BY day DESC, store_id, camera_id"
        ).rows,
        columns=["store_id", "camera_id", "day", "minutes"],
    )
named = {
    column: os.environ[name]
    for column, name in (("store_id", "STORE"), ("camera_id", "CAMERA"), ("day", "DAY"))
    if os.environ.get(name)
}
chosen = cameras
for column, value in named.items():
    chosen = chosen[chosen[column].astype(str) == value]
if chosen.empty:
    what = "; ".join(f"{column} = {value}" for column, value in named.items()) or "anything"
    print(cameras.to_string(index=False))
    raise SystemExit(
        f"Gold has no minute of {what}. What it has stands above; `make demo` fills it."
    )
store_id, camera_id, day = chosen.iloc[0][["store_id", "camera_id", "day"]]
print(f"{store_id}/{camera_id} on {day}")

# %% [markdown]
# ## Read a day
#
# PyIceberg reads a table's files itself, without a server between. It cannot read equality deletes,
# which streaming Gold writes into each day that it is still filling. A day that the batch has
# rebuilt is free of them, so filter by the day: files of other days are not looked at then. Where
# the stream is still at work, ask Trino, which gives the same rows.


# %%
def read(name: str, store_id: str, camera_id: str, day: date) -> pa.Table:
    """The day's rows of a Gold table, of one camera, in the order of their key."""
    time = TABLES[name].partition_by_day_of
    start = datetime(day.year, day.month, day.day, tzinfo=UTC)
    end = start + timedelta(days=1)
    table = catalog.load_table((settings.database, name))
    rows_of_the_day = And(
        And(GreaterThanOrEqual(time, start.isoformat()), LessThan(time, end.isoformat())),
        And(EqualTo("store_id", store_id), EqualTo("camera_id", camera_id)),
    )
    try:
        rows = table.scan(row_filter=rows_of_the_day).to_arrow()
    except ValueError as error:
        if "equality deletes" not in str(error):
            raise
        print(
            f"{name}: PyIceberg cannot read {day} yet, since the stream has left equality deletes"
            f" in it; asked Trino. When the day has ended, `make backfill DAY={day}` changes that."
        )
        columns = [field.name for field in table.schema().fields]
        with session(settings) as trino:
            answer = trino.ask(
                f"SELECT {', '.join(columns)} FROM {name}"  # noqa: S608 - names of the schema
                f" WHERE {time} >= ? AND {time} < ? AND store_id = ? AND camera_id = ?",
                [start, end, store_id, camera_id],
            )
        rows = pa.Table.from_pylist(
            [dict(zip(columns, row, strict=True)) for row in answer.rows],
            schema=table.schema().as_arrow(),
        )
    return rows.sort_by([(column, "ascending") for column in TABLES[name].key])


people = read("gold_people_per_minute", store_id, camera_id, day)
tracks = read("gold_track_summary", store_id, camera_id, day)
dwell = read("gold_zone_dwell", store_id, camera_id, day)
heatmap = read("gold_zone_heatmap", store_id, camera_id, day)

# %% [markdown]
# ## pandas: the busiest minutes

# %%
minutes = people.to_pandas().set_index("ts_minute")
busiest = minutes.nlargest(5, "unique_people")[["unique_people", "detections"]]
print(busiest)

# %% [markdown]
# ## Polars: the zones with the longest dwell
#
# The mean over hours is dwell over visits, not a mean of means.

# %%
zones = (
    pl.from_arrow(dwell)
    .group_by("zone_x", "zone_y")
    .agg(pl.col("total_dwell_seconds", "visits").sum(), pl.col("max_dwell_seconds").max())
    .with_columns(mean_dwell_seconds=pl.col("total_dwell_seconds") / pl.col("visits"))
    .sort(
        "total_dwell_seconds", "visits", "zone_x", "zone_y", descending=[True, True, False, False]
    )
)
print(zones.head(5))

# %% [markdown]
# ## DuckDB: how long tracks are
#
# It asks the Arrow table `tracks` by its name, without a copy. A track that comes back after 30 s
# is two summaries of one track. This median is exact; the dashboards' and the report's is Trino's
# `approx_percentile`, which of few tracks is one of them.

# %%
durations = duckdb.sql(
    """
    SELECT
      count(DISTINCT (run_id, track_id)) AS tracks,
      count(*) AS summaries,
      median(duration_seconds) AS median_seconds,
      max(duration_seconds) AS max_seconds
    FROM tracks
    """
).to_df()
print(durations)

# %% [markdown]
# ## People per minute
#
# A minute without a row is one in which the camera detected nobody; it is left blank.

# %%
figures = Path(os.environ.get("RVA_DATA_DIR", "data")) / "notebook"
figures.mkdir(parents=True, exist_ok=True)

figure, people_axes = plt.subplots(figsize=(10, 3), layout="constrained")
people_axes.bar(minutes.index, minutes["unique_people"], width=timedelta(minutes=1), align="edge")
ticks = AutoDateLocator(tz=UTC)
people_axes.xaxis.set_major_locator(ticks)
people_axes.xaxis.set_major_formatter(ConciseDateFormatter(ticks, tz=UTC))
people_axes.set(
    title=f"{store_id}/{camera_id}, {day}", xlabel="time (UTC)", ylabel="people in the minute"
)
figure.savefig(figures / "people_per_minute.png", dpi=120)

# %% [markdown]
# ## Heat map
#
# Where in the picture people were: (0, 0) is top left.

# %%
grid = np.zeros((10, 10), dtype=np.int64)
cells = heatmap.to_pandas()
np.add.at(grid, (cells["zone_y"].to_numpy(), cells["zone_x"].to_numpy()), cells["hits"].to_numpy())

figure, heat_map_axes = plt.subplots(figsize=(5, 4), layout="constrained")
heat_map = heat_map_axes.imshow(grid, cmap="viridis")
figure.colorbar(heat_map, ax=heat_map_axes, label="detections")
heat_map_axes.set(
    title=f"{store_id}/{camera_id}, {day}",
    xlabel="zone_x",
    ylabel="zone_y",
    xticks=range(10),
    yticks=range(10),
)
figure.savefig(figures / "heat_map.png", dpi=120)
print(f"figures: {figures}")
