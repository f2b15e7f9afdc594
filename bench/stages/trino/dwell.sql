-- gold_zone_dwell by Trino. Grain: a cell's hour. Source: silver_detection.
SELECT
  store_id, camera_id, date_trunc('hour', start_ts) AS ts_hour, zone_x, zone_y,
  count(*) AS visits, sum(dwell) AS total_dwell_seconds, max(dwell) AS max_dwell_seconds
FROM (
  SELECT
    store_id, camera_id, zone_x, zone_y, min(capture_ts) AS start_ts,
    date_diff('millisecond', min(capture_ts), max(capture_ts)) / 1e3 AS dwell
  FROM (
    SELECT
      *,
      sum(IF(capture_ts - before_ts <= INTERVAL '2' SECOND, 0, 1)) OVER (
        PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS session_number
    FROM (
      SELECT
        store_id, camera_id, run_id, track_id, zone_x, zone_y, capture_ts,
        lag(capture_ts) OVER (
          PARTITION BY store_id, camera_id, run_id, track_id, zone_x, zone_y ORDER BY capture_ts
        ) AS before_ts
      FROM silver_detection
      WHERE class_name = 'person' AND track_id IS NOT NULL
    )
  )
  GROUP BY store_id, camera_id, run_id, track_id, zone_x, zone_y, session_number
)
GROUP BY 1, 2, 3, 4, 5
