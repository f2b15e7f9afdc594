-- Grain: a grid cell of a camera in the hour in which its visits started. Key: store_id,
-- camera_id, ts_hour, zone_x, zone_y. Source: silver_detection. Dwell is last minus first
-- detection of a visit. Idempotent: streaming upserts by key, the batch overwrites the day.
INSERT ${into} lakehouse.${database}.gold_zone_dwell ${hint}
SELECT
  store_id,
  camera_id,
  CAST(TO_TIMESTAMP_LTZ(hour_ms, 3) AS TIMESTAMP_LTZ(6)) AS ts_hour,
  zone_x,
  zone_y,
  COUNT(*) AS visits,
  SUM(dwell_ms) / 1000e0 AS total_dwell_seconds,
  SUM(dwell_ms) / 1000e0 / COUNT(*) AS avg_dwell_seconds,
  MAX(dwell_ms) / 1000e0 AS max_dwell_seconds
FROM (
  SELECT
    store_id, camera_id, zone_x, zone_y,
    ts_ms - MOD(ts_ms, 3600000) AS hour_ms,
    end_ms - ts_ms AS dwell_ms
  FROM visits
  WHERE ${starts_in_scope}
)
GROUP BY store_id, camera_id, hour_ms, zone_x, zone_y
