-- The first slice of each visit, ${slice_seconds} s at most, once the watermark has passed it: one in
-- whose cell the track was not seen in the ${gap_seconds} s before. Slices, not detections, are looked
-- at one after the other: of 30 frames a second, a sixtieth. They are as in slices.sql.
-- A gap is a whole number of slices. So of the slices within a gap before this one only the furthest
-- can have ended too early, and when it is the only one, its end is what this one's is not of the sum.
-- Flink forgets what lies outside of a range of time; what a row before (LAG) needs, it remembers for
-- each track and cell, forever.
SELECT store_id, camera_id, zone_x, zone_y, ts, ts_ms
FROM (
  SELECT
    *,
    COUNT(*) OVER within_a_gap AS slices,
    SUM(end_ms) OVER within_a_gap - end_ms AS before_ms
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
  WINDOW within_a_gap AS (
    PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y
    ORDER BY ts
    RANGE BETWEEN ${gap} PRECEDING AND CURRENT ROW
  )
)
WHERE slices = 1 OR (slices = 2 AND ts_ms - before_ms > ${gap_seconds} * 1000)
