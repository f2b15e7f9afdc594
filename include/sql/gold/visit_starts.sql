-- The first slice of each visit, ${slice_seconds} s at most, once the watermark has passed it: one in
-- whose cell the track was not seen in the ${gap_seconds} s before. Slices, not detections, are looked
-- at one after the other: of 30 frames a second, a sixtieth. They are as in slices.sql.
SELECT store_id, camera_id, zone_x, zone_y, ts, ts_ms
FROM (
  SELECT
    *,
    LAG(end_ms) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY ts
    ) AS before_ms
  FROM (
    SELECT
      store_id, camera_id, run_id, track_id, zone_x, zone_y,
      window_time AS ts,
      MIN(ts_ms) AS ts_ms,
      MAX(ts_ms) AS end_ms
    FROM TABLE(
      TUMBLE(TABLE tracked_detections, DESCRIPTOR(ts), INTERVAL '${slice_seconds}' SECOND)
    )
    GROUP BY
      store_id, camera_id, run_id, track_id, zone_x, zone_y, window_start, window_end, window_time
  )
)
WHERE before_ms IS NULL OR ts_ms - before_ms > ${gap_seconds} * 1000
