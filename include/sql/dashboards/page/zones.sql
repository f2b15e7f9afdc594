-- Grain: one row an hour and grid cell in which somebody was. Key: (hour, zone_x, zone_y).
-- Source: gold_zone_heatmap, gold_zone_dwell.
-- Values: :store, :camera, :begin, :end (UTC, end excluded). Reads only.
-- Takes in every hour that the time touches. A visit belongs to the hour in which it starts, a hit
-- to its own, so a cell's dwell may stand in an hour that has no hit of it, and the other way round.
WITH
hits AS (
  SELECT ts_hour, zone_x, zone_y, hits
  FROM lakehouse.{database}.gold_zone_heatmap
  WHERE store_id = :store
    AND camera_id = :camera
    AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
    AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
),
dwell AS (
  SELECT ts_hour, zone_x, zone_y, visits, total_dwell_seconds, max_dwell_seconds
  FROM lakehouse.{database}.gold_zone_dwell
  WHERE store_id = :store
    AND camera_id = :camera
    AND ts_hour >= with_timezone(date_trunc('hour', CAST(:begin AS timestamp(6))), 'UTC')
    AND ts_hour < with_timezone(CAST(:end AS timestamp(6)), 'UTC')
)
SELECT
  CAST(to_unixtime(coalesce(hits.ts_hour, dwell.ts_hour)) AS bigint) AS hour,
  coalesce(hits.zone_x, dwell.zone_x) AS zone_x,
  coalesce(hits.zone_y, dwell.zone_y) AS zone_y,
  coalesce(hits.hits, 0) AS hits,
  coalesce(dwell.visits, 0) AS visits,
  coalesce(dwell.total_dwell_seconds, 0) AS total_dwell_seconds,
  coalesce(dwell.max_dwell_seconds, 0) AS max_dwell_seconds
FROM hits
FULL OUTER JOIN dwell
  ON hits.ts_hour = dwell.ts_hour
  AND hits.zone_x = dwell.zone_x
  AND hits.zone_y = dwell.zone_y
ORDER BY hour, zone_y, zone_x
