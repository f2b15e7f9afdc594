-- The first detection of each visit, as soon as it is seen.
SELECT store_id, camera_id, zone_x, zone_y, ts, ts_ms
FROM (
  SELECT
    *,
    LAG(ts_ms) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY ts
    ) AS before_ms
  FROM tracked_detections
)
WHERE before_ms IS NULL OR ts_ms - before_ms > ${gap_seconds} * 1000
