-- gold_track_summary by Trino. Grain: a track. Source: silver_detection.
SELECT
  store_id, camera_id, run_id, track_id, min(capture_ts) AS start_ts, max(capture_ts) AS end_ts,
  count(*) AS frames, min(x) AS min_x, max(x) AS max_x, min(y) AS min_y, max(y) AS max_y,
  avg(x) AS avg_x, avg(y) AS avg_y, avg(conf) AS avg_conf
FROM (
  SELECT
    *,
    sum(IF(capture_ts - before_ts <= INTERVAL '30' SECOND, 0, 1)) OVER (
      PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
      ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
    ) AS session_number
  FROM (
    SELECT
      store_id, camera_id, run_id, track_id, capture_ts, conf,
      (x1 + x2) / 2 AS x, (y1 + y2) / 2 AS y,
      lag(capture_ts) OVER (
        PARTITION BY store_id, camera_id, run_id, track_id ORDER BY capture_ts
      ) AS before_ts
    FROM silver_detection
    WHERE class_name = 'person' AND track_id IS NOT NULL
  )
)
GROUP BY store_id, camera_id, run_id, track_id, session_number
